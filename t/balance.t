#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# How the load of many processes is shared among hosts of one priority, counted
# by the hosts.  With SMTPROUTE_SOAK set there are more deliveries.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent ();
use CrowdHost ();
use Herd;

my $AT_ONCE = 20;

my $LATER = {reply => {rcpt => '450 4.2.0 later'}};

# Hosts of these options, and who delivers along a route (or more, lines of a
# map) that has A for the first of them, B for the second, ...
sub herd {
    my ($routes, $options, %settings) = @_;
    my @hosts = map { CrowdHost->new(%{$_}) } @{$options};

    my $agent = Agent->new(
        routes   => insert("$routes\n", @hosts),
        settings => {'retry-min' => '1h', 'retry-max' => '1h', %settings},
    );
    return (Herd->new(agent => $agent), @hosts);
}

sub insert {
    my ($text, @hosts) = @_;

    $text =~ s/\b([A-E])\b/$hosts[ord($1) - ord 'A']->destination/ge;
    return $text;
}

# In letters, what the hosts have taken from one delivery to the next.
sub row {
    my (@hosts) = @_;

    return join '', order(map { chr(ord('A') + $_), $hosts[$_] } 0 .. $#hosts);
}

# In parallel: the route, its hosts, how many deliveries, and everybody's part
# of them.
my @shares = (
    ['two equal hosts', 'A, B', [{}, {}], 80, 1, 1],
    ['three equal hosts', 'A, B, C', [{}, {}, {}], 1000, 1, 1, 1],
    ['five equal hosts', 'A, B, C, D, E', [{}, {}, {}, {}, {}], 100,
        1, 1, 1, 1, 1],
    ['weights 3 and 1', 'A/weight=3, B', [{}, {}], 80, 3, 1],
    ['weights 5, 3 and 1', 'A/weight=5, B/weight=3, C/weight=1',
        [{}, {}, {}], 180, 5, 3, 1],
    ['the share of one that is down goes to all others', 'A, B, C, D',
        [{}, {down => 1}, {}, {}], 150, 1, 0, 1, 1],
    ['that of two that are down', 'A, B, C, D, E',
        [{down => 1}, {down => 1}, {}, {}, {}], 150, 0, 0, 1, 1, 1],
    ['that of a heavy one that is down, by weight',
        'A/weight=5, B/weight=3, C/weight=2',
        [{down => 1}, {}, {}], 150, 0, 3, 2],
    ['that of one that is drained', 'A, B/drain, C, D', [{}, {}, {}, {}],
        120, 1, 0, 1, 1],
    ['the load of one that takes no recipient', 'A, B, C, D',
        [{}, $LATER, {}, {}], 150, 1, 0, 1, 1],
);

for my $row (@shares) {
    my ($name, $route, $options, $count, @parts) = @{$row};
    subtest $name => sub {
        my ($herd, @hosts) = herd("* $route", $options);

        $count = 1000 if $ENV{SMTPROUTE_SOAK};
        my @runs = $herd->deliver($count, at_once => $AT_ONCE);
        is_deeply tally(@runs), {0 => $count}, 'all are delivered';
        shares_are('hosts', [shares(@hosts)], @parts);
    };
}

# One after another, since chance would smooth it: the same for hosts that take
# no recipient.  They are asked in their turn, as those that are up.
my @refusals = (
    ['A, B, C', [{}, $LATER, {}], 10, 1, 0, 1],
    ['A/weight=2, B, C, D', [$LATER, {}, {}, {}], 12, 0, 1, 1, 1],
    ['A/weight=3, B/weight=2, C', [{}, {}, $LATER], 5, 3, 2, 0],
);

for my $row (@refusals) {
    my ($route, $options, $asked, @parts) = @{$row};
    subtest "the load of one that takes no recipient, of $route" => sub {
        my ($herd, @hosts) = herd("* $route", $options);

        my @runs = $herd->deliver(30);
        is_deeply tally(@runs), {0 => 30}, 'all are delivered';
        shares_are('hosts', [shares(@hosts)], @parts);
        my ($refusing) = grep { !$parts[$_] } 0 .. $#parts;
        is $hosts[$refusing]->connections, $asked, 'it is asked in its turn';
    };
}

# One after another: what a row of deliveries must be.
my @rows = (
    ['of equal hosts each two in a row use both', 'A, B', 20,
        qr/^(AB){10}$|^(BA){10}$/],
    ['each three in a row use all three', 'A, B, C', 21, qr/^(?:(...)\1*)$/],
    ['each five in a row use all five', 'A, B, C, D, E', 25,
        qr/^(?:(.{5})\1*)$/],
);

for my $row (@rows) {
    my ($name, $route, $count, $pattern) = @{$row};
    subtest $name => sub {
        my ($herd, @hosts) = herd("* $route", [{}, {}, {}, {}, {}]);
        my $n = () = $route =~ /\b[A-E]\b/g;

        $herd->deliver($count);
        my $took = row(@hosts);
        like $took, $pattern, 'the row' or diag $took;
        my @windows = map { substr $took, $_, $n } 0 .. $count - $n;
        is scalar(grep { /(.).*\1/ } @windows), 0, 'none twice' or diag $took;
    };
}

subtest 'weights are spread out, not in runs' => sub {
    my ($herd, @hosts) = herd('* A/weight=3, B', [{}, {}]);

    $herd->deliver(64);
    my $took = row(@hosts);
    cmp_ok longest(split //, $took), '<', 6, '3 to 1: no run of six';
    is_deeply [shares(@hosts)], [48, 16], 'the shares' or diag $took;
    my @windows = map { substr $took, $_, 8 } 0 .. 56;
    is scalar(grep { tr/B// != 2 } @windows), 0,
        'each eight in a row have two for the light one' or diag $took;
};

subtest 'routes with the same hosts share their turns' => sub {
    my ($herd, @hosts) = herd("example.com A, B\nexample.org A, B",
        [{}, {}]);

    $herd->deliver(20, domains => ['example.com', 'example.org']);
    like row(@hosts), qr/^(AB){10}$|^(BA){10}$/, 'two domains in turn'
        or diag row(@hosts);
    my $last = substr row(@hosts), -1;
    $herd->deliver(1, nexthop => insert('A, B', @hosts));
    isnt substr(row(@hosts), -1), $last, 'and a route that Postfix hands over';
};

subtest 'priority comes before weight' => sub {
    my ($herd, @hosts) = herd('* A/pri=10/weight=100, B, C/pri=20',
        [{}, {}, {}]);

    $herd->deliver(20, at_once => $AT_ONCE);
    is_deeply [shares(@hosts)], [0, 20, 0], 'all for the first';
    $hosts[1]->stop;
    $herd->deliver(20, at_once => $AT_ONCE);
    is_deeply [shares(@hosts)], [20, 20, 0], 'without it, for the second';
    $hosts[0]->stop;
    $herd->deliver(20, at_once => $AT_ONCE);
    is_deeply [shares(@hosts)], [20, 20, 20], 'and for the third';
};

subtest 'none for those that are drained, even if all are' => sub {
    my ($herd, @hosts) = herd('* A/drain, B/drain/pri=5', [{}, {}]);

    my @runs = $herd->deliver(5);
    is_deeply tally(@runs), {75 => 5}, 'deferred';
    is $runs[0]->output, '4.3.2 all hosts of the route are drained',
        'the line';
    is_deeply [map { $_->connections } @hosts], [0, 0], 'no connection';
};

# Seven standard deviations: by chance less than once in 10^11 times.
subtest 'without memory, by chance' => sub {
    my ($herd, @hosts) = herd('* A/weight=3, B', [{}, {}],
        'state-directory' => '/dev/null/absent');

    my @runs = $herd->deliver(200, at_once => $AT_ONCE);
    is_deeply tally(@runs), {0 => 200}, 'all are delivered';
    my ($heavy, $light) = shares(@hosts);
    is $heavy + $light, 200, 'once each';
    cmp_ok abs($heavy - 150), '<', 7 * 6.13, "weight 3: $heavy of 200";
};

done_testing;
