# SPDX-License-Identifier: BSD-2-Clause
#
# A private syslog (rsyslogd).  A command that is run behind ->prefix has it at
# /dev/log, in a mount namespace where /dev is ours; nothing else sees it.
# Where namespaces are forbidden (containers) but there is no /dev/log either,
# it is put there while the test runs.
#
#   my $syslog = Syslog->new;
#   system $syslog->prefix, 'logger', '-p', 'mail.info', '-t', 'tag', 'text';
#   is_deeply [$syslog->lines], ['mail.info tag: text'];
#
#   $syslog->lines       all that was logged before this call
#   $syslog->path        the file they are in, each as "facility.level tag text"
#   $syslog->prefix      the command that runs another inside, as root
#   $syslog->stop
#   Syslog->missing      why there cannot be one, undef if there can
#   Syslog::namespaces   can there be mount namespaces?

package Syslog;

use strict;
use warnings;
use parent -norequire, 'Fixture::Guarded';

use Cwd qw(getcwd);
use File::Copy qw(copy);
use IO::Socket::UNIX ();
use Socket qw(SOCK_DGRAM);

use Fixture;

my $RSYSLOGD = '/usr/sbin/rsyslogd';

# $1 becomes /dev, with a symbolic link to the socket $2.
my $PRIVATE_DEV = <<'EOF_SH';
set -e
mkdir "$1"
mount -t tmpfs -o mode=0755 tmpfs "$1"
for node in null zero full random urandom tty ptmx; do
	test -c /dev/$node || continue
	: >"$1/$node"
	mount --bind /dev/$node "$1/$node"
done
for folder in shm pts; do
	test -d /dev/$folder || continue
	mkdir "$1/$folder"
	mount --rbind /dev/$folder "$1/$folder"
done
ln -s /proc/self/fd "$1/fd"
for fd in 0:stdin 1:stdout 2:stderr; do
	ln -s /proc/self/fd/${fd%:*} "$1/${fd#*:}"
done
ln -s "$2" "$1/log"
mount --rbind "$1" /dev
EOF_SH

accessors(__PACKAGE__, qw(path));

sub missing {
    return "$RSYSLOGD is not installed" if !-x $RSYSLOGD;
    return 'a private syslog needs root' if $> != 0;
    return 'no mount namespaces, and /dev/log exists'
        if !namespaces() && -e '/dev/log' && !_is_of_a_test();
    return;
}

# Another test's, which will end.
sub _is_of_a_test {
    return (readlink '/dev/log' // '') =~ m{/smtproute-test\.};
}

sub namespaces {
    my ($status) = capture(qw(unshare --mount --propagation private true));
    return $status == 0;
}

sub new {
    my ($class) = @_;
    my $folder = new_folder('syslog');

    my $self = guard(bless {
        folder => $folder,
        path   => "$folder/lines",
        marks  => 0,
        prefix => [],
        pids   => [],
    }, $class);
    $self->_start_daemon;
    wait_until('rsyslogd', sub { -S "$folder/socket" });
    chmod 0666, "$folder/socket" or die "$folder/socket: $!\n";
    if (namespaces()) {
        $self->_hold_namespace;
    } else {
        wait_until('/dev/log', sub { symlink "$folder/socket", '/dev/log' });
        $self->{link} = '/dev/log';
    }
    return $self;
}

sub _start_daemon {
    my ($self) = @_;
    my $folder = $self->{folder};

    write_file("$folder/conf", <<"EOF_CONF");
global(workDirectory="$folder")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="$folder/socket" RateLimit.Interval="0"
    UseSysTimeStamp="off")
template(name="plain" type="string"
    string="%syslogfacility-text%.%syslogseverity-text% %syslogtag%%msg%\\n")
action(type="omfile" file="$self->{path}" template="plain")
EOF_CONF

    # A copy, since AppArmor may keep the installed one out of our folder.
    copy($RSYSLOGD, "$folder/rsyslogd") or die "$RSYSLOGD: $!\n";
    chmod 0755, "$folder/rsyslogd" or die "$folder/rsyslogd: $!\n";
    push @{ $self->{pids} }, daemon($folder, "$folder/rsyslogd", '-n', '-f',
        "$folder/conf", '-i', "$folder/pid");
    return;
}

# A process that does nothing but keep the namespace.
sub _hold_namespace {
    my ($self) = @_;
    my $folder = $self->{folder};

    my $pid = daemon($folder, qw(unshare --mount --propagation private sh -c),
        $PRIVATE_DEV . ': >ready; exec sleep infinity', 'sh', "$folder/dev",
        "$folder/socket");
    push @{ $self->{pids} }, $pid;
    wait_until('a private /dev', sub { -e "$folder/ready" });
    $self->{prefix} = ['nsenter', "--mount=/proc/$pid/ns/mnt", '--'];
    return;
}

# nsenter(1) begins in the root folder.
sub prefix {
    my ($self) = @_;

    my @prefix = @{ $self->{prefix} };
    return @prefix ? (@prefix, 'env', '-C', getcwd()) : ();
}

# One queue, one worker: when our mark is there, so is all that came before.
sub lines {
    my ($self) = @_;
    my $mark = sprintf 'mark: %d', ++$self->{marks};
    my $text;

    my $socket = IO::Socket::UNIX->new(
        Type => SOCK_DGRAM,
        Peer => "$self->{folder}/socket",
    ) // die "syslog socket: $!\n";
    $socket->send("<14>Jan  1 00:00:00 $mark") or die "syslog: $!\n";
    wait_until('syslog', sub {
        -e $self->{path} && ($text = read_file($self->{path})) =~ /$mark$/m;
    });
    return grep { !/^\S+ mark: \d+$/ } split /\n/, $text;
}

sub stop {
    my ($self) = @_;

    unlink delete $self->{link} if defined $self->{link};
    end_child($_) for splice @{ $self->{pids} };
    return;
}

1;
