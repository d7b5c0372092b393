# SPDX-License-Identifier: BSD-2-Clause
#
# What SmtpHost and CrowdHost have in common: a server in a process of its own,
# at an address and a port, which goes on until its control ends.
#
#   $host->address, ->port, ->destination   "[127.0.0.1]:4711"
#   $host->start                takes connections, if it does not yet
#   $host->stop                 refuses them, and ends those that there are
#
# The child calls  $self->_serve(socket => ..., control => ...).

package ControlledHost;

use strict;
use warnings;
use parent -norequire, 'Fixture::Guarded';

use Socket qw(AF_UNIX PF_UNSPEC SHUT_RDWR SOCK_STREAM);

use Fixture;

accessors(__PACKAGE__, qw(address port destination));

sub start {
    my ($self) = @_;

    return if defined $self->{pid};
    my $socket = listen_on($self->{address}, $self->{port});
    socketpair my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC
        or die "socketpair: $!\n";
    $self->{pid} = child(sub {
        close $ours;
        $self->_serve(socket => $socket, control => $theirs);
    });
    $self->{control} = $ours;
    return;
}

# Other children may have inherited the control, so that closing it would not be
# enough.
sub stop {
    my ($self) = @_;

    return if !defined $self->{pid};
    shutdown delete $self->{control}, SHUT_RDWR;
    my $pid = delete $self->{pid};
    local $?;
    reap($pid, 10) or end_child($pid);
    return;
}

1;
