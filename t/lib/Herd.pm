# SPDX-License-Identifier: BSD-2-Clause
#
# Many runs of one agent, at once or one after another.  Each is for one
# recipient of its own, "1@example.com", "2@example.com", ..., so that hosts
# can tell what became of it.
#
#   my $herd = Herd->new(agent => $agent);
#   my @runs = $herd->deliver(1000, at_once => 20);
#   is_deeply tally(@runs), {0 => 1000};
#   is_deeply [shares($A, $B)], [500, 500];
#
#   $herd->deliver($n, ...)   runs so many to their end
#   $herd->start($n, ...)     does not wait; returns the runs
#   $herd->kill(@runs)        -9, and waits until they are gone
#   $herd->finish(@runs)      waits until these have ended; none: all have
#   $herd->finished($seconds) all that have ended; waits so long (0) for one
#                             more to end
#   $herd->prober($host)      delivers until one is held by the host: it was
#                             down, and that one probes it; returns the run
#
# Options of deliver: at_once (1); of both: domains (['example.com']; in turn),
# nexthop.  A run has  number, pid, status (undef if a signal ended it), signal,
# output.  None may take more than a minute.
#
#   tally(@runs)              {status => how many}, "signal 9" for those killed
#   shares(@hosts)            how many messages each CrowdHost has taken
#   shares_are($name, \@shares, @parts)  each within 5 % of its part of the sum
#   order(A => $host, ...)    who has taken the first message, the second, ...
#   longest(@names)           the longest row of one name

package Herd;

use strict;
use warnings;
use parent -norequire, 'Fixture::Guarded';

use Carp qw(croak);
use Exporter qw(import);
use List::Util qw(sum);
use POSIX ();
use Test::More ();
use Time::HiRes qw(time);

use Fixture;

our @EXPORT = qw(longest order shares shares_are tally);

accessors('Herd::Run', qw(number pid status signal output));

sub new {
    my ($class, %given) = @_;
    my $agent = $given{agent};

    my $message = new_folder('herd') . '/message';
    write_file($message, "Subject: test\n\ntest\n");
    return guard(bless {
        agent       => $agent,
        command     => [$agent->command],
        environment => {$agent->environment},
        message     => $message,
        number      => 0,
        running     => {}, # by number
        ended       => [],
    }, $class);
}

sub deliver {
    my ($self, $count, %option) = @_;
    my $at_once = delete $option{at_once} // 1;
    my $first = $self->{number};
    my @runs;

    while (@runs < $count) {
        push @runs, $self->start(1, %option);
        $self->_wait if keys %{ $self->{running} } >= $at_once;
    }
    return $self->finish(@runs);
}

sub start {
    my ($self, $count, %option) = @_;

    return map { $self->_start(%option) } 1 .. $count;
}

sub _start {
    my ($self, %option) = @_;
    my $number = ++$self->{number};
    my @domains = @{ $option{domains} // ['example.com'] };
    my @command = (
        @{ $self->{command} }, '-q', $number, '-f', 'sender@example.org',
        defined $option{nexthop} ? ('-n', $option{nexthop}) : (),
        '--', "$number\@" . $domains[($number - 1) % @domains],
    );

    pipe my $output, my $stdout or die "pipe: $!\n";
    my $pid = child(sub { $self->_exec($stdout, @command) });
    close $stdout;
    return $self->{running}{$number} = bless {
        number  => $number,
        pid     => $pid,
        pipe    => $output,
        output  => '',
        started => time,
    }, 'Herd::Run';
}

sub _exec {
    my ($self, $stdout, @command) = @_;

    chdir $self->{agent}->folder or die "chdir: $!\n";
    open my $stdin, '<', $self->{message} or die "$self->{message}: $!\n";
    POSIX::setsid();
    $SIG{PIPE} = $SIG{XFSZ} = 'IGNORE';
    POSIX::dup2(fileno $stdin, 0);
    POSIX::dup2(fileno $stdout, $_) for 1, 2;
    %ENV = %{ $self->{environment} };
    exec { $command[0] } @command or die "$command[0]: $!\n";
}

# Until one ends, or $seconds have passed.
sub _wait {
    my ($self, $seconds) = @_;
    my $running = $self->{running};
    my $end = time + ($seconds // $Fixture::PATIENCE);

    while (%{$running}) {
        my $count = keys %{$running};
        my $readable = '';
        vec($readable, fileno $_->{pipe}, 1) = 1 for values %{$running};
        my $left = $end - time;
        select $readable, undef, undef, $left > 0 ? $left : 0;
        for my $run (values %{$running}) {
            $self->_read($run) if vec $readable, fileno $run->{pipe}, 1;
        }
        return if keys %{$running} < $count;
        last if time >= $end;
    }
    return if defined $seconds || !%{$running};
    $self->stop;
    croak 'no agent has ended for a minute';
}

sub _read {
    my ($self, $run) = @_;

    return if sysread $run->{pipe}, $run->{output}, 65536,
        length $run->{output};
    close delete $run->{pipe};
    local $?;
    waitpid $run->{pid}, 0;
    $run->{status} = $? & 127 ? undef : $? >> 8;
    $run->{signal} = $? & 127;
    delete $self->{running}{ $run->{number} };
    push @{ $self->{ended} }, $run;
    return;
}

sub finish {
    my ($self, @runs) = @_;
    my $running = $self->{running};

    @runs = values %{$running} if !@runs;
    $self->_wait while grep { $running->{ $_->{number} } } @runs;
    $self->{agent}->check_reports;
    return @runs;
}

sub finished {
    my ($self, $seconds) = @_;

    $self->_wait($seconds // 0);
    return @{ $self->{ended} };
}

sub kill {
    my ($self, @runs) = @_;

    for my $run (grep { $self->{running}{ $_->{number} } } @runs) {
        CORE::kill('KILL', $run->{pid});
    }
    $self->finish(@runs) if @runs;
    return;
}

sub prober {
    my ($self, $host) = @_;
    my $before = $host->held;

    return wait_until('a probe', sub {
        my ($run) = $self->start(1);
        until ($host->held > $before) {
            $self->_wait(0.01);
            return if !$self->{running}{ $run->{number} };
        }
        return $run;
    });
}

sub stop {
    my ($self) = @_;
    my @pids = map { $_->{pid} } values %{ $self->{running} };

    CORE::kill('KILL', @pids) if @pids;
    local $?;
    waitpid $_, 0 for @pids;
    $self->{running} = {};
    return;
}

sub tally {
    my (@runs) = @_;
    my %tally;

    $tally{ $_->status // 'signal ' . $_->signal }++ for @runs;
    return \%tally;
}

sub shares {
    my (@hosts) = @_;

    return map { scalar(() = $_->recipients) } @hosts;
}

sub shares_are {
    my ($name, $shares, @parts) = @_;
    my $total = sum(@{$shares});
    my @bad;

    for my $i (0 .. $#parts) {
        my $due = $total * $parts[$i] / sum(@parts);
        push @bad, $i if abs($shares->[$i] - $due) > 0.05 * $due;
    }
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    Test::More::ok(!@bad && @parts == @{$shares},
        "$name: shares of " . join ':', @parts)
        or Test::More::diag("shares are @{$shares}");
    Test::More::note("shares are @{$shares}");
    return;
}

sub order {
    my (%hosts) = @_;
    my %taken;

    for my $name (keys %hosts) {
        push @{ $taken{$_} }, $name for $hosts{$name}->recipients;
    }
    return map { join '+', @{ $taken{$_} } } sort { $a <=> $b } keys %taken;
}

sub longest {
    my (@names) = @_;
    my ($longest, $length, $last) = (0, 0, '');

    for my $name (@names) {
        $length = $name eq $last ? $length + 1 : 1;
        $longest = $length if $length > $longest;
        $last = $name;
    }
    return $longest;
}

1;
