# SPDX-License-Identifier: BSD-2-Clause
#
# One run of the agent; see Agent.

package Agent::Run;

use strict;
use warnings;
use parent -norequire, 'Fixture::Guarded';

use Carp qw(croak);
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use POSIX ();
use Time::HiRes qw(time);

use Fixture;

accessors(__PACKAGE__, qw(pid status signal output log_lines seconds));

# Given: agent, command, environment, message.
sub new {
    my ($class, %given) = @_;

    my $self = guard(bless {
        agent    => $given{agent},
        logged   => scalar(() = $given{agent}->log_lines),
        started  => time,
        children => [],
    }, $class);
    pipe my $stdin, my $message or die "pipe: $!\n";
    pipe my $output, my $stdout or die "pipe: $!\n";
    my $flags = fcntl $stdout, F_GETFL, 0 or die "fcntl: $!\n";
    fcntl $stdout, F_SETFL, $flags | O_NONBLOCK or die "fcntl: $!\n";
    $self->{pipe} = $output;
    $self->{pid} = child(sub {
        chdir $given{agent}->folder or die "chdir: $!\n";
        _exec($stdin, $stdout, @given{qw(command environment)});
    });
    $self->{running} = 1;
    close $_ for $stdin, $stdout;
    $self->{feeder} = child(sub {
        close $output;
        _feed($message, $given{message});
    });
    return $self;
}

sub _exec {
    my ($stdin, $stdout, $command, $environment) = @_;

    POSIX::setsid();
    $SIG{PIPE} = $SIG{XFSZ} = 'IGNORE';
    POSIX::dup2(fileno $stdin, 0);
    POSIX::dup2(fileno $stdout, $_) for 1, 2;
    %ENV = %{$environment};
    exec { $command->[0] } @{$command} or die "$command->[0]: $!\n";
}

# Another process, since the agent need not read at all.
sub _feed {
    my ($pipe, $message) = @_;

    $SIG{PIPE} = 'DEFAULT';
    binmode $pipe;
    if (ref $message) {
        $message->($pipe);
    } else {
        print {$pipe} $message;
    }
    close $pipe;
    return;
}

sub kill {
    my ($self, $signal) = @_;

    kill $signal, $self->{pid} if $self->{running};
    return;
}

# All output, then the end: as pipe(8), which waits as long as anyone has
# stdout open.
sub wait {
    my ($self) = @_;
    my $deadline = time + $Fixture::PATIENCE;
    my $output = '';
    my $readable = '';

    return $self if !$self->{running};
    vec($readable, fileno $self->{pipe}, 1) = 1;
    while (1) {
        my $left = $deadline - time;
        $self->_give_up if $left <= 0;
        select my $ready = $readable, undef, undef, $left or next;
        my $count = sysread $self->{pipe}, $output, 65536, length $output;
        last if defined $count && $count == 0;
    }
    local $?;
    reap($self->{pid}, $deadline - time) or $self->_give_up;
    $self->{running} = 0;
    $self->{status} = $? & 127 ? undef : $? >> 8;
    $self->{signal} = $? & 127;
    $self->{output} = $output;
    $self->{seconds} = time - $self->{started};
    my @lines = $self->{agent}->log_lines;
    $self->{log_lines} = [splice @lines, $self->{logged}];
    $self->stop;
    $self->{agent}->check_reports;
    return $self;
}

sub _give_up {
    my ($self) = @_;

    $self->stop;
    croak "the agent ran for more than $Fixture::PATIENCE s";
}

sub stop {
    my ($self) = @_;

    end_group($self->{pid}) if $self->{running};
    $self->{running} = 0;
    end_child(delete $self->{feeder}) if defined $self->{feeder};
    return;
}

1;
