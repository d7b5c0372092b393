#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Which route a message takes, which of its hosts, and in which order.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent ();
use Failover;
use Fixture qw(skip_or_fail skip_without_ipv6);
use Trial ();

my %DOWN = (down => 1);
my $REFUSES = 'connect: Connection refused';

# Which of the hosts A, B and C takes a message.
sub taken_by {
    my ($name, $host, %given) = @_;
    my %hosts = map { $_ => {} } qw(A B C);
    my %saw = map { $_ => [] } keys %hosts;

    $saw{$host} = [$DELIVERY];
    return [$name, {hosts => \%hosts, %given},
        0, qr/^2\.0\.0 $host: 250 /, \%saw];
}

my $MAP = <<'EOF_MAP';
# comment
exact.example     A
.exact.example    B
.b.exact.example  [192.0.2.1]:nonsense
.c.exact.example: C
*                 C
named             B,
    # comment
    A/pri=5
Two.Named         A/pri=5,B
EOF_MAP

my @keys = (
    taken_by('the domain itself', 'A', routes => $MAP,
        recipients => ['user@exact.example']),
    taken_by('the domain in other case', 'A', routes => $MAP,
        recipients => ['user@EXACT.Example']),
    taken_by('.parent', 'B', routes => $MAP,
        recipients => ['user@a.exact.example']),
    taken_by('.parent, some levels up', 'B', routes => $MAP,
        recipients => ['user@z.y.x.exact.example']),
    taken_by('the longest .parent, wherever it stands', 'C', routes => $MAP,
        recipients => ['user@a.c.exact.example']),
    taken_by('.parent is not the domain', 'B', routes => $MAP,
        recipients => ['user@c.exact.example']),
    taken_by('*', 'C', routes => $MAP, recipients => ['user@other.example']),
    taken_by('ALL:', 'B', routes => "example.com A\nALL: B\n",
        recipients => ['user@other.example']),
    taken_by('address literal', 'B', routes => "* A\n[192.0.2.7] B\n",
        recipients => ['user@[192.0.2.7]']),
    taken_by('IDN as written', 'B', routes => "* A\nb\xc3\xbccher.example B\n",
        recipients => ['user@xn--bcher-kva.example']),
    taken_by('nexthop: the domain', 'A', routes => $MAP,
        nexthop => 'exact.example', recipients => ['user@exact.example']),
    taken_by('nexthop: the domain in another form', 'A', routes => $MAP,
        nexthop => 'Exact.EXAMPLE.', recipients => ['user@exact.example']),
    taken_by('nexthop: a named route', 'B', routes => $MAP,
        nexthop => 'named', recipients => ['user@exact.example']),
    taken_by('nexthop: a named route with a dot', 'B', routes => $MAP,
        nexthop => 'two.named', recipients => ['user@exact.example']),
    taken_by('nexthop: an inline route', 'C', routes => $MAP,
        nexthop => 'A/pri=9,C/pri=7,B/pri=8',
        recipients => ['user@exact.example']),
    taken_by('nexthop: an inline route needs no map', 'C',
        settings => {routes => '/nonexistent'}, routes => '', nexthop => 'C'),
);

# Mail that waits for the administrator: the map, and the line.
sub waiting {
    my ($name, $line, %given) = @_;

    return [$name, {hosts => {A => {}}, %given}, 75, $line, {A => []}];
}

my @trouble = (
    waiting('no key fits', '4.4.4 no route for example.com in ROUTES',
        routes => "example.org A\n"),
    waiting('no such named route', '4.4.4 no route named other in ROUTES',
        routes => "* A\n", nexthop => 'other'),
    waiting('* is no named route', qr/^4\.4\.4 no route named exact\.org /,
        routes => "* A\n.org A\n", nexthop => 'exact.org'),
    waiting('a bad port',
        "4.3.5 ROUTES:2:21: bad port '99999'; expected 1 to 65535",
        routes => "* A\nexample.com  [mx.a]:99999, A\n"),
    waiting('a bad option in a line that goes on',
        qr/^4\.3\.5 ROUTES:4:10: bad option 'pr'; expected pri, weight, /,
        routes => "example.com  A,\n\n# comment\n  [mx.a]/pr=1\n* A\n"),
    waiting('no destination', qr/^4\.3\.5 ROUTES:1:12: .*; expected /,
        routes => "example.com\n* A\n"),
    waiting('a bad inline route',
        qr/^4\.3\.5 inline route:1:\d+: .*; expected /,
        routes => "* A\n", nexthop => 'A/pri=x'),
    waiting('no map', '4.3.5 /nonexistent: No such file or directory',
        routes => "* A\n", settings => {routes => '/nonexistent'}),
    waiting('a folder for a map', '4.3.5 /: Is a directory',
        routes => "* A\n", settings => {routes => '/'}),
    taken_by('a broken line concerns its own key only', 'A',
        routes => "example.org [\nexample.com A\n* [::\n"),
);

my @order = (
    ['ascending priority, however written', {
            hosts => {A => {%DOWN}, B => {%DOWN}, C => {%DOWN}},
            route => 'C/pri=65535, A, B/pri=10',
        }, 75, "4.4.1 A: $REFUSES; B: $REFUSES; C: $REFUSES", {}],
    ['equal priority: all are tried, each once', {
            hosts => {A => {%DOWN}, B => {%DOWN}, C => {%DOWN}},
            route => 'C, A, B',
        }, 75, qr/^4\.4\.1\ (?=.*A:)(?=.*B:)(?=.*C:)\S+\ \Q$REFUSES\E;
            \ \S+\ \Q$REFUSES\E;\ \S+\ \Q$REFUSES\E$/x, {}],
    ['an address and port is tried once', {
            hosts => {A => {mail => '452 4.3.1 full'}},
            route => 'A, A, A/pri=1, A/pri=2',
        }, 75, '4.3.1 A: 452 4.3.1 full (in reply to MAIL FROM)',
        {A => ['EHLO MAIL QUIT']}],
    taken_by('a drained host is passed over', 'B',
        route => 'A/drain, B/pri=1, C/pri=2/drain'),
    waiting('all hosts are drained', '4.3.2 all hosts of the route are drained',
        route => 'A/drain'),
    ['/dev/null', {hosts => {A => {}}, route => '/dev/null'},
        0, '2.0.0 dropped: the route is /dev/null', {A => []},
        'Dropped: the route is /dev/null'],
    ['IPv6, then IPv4', {
            hosts => {A => {address => '::1', mail => 'close'}, B => {}},
            route => 'A, B/pri=1',
        }, 0, qr/^2\.0\.0 B: 250 /, {A => ['EHLO MAIL'], B => [$DELIVERY]},
        'New SMTP DCID 1 interface ::1 address A',
        'Connection Error: DCID 1 domain: example.com IP: A details: '
            . 'MAIL FROM: connection lost interface: ::1 reason: network error',
        'New SMTP DCID 2 interface 127.0.0.1 address B',
        qr/^Delivered: DCID 2 to RID \[0\] Response 2\.0\.0 Ok/],
    ['IPv4, then IPv6', {
            hosts => {A => {mail => 'close'}, B => {address => '::1'}},
            route => 'A, B/pri=1',
        }, 0, qr/^2\.0\.0 B: 250 /, {A => ['EHLO MAIL'], B => [$DELIVERY]}],
);

try_trials(@keys, @trouble, @order,
    taken_by('tls=none', 'A', route => 'A/tls=none',
        settings => {tls => 'secure'}),
    taken_by('tls=may', 'A', route => 'A/tls=may'),
);

# How many of so many deliveries in a row each host takes.
sub shares {
    my ($route, $count, %script) = @_;
    my %hosts = map { ($_ => $script{$_} // {}) } qw(A B C);
    my $trial = Trial->new(hosts => \%hosts, route => $route);
    my %share;

    $trial->agent->deliver for 1 .. $count;
    for my $host (keys %hosts) {
        my @taken = grep { $_->accepted } $trial->host($host)->messages;
        $share{$host} = @taken;
    }
    return %share;
}

subtest 'equal priority' => sub {
    my %share = shares('A, B, C/pri=1', 24);

    ok $share{A} > 0, 'the first takes some';
    ok $share{B} > 0, 'the second takes some';
    is $share{A} + $share{B}, 24, 'they take all';
};

subtest 'equal priority, one of them is down' => sub {
    my %share = shares('A, B, C', 8, B => {%DOWN});

    is $share{A} + $share{C}, 8, 'the others take all';
};

subtest 'weight' => sub {
    my %share = shares('A/weight=1000, B/weight=1, C/pri=1', 20);

    ok $share{A} > 12, 'the heavier one takes most';
    is $share{A} + $share{B}, 20, 'they take all';
};

# The address from which the host is reached.
my @sources = (
    ['bind in the route', 'A/bind=127.0.0.5', {}, '127.0.0.5'],
    ['bind for the host', 'A', {'host A' => {bind => '127.0.0.6'}},
        '127.0.0.6'],
    ['bind in the route is stronger', 'A/bind=127.0.0.5',
        {'host A' => {bind => '127.0.0.6'}}, '127.0.0.5'],
    ['bind for IPv6', 'B/bind=::1', {}, '::1'],
);

sub check_source {
    my ($route, $settings, $address) = @_;
    my ($host) = $route =~ /^(\w)/;
    my $script = $address =~ /:/ ? {address => '::1'} : {};
    my $trial = Trial->new(
        hosts    => {$host => $script},
        route    => $route,
        settings => $settings,
    )->wait;

    is $trial->status, 0, 'exit status';
    my ($connection) = $trial->host($host)->connections;
    is $connection->peer, $address, 'the host\'s peer';
    is(($trial->log)[0],
        "New SMTP DCID 1 interface $address address $host", 'log');
    return;
}

for my $source (@sources) {
    my ($name, @row) = @{$source};

    subtest $name => sub {
        skip_without_ipv6() if $row[-1] =~ /:/;
        check_source(@row);
    };
}

try_trials(
    ['bind of the other family is no way to this host', {
            hosts => {A => {}, B => {address => '::1'}},
            route => 'A/bind=::1, B/pri=1/bind=::1',
        }, 0, qr/^2\.0\.0 B: 250 /, {A => [], B => [$DELIVERY]}],
    ['bind of the other family, and no other host',
        {hosts => {A => {}}, route => 'A/bind=::1'},
        75, qr/^4\.\d\.\d 127\.0\.0\.1:\d+: no address of the family of bind/,
        {A => []}],
    ['bind to an address that is not here',
        {hosts => {A => {}, B => {}}, route => 'A/bind=192.0.2.1, B/pri=1'},
        0, qr/^2\.0\.0 B: 250 /, {A => [], B => [$DELIVERY]}],
);

subtest 'a map that may not be read' => sub {
    skip_or_fail($> ? 'only root can be another user' : undef);
    my $agent = Agent->new(routes => "* [127.0.0.1]:9\n", user => 'nobody');

    chmod 0600, $agent->routes or die $!;
    my $run = $agent->deliver;
    is $run->status, 75, 'exit status';
    is $run->output, '4.3.5 ' . $agent->routes . ': Permission denied',
        'the line';
};

done_testing;
