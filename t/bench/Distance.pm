# SPDX-License-Identifier: BSD-2-Clause
#
# A host that is far away: what is said to a port, and what it answers, takes
# its time.
#
#   my $far = Distance->new(port => $port, delay => 0.01);   # each way
#   $far->port

package Distance;

use strict;
use warnings;
use parent -norequire, 'Fixture::Guarded';

use IO::Socket::IP ();
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);

use Fixture;

accessors(__PACKAGE__, qw(port));

sub new {
	my ($class, %option) = @_;
	my $listener = listen_on('127.0.0.1');
	my $self = guard(bless { port => $listener->sockport }, $class);

	$self->{pid} = child(sub { serve($listener, @option{qw(port delay)}) });
	return $self;
}

sub stop {
	my ($self) = @_;

	end_child(delete $self->{pid}) if $self->{pid};
	return;
}

# Pieces are [when, to whom, what]; "" is the end.
my (%socket, %other, @late);

sub serve {
	my ($listener, $port, $delay) = @_;

	while (1) {
		my $wait = @late ? $late[0][0] - time : undef;
		my $readable = '';

		vec($readable, $_, 1) = 1 for fileno $listener, keys %socket;
		select $readable, undef, undef,
			defined $wait && $wait < 0 ? 0 : $wait;
		deliver() while @late && $late[0][0] <= time;
		admit($listener, $port) if vec $readable, fileno $listener, 1;
		for my $fd (grep { vec $readable, $_, 1 } keys %socket) {
			take($fd, time + $delay) if $socket{$fd};
		}
	}
	return;
}

sub admit {
	my ($listener, $port) = @_;
	my $client = $listener->accept or return;
	my $server = IO::Socket::IP->new(PeerHost => '127.0.0.1',
		PeerPort => $port) or return close $client;
	my @pair = ($client, $server);

	for my $i (0, 1) {
		setsockopt $pair[$i], IPPROTO_TCP, TCP_NODELAY, 1;
		$socket{ fileno $pair[$i] } = $pair[$i];
		$other{ fileno $pair[$i] } = $pair[1 - $i];
	}
	return;
}

sub take {
	my ($fd, $when) = @_;
	my $length = sysread $socket{$fd}, my $bytes, 65536;

	push @late, [$when, $other{$fd}, $length ? $bytes : ''];
	delete $socket{$fd} if !$length;
	return;
}

sub deliver {
	my (undef, $to, $bytes) = @{ shift @late };

	if ($bytes eq '') {
		shutdown $to, 1;
	} else {
		syswrite $to, $bytes;
	}
	return;
}

1;
