#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Two hundred processes at once, half of which are killed wherever they are:
# what they remember of hosts stays sound, and no mail is lost or doubled.
# SMTPROUTE_SEED repeats what chance has chosen, though not when processes
# run; with SMTPROUTE_SOAK set it happens many times.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use List::Util qw(sum);
use Test::More;
use Time::HiRes qw(time);

use Agent ();
use CrowdHost ();
use Fixture;
use Herd;

my $MANY = 200;
my $LIMIT = 15;
my $ROUNDS = $ENV{SMTPROUTE_SOAK} ? 20 : 1;

my $seed = $ENV{SMTPROUTE_SEED} // ($$ ^ time) & 0xffff;
diag "SMTPROUTE_SEED=$seed";
srand $seed;

# They take their time, up to so many seconds for each answer; the fourth host
# is down at first.
my @hosts = map { CrowdHost->new(delay => 0.3, seed => $seed + $_) } 1 .. 3;
my $down = CrowdHost->new(down => 1);
my $limited = $hosts[2];
my $agent = Agent->new(
    routes   => '* ' . join(', ', map { $_->destination } @hosts, $down) . "\n",
    settings => {
        'retry-min' => '1h',
        'retry-max' => '1h',
        'host ' . $limited->destination =~ tr/[]//dr =>
            {'max-connections' => $LIMIT},
    },
);
my $herd = Herd->new(agent => $agent);

# How many had to do without memory, and say so before they choose a host.
sub lost {
    return scalar grep { / delivering without memory of hosts$/ }
        $agent->log_lines;
}

# How often hosts have taken what a run was to deliver.
sub taken {
    my %taken;

    $taken{$_}++ for map { $_->recipients } @hosts, $down;
    return \%taken;
}

sub running {
    my (@runs) = @_;

    $herd->finished;
    return grep { !defined $_->signal } @runs;
}

# Kills those that are due, of [when, run]; returns the others.
sub kill_due {
    my (@doomed) = @_;

    kill 'KILL', map { $_->pid }
        running(map { $_->[1] } grep { $_->[0] <= time } @doomed);
    return grep { $_->[0] > time } @doomed;
}

# Starts $MANY and kills every other one: in its first moments, or when all
# that have got so far are kept waiting by hosts, or on its way from there.
sub kill_half {
    my (@runs, @early, @held, @late);

    $_->hold('rcpt') for @hosts;
    for my $number (1 .. $MANY) {
        my ($run) = $herd->start(1);
        push @runs, $run;
        @early = kill_due(@early);
        next if $number % 2;
        my $phase = rand 3;
        push @early, [time + rand 0.05, $run] if $phase < 1;
        push @held, $run if $phase >= 1 && $phase < 2;
        push @late, $run if $phase >= 2;
    }
    wait_until('all that wait', sub {
        @early = kill_due(@early);
        return sum(map { $_->held } @hosts) >= running(@runs);
    });
    note scalar(running(@runs)), ' at once';
    kill 'KILL', map { $_->pid } running(@held);
    $_->release for @hosts;
    @late = map { [time + rand 0.8, $_] } @late;
    while (running(@runs)) {
        @late = kill_due(@late);
        $herd->finished(0.005);
    }
    $herd->finish(@runs);
    return @runs;
}

is_deeply tally($herd->deliver(4)), {0 => 4}, 'hosts are found up or down';
$down->start;

for my $round (1 .. $ROUNDS) {
    my @runs = kill_half();
    $_->wait_closed for @hosts;

    my $tally = tally(@runs);
    my $killed = $tally->{'signal 9'} // 0;
    note "$killed killed, ", lost(), ' without memory';
    is_deeply $tally, {0 => $MANY - $killed, 'signal 9' => $killed},
        'all are delivered, or killed';
    my $taken = taken();
    is_deeply [grep { ($taken->{ $_->number } // 0) != 1 }
            grep { defined $_->status } @runs], [],
        'what is said to be delivered has been taken, once';
    is_deeply [grep { ($taken->{ $_->number } // 0) > 1 } @runs], [],
        'and what was killed not twice';
    cmp_ok $limited->most, '<=', $LIMIT + lost(), 'no host is crowded';

    my @before = shares(@hosts);
    my $contacts = $down->connections;
    cmp_ok $contacts, '<=', lost(), 'who was down is still down';
    is_deeply tally($herd->deliver(60, at_once => 10)), {0 => 60},
        'afterwards all are delivered';
    my @after = shares(@hosts);
    my @shares = map { $after[$_] - $before[$_] } 0 .. $#hosts;
    is_deeply [grep { abs($_ - 20) > 1 } @shares], [], 'in turn'
        or diag "@shares";
    is $down->connections, $contacts, 'passing over who is down';

    $limited->hold('mail');
    my @held = $herd->start($LIMIT + 3, nexthop => $limited->destination);
    $limited->wait_held($LIMIT);
    wait_until('the others', sub {
        return running(@held) <= $LIMIT;
    });
    pass 'nobody who was killed takes up a place';
    $limited->release;
    is_deeply tally($herd->finish(@held)), {0 => $LIMIT, 75 => 3},
        'all places are used, and no more';
}

is scalar(grep { / begun anew/ } $agent->log_lines), 0,
    'the state was never begun anew';

done_testing;
