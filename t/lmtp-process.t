#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# One process, many messages: what changes between two of them is taken notice
# of, and nothing grows.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent;
use Ctl;
use Fixture;
use Lmtp;
use SmtpHost;

my $OK = qr/^250 2\.0\.0 /;
my $DRAINED = qr/^45\d 4\.3\.2 .*drained/;

sub agent_for {
    my ($host, %settings) = @_;

    return Agent->new(
        routes   => 'example.com ' . $host->destination . "\n",
        settings => {tls => 'none', %settings});
}

sub drain {
    my ($agent, $host) = @_;
    my $run = Ctl->run(conf => $agent->conf,
        arguments => ['drain', $host->address . ':' . $host->port]);

    is $run->status, 0, 'drain' or diag $run->stderr;
    return;
}

subtest 'the state is removed' => sub {
    my $host = SmtpHost->new;
    my $agent = agent_for($host);
    my $lmtp = Lmtp->begin(agent => $agent);

    like +($lmtp->deliver)[0], $OK, 'before';
    $agent->forget;
    like +($lmtp->deliver)[0], $OK, 'after';
    $agent->forget;
    drain($agent, $host);
    like +($lmtp->deliver)[0], $DRAINED, 'what the new one says counts';
    is $lmtp->end, 0, 'exit status';
    is scalar(grep { /without memory/ } $agent->log_lines), 0,
        'always with memory';
    done_testing;
};

subtest 'the state is lost, and comes back' => sub {
    my $host = SmtpHost->new;
    my $agent = agent_for($host);
    my $lmtp = Lmtp->new(agent => $agent);
    my $state = $agent->var . '/state';

    rename $state, "$state.away" or die "$state: $!\n";
    $lmtp->lhlo;
    like +($lmtp->deliver)[0], $OK, 'without';
    rename "$state.away", $state or die "$state: $!\n";
    drain($agent, $host);
    like +($lmtp->deliver)[0], $DRAINED, 'with it';
    is $lmtp->end, 0, 'exit status';
    is scalar(grep { /without memory/ } $agent->log_lines), 1, 'told once';
    done_testing;
};

# Two that hold a slot of one that is no longer there would be none.
subtest 'a slot in a new state' => sub {
    my $host = SmtpHost->new(final => [undef, 'silence']);
    my $agent = agent_for($host, 'max-connections' => 1);
    my $lmtp = Lmtp->begin(agent => $agent);

    like +($lmtp->deliver)[0], $OK, 'before';
    $agent->forget;
    my $busy = child(sub { $lmtp->deliver });
    $host->wait_for('final', 2);
    my $run = $agent->deliver;
    is $run->status, 75, 'another process waits';
    like $run->output, qr/^4\.\S+ .*connections/, 'for the slot';
    end_child($busy);
    $lmtp->stop;
    done_testing;
};

subtest 'the log goes elsewhere' => sub {
    my $host = SmtpHost->new;
    my $agent = agent_for($host);
    my $lmtp = Lmtp->begin(agent => $agent);
    my $other = $agent->var . '/other';

    like +($lmtp->deliver)[0], $OK, 'before';
    $agent->configure(settings => {tls => 'none', log => "file:$other",
        'syslog-name' => 'relay'});
    like +($lmtp->deliver)[0], $OK, 'after';
    is $lmtp->end, 0, 'exit status';
    is scalar(grep { / Delivered: / } $agent->log_lines), 1, 'one before';
    is scalar(() = read_file($other) =~ / relay\[\d+\]: .* Delivered: /g), 1,
        'one after, under the new name';
    done_testing;
};

# Of which the process has an index in memory.
subtest 'a map that has been there for long' => sub {
    my @hosts = map { SmtpHost->new } 1 .. 2;
    my $agent = agent_for($hosts[0]);
    my $lmtp = Lmtp->begin(agent => $agent);

    wait_until('it is old', sub { time - (stat $agent->routes)[10] > 4 });
    like +($lmtp->deliver)[0], $OK, 'a delivery' for 1 .. 2;
    is scalar(my @m = $hosts[0]->messages), 2, 'to the host of the map';
    write_file($agent->routes,
        'example.com ' . $hosts[1]->destination . "\n");
    like +($lmtp->deliver)[0], $OK, 'another one';
    is scalar(@m = $hosts[1]->messages), 1, 'to the host of the new map';
    is $lmtp->end, 0, 'exit status';
    done_testing;
};

# sched(7): a process that is woken does not take the processor from another.
subtest 'who wakes it goes on first' => sub {
    my $lmtp = Lmtp->begin(agent => agent_for(SmtpHost->new));
    my $stat = read_file('/proc/' . $lmtp->pid . '/stat');

    is +(split ' ', $stat =~ s/^.*\) //sr)[38], 3, 'SCHED_BATCH';
    is $lmtp->end, 0, 'exit status';
    done_testing;
};

# "make soak" has a hundred thousand.
subtest 'nothing grows' => sub {
    my $count = $ENV{SOAK_MESSAGES} // 500;
    my $host = SmtpHost->new(digest => 1);
    my $agent = agent_for($host);
    my $lmtp = Lmtp->begin(agent => $agent);
    my $pid = $lmtp->pid;
    my $failed = 0;
    my $descriptors = sub { scalar(() = glob "/proc/$pid/fd/*") };
    my $memory = sub {
        return read_file("/proc/$pid/status") =~ /^VmRSS:\s+(\d+) kB/m
            ? $1 : die "no VmRSS\n";
    };

    my $send = sub {
        for (1 .. $_[0]) {
            $failed++ if ($lmtp->deliver(queue_id => "ID$_"))[0] !~ $OK;
        }
    };
    # What is there once, buffers and connections, is there then.
    $send->(100);
    my @before = ($descriptors->(), $memory->());
    $send->($count - 100);
    my @after = ($descriptors->(), $memory->());
    is $failed, 0, "$count messages are delivered";
    is $after[0], $before[0], 'descriptors';
    # A sanitizer keeps what was freed.
    cmp_ok $after[1], '<=', $before[1] + 1024, 'memory, to a MiB'
        if read_file($agent->binary) !~ /__asan_/;
    note "$before[1] kB at first, $after[1] kB in the end";
    is $lmtp->end, 0, 'exit status';
    done_testing;
};

done_testing;
