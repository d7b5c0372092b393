#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# slow-start: a host that was down for long gets its share little by little.
# What takes hours the agent's clocks say (t/fault/shim.c).

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent ();
use CrowdHost ();
use Fixture;
use Herd;
use Shim;

# Enough for turns; a step of a ramp of an hour is four minutes.
my $MANY = 34;

# Deliveries so many seconds from now.
sub later {
    my ($agent, $seconds) = @_;

    local $agent->{prefix} = ['env', "LD_PRELOAD=$SHIM",
        "FAULT_BOOT=$seconds", "FAULT_DAY=$seconds"];
    return Herd->new(agent => $agent);
}

# What each host gets of so many deliveries.
sub gained {
    my ($herd, @hosts) = @_;
    my @before = shares(@hosts);

    is_deeply tally($herd->deliver($MANY)), {0 => $MANY},
        'all are delivered';
    my @after = shares(@hosts);
    my @gained = map { $after[$_] - $before[$_] } 0 .. $#hosts;
    note "shares are @gained";
    return @gained;
}

# The first of two hosts, with these settings, has been down for two hours, and
# a probe finds it up.
sub returned {
    my (%settings) = @_;
    my @hosts = map { CrowdHost->new } 1, 2;
    my $agent = Agent->new(
        routes => '* ' . join(', ', map { $_->destination } @hosts) . "\n",
        settings => {patience => 0, %settings},
    );
    my $herd = later($agent, 7200);

    $hosts[0]->stop;
    is_deeply tally(Herd->new(agent => $agent)->deliver(4)), {0 => 4},
        'the other one takes all';
    $hosts[0]->start;
    wait_until('the first host to be up', sub {
        $herd->deliver(1);
        return $hosts[0]->recipients;
    });
    return ($agent, $herd, @hosts);
}

subtest 'all of its share at once' => sub {
    my ($agent, $herd, @hosts) = returned();

    shares_are('half for each', [gained($herd, @hosts)], 1, 1);
};

subtest 'little by little' => sub {
    my ($agent, $herd, @hosts) = returned('slow-start' => '1h');

    my @few = gained($herd, @hosts);
    cmp_ok $few[0], '>=', 1, 'it gets something';
    cmp_ok $few[0], '<=', $MANY / 6, 'but little at first';
    my @more = gained(later($agent, 7200 + 1800), @hosts);
    cmp_ok $more[0], '>', $MANY / 5, 'more after half of the time';
    cmp_ok $more[0], '<', $MANY / 2 - 1, 'but not all';
    shares_are('half for each after it',
        [gained(later($agent, 7200 + 3700), @hosts)], 1, 1);
};

subtest 'a host that was not down for so long' => sub {
    my ($agent, $herd, @hosts) = returned('slow-start' => '3h');

    shares_are('half for each', [gained($herd, @hosts)], 1, 1);
};

subtest 'by sessions, too' => sub {
    my ($agent, $herd, @hosts) =
        returned('slow-start' => '1h', balance => 'leastconn');

    my @few = gained($herd, @hosts);
    cmp_ok $few[0], '>=', 1, 'it gets something';
    cmp_ok $few[0], '<=', $MANY / 6, 'but little at first';
};

done_testing;
