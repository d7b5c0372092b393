# SPDX-License-Identifier: BSD-2-Clause
#
# What the parts of the test library share: a temporary folder, the certain
# end of everything that was started, bounded waiting.  Trouble dies.
#
#   new_folder($name)         a new folder, 0755, removed at the test's end
#   write_file($path, $bytes) read_file($path)
#   guard($object)            $object->stop is called at the test's end, and
#                             when a Fixture::Guarded goes out of scope
#   child($code)              forks, runs $code there; returns the pid
#   reap($pid, $seconds)      has it ended, at the latest after $seconds?
#   end_child($pid)           ends it: TERM, then KILL
#   end_group($pid)           kills it, and the process group that it leads
#   set_subreaper($on)        are orphans of our children ours?  FALSE: not on
#                             this machine
#   daemon($folder, @command) starts it there, its output in a file "output";
#                             returns the pid
#   capture(@command)         (exit status, stdout and stderr)
#   wait_until($what, $code)  $code's first true value, within a minute
#   reserve_port($address, $port)  keeps a port, any if undef; does not listen
#   kept_port($address)       a port that is kept until the test's end
#   listen_on($address, $port)  a socket that listens there
#   accessors($package, @n)   methods that return these fields; a field that
#                             holds an array is returned as a list
#   skip_or_fail($why)        skips the rest of this test or subtest, but fails
#                             where $ENV{CI} is set; undef: goes on
#   has_ipv6()                has this machine ::1?
#   skip_without_ipv6()       skips the same where it has not, in CI, too: no
#                             package mends a kernel's lack of it

package Fixture;

use strict;
use warnings;

use Carp qw(croak);
use Exporter qw(import);
use File::Path qw(remove_tree);
use File::Temp ();
use IO::Socket::IP ();
use POSIX qw(:signal_h WNOHANG uname);
use Scalar::Util qw(weaken);
use Socket qw(SOCK_STREAM SOMAXCONN);
use Test::More ();
use Time::HiRes qw(sleep time);

our @EXPORT = qw(accessors capture child daemon end_child end_group guard
    has_ipv6 kept_port listen_on new_folder
    read_file reap reserve_port set_subreaper skip_or_fail skip_without_ipv6
    wait_until write_file);

# Far more than anything takes, so that only a fault reaches it.
our $PATIENCE = 60;

# prctl(2), which Perl does not have: its number, and PR_SET_CHILD_SUBREAPER.
my %PRCTL = (x86_64 => 157, aarch64 => 167);
my $SUBREAPER = 36;

my $owner = $$;
my ($root, $lifeline, $undertaker);
my $folders = 0;
my (@guarded, @kept);
my $failed;

# END does not run when a signal ends the test, unless it is made an exit.
for my $signal (qw(HUP INT TERM)) {
    $SIG{$signal} = sub { exit 1 };
}

sub new_folder {
    my ($name) = @_;

    _found_root() if !defined $root;
    my $path = sprintf '%s/%s.%d', $root, $name, ++$folders;
    mkdir $path or die "$path: $!\n";
    chmod 0755, $path or die "$path: $!\n";
    return $path;
}

# A child waits until the lifeline ends, however the test does, and clears up.
sub _found_root {
    $root = File::Temp::tempdir('smtproute-test.XXXXXX', TMPDIR => 1);
    chmod 0755, $root or die "$root: $!\n";
    pipe my $end, $lifeline or die "pipe: $!\n";
    $undertaker = child(sub {
        POSIX::setsid();
        chdir '/';
        sysread $end, my $byte, 1;
        for (1 .. 100) {
            kill('KILL', _stragglers()) or last;
            sleep 0.05;
        }
        remove_tree($root);
    });
    return;
}

# Processes that run in our folder or from it: what a daemon that was killed
# left behind.
sub _stragglers {
    my @pids;

    for my $proc (glob '/proc/[0-9]*') {
        my @places = grep { defined } map { readlink "$proc/$_" } qw(cwd exe);
        next if !grep { m{^\Q$root\E/} } @places;
        push @pids, $proc =~ m{(\d+)$};
    }
    return @pids;
}

# A minute old, since Postfix waits until its files are no longer young.
sub write_file {
    my ($path, $bytes) = @_;

    open my $file, '>:raw', $path or die "$path: $!\n";
    print {$file} $bytes or die "$path: $!\n";
    close $file or die "$path: $!\n";
    utime time - 60, time - 60, $path or die "$path: $!\n";
    return;
}

sub read_file {
    my ($path) = @_;

    open my $file, '<:raw', $path or die "$path: $!\n";
    local $/;
    return scalar(<$file>) // '';
}

sub guard {
    my ($object) = @_;

    $object->{owner} = $$;
    @guarded = grep { defined } @guarded;
    push @guarded, $object;
    weaken $_ for @guarded;
    return $object;
}

sub Fixture::Guarded::DESTROY {
    my ($object) = @_;

    local ($?, $@, $!);
    _stop($object) if $$ == $object->{owner};
    return;
}

# Where nobody can catch what it dies of, the test's end reports it.
sub _stop {
    my ($object) = @_;

    return if eval { $object->stop; 1 };
    warn $@;
    $failed = 1;
    return;
}

sub child {
    my ($code) = @_;

    # A signal to the child must not meet the test's handlers.
    my $all = POSIX::SigSet->new;
    my $before = POSIX::SigSet->new;
    $all->fillset;
    sigprocmask(SIG_SETMASK, $all, $before);
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        $SIG{$_} = 'DEFAULT' for qw(HUP INT TERM);
        close $lifeline if defined $lifeline;
    }
    sigprocmask(SIG_SETMASK, $before);
    return $pid if $pid;
    my $done = eval { $code->(); 1 };
    print STDERR "# child $$: $@" if !$done;

    # Not exit: END and DESTROY are the test's.
    POSIX::_exit($done ? 0 : 70);
}

sub reap {
    my ($pid, $seconds) = @_;
    my $end = time + $seconds;

    while (waitpid($pid, WNOHANG) == 0) {
        return 0 if time > $end;
        sleep 0.01;
    }
    return 1;
}

sub end_child {
    my ($pid) = @_;

    local $?;
    kill 'TERM', $pid;
    return if reap($pid, 10);
    kill 'KILL', $pid;
    reap($pid, 10) or warn "process $pid does not end\n";
    return;
}

sub end_group {
    my ($pid) = @_;

    local $?;
    kill 'KILL', -$pid, $pid;
    reap($pid, 10);
    return;
}

# In a process group of its own, which master(8) ends with itself.
sub set_subreaper {
    my ($on) = @_;
    my $prctl = $PRCTL{ (uname)[4] } // return;

    syscall($prctl, $SUBREAPER, $on ? 1 : 0, 0, 0, 0) == 0
        or die "prctl: $!\n";
    return 1;
}

sub daemon {
    my ($folder, @command) = @_;

    return child(sub {
        POSIX::setsid();
        chdir $folder or die "$folder: $!\n";
        open STDIN, '<', '/dev/null' or die "/dev/null: $!\n";
        open STDOUT, '>>', 'output' or die "$folder/output: $!\n";
        open STDERR, '>&', \*STDOUT or die "stderr: $!\n";
        exec { $command[0] } @command or die "$command[0]: $!\n";
    });
}

sub capture {
    my (@command) = @_;

    my $pid = open my $output, '-|';
    defined $pid or die "fork: $!\n";
    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDERR, '>&', \*STDOUT;
        exec { $command[0] } @command or POSIX::_exit(127);
    }
    local ($/, $?);
    my $text = <$output> // '';
    close $output;
    return ($? >> 8 || $?, $text);
}

sub wait_until {
    my ($what, $code) = @_;
    my $end = time + $PATIENCE;

    while (1) {
        my $value = $code->();
        return $value if $value;
        croak "waited $PATIENCE s in vain for $what" if time > $end;
        sleep 0.05;
    }
}

# A port that is bound without listening refuses connections, nobody else is
# given it, and servers that set SO_REUSEADDR, as all do, can still take it.
sub listen_on {
    my ($address, $port) = @_;

    return IO::Socket::IP->new(
        LocalHost => $address,
        LocalPort => $port,
        Type      => SOCK_STREAM,
        ReuseAddr => 1,
        Listen    => SOMAXCONN,
    ) // croak "listen on [$address]:$port: $@";
}

sub reserve_port {
    my ($address, $port) = @_;

    return IO::Socket::IP->new(
        LocalHost => $address,
        LocalPort => $port // 0,
        Type      => SOCK_STREAM,
        ReuseAddr => 1,
    ) // die "bind to $address: $@\n";
}

sub kept_port {
    my ($address) = @_;

    push @kept, reserve_port($address);
    return $kept[-1]->sockport;
}

sub accessors {
    my ($package, @names) = @_;

    for my $name (@names) {
        no strict 'refs';
        *{"${package}::$name"} = sub {
            my $value = $_[0]{$name};
            return ref $value eq 'ARRAY' ? @{$value} : $value;
        };
    }
    return;
}

sub skip_or_fail {
    my ($why) = @_;

    return if !defined $why;
    die "in CI nothing is skipped, but: $why\n" if $ENV{CI};
    Test::More::plan(skip_all => $why);
    return;
}

sub has_ipv6 {
    return defined eval { reserve_port('::1') };
}

sub skip_without_ipv6 {
    Test::More::plan(skip_all => 'this machine has no ::1') if !has_ipv6();
    return;
}

END {
    if ($$ == $owner) {
        local ($?, $@, $!);
        _stop($_) for reverse grep { defined } @guarded;
        if (defined $undertaker) {
            close $lifeline;
            waitpid $undertaker, 0;
        }
    }
    $? ||= 1 if $$ == $owner && $failed;
}

1;
