#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# smtproutectl queue behind a real Postfix: what waits, by route and by the host
# it waits for, and that --flush has just that tried.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use Test::More;

use Agent ();
use Ctl ();
use Fixture;
use PostfixInstance ();
use SmtpHost ();

skip_or_fail(PostfixInstance->missing);

sub queue {
    my ($postfix, $agent, @arguments) = @_;

    return Ctl->run(
        conf        => $agent->conf,
        arguments   => ['queue', @arguments],
        environment => {MAIL_CONFIG => $postfix->folder},
    );
}

sub document {
    my ($run) = @_;

    is $run->status, 0, 'exit status' or diag $run->stderr;
    is $run->stderr, '', 'no complaint';
    return JSON::PP->new->ascii->decode($run->stdout);
}

# [host, messages, reasons] of each host of a route.
sub hosts_of {
    my ($document, $route) = @_;
    my ($found) = grep { $_->{route} eq $route } @{ $document->{routes} };

    return map { [$_->{host}, $_->{messages},
        map { $_->{reason} } @{ $_->{reasons} }] } @{ $found->{hosts} };
}

for my $lmtp (0, 1) {
    subtest $lmtp ? 'lmtp(8)' : 'pipe(8)' => sub {
        my $host = SmtpHost->new(rcpt => ['450 4.2.0 not now; and never']);
        my $dead = kept_port('127.0.0.1');
        my $name = '127.0.0.1:' . $host->port;
        my $agent = Agent->new(
            user     => 'nobody',
            settings => {'retry-min' => '1h', 'retry-max' => '1h',
                patience => 0, wake => 'no'},
            routes   => "example.com [127.0.0.1]:$dead, "
                . $host->destination . "/pri=1\n"
                . ".example.net [127.0.0.1]:$dead\n",
        );
        my $postfix = PostfixInstance->new(agent => $agent, lmtp => $lmtp,
            patient => 1, relay => SmtpHost->new(mail => '450 4.2.0 no'));
        # Whoever comes later finds the host down.
        my @ids = $postfix->inject(
            recipients => ['a@example.com', 'b@example.com']);
        $postfix->wait_for(qr/ status=deferred /, 2);
        push @ids, map { $postfix->inject(recipients => $_) } (
            ['c@EXAMPLE.com', 'd@a.example.net'],
            ['e@b.example.net'],
            ['f@elsewhere.example'],
        );
        $postfix->wait_for(qr/ status=deferred /, 6);
        $postfix->settled;

        my $document = document(queue($postfix, $agent, '--json'));
        is_deeply [@{$document}{qw(messages deferred active held recipients
            others unread left_out)}], [3, 3, 0, 0, 5, 1, 0, 0], 'sums';
        my $refused = 'connect: Connection refused';
        my $later = '450 4.2.0 not now; and never (in reply to RCPT TO)';
        my %host = map { $_->[0] => $_ } hosts_of($document, 'example.com');
        is_deeply $host{$name}, [$name, 2, $later], 'a host';
        is_deeply [@{ $host{"127.0.0.1:$dead"} }[0, 1]],
            ["127.0.0.1:$dead", 2], 'another host';
        my %reasons = map { $_ => 1 } map { @{$_}[2 .. $#{$_}] }
            grep { $_->[0] ne $name } values %host,
            hosts_of($document, '.example.net');
        is_deeply [sort keys %reasons], [$refused, 'down'], 'its reasons';
        is +(hosts_of($document, '.example.net'))[0][1], 2,
            'one route for two domains';
        like $document->{oldest}, qr/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
            'the oldest';

        my $text = queue($postfix, $agent)->stdout;
        like $text, qr/^ROUTE, HOST +DEFERRED +ACTIVE +HELD  OLDEST$/m, 'head';
        like $text, qr/^example\.com +2 +0 +0  \d+ s$/m, 'a route';
        like $text, qr/^  \Q$name\E +2 +0 +0  \d+ s$/m, 'a host';
        like $text, qr/^    \Q$later\E$/m, 'its reason';
        like $text, qr/^3 messages wait, the oldest for \d+ s; 5 recipients$/m,
            'the sum';
        like $text, qr/^Not shown: 1 message with /m, 'mail of others';

        for my $row (
            ['example.com', 2], ['EXAMPLE.COM', 2], ['.example.net', 2],
            ['a.example.net', 1], ["127.0.0.1:$dead", 3],
            ["[127.0.0.1]:$dead", 3], ['127.0.0.1', 3], [$name, 2],
            ['192.0.2.1', 0], ['elsewhere.example', 0],
        ) {
            is document(queue($postfix, $agent, '--json', $row->[0]))
                ->{messages}, $row->[1], "queue $row->[0]";
        }

        my $check = queue($postfix, $agent, '--check');
        is $check->status, 0, '--check: exit status';
        like $check->stdout, qr/^SMTPROUTE QUEUE OK - 3 messages wait, the /,
            '--check';
        $postfix->command('postsuper', '-h', $ids[2]);
        is_deeply [@{ document(queue($postfix, $agent, '--json')) }{
            qw(messages deferred held)}], [3, 2, 1], 'one is held';

        my $before = () = $postfix->maillog =~ / status=deferred /g;
        my $flush = queue($postfix, $agent, '--flush', 'a.example.net');
        is $flush->status, 0, '--flush: exit status' or diag $flush->stderr;
        is $flush->stdout, "1 message is tried now\n", '--flush says so';
        $postfix->wait_for(qr/ status=deferred /, $before + 2);
        my @again = $postfix->maillog =~ /(\w+): to=<[^>]+>.* status=deferred /g;
        is_deeply [sort @again[$before .. $#again]], [($ids[1]) x 2],
            'just that was tried';
    };
}

subtest 'no Postfix to ask' => sub {
    my $agent = Agent->new(routes => "example.com [192.0.2.1]\n");
    my $folder = new_folder('nothing');

    my $run = Ctl->run(conf => $agent->conf, arguments => ['queue'],
        environment => {MAIL_CONFIG => $folder});
    is $run->status, 2, 'exit status';
    like $run->stderr, qr/^smtproutectl: .*\Q$folder\E/m, 'it says so';
    $run = Ctl->run(conf => $agent->conf, arguments => ['queue', '--check'],
        environment => {MAIL_CONFIG => $folder});
    is $run->status, 3, '--check: exit status';
    is $run->stdout,
        qq{SMTPROUTE QUEUE UNKNOWN - "smtproutectl queue" says why\n},
        '--check';
};

done_testing;
