# SPDX-License-Identifier: BSD-2-Clause
#
# A mail server that Debian packages, and that cannot be installed beside
# Postfix: unpacked into a folder that lies over this machine's files in a mount
# namespace, and run there.  Nothing of it remains.
#
#   skip_or_fail(Foreign->missing);
#   my $server = Foreign->new(
#       packages => ['exim4-daemon-light'],
#       users    => ['Debian-exim'],
#       files    => {'/etc/exim4/exim4.conf' => $text},
#       command  => 'exec exim4 -bdf',     # for sh(1), in there
#       port     => $port,                 # of 127.0.0.1, where it listens
#   );
#   $server->destination                   # "[127.0.0.1]:4711", when it does

package Foreign;

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use IO::Socket::IP ();

use Fixture;

# Of users that packages would make; nobody else has them in there.
my $FIRST_ID = 61_000;

my $cache;

sub missing {
    return 'only root can mount' if $> != 0;
    for my $program (qw(apt-get dpkg unshare)) {
        return "there is no $program"
            if !grep { -x "$_/$program" } split /:/, $ENV{PATH};
    }
    my $folder = new_folder('overlay');
    my (undef, $output) = capture('unshare', '-m', 'sh', '-c', _mounts($folder,
        "$folder/layer") . " && echo good");
    return $output =~ /^good$/m ? undef : 'no overlay can be mounted here';
}

sub new {
    my ($class, %given) = @_;
    my $self = bless {port => $given{port}}, $class;
    my $folder = new_folder('foreign');
    my $layer = "$folder/layer";

    make_path($layer);
    _unpack($layer, @{ $given{packages} // [] });
    _add_users($layer, @{ $given{users} // [] });
    for my $path (keys %{ $given{files} }) {
        make_path(dirname("$layer$path"));
        write_file("$layer$path", $given{files}{$path});
    }
    write_file("$layer/start", "set -e\n$given{command}\n");
    # Whatever it starts ends with it.
    $self->{process} = daemon($folder, 'unshare', '--mount', '--pid', '--fork',
        '--kill-child', 'sh', '-c', _mounts($folder, $layer)
            . " && exec chroot $folder/root sh /start >$folder/log 2>&1");
    $self->{log} = "$folder/log";
    eval { wait_until('its greeting', sub { $self->_greets }); 1 }
        or die $@, $self->log;
    return $self;
}

sub destination {
    my ($self) = @_;

    return "[127.0.0.1]:$self->{port}";
}

sub log {
    my ($self) = @_;

    return read_file($self->{log});
}

sub _greets {
    my ($self) = @_;

    my $socket = IO::Socket::IP->new(PeerHost => '127.0.0.1',
        PeerPort => $self->{port}, Timeout => 5) or return 0;
    return ($socket->getline // '') =~ /^220/ ? 1 : 0;
}

# The layers must not lie within each other, so what lies above is a tmpfs.
sub _mounts {
    my ($folder, $layer) = @_;

    return "mkdir -p $folder/over $folder/root $layer"
        . " && mount -t tmpfs none $folder/over"
        . " && mkdir $folder/over/upper $folder/over/work"
        . " && cp -a $layer $folder/over/layer"
        . " && mount -t overlay none -o lowerdir=$folder/over/layer:/,upperdir=$folder"
        . "/over/upper,workdir=$folder/over/work $folder/root"
        . " && mount --rbind /dev $folder/root/dev"
        . " && mount -t tmpfs none $folder/root/run"
        . " && mount -t proc none $folder/root/proc";
}

# With what they need and this machine does not have.  apt-get takes seconds for
# its cache, which images for containers do not keep.
sub _download {
    my (@packages) = @_;

    $cache //= new_folder('cache') . '/pkgcache.bin';
    my $folder = new_folder('debs');
    make_path("$folder/partial");
    my (undef, $said) = capture('apt-get', '-qq', '--download-only', '--yes',
        '--reinstall', '--no-install-recommends', '-o', 'Debug::NoLocking=1',
        '-o', "Dir::Cache::archives=$folder",
        '-o', "Dir::Cache::pkgcache=$cache", 'install', @packages);
    for my $package (@packages) {
        my ($deb) = glob "$folder/${package}_*.deb";
        die "cannot download $package: $said\n" if !defined $deb;
    }
    return glob "$folder/*.deb";
}

sub _unpack {
    my ($layer, @packages) = @_;

    return if !@packages;
    capture('dpkg', '-x', $_, $layer) for _download(@packages);
    # Where these are links to folders in usr/, as on this machine they are.
    for my $name (grep { -l "/$_" && -d "$layer/$_" } qw(bin lib lib64 sbin)) {
        make_path("$layer/usr/$name");
        capture('cp', '-a', "$layer/$name/.", "$layer/usr/$name/");
        remove_tree("$layer/$name");
    }
    return;
}

sub _add_users {
    my ($layer, @users) = @_;
    my ($passwd, $group) = map { read_file("/etc/$_") } qw(passwd group);
    my $id = $FIRST_ID;

    for my $user (@users) {
        next if $passwd =~ /^\Q$user\E:/m;
        $passwd .= "$user:x:$id:${id}::/nonexistent:/bin/false\n";
        $group .= "$user:x:$id:\n";
        $id++;
    }
    make_path("$layer/etc");
    write_file("$layer/etc/passwd", $passwd);
    write_file("$layer/etc/group", $group);
    return;
}

1;
