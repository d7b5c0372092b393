# SPDX-License-Identifier: BSD-2-Clause
#
# Runs the agent as pipe(8) does: own session, stdout and stderr in one
# non-blocking pipe, stdin from a pipe, SIGPIPE and SIGXFSZ ignored, pipe(8)'s
# environment and nothing else.
#
#   my $agent = Agent->new(
#       routes   => "example.com [127.0.0.1]:4711\n",
#       settings => {'connect-timeout' => '2s', 'host mx1' => {tls => 'none'}},
#   );
#   my $run = $agent->deliver(recipients => ['user@example.com']);
#   is $run->status, 75;
#   like $run->output, qr/^4\.4\.1 /;
#
# new: routes, settings (over usable defaults; a hash is a group) or conf (the
# file's text), user (who runs it; then nothing needs that user's rights but
# ->var), prefix => [command before it, run as root, as Syslog has one],
# environment => {more of it, for all runs}, binary (default: $SMTPROUTE, or
# src/smtproute in $top_builddir).
#
# deliver, start: sender, recipients, queue_id, nexthop (none), message (text,
# or a sub that writes to the handle it gets), environment => {more of it}, or
# arguments => [all but -c].
#
#   $agent->deliver(...)  runs it to its end
#   $agent->start(...)    does not wait; then $run->pid, ->kill('TERM'), ->wait
#   $agent->folder, ->conf, ->routes, ->binary, ->log   paths
#   $agent->var           the folder for state, log and spool, the user's own
#   $agent->configure(routes => ..., settings => ..., conf => ...)  rewrites
#   $agent->forget        removes the state: no host is down any more
#   $agent->log_lines     of all runs
#
# A run has  status (undef if a signal ended it), signal (0 if none did),
# output, log_lines (new ones), seconds (for reports, not to be asserted).
#
# A run that hangs is killed and dies; one that a sanitizer or valgrind
# complained about dies too: fd 2 of the agent says nothing, so these write to
# $agent->reports, as $SMTPROUTE_WRAPPER must with --log-file.  Example:
#   SMTPROUTE_WRAPPER='valgrind -q --log-file=%q{SMTPROUTE_REPORTS}/%p'

package Agent;

use strict;
use warnings;

use Carp qw(croak);
use Cwd qw(abs_path);
use Errno ();

use Agent::Run ();
use Fixture;

accessors(__PACKAGE__, qw(binary conf folder log reports routes user var));

sub new {
    my ($class, %option) = @_;
    my $folder = new_folder('agent');

    my $self = bless {
        folder  => $folder,
        binary  => _binary($option{binary}),
        conf    => "$folder/smtproute.conf",
        routes  => "$folder/routes",
        var     => "$folder/var",
        log     => "$folder/var/log",
        reports => "$folder/reports",
        user    => $option{user},
        prefix  => $option{prefix} // [],
        more    => $option{environment} // {},
    }, $class;
    mkdir $_ or die "$_: $!\n" for "$folder/var", "$folder/var/state";
    $self->_give("$folder/var", "$folder/var/state") if defined $self->{user};
    mkdir $self->{reports} or die "$self->{reports}: $!\n";
    chmod 01777, $self->{reports} or die "$self->{reports}: $!\n";
    $self->configure(routes => '', settings => {}, %option);
    return $self;
}

sub _binary {
    my ($path) = @_;

    $path //= $ENV{SMTPROUTE};
    $path //= ($ENV{top_builddir} // '.') . '/src/smtproute';
    return abs_path($path) // croak "$path: $!";
}

sub _give {
    my ($self, @paths) = @_;

    my (undef, undef, $uid, $gid) = getpwnam $self->{user}
        or croak "no user $self->{user}";
    chown($uid, $gid, @paths) == @paths or die "chown: $!\n";
    return;
}

sub configure {
    my ($self, %option) = @_;

    write_file($self->{routes}, $option{routes}) if defined $option{routes};
    my $conf = $option{conf};
    $conf //= $self->_conf($option{settings}) if defined $option{settings};
    write_file($self->{conf}, $conf) if defined $conf;
    return;
}

sub _conf {
    my ($self, $settings) = @_;
    my %groups = (smtproute => {
        'routes'          => $self->{routes},
        'state-directory' => "$self->{var}/state",
        'spool-directory' => $self->{var},
        'log'             => "file:$self->{log}",
        'helo-name'       => 'agent.example',
        # Where waiting matters, the test says so.
        'patience'        => 0,
    });
    my $text = '';

    while (my ($key, $value) = each %{$settings}) {
        my $group = ref $value ? $key : 'smtproute';
        $value = {$key => $value} if !ref $value;
        @{ $groups{$group} }{keys %{$value}} = values %{$value};
    }
    for my $group (sort keys %groups) {
        my $keys = $groups{$group};
        $text .= "[$group]\n";
        $text .= "$_ = $keys->{$_}\n" for sort keys %{$keys};
    }
    return $text;
}

sub deliver {
    my ($self, %option) = @_;

    return $self->start(%option)->wait;
}

sub start {
    my ($self, %option) = @_;

    return Agent::Run->new(
        agent       => $self,
        command     => [$self->command, _arguments(%option)],
        environment => {$self->environment, %{ $option{environment} // {} }},
        message     => $option{message} // "Subject: test\n\ntest\n",
    );
}

# The command without its arguments, as a list.
sub command {
    my ($self) = @_;
    my @user;

    if (defined $self->{user}) {
        my $gid = (getpwnam $self->{user})[3];
        @user = ('setpriv', "--reuid=$self->{user}", "--regid=$gid",
            '--clear-groups', '--');
    }
    return (@{ $self->{prefix} }, @user,
        split(' ', $ENV{SMTPROUTE_WRAPPER} // ''),
        $self->{binary}, '-c', $self->{conf});
}

sub _arguments {
    my (%option) = @_;

    return @{ $option{arguments} } if defined $option{arguments};
    my $nexthop = $option{nexthop};
    return (
        '-q', $option{queue_id} // '4F1B',
        '-f', $option{sender} // 'sender@example.org',
        defined $nexthop ? ('-n', $nexthop) : (),
        '--', @{ $option{recipients} // ['user@example.com'] },
    );
}

# pipe(8)'s environment; more only where a sanitizer or wrapper needs it.
sub environment {
    my ($self) = @_;

    return (
        TZ          => 'UTC',
        MAIL_CONFIG => $self->{folder},
        LANG        => 'C',
        PATH        => '/usr/bin:/bin',
        $self->report_environment,
        %{ $self->{more} },
    );
}

sub report_environment {
    my ($self) = @_;
    my %environment;

    if (defined $ENV{SMTPROUTE_WRAPPER}) {
        $environment{SMTPROUTE_REPORTS} = $self->{reports};
    }
    if (read_file($self->{binary}) =~ /__(?:asan|ubsan|tsan)_/) {
        for my $name (qw(ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS)) {
            $environment{$name} = join ':', $ENV{$name} // (),
                "log_path=$self->{reports}/sanitizer";
        }
        # Preloaded faults come before the sanitizer's library.
        $environment{ASAN_OPTIONS} .= ':verify_asan_link_order=0';
        $environment{UBSAN_OPTIONS} .= ':print_stacktrace=1';
        # GLib before 2.76 passes memory from one thread to another by itself,
        # and ThreadSanitizer does not see its locks.
        $environment{G_SLICE} = 'always-malloc';
    }
    return %environment;
}

# What the search for leaks says when its process is killed amid it.
my $KILLED = qr/^==\d+==Unable to get registers from thread \d+\.\n/m;

# Dies of what sanitizers and the wrapper reported since the last time.
sub check_reports {
    my ($self) = @_;

    my @reports = glob "$self->{reports}/*";
    my @texts = grep { $_ ne '' } map { read_file($_) =~ s/$KILLED//gr }
        @reports;
    unlink @reports;
    croak join "\n", 'reports:', @texts if @texts;
    return;
}

sub forget {
    my ($self) = @_;
    my $state = "$self->{var}/state/hosts.mdb";

    unlink $state or $!{ENOENT} or die "$state: $!\n";
    return;
}

sub log_lines {
    my ($self) = @_;

    return -e $self->{log} ? split /\n/, read_file($self->{log}) : ();
}

1;
