#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# --json of check, route and probe: the same as their text says.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use Test::More;

use Agent ();
use Checked;
use Ctl ();
use Fixture;
use SmtpHost ();

sub document {
    my ($run) = @_;

    my $document = eval { JSON::PP->new->ascii->decode($run->stdout) };
    ok $document, 'one document' or diag $run->stdout, $run->stderr;
    is $run->stdout =~ tr/\n//, 1, 'on one line';
    return $document // {};
}

# The line of text for a finding.
sub line_of {
    my ($finding) = @_;

    return join '', $finding->{where},
        (map { defined $finding->{$_} ? ":$finding->{$_}" : () }
            qw(line column)), ': ',
        $finding->{severity} eq 'error' ? '' : "$finding->{severity}: ",
        $finding->{message}, "\n";
}

sub ctl {
    my ($conf, @arguments) = @_;

    return Ctl->run(conf => $conf, arguments => \@arguments);
}

subtest 'check' => sub {
    my $agent = Agent->new(
        settings => {'helo-name' => 'gw1', 'host mx9.example.com' =>
            {tls => 'none'}},
        routes => "example.com [127.0.0.1]/pri=x,\n\nexample.net [127.0.0.2]\n"
            . "example.net [127.0.0.3]\n",
    );
    for my $conf ($agent->conf, '/nonexistent/smtproute.conf') {
        my $text = ctl($conf, 'check', '--no-dns');
        my $run = ctl($conf, 'check', '--no-dns', '--json');
        is $run->status, $text->status, 'exit status';
        my $document = document($run);
        my @findings = @{ $document->{findings} };
        my ($sum) = $text->stdout =~ /^(\d+ .*)\n\z/m;
        is join('', map { line_of($_) } @findings) . "$sum\n", $text->stdout,
            'the same findings';
        for my $severity (qw(error warning)) {
            is $document->{"${severity}s"},
                scalar(grep { $_->{severity} eq $severity } @findings),
                "${severity}s";
        }
        cmp_ok $document->{errors}, '>', 0, 'there are errors';
    }
    my ($place) = grep { $_->{message} =~ /^bad pri / }
        @{ document(ctl($agent->conf, 'check', '--no-dns', '--json'))
            ->{findings} };
    is_deeply [@{$place}{qw(where line column severity)}],
        [$agent->routes, 1, 29, 'error'], 'a place';
    my $clean = Agent->new(routes => "example.com [127.0.0.1]\n");
    is document(ctl($clean->conf, 'check', '--no-dns', '--json',
        '--routes=' . $clean->routes))->{routes}, 1, 'a sum';
};

subtest 'route' => sub {
    my $host = SmtpHost->new;
    my $dead = kept_port('127.0.0.1');
    my $agent = Agent->new(
        settings => {'retry-min' => '1h', 'retry-max' => '1h',
            'max-connections' => 7, 'auth relay' => {username => 'me',
            password => 'secret'}, 'rate' => '30:1m'},
        routes => "example.com [127.0.0.1]:$dead, " . $host->destination
            . "/weight=3, [192.0.2.1]/pri=1/drain/auth=relay/tls=encrypt\n"
            . "drop.example /dev/null\ndns.example USEDNS\n",
    );
    $agent->deliver for 1 .. 4;
    my $run = ctl($agent->conf, 'route', '--json', 'user@example.com');
    is $run->status, 0, 'exit status';
    unlike $run->stdout, qr/secret/, 'no secret';
    my $document = document($run);
    is_deeply [@{$document}{qw(domain nexthop found key line matched action
        leastconn)}], ['example.com', undef, JSON::PP::true, 'example.com', 1,
        'the domain itself', 'hosts', JSON::PP::false], 'the route';
    my ($up, $down, $drained) = @{ $document->{hosts} };
    is_deeply [@{$up}{qw(host port turn weight share up drained next_try_in
        max_connections)}], ['127.0.0.1', $host->port, 1, 3, 0.75,
        JSON::PP::true, undef, undef, 7], 'a host that is up';
    is_deeply $up->{addresses}, [{name => '127.0.0.1', address => '127.0.0.1',
        preference => undef, trouble => undef,
        failed_lately => JSON::PP::false}], 'its address';
    like $up->{rate}, qr/^\d of 30 in 1m$/, 'its rate';
    is_deeply [@{$down}{qw(port turn up last_error)}], [$dead, undef,
        JSON::PP::false, 'connect: Connection refused'], 'one that is down';
    cmp_ok $down->{next_try_in}, '>', 3000, 'until when';
    like $down->{last_failure}, qr/^20\d\d-.*Z$/, 'since when';
    is_deeply [@{$drained}{qw(host turn drained auth auth_user tls)}],
        ['192.0.2.1', undef, 'in the route map', 'relay', 'me', 'encrypt'],
        'one that is drained';

    $document = document(ctl($agent->conf, 'route', '--json', 'drop.example'));
    is_deeply [@{$document}{qw(action hosts)}], ['/dev/null', []], '/dev/null';
    $run = ctl($agent->conf, 'route', '--json', 'a.example');
    is $run->status, 1, 'no route: exit status';
    is_deeply [@{ document($run) }{qw(found key hosts looked_for)}],
        [JSON::PP::false, undef, [], 'a.example, .example, *'], 'no route';
    $run = ctl($agent->conf, 'route', '--json', '-n',
        '[192.0.2.7]:26/TLS=none', 'a.example');
    is document($run)->{nexthop}, '[192.0.2.7]:26/tls=none', 'a nexthop';
    $document =
        document(ctl($agent->conf, 'route', '--json', '-n', 'Example.com'));
    is_deeply [@{$document}{qw(domain nexthop table found key matched)}],
        [undef, 'example.com', undef, JSON::PP::true, 'example.com',
        'the nexthop is the name of this route'], 'a nexthop alone';
    is_deeply [map { $_->{turn} } @{ $document->{hosts} }], [1, undef, undef],
        'its hosts';
    $run = ctl($agent->conf, 'route', '--json', '-n', 'a.example');
    is $run->status, 1, 'a nexthop alone, no route: exit status';
    is_deeply [@{ document($run) }{qw(domain nexthop found hosts looked_for)}],
        [undef, 'a.example', JSON::PP::false, [], 'a.example'], 'no route';
    $document =
        document(ctl($agent->conf, 'route', '--json', '-n', 'dns.example'));
    is_deeply [@{$document}{qw(action hosts)}], ['USEDNS', []],
        'a nexthop alone with USEDNS';
};

subtest 'probe' => sub {
    my $host = SmtpHost->new(keywords => ['PIPELINING', 'X-<&"\\'],
        greeting => "220 a\e[1mb");
    my $dead = kept_port('127.0.0.1');
    my $agent = Agent->new(routes => 'example.com ' . $host->destination
        . ", [127.0.0.1]:$dead/drain\ndead.example [127.0.0.1]:$dead\n"
        . "drop.example /dev/null\n");
    my $run = ctl($agent->conf, 'probe', '--json', 'example.com');
    is $run->status, 0, 'exit status' or diag $run->stderr;
    my $document = document($run);
    is_deeply [@{$document}{qw(addresses working matched)}],
        [2, 1, 'the domain itself'], 'sums';
    my ($works, $not) = @{ $document->{hosts} };
    is_deeply [@{$works}{qw(host port priority health drained)}],
        ['127.0.0.1', $host->port, 0, 'up', undef], 'a host';
    my ($address) = @{ $works->{addresses} };
    is_deeply [@{$address}{qw(name address works trouble)}],
        ['127.0.0.1', '127.0.0.1', JSON::PP::true, undef], 'its address';
    my %stage = map { $_->{stage} => $_ } @{ $address->{stages} };
    is_deeply [map { $_->{stage} } @{ $address->{stages} }],
        [qw(connect greeting EHLO STARTTLS MAIL RSET QUIT)], 'stages'
        or diag explain $address;
    is $stage{greeting}{text}, '220 a?[1mb', 'printable text';
    is_deeply [map { $_->{text} } grep { $_->{label} eq 'keyword' }
        @{ $stage{EHLO}{details} }], ['PIPELINING', 'X-<&"\\'], 'keywords';
    cmp_ok $stage{MAIL}{time}, '>', 0, 'it took some time';
    is $not->{drained}, 'in the route map', 'drained';
    is_deeply [@{ $not->{addresses}[0] }{qw(works trouble)}],
        [JSON::PP::false, 'connect: Connection refused'], 'one that does not';

    $run = ctl($agent->conf, 'probe', '--json', 'dead.example');
    is $run->status, 1, 'none works: exit status';
    is document($run)->{working}, 0, 'none works';
    $run = ctl($agent->conf, 'probe', '--json', 'drop.example');
    is $run->status, 1, '/dev/null: exit status';
    is_deeply document($run)->{hosts}, [], '/dev/null';
    my $named = ctl($agent->conf, 'probe', '--json', $host->destination);
    is document($named)->{route}, undef, 'a host';
    $run = ctl($agent->conf, 'probe', '--json', 'a..b');
    is $run->status, 2, 'trouble: exit status';
    is $run->stdout, '', 'trouble: no document';
};

done_testing;
