#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Hosts that take few connections, and processes that keep theirs for the next
# message: never one too many, and none that others wait for in vain.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent;
use CrowdHost;
use Ctl;
use Fixture;
use Lmtp;
use Shim;

my $OK = qr/^250 2\.0\.0 /;
my %ONE = ('max-connections' => 1, 'retry-min' => '1h', 'retry-max' => '1h');

# Hosts in order of priority; %{$settings} beside a limit of one connection.
sub agent_for {
    my ($settings, @hosts) = @_;
    my $n = 0;

    return Agent->new(settings => {tls => 'none', %ONE, %{$settings}},
        routes => 'example.com '
            . join(', ', map { $_->destination . '/pri=' . $n++ } @hosts)
            . "\n", environment => unhurried(5));
}

sub end {
    is $_->end, 0, 'exit status' for @_;
    return;
}

# Of all hosts: how many are so.
sub count {
    my ($agent, $what) = @_;
    my $count = 0;

    $count += $_->{$what} for Ctl->hosts($agent);
    return $count;
}

for my $patience ('30s', '0') {
    subtest "two take turns, patience = $patience" => sub {
        my $host = CrowdHost->new;
        my $agent = agent_for({patience => $patience}, $host);
        my ($first, $second) = map { Lmtp->begin(agent => $agent) } 1 .. 2;

        like $first->deliver_one("a$_"), $OK, "the first, $_" for 1 .. 3;
        is $host->connections, 1, 'it keeps its connection';
        is count($agent, 'connected'), 1, 'which has the slot';
        for my $n (1 .. 3) {
            like $second->deliver_one("b$n"), $OK, "the second, $n";
            like $first->deliver_one("c$n"), $OK, "the first, $n";
        }
        end($first, $second);
        is $host->most, 1, 'never more than one connection';
        is scalar(my @r = $host->recipients), 9, 'all is there, once';
        is scalar(grep { /is down|is full/ } $agent->log_lines), 0,
            'the host is well';
        done_testing;
    };
}

# B is for what A cannot take, and A can.
subtest 'idle is not full' => sub {
    my ($A, $B) = (CrowdHost->new, CrowdHost->new);
    my $agent = agent_for({patience => 0}, $A, $B);
    my ($first, $second) = map { Lmtp->begin(agent => $agent) } 1 .. 2;

    like $first->deliver_one('a'), $OK, 'the first';
    like $second->deliver_one('b'), $OK, 'the second';
    end($first, $second);
    is_deeply [sort $A->recipients], ['a', 'b'], 'both go to A';
    is $A->most, 1, 'over one connection at a time';
    is $B->connections, 0, 'and nothing to B';
    done_testing;
};

subtest 'busy is full' => sub {
    my ($A, $B) = (CrowdHost->new(hold => 'final'), CrowdHost->new);
    my $agent = agent_for({}, $A, $B);
    my ($first, $second) = map { Lmtp->begin(agent => $agent) } 1 .. 2;
    my $busy = child(sub { $first->deliver_one('a') });

    $A->wait_held(1);
    like $second->deliver_one('b'), $OK, 'the second';
    is_deeply [$B->recipients], ['b'], 'goes to B';
    $A->release;
    ok reap($busy, $Fixture::PATIENCE), 'and A has the first';
    end($first, $second);
    is_deeply [$A->recipients], ['a'], 'alone';
    done_testing;
};

# Nobody could tell it that others wait for A while it is at B.
subtest 'who goes elsewhere gives it up' => sub {
    my @hosts = (CrowdHost->new, CrowdHost->new);
    my $agent = Agent->new(settings => {tls => 'none', %ONE}, routes =>
        join '', map { "d$_.example " . $hosts[$_]->destination . "\n" } 0, 1);
    my ($first, $second) = map { Lmtp->begin(agent => $agent) } 1 .. 2;
    my $to = sub {
        return +($_[0]->deliver(recipients => ["u\@d$_[1].example"]))[0];
    };

    like $to->($first, 0), $OK, 'at A';
    $hosts[1]->hold('final');
    my $busy = child(sub { $to->($first, 1) });
    $hosts[1]->wait_held(1);
    $hosts[0]->wait_closed;
    like $to->($second, 0), $OK, 'A is free for others';
    $hosts[1]->release;
    ok reap($busy, $Fixture::PATIENCE), 'B has answered';
    end($first, $second);
    is_deeply [map { $_->most } @hosts], [1, 1], 'one at a time';
    done_testing;
};

subtest 'without a limit both are kept' => sub {
    my @hosts = (CrowdHost->new, CrowdHost->new);
    my $agent = Agent->new(settings => {tls => 'none'}, routes =>
        'example.com ' . join(', ', map { $_->destination } @hosts) . "\n",
        environment => unhurried());
    my $lmtp = Lmtp->begin(agent => $agent);

    like $lmtp->deliver_one("u$_"), $OK, "message $_" for 1 .. 6;
    end($lmtp);
    is_deeply [map { $_->connections } @hosts], [1, 1], 'one each';
    done_testing;
};

for my $row (
    ['killed', 'KILL', [1, 0], 'its slot is free'],
    ['stopped', 'STOP', [0, 1], 'it is full, as if it were busy'],
) {
    my ($says, $signal, $expected, $what) = @{$row};
    subtest "a process that is $says" => sub {
        my ($A, $B) = (CrowdHost->new, CrowdHost->new);
        my $agent = agent_for({patience => 0}, $A, $B);
        my ($first, $second) = map { Lmtp->begin(agent => $agent) } 1 .. 2;

        like $first->deliver_one('a'), $OK, 'the first';
        kill $signal, $first->pid;
        reap($first->pid, $Fixture::PATIENCE) if $signal eq 'KILL';
        like $second->deliver_one('b'), $OK, 'the second';
        is count($agent, 'waiting'), 0, 'and waits no longer';
        kill 'CONT', $first->pid if $signal eq 'STOP';
        end($second);
        $signal eq 'STOP' ? end($first) : $first->stop;
        is_deeply [map { scalar grep { $_ eq 'b' } $_->recipients } $A, $B],
            $expected, $what;
        done_testing;
    };
}

# The host's own limit, which nobody knows before it refuses.
subtest 'a limit that is learnt' => sub {
    my $host = CrowdHost->new(limit => 1);
    my $agent = agent_for({'max-connections' => 0, patience => '30s'},
        $host);
    my ($first, $second) = map { Lmtp->begin(agent => $agent) } 1 .. 2;

    like $first->deliver_one('a'), $OK, 'the first';
    like $second->deliver_one('b'), $OK, 'the second waits for it';
    like $first->deliver_one('c'), $OK, 'and the first';
    end($first, $second);
    is scalar(grep { / is down / } $agent->log_lines), 0, 'it is not down';
    cmp_ok scalar(grep { / is full: it takes 1 sessions / }
        $agent->log_lines), '>', 0, 'but full';
    done_testing;
};

# Each goes on for a moment, then the other one does.
subtest 'two that are busy' => sub {
    my $host = CrowdHost->new(takes => {final => 0.02});
    my $agent = agent_for({patience => '30s'}, $host);
    my @processes = map { Lmtp->begin(agent => $agent) } 1 .. 2;
    my @children = map {
        my $process = $_;
        child(sub {
            for my $n (1 .. 100) {
                my $reply = $processes[$process]->deliver_one("$process.$n");
                die "$reply\n" if $reply !~ $OK;
            }
        });
    } 0, 1;

    for my $child (@children) {
        local $?;
        ok reap($child, 4 * $Fixture::PATIENCE), 'one ends';
        is $?, 0, 'and all was delivered';
    }
    end(@processes);
    is $host->most, 1, 'never more than one connection';
    my @order = map { /^(\d)/ } $host->recipients;
    is scalar(@order), 200, 'all is there, once';
    my $turns = grep { $order[$_] != $order[$_ - 1] } 1 .. $#order;
    cmp_ok $turns, '>', 1, "$turns turns";
    cmp_ok $host->connections, '<', 200, 'and fewer connections';
    done_testing;
};

subtest 'an inquiry takes its own slot' => sub {
    my $host = CrowdHost->new;
    my $agent = Agent->new(settings => {tls => 'none', %ONE},
        routes => 'example.com ' . $host->destination . "/verify\n");
    my $lmtp = Lmtp->begin(agent => $agent);

    for my $n (1 .. 2) {
        $lmtp->send(join '', map { "$_\r\n" } 'MAIL FROM:<s@example.org>',
            "RCPT TO:<u$n\@example.com>", 'DATA');
        $lmtp->reply for 1 .. 3;
        $lmtp->send("x\r\n.\r\n");
        like $lmtp->reply, $OK, 'a message';
        $lmtp->send("MAIL FROM:<>\r\nRCPT TO:<a\@example.com>\r\nRSET\r\n");
        like +(map { $lmtp->reply } 1 .. 3)[1], qr/^250 2\.1\.5 .*RCPT TO/,
            'an inquiry';
    }
    end($lmtp);
    is $host->most, 1, 'never more than one connection';
    done_testing;
};

done_testing;
