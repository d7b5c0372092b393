# SPDX-License-Identifier: BSD-2-Clause
#
# An address where connecting neither succeeds nor fails.
#
#   my $hole = BlackHole->new;          # (address => '127.0.0.2')
#   my $hole = BlackHole->new(down => 1);   refuses connections at first
#   $hole->start            no longer
#   $hole->address, $hole->port, $hole->destination ("[127.0.0.1]:4711")
#   $hole->accepted         makes it an ordinary port, where connections are
#                           accepted by this and ended; how many new ones of
#                           others there were
#
#   BlackHole->missing      why there is none here, undef if there is
#
# A port that refuses connections is SmtpHost->new(down => 1).

package BlackHole;

use strict;
use warnings;

use IO::Socket::IP ();
use Socket qw(SOCK_STREAM);

use Fixture;

# Linux needs one connection to fill a backlog of 0, others a few.
my $TRIES = 64;

accessors(__PACKAGE__, qw(address port destination));

sub new {
    my ($class, %option) = @_;
    my $address = $option{address} // '127.0.0.1';

    my $listener = reserve_port($address);
    my $port = $listener->sockport;
    my $self = bless {
        address     => $address,
        port        => $port,
        destination => "[$address]:$port",
        sockets     => [$listener],
    }, $class;
    $self->start if !$option{down};
    return $self;
}

sub start {
    my ($self) = @_;

    listen $self->{sockets}[0], 0 or die "listen: $!\n";
    for (1 .. $TRIES) {
        return if !$self->_connects;
    }
    die "a full backlog does not stop connections here\n";
}

sub accepted {
    my ($self) = @_;
    my ($listener, @own) = @{ $self->{sockets} };
    my $others = 0;

    # Those that did not connect must not do so later.
    $self->{own}{ $_->sockport } = 1 for @own;
    close $_ for @own;
    $self->{sockets} = [$listener];
    listen $listener, 128 or die "listen: $!\n";
    $listener->blocking(0);
    while (my $socket = $listener->accept) {
        $others++ if !$self->{own}{ $socket->peerport // '' };
    }
    return $others;
}

sub missing {
    return eval { BlackHole->new; 1 } ? undef : $@;
}

# On loopback a connection is there at once or, as the queue is full and SYN
# is dropped, never.  It is kept, since it fills the queue.
sub _connects {
    my ($self) = @_;

    my $socket = IO::Socket::IP->new(
        PeerHost => $self->{address},
        PeerPort => $self->{port},
        Type     => SOCK_STREAM,
        Blocking => 0,
    ) // die "connect: $@\n";
    push @{ $self->{sockets} }, $socket;
    my $writable = '';
    vec($writable, fileno $socket, 1) = 1;
    return select undef, $writable, undef, 0.3;
}

1;
