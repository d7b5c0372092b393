#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Hosts with names: mail exchangers, addresses, and what DNS does to mail.
#
# W listens on all addresses of this machine, so that one port serves for all
# exchangers; the log says which address was meant.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Dns ();
use Failover;
use Fixture qw(skip_or_fail);
use Trial ();

skip_or_fail(Dns->missing);

# Addresses of this machine that nothing else uses.
my $dns = Dns->new(
    records => [
        'example.com. MX 20 mx2.example.com.',
        'example.com. MX 10 mx1.example.com.',
        'example.com. MX 30 absent.example.com.',
        'mx1.example.com. A 127.71.0.1',
        'mx2.example.com. A 127.71.0.2',
        'equal.example. MX 10 mx1.example.com.',
        'equal.example. MX 10 mx2.example.com.',
        'several.example. MX 10 addresses.example.',
        'several.example. MX 20 mx1.example.com.',
        'addresses.example. A 127.71.0.3',
        'addresses.example. A 127.71.0.4',
        'addresses.example. A 127.71.0.5',
        'direct.example. A 127.71.0.6',
        'lost.example. MX 10 absent.example.',
        'null.example. MX 0 .',
        'again.example. MX 10 mx1.example.com.',
        'again.example. MX 20 alias.example.',
        'alias.example. A 127.71.0.1',
        'both.example. A 127.71.0.7',
        'both.example. AAAA ::1',
    ],
    zones => {'broken.example.' => 'servfail', 'mute.example.' => 'deny'},
);

my $W = SmtpHost->new(address => '0.0.0.0');
my $PORT = $W->port;

# Only the first so many sessions with it fail.
sub failing {
    my ($count, %script) = @_;

    return SmtpHost->new(address => '0.0.0.0',
        per_connection => [(\%script) x $count, {}]);
}

# A route in which W's port is written :W.
sub trial {
    my ($w, $route, %given) = @_;
    my $port = $w->port;
    my $settings = delete $given{settings} // {};

    $route =~ s/:W\b/:$port/g;
    return Trial->new(
        hosts    => {WILD => $w},
        routes   => "* $route\n",
        settings => {
            'dns-servers'     => $dns->address,
            'connect-timeout' => '10s',
            %{$settings},
        },
        %given,
    );
}

# The addresses that were tried: with "-" where connecting failed.
sub tried {
    my ($trial) = @_;

    return join ' ', map {
        /^New SMTP .* address (\S+) port / ? $1
            : /^Connection Error: .* IP: (\S+) port: .* details: connect/
            ? "-$1" : ()
    } $trial->log;
}

my %FULL = (mail => '452 4.3.1 full');
my $FULL = qr/452 4\.3\.1 full \(in reply to MAIL FROM\)/;

# How many sessions fail, the route, exit status, line, addresses tried.
my @rows = (
    ['MX preference', 9, 'example.com:W', 75,
        qr/^4\.3\.1 mx1\S+: $FULL; mx2\S+: $FULL; absent\S+: cannot resolve: /,
        '127.71.0.1 127.71.0.2'],
    ['the second exchanger takes it', 1, 'example.com:W', 0,
        qr/^2\.0\.0 mx2\.example\.com\[127\.71\.0\.2\]:\d+: 250 /,
        '127.71.0.1 127.71.0.2'],
    ['the destination\'s priority comes before MX preference', 9,
        '[127.71.0.9]:W/pri=5, example.com:W', 75,
        qr/^4\.3\.1 mx1\.example\.com.*mx2.*127\.71\.0\.9\[127/,
        '127.71.0.1 127.71.0.2 127.71.0.9'],
    ['equal preference', 9, 'equal.example:W', 75, qr/^4\.3\.1 mx/,
        qr/^127\.71\.0\.[12] 127\.71\.0\.[12]$/],
    ['all addresses of an exchanger, then the next one', 9,
        'several.example:W', 75,
        qr/^4\.3\.1 (?:addresses\.example\[\S+ [^;]*; ){3}mx1/,
        qr/^(?=.*0\.3)(?=.*0\.4)(?=.*0\.5)
            (?:127\.71\.0\.[345]\ ){3}127\.71\.0\.1$/x],
    ['addresses only', 9, '[example.com]:W, [mx2.example.com]:W/pri=1', 75,
        qr/^4\.3\.1 example\.com:\d+: cannot resolve: no address; mx2/,
        '127.71.0.2'],
    ['no MX: the name\'s own address', 0, 'direct.example:W', 0,
        qr/^2\.0\.0 direct\.example\[127\.71\.0\.6\]:\d+: /, '127.71.0.6'],
    ['one attempt at an address, whatever names it has', 9,
        'again.example:W, [127.71.0.1]:W/pri=1, alias.example:W/pri=2', 75,
        qr/^4\.3\.1 mx1\.example\.com\[127\.71\.0\.1\]:\d+: [^;]*$/,
        '127.71.0.1'],
    ['IPv6 and IPv4', 0, 'both.example:W', 0,
        qr/^2\.0\.0 both\.example\[127\.71\.0\.7\]:\d+: /,
        qr/^(?:-::1 )?127\.71\.0\.7$/],
    ['a name that does not exist: the next host', 0,
        'absent.example:W, [mx1.example.com]:W/pri=1', 0,
        qr/^2\.0\.0 mx1\.example\.com/, '127.71.0.1'],
    ['a name that does not exist, and no other', 0, 'absent.example:W', 75,
        qr/^4\.4\.3 absent\.example:\d+: cannot resolve: no such name$/, ''],
    ['only exchangers that do not exist', 0, 'lost.example:W', 75,
        qr/^4\.4\.3 absent\.example:\d+: cannot resolve: no such name$/, ''],
    ['a configured name with a null MX', 0, 'null.example:W', 75,
        qr/^4\.4\.3 null\.example:\d+: domain takes no mail \(null MX\)$/, ''],
    ['a server failure: the next host', 0,
        'broken.example:W, [mx1.example.com]:W/pri=1', 0,
        qr/^2\.0\.0 mx1\.example\.com/, '127.71.0.1'],
    ['/etc/hosts needs no DNS', 0, '[localhost]:W', 0,
        qr/^2\.0\.0 localhost\[127\.0\.0\.1\]:\d+: /,
        qr/^(?:-::1 )?127\.0\.0\.1$/, 'dns-servers' => '127.0.0.1:1'],
    ['DNS is dead', 0, 'example.com:W, [mx1.example.com]:W/pri=1', 75,
        qr/^4\.4\.3 example\.com:\d+: cannot [^;]*; mx1\S+: cannot resolve: /,
        '', 'dns-servers' => '127.0.0.1:1'],
    ['DNS is silent', 0, 'x.mute.example:W', 75,
        qr/^4\.4\.3 x\.mute\.example:\d+: .*: no answer from DNS within \d+ s$/,
        '', 'connect-timeout' => '1s'],
    ['time-limit during a lookup: the next host is not begun', 0,
        'x.mute.example:W, [127.71.0.1]:W/pri=1', 75,
        qr/^4\.4\.3 x\.mute\S+: cannot [^;]*; time-limit near, no other /,
        '', 'connect-timeout' => '1m', 'time-limit' => "${TIME_LIMIT}s"],
);

my @trials = map {
    my (undef, $failing, $route, undef, undef, undef, %settings) = @{$_};
    trial(failing($failing, %FULL), $route, settings => \%settings)->start;
} @rows;
for my $row (@rows) {
    my ($name, $failing, undef, $status, $line, $addresses) = @{$row};
    my $trial = (shift @trials)->wait;

    subtest $name => sub {
        is $trial->status, $status, 'exit status';
        like $trial->line, $line, 'the line';
        like tried($trial), ref $addresses ? $addresses : qr/^\Q$addresses\E$/,
            'addresses';
    };
}

subtest 'equal preference is shuffled' => sub {
    my $trial = trial($W, 'equal.example:W');
    my %first;

    for (1 .. 24) {
        my ($host) = $trial->agent->deliver->output =~ /^2\.0\.0 (\w+)/;
        $first{$host}++;
    }
    ok $first{mx1}, 'one exchanger takes some';
    ok $first{mx2}, 'so does the other';
    is scalar keys %first, 2, 'there are no others';
};

subtest 'a lookup that fails is in the log' => sub {
    my $trial = trial($W, "absent.example:$PORT")->wait;

    my @log = $trial->log;
    like pop @log, qr/^host absent\.example:$PORT is down until /, 'down';
    is_deeply \@log, ['Connection Error: DCID 0 domain: example.com '
        . "IP: - port: $PORT details: absent.example: cannot resolve: "
        . 'no such name interface: - reason: DNS error'], 'line';
};

# USEDNS: the domain, exit status and line.
my @usedns = (
    ['null.example', 68,
        '5.1.10 null.example: domain takes no mail (null MX)'],
    ['absent.example', 68,
        '5.1.2 absent.example: cannot resolve: no such name'],
    ['lost.example', 75,
        '4.4.3 absent.example:25: cannot resolve: no such name'],
    ['x.broken.example', 75,
        '4.4.3 x.broken.example:25: cannot resolve: no DNS server has an '
            . 'answer'],
    ['x.mute.example', 75,
        qr/^4\.4\.3 x\.mute\.example:25: cannot resolve: no answer from DNS /],
);

sub usedns {
    my ($domain) = @_;

    return trial($W, 'USEDNS', recipients => ["user\@$domain"],
        settings => $domain =~ /mute/ ? {'connect-timeout' => '1s'} : {});
}

@trials = map { usedns($_->[0])->start } @usedns;
for my $row (@usedns) {
    my ($domain, $status, $line) = @{$row};
    my $trial = (shift @trials)->wait;

    is $trial->status, $status, "USEDNS $domain: exit status";
    like $trial->line, ref $line ? $line : qr/^\Q$line\E$/,
        "USEDNS $domain: line";
}

is scalar(grep { $_->quit } $W->connections), 24,
    'nothing but the shuffled deliveries came to that host';

done_testing;
