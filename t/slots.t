#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# max-connections: how many processes are connected to a host at once, counted
# by the host.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent ();
use CrowdHost ();
use Fixture;
use Herd;

my $AT_ONCE = 20;
my $FULL = '4.4.5 all hosts of the route are at their max-connections';

# Who delivers along a route that has A for the first of some hosts, B for the
# second, ...; so have the settings, as in "host A".
sub herd {
    my ($route, $settings, @hosts) = @_;

    my $agent = Agent->new(
        routes   => insert("* $route\n", @hosts),
        settings => {
            'retry-min' => '1h',
            'retry-max' => '1h',
            map { insert($_, @hosts) =~ tr/[]//dr, $settings->{$_} }
                keys %{$settings},
        },
    );
    return Herd->new(agent => $agent);
}

sub insert {
    my ($text, @hosts) = @_;

    $text =~ s/\b([A-C])\b/$hosts[ord($1) - ord 'A']->destination/ge;
    return $text;
}

# Until so many of them are held by hosts, and the others have ended; returns
# those.
sub wait_held {
    my ($herd, $held, @runs) = @_;
    my @ended;

    wait_until("$held that are held", sub {
        $herd->finished;
        @ended = grep { defined $_->signal } @runs;
        return @ended >= @runs - $held;
    });
    return @ended;
}

# Twenty at once, whom the hosts hold: the route, settings, how many hosts there
# are, how many connections each of them has, and how many are deferred.
my @crowds = (
    ['the limit of all hosts', 'A, B', {'max-connections' => 3}, 2,
        [3, 3], 14],
    ['the limit of one host', 'A, B', {'host A' => {'max-connections' => 2}},
        2, [2, 18], 0],
    ['a name without a port has a limit for each port', 'A, B/pri=5',
        {'host 127.0.0.1' => {'max-connections' => 4}}, 2, [4, 4], 12],
    ['one host has another limit than all', 'A, B/pri=5',
        {'max-connections' => 2, 'host B' => {'max-connections' => 5}}, 2,
        [2, 5], 13],
    ['one host has none', 'A, B/pri=5',
        {'max-connections' => 2, 'host B' => {'max-connections' => 0}}, 2,
        [2, 18], 0],
    ['no limit', 'A', {'max-connections' => 0}, 1, [20], 0],
    ['not set', 'A', {}, 1, [20], 0],
    ['what the first group has no room for goes to the next', 'A, B, C/pri=1',
        {'max-connections' => 3}, 3, [3, 3, 3], 11],
);

for my $row (@crowds) {
    my ($name, $route, $settings, $count, $connected, $deferred) = @{$row};
    subtest $name => sub {
        my @hosts = map { CrowdHost->new(hold => 'mail') } 1 .. $count;
        my $herd = herd($route, $settings, @hosts);

        my @runs = $herd->start($AT_ONCE);
        my @ended = wait_held($herd, $AT_ONCE - $deferred, @runs);
        $hosts[$_]->wait_held($connected->[$_]) for 0 .. $#hosts;
        is_deeply tally(@ended), $deferred ? {75 => $deferred} : {},
            'others are deferred at once';
        is_deeply [grep { $_->output ne $FULL } @ended], [], 'the line';
        $_->release for @hosts;
        $herd->finish;
        is_deeply tally(@runs), {
            0 => $AT_ONCE - $deferred,
            $deferred ? (75 => $deferred) : (),
        }, 'those who were held are delivered';
        is_deeply [map { $_->most } @hosts], $connected,
            'so many at once has each host seen';
        is_deeply [map { $_->connections } @hosts], $connected,
            'and no other';
    };
}

subtest 'never more, however they come and go' => sub {
    my @hosts = map { CrowdHost->new(delay => 0.004, seed => $_) } 1 .. 3;
    my $herd = herd('A, B, C/pri=5',
        {'max-connections' => 2, 'host C' => {'max-connections' => 0}},
        @hosts);

    is_deeply tally($herd->deliver(200, at_once => $AT_ONCE)), {0 => 200},
        'all are delivered';
    cmp_ok $_->most, '<=', 2, 'at once, with a limit: ' . $_->most
        for @hosts[0, 1];
    # The third one has what these have no room for, if there is such.
    cmp_ok $_->connections, '>', 2, 'one after another: ' . $_->connections
        for @hosts[0, 1];
    $_->hold('mail') for @hosts;
    my @runs = $herd->start(6);
    $hosts[$_]->wait_held(2) for 0 .. 2;
    pass 'at the end all places are free';
    $_->release for @hosts;
    is_deeply tally($herd->finish(@runs)), {0 => 6}, 'and are used';
};

subtest 'who is killed leaves no gap' => sub {
    my ($host) = my @hosts = CrowdHost->new(hold => 'mail');
    my $herd = herd('A', {'max-connections' => 2}, @hosts);

    for my $stage (qw(greeting mail rcpt final)) {
        $host->hold($stage);
        my @runs = $herd->start(2);
        $host->wait_held(2);
        my ($refused) = $herd->deliver(1);
        is $refused->output, $FULL, "$stage: two are all";
        $herd->kill($runs[0]);
        my ($heir) = $herd->start(1);
        $host->wait_held(2);
        ($refused) = $herd->deliver(1);
        is $refused->output, $FULL, 'a third one takes the place of the first';
        $herd->kill($runs[1], $heir);
        $host->wait_closed;
    }
    $host->release;
    is_deeply tally($herd->deliver(20)), {0 => 20},
        'at the end one after another is delivered';
    is $host->most, 2, 'never more than two';
};

# The host still holds the connection when its prober is gone.
subtest 'a probe needs a place, and gives it back' => sub {
    my ($host) = my @hosts = CrowdHost->new(down => 1);
    my $herd = herd('A', {'max-connections' => 1, 'retry-min' => '1s'},
        @hosts);

    $herd->deliver(1);
    $host->start;
    $host->hold('greeting');
    $herd->kill($herd->prober($host));
    my ($probe) = $herd->start(1);
    $host->wait_held(1);
    my ($other) = $herd->deliver(1);
    like $other->output, qr/^4\.4\.1 all hosts .* down: .*; being probed$/,
        'the line';
    $host->release;
    is_deeply tally($herd->finish($probe)), {0 => 1}, 'the probe';
    is_deeply tally($herd->deliver(3)), {0 => 3}, 'and those after it';
    is $host->most, 1, 'one at a time';
};

subtest 'a failure gives the place back' => sub {
    my ($host) = my @hosts =
        CrowdHost->new(reply => {rcpt => '450 4.2.0 later'});
    my $herd = herd('A', {'max-connections' => 1}, @hosts);

    my @runs = $herd->deliver(5);
    is scalar(grep { $_->output =~ /450 4\.2\.0 later/ } @runs), 5,
        'all are refused by the host';
    is $host->connections, 5, 'which has seen them';
};

done_testing;
