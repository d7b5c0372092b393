#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Who waits, for what, and how many do.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent ();
use CrowdHost ();
use Ctl ();
use Fixture;
use Herd;
use Shim;

my $MANY = 200;

my %WAITS = (patience => '50s', 'retry-min' => '1h', 'retry-max' => '1h');

sub herd {
    my ($host, %settings) = @_;
    my $prefix = delete $settings{prefix};
    my $agent = Agent->new(
        prefix   => $prefix,
        routes   => '* ' . $host->destination . "\n",
        settings => {%WAITS, %settings},
    );

    return Herd->new(agent => $agent);
}

sub log_of {
    my ($herd, $pattern) = @_;

    return scalar grep { $_ =~ $pattern } $herd->{agent}->log_lines;
}

# Until $count have said in the log that they wait.
sub wait_waiting {
    my ($herd, $count) = @_;

    return wait_until("$count that wait", sub {
        $herd->finished;
        return log_of($herd, qr/: Waiting: /) >= $count;
    });
}

# Numbers of those that have succeeded, as the host names its recipients.
sub delivered {
    return sort map { $_->number }
        grep { defined $_->status && $_->status == 0 } @_;
}

# A host that was down and holds the greeting of the one that probes it.
sub probed {
    my (%settings) = @_;
    my $host = CrowdHost->new(down => 1);
    my $herd = herd($host, 'retry-min' => '1s', %settings);

    $herd->deliver(1);
    $host->start;
    $host->hold('greeting');
    return ($host, $herd, $herd->prober($host));
}

sub running {
    my (@runs) = @_;

    return grep { !defined $_->signal } @runs;
}

subtest 'for a place' => sub {
    my $host = CrowdHost->new(delay => 0.02, seed => 1);
    my $herd = herd($host, 'max-connections' => 2);

    is_deeply tally($herd->deliver(30, at_once => 30)), {0 => 30},
        'all are delivered';
    is $host->most, 2, 'two at a time';
};

subtest 'not at all, or not for long' => sub {
    my $host = CrowdHost->new(hold => 'mail');

    for my $patience (0, '5s') {
        my $herd = herd($host, 'max-connections' => 1, patience => $patience);
        my ($held) = $herd->start(1);
        $host->wait_held(1);
        my ($other) = $herd->deliver(1);
        is $other->output, '4.4.5 all hosts of the route are at their '
            . 'max-connections', "$patience: the line";
        is log_of($herd, qr/: Waiting: up to \d+ s more for a host: \S+: /),
            $patience ? 1 : 0, 'log: waiting';
        $herd->kill($held);
        $host->wait_closed;
    }
};

subtest 'not beyond time-limit' => sub {
    my $host = CrowdHost->new(hold => 'mail');
    my $herd = herd($host, 'max-connections' => 1, patience => '10m');

    my ($held) = $herd->start(1);
    $host->wait_held(1);
    my $conf = read_file($herd->{agent}->conf);
    $herd->{agent}->configure(
        conf => $conf =~ s/^\[smtproute\]\n\K/time-limit = 8s\n/mr);
    my ($other) = $herd->deliver(1);
    is $other->status, 75, 'deferred';
    like $other->output, qr/^4\.4\.5 all hosts of the route are at their max-/,
        'the line';
    $host->release;
    is_deeply tally($herd->finish($held)), {0 => 1}, 'the other has the place';
};

subtest 'for the answer to a probe' => sub {
    my $host = CrowdHost->new(down => 1);
    my $herd = herd($host, 'retry-min' => '1s', waiting => 3);

    is_deeply tally($herd->deliver(1)), {75 => 1}, 'the host is down';
    $host->start;
    $host->hold('greeting');
    my $probe = $herd->prober($host);
    my @runs = $herd->start(10);
    wait_waiting($herd, 3);
    wait_until('the others', sub { $herd->finished; running(@runs) == 3 });
    is_deeply tally(grep { defined $_->signal } @runs), {75 => 7},
        'no more than three wait';
    my @waiting = running(@runs);
    like(Ctl->run(conf => $herd->{agent}->conf, arguments => ['hosts'])->stdout,
        qr/^Waiting deliveries:\n\S+, 3\n/m, 'smtproutectl hosts');
    $herd->kill($waiting[0]);
    my ($heir) = $herd->start(1);
    wait_waiting($herd, 4);
    is scalar(running($heir)), 1, 'who is killed makes room';
    is $host->connections, 1, 'all this without asking the host';
    $host->release;
    is_deeply tally($herd->finish($probe, @waiting[1, 2], $heir)), {0 => 4},
        'and then all are delivered';
};

subtest 'for the end of a probe that is killed' => sub {
    my $host = CrowdHost->new(down => 1);
    my $herd = herd($host, 'retry-min' => '1s');

    $herd->deliver(1);
    $host->start;
    $host->hold('greeting');
    my $probe = $herd->prober($host);
    my @runs = $herd->start(4);
    wait_waiting($herd, 4);
    $herd->kill($probe);
    $host->release;
    is_deeply tally($herd->finish(@runs)), {0 => 4},
        'one of those who wait is the next, and all are delivered';
};

subtest 'for the time of a host that is down' => sub {
    my $host = CrowdHost->new(down => 1);
    my $herd = herd($host, 'retry-min' => '3s');

    is_deeply tally($herd->deliver(1)), {75 => 1}, 'the host is down';
    $host->start;
    is_deeply tally($herd->deliver(5, at_once => 5)), {0 => 5},
        'all are delivered when it comes';
    is log_of($herd, qr/ is up, after \d+ s$/), 1, 'after one probe';
};

subtest 'not for one that comes too late' => sub {
    my $host = CrowdHost->new(down => 1);
    my $herd = herd($host);

    is_deeply tally($herd->deliver(1)), {75 => 1}, 'the host is down';
    my ($other) = $herd->deliver(1);
    like $other->output, qr/^4\.4\.1 all hosts .*; next try in \d+ s$/,
        'the line';
    is log_of($herd, qr/: Waiting: /), 0, 'log: nobody has waited';
};

subtest 'the state is lost meanwhile' => sub {
    my $host = CrowdHost->new(hold => 'mail');
    my $herd = herd($host, 'max-connections' => 1);

    my @runs = $herd->start(1);
    $host->wait_held(1);
    push @runs, $herd->start(2);
    wait_waiting($herd, 2);
    $herd->{agent}->forget;
    $host->wait_held(2);
    $host->release;
    is_deeply tally($herd->finish(@runs)), {0 => 3}, 'all are delivered';
};

subtest 'the state is lost amid a probe' => sub {
    my ($host, $herd, $probe) = probed();
    my @runs = $herd->start(3);

    wait_waiting($herd, 3);
    $herd->{agent}->forget;
    $host->wait_held(4);
    $host->release;
    is_deeply tally($herd->finish($probe, @runs)), {0 => 4},
        'all are delivered';
};

# LMDB leaks what it had when it is ended in the middle, as statefile.h says.
subtest 'the state is damaged meanwhile' => sub {
    local $ENV{ASAN_OPTIONS} = 'detect_leaks=0';
    my ($host, $herd, $probe) = probed();
    my @runs = $herd->start(3);

    wait_waiting($herd, 3);
    truncate $herd->{agent}->var . '/state/hosts.mdb', 5000
        or die "truncate: $!\n";
    $host->wait_held(4);
    $host->release;
    is_deeply tally($herd->finish($probe, @runs)), {0 => 4},
        'all are delivered';
};

subtest 'the clock is set meanwhile' => sub {
    my $clock = new_folder('clock') . '/ahead';
    write_file($clock, 0);
    my ($host, $herd, $probe) = probed(
        prefix => ['env', "LD_PRELOAD=$SHIM", "FAULT_CLOCK=$clock"]);
    my @runs = $herd->start(2);

    wait_waiting($herd, 2);
    for my $ahead (90_000, -90_000) {
        write_file("$clock.new", $ahead);
        rename "$clock.new", $clock or die "rename: $!\n";
        # That takes a second, in which the others look at it.
        my $before = log_of($herd, qr/: Waiting: /);
        push @runs, $herd->start(1);
        wait_waiting($herd, $before + 1);
        is scalar(running(@runs)), scalar(@runs), "$ahead s: all wait";
    }
    is $host->connections, 1, 'without asking the host';
    $host->release;
    is_deeply tally($herd->finish($probe, @runs)), {0 => 5},
        'and all are delivered';
};

subtest 'two hundred for a place' => sub {
    my $host = CrowdHost->new(hold => 'mail');
    my $herd = herd($host, 'max-connections' => 5, patience => '10m');
    my @runs = $herd->start($MANY);

    wait_waiting($herd, $MANY - 5);
    $host->wait_held(5);
    $herd->kill(@runs[map { 7 * $_ } 0 .. 27]);
    $host->wait_held(5);
    $host->release;
    is_deeply tally($herd->finish(@runs)),
        {0 => $MANY - 28, 'signal 9' => 28}, 'all but the killed';
    is_deeply [sort $host->recipients], [delivered(@runs)], 'each once';
    is $host->most, 5, 'five at a time';
};

subtest 'two hundred for a probe that is killed' => sub {
    my ($host, $herd, $probe) =
        probed(waiting => $MANY, patience => '10m');
    my @runs = $herd->start($MANY);

    wait_waiting($herd, $MANY);
    is $host->connections, 1, 'nobody else asks';
    $herd->kill($probe);
    wait_until('the next one', sub { $host->connections == 2 });
    $herd->kill(@runs[0 .. 9]);
    $host->release;
    is_deeply tally($herd->finish(@runs)),
        {0 => $MANY - 10, 'signal 9' => 10}, 'all but the killed';
    is_deeply [sort $host->recipients], [delivered(@runs)], 'each once';
};

subtest 'the other host is not waited for if one is up' => sub {
    my $first = CrowdHost->new(hold => 'mail');
    my $other = CrowdHost->new;
    my $agent = Agent->new(
        routes   => '* ' . $first->destination . ', '
            . $other->destination . "/pri=5\n",
        settings => {%WAITS, 'max-connections' => 1},
    );
    my $herd = Herd->new(agent => $agent);

    my ($held) = $herd->start(1);
    $first->wait_held(1);
    is_deeply tally($herd->deliver(3)), {0 => 3}, 'others are delivered';
    is scalar(() = $other->recipients), 3, 'by it';
    is log_of($herd, qr/: Waiting: /), 0, 'log: nobody has waited';
    $first->release;
    $herd->finish($held);
};

done_testing;
