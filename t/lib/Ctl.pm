# SPDX-License-Identifier: BSD-2-Clause
#
# Runs smtproutectl as an administrator or a script does: stdout and stderr
# apart, stdin from a pipe or /dev/null, no terminal.
#
#   my $run = Ctl->run(conf => $agent->conf, arguments => ['hosts', '--json']);
#   is $run->status, 0;
#   like $run->stdout, qr/^\[/;
#   is $run->stderr, '';
#
# run, start: conf (for -c; none: the tool's default), arguments => [...],
# input (text for stdin; none: /dev/null), user (who runs it), folder (the
# working directory; default: a new one), environment => {more than PATH, LANG
# and TZ; undef: not that one}, output => path (of stdout, such as /dev/full;
# then ->stdout is not for use), binary (default: $SMTPROUTECTL, or
# src/smtproutectl in $top_builddir).
#
#   Ctl->run(...)    runs it to its end
#   Ctl->terminal(...)  on a terminal that script(1) makes; environment: a list
#                    for env(1); returns exit status and what the terminal shows
#   Ctl->hosts($agent)  the rows of "hosts --json"
#   Ctl->host($agent, $host)  that of this host, by its port; undef: there is
#                    none
#   Ctl->start(...)  does not wait; then $run->pid, ->kill('TERM'), ->wait
#
# A run has  status (undef if a signal ended it), signal (0 if none did),
# stdout, stderr (also while it runs: what there is by now), lines, complaints
# (the same as lists without line ends), folder; of a probe stages, the lines of
# the first address without times: "connect", "greeting 220 ...".
#
# A run that hangs is killed and dies; one that a sanitizer or the wrapper
# ($SMTPROUTE_WRAPPER) complained about dies too, as with Agent.

package Ctl;

use strict;
use warnings;
use parent -norequire, 'Fixture::Guarded';

use Carp qw(croak);
use Cwd qw(abs_path);
use JSON::PP ();
use POSIX ();

use Agent ();
use Fixture;

accessors(__PACKAGE__, qw(folder pid status signal));

sub run {
    my ($class, %option) = @_;

    return $class->start(%option)->wait;
}

sub hosts {
    my ($class, $agent) = @_;
    my $run = $class->run(conf => $agent->conf,
        arguments => ['hosts', '--json']);

    return @{ JSON::PP->new->decode($run->stdout) };
}

sub host {
    my ($class, $agent, $host) = @_;
    my ($row) = grep { $_->{port} == $host->port } $class->hosts($agent);

    return $row;
}

sub terminal {
    my ($class, %option) = @_;
    my ($found) = capture('script', '--version');

    skip_or_fail('no script(1) to make a terminal') if $found != 0;
    return capture('env', @{ $option{environment} // [] }, 'script', '-qec',
        join(' ', _binary($option{binary}), '-c', $option{conf},
            @{ $option{arguments} }), '/dev/null');
}

sub start {
    my ($class, %option) = @_;
    my $place = new_folder('ctl');

    my $self = guard(bless {
        binary  => _binary($option{binary}),
        folder  => $option{folder} // "$place/folder",
        reports => "$place/reports",
        paths   => {
            stdout => $option{output} // "$place/stdout",
            stderr => "$place/stderr",
        },
    }, $class);
    for my $folder ("$place/folder", $self->{reports}) {
        mkdir $folder or die "$folder: $!\n";
        chmod 01777, $folder or die "$folder: $!\n";
    }
    $self->_start(%option);
    return $self;
}

sub _binary {
    my ($path) = @_;

    $path //= $ENV{SMTPROUTECTL};
    $path //= ($ENV{top_builddir} // '.') . '/src/smtproutectl';
    return abs_path($path) // croak "$path: $!";
}

sub _start {
    my ($self, %option) = @_;
    my @command = $self->_command(%option);
    my %environment = $self->_environment(%{ $option{environment} // {} });

    pipe my $stdin, my $input or die "pipe: $!\n";
    $self->{pid} = child(sub {
        close $input;
        $self->_redirect(defined $option{input} ? $stdin : undef);
        chdir $self->{folder} or die "$self->{folder}: $!\n";
        POSIX::setsid();
        %ENV = %environment;
        exec { $command[0] } @command or die "$command[0]: $!\n";
    });
    $self->{running} = 1;
    close $stdin;
    return if !defined $option{input};
    $self->{feeder} = child(sub {
        $SIG{PIPE} = 'DEFAULT';
        binmode $input;
        print {$input} $option{input};
        close $input;
    });
    return;
}

sub _command {
    my ($self, %option) = @_;
    my $user = $option{user};
    my @user;

    if (defined $user) {
        my $gid = (getpwnam $user)[3] // croak "no user $user";
        @user = ('setpriv', "--reuid=$user", "--regid=$gid",
            '--clear-groups', '--');
    }
    return (@user, split(' ', $ENV{SMTPROUTE_WRAPPER} // ''),
        $self->{binary}, defined $option{conf} ? ('-c', $option{conf}) : (),
        @{ $option{arguments} // [] });
}

# Where reports go is Agent's knowledge; it needs our binary and reports.
sub _environment {
    my ($self, %more) = @_;
    my %environment = (
        PATH => '/usr/sbin:/usr/bin:/sbin:/bin',
        LANG => 'C',
        TZ   => 'UTC',
        Agent::report_environment($self),
        %more,
    );

    return map { ($_ => $environment{$_}) }
        grep { defined $environment{$_} } keys %environment;
}

sub _redirect {
    my ($self, $stdin) = @_;
    my $paths = $self->{paths};

    if (!defined $stdin) {
        open $stdin, '<', '/dev/null' or die "/dev/null: $!\n";
    }
    open my $stdout, '>', $paths->{stdout} or die "$paths->{stdout}: $!\n";
    open my $stderr, '>', $paths->{stderr} or die "$paths->{stderr}: $!\n";
    POSIX::dup2(fileno $stdin, 0);
    POSIX::dup2(fileno $stdout, 1);
    POSIX::dup2(fileno $stderr, 2);
    return;
}

sub kill {
    my ($self, $signal) = @_;

    CORE::kill($signal, $self->{pid}) if $self->{running};
    return;
}

sub wait {
    my ($self) = @_;

    return $self if !$self->{running};
    local $?;
    if (!reap($self->{pid}, $Fixture::PATIENCE)) {
        $self->stop;
        croak "smtproutectl ran for more than $Fixture::PATIENCE s";
    }
    $self->{running} = 0;
    $self->{status} = $? & 127 ? undef : $? >> 8;
    $self->{signal} = $? & 127;
    $self->stop;
    Agent::check_reports($self);
    return $self;
}

sub stop {
    my ($self) = @_;

    end_group($self->{pid}) if $self->{running};
    $self->{running} = 0;
    end_child(delete $self->{feeder}) if defined $self->{feeder};
    return;
}

sub _text {
    my ($self, $stream) = @_;
    my $path = $self->{paths}{$stream};

    return -e $path ? read_file($path) : '';
}

sub stdout {
    my ($self) = @_;

    return $self->_text('stdout');
}

sub stderr {
    my ($self) = @_;

    return $self->_text('stderr');
}

sub lines {
    my ($self) = @_;

    return split /\n/, $self->stdout;
}

sub stages {
    my ($self) = @_;
    my ($block) = $self->stdout =~ /^\S+\[\S+\]:\d+\n((?: {4}.*\n)*)/m;
    my @lines = split /\n/, $block // '';

    for my $line (@lines) {
        $line =~ s/^ +//;
        $line =~ s/ +\d+\.\d ms//;
        $line =~ s/ +/ /g;
    }
    return @lines;
}

sub complaints {
    my ($self) = @_;

    return split /\n/, $self->stderr;
}

1;
