# SPDX-License-Identifier: BSD-2-Clause
#
# A private name server (unbound) that knows only what the test says, on UDP
# and TCP.
#
#   my $dns = Dns->new(
#       records => [
#           'example.com. MX 10 mx.example.com.',
#           'mx.example.com. A 127.0.0.2',
#       ],
#       zones => {'broken.example.' => 'servfail', 'mute.example.' => 'deny'},
#   );
#   settings => {'dns-servers' => $dns->address}       # "127.0.0.1:4711"
#
# zones: unbound's local-zone types (deny: no answer at all; refuse), and
# servfail.  All other names do not exist.  on => '127.0.0.53': at port 53 of
# that address, where resolv.conf(5) can name it; in a network namespace.
#
#   $dns->address, $dns->port, $dns->stop
#   Dns->missing     why there cannot be one, undef if there can

package Dns;

use strict;
use warnings;
use parent -norequire, 'Fixture::Guarded';

use File::Copy qw(copy);
use IO::Socket::IP ();

use Fixture;

my $UNBOUND = '/usr/sbin/unbound';

accessors(__PACKAGE__, qw(address port));

sub missing {
    return -x $UNBOUND ? undef : "$UNBOUND is not installed";
}

sub new {
    my ($class, %option) = @_;
    my $folder = new_folder('dns');

    my $reserved = $option{on} ? undef : reserve_port('127.0.0.1');
    my $host = $option{on} // '127.0.0.1';
    my $port = $reserved ? $reserved->sockport : 53;
    my $self = guard(bless {
        address  => "$host:$port",
        host     => $host,
        port     => $port,
        output   => "$folder/output",
        reserved => $reserved,
    }, $class);
    write_file("$folder/conf", $self->_conf($folder, %option));

    # A copy, since AppArmor may keep the installed one out of our folder.
    copy($UNBOUND, "$folder/unbound") or die "$UNBOUND: $!\n";
    chmod 0755, "$folder/unbound" or die "$folder/unbound: $!\n";
    $self->{pid} = daemon($folder, "$folder/unbound", '-d', '-c',
        "$folder/conf");
    wait_until('unbound', sub { $self->_listens });
    return $self;
}

sub _conf {
    my ($self, $folder, %option) = @_;
    my $records = join '', map { "    local-data: '$_'\n" }
        @{ $option{records} // [] };
    my $zones = '';
    my $forwards = '';

    my %types = ('.' => 'static', %{ $option{zones} // {} });
    for my $zone (sort keys %types) {
        my $type = $types{$zone};
        if ($type eq 'servfail') {
            # Its only server is one that unbound will not ask.
            $type = 'transparent';
            $forwards .= "forward-zone:\n    name: $zone\n"
                . "    forward-addr: 127.0.0.1\n";
        }
        $zones .= "    local-zone: $zone $type\n";
    }
    return <<"EOF_CONF";
server:
    interface: $self->{host}\@$self->{port}
    access-control: 127.0.0.0/8 allow
    do-not-query-localhost: yes
    module-config: iterator
    num-threads: 1
    username: ""
    chroot: ""
    directory: $folder
    pidfile: ""
    use-syslog: no
    logfile: ""
$zones$records${forwards}remote-control:
    control-enable: no
EOF_CONF
}

sub _listens {
    my ($self) = @_;

    if (reap($self->{pid}, 0)) {
        delete $self->{pid};
        die "unbound has ended:\n", read_file($self->{output});
    }
    return IO::Socket::IP->new(
        PeerHost => $self->{host},
        PeerPort => $self->{port},
    );
}

sub stop {
    my ($self) = @_;

    end_child(delete $self->{pid}) if defined $self->{pid};
    return;
}

1;
