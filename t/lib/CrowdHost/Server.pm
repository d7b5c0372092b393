# SPDX-License-Identifier: BSD-2-Clause
#
# The process of a CrowdHost: all its connections in one loop.

package CrowdHost::Server;

use strict;
use warnings;

use Time::HiRes qw(time);

# What a correct host says.
my %REPLIES = (
    greeting => '220 host.example ESMTP',
    ehlo     => "250-host.example\r\n250-PIPELINING\r\n"
        . '250 ENHANCEDSTATUSCODES',
    mail     => '250 2.1.0 ok',
    rcpt     => '250 2.1.5 ok',
    data     => '354 go ahead',
    final    => '250 2.0.0 ok',
    quit     => '221 2.0.0 bye',
);

# Given: socket, control, and CrowdHost's options hold, reply, delay, seed,
# limit, takes.
sub new {
    my ($class, %given) = @_;

    return bless {
        %given,
        peers       => {}, # by file descriptor
        orders      => '',
        connections => 0,
        most        => 0,
        recipients  => [],
        times       => {}, # by stage
    }, $class;
}

# Until control ends.
sub run {
    my ($self) = @_;

    local $SIG{PIPE} = 'IGNORE';
    srand $self->{seed} if defined $self->{seed};
    $self->{socket}->blocking(0);
    while (1) {
        my $ready = $self->_wait;
        my $asked = vec $ready, fileno $self->{control}, 1;
        my $all = $asked || vec $ready, fileno $self->{socket}, 1;
        if ($asked) {
            sysread $self->{control}, $self->{orders}, 4096,
                length $self->{orders} or return;
        }
        $self->_look($ready, $all);
        $self->_carry_out($1) while $self->{orders} =~ s/^(.*)\n//;
        $self->_due;
    }
}

sub _wait {
    my ($self) = @_;
    my @peers = values %{ $self->{peers} };
    my $ready = '';

    vec($ready, $_, 1) = 1
        for map { fileno $_ } $self->{socket}, $self->{control},
        map { $_->{socket} } @peers;
    my ($next) = sort { $a <=> $b } map { $_->{until} // () } @peers;
    my $left = defined $next ? $next - time : undef;
    $left = 0 if defined $left && $left < 0;
    select($ready, undef, undef, $left) >= 0 or die "select: $!\n";
    return $ready;
}

# Those who are new are counted after all that those before have done: who
# left before another came was not there at the same time.
sub _look {
    my ($self, $ready, $all) = @_;
    my @new;

    if ($all) {
        while (my $socket = $self->{socket}->accept) {
            push @new, $socket;
        }
    }
    for my $peer (values %{ $self->{peers} }) {
        $self->_read($peer) if $all || vec $ready, fileno $peer->{socket}, 1;
    }
    for my $socket (@new) {
        $self->_add($socket);
    }
    return;
}

sub _add {
    my ($self, $socket) = @_;
    my $peers = $self->{peers};
    my $peer = {socket => $socket, buffer => ''};

    $socket->blocking(0);
    $self->{connections}++;
    if (defined $self->{limit} && $self->_sessions >= $self->{limit}) {
        syswrite $socket, "421 4.3.2 too many sessions\r\n";
        close $socket;
        return;
    }
    $peers->{fileno $socket} = $peer;
    $self->{most} = keys %{$peers} if keys %{$peers} > $self->{most};
    $self->_reach($peer, 'greeting');
    $self->_read($peer);
    return;
}

sub _read {
    my ($self, $peer) = @_;

    while (defined $peer->{socket}) {
        my $count = sysread $peer->{socket}, $peer->{buffer}, 65536,
            length $peer->{buffer};
        return if !defined $count && $!{EAGAIN};
        $self->_serve($peer);
        $self->_close($peer) if !$count;
    }
    return;
}

sub _close {
    my ($self, $peer) = @_;

    return if !defined $peer->{socket};
    delete $self->{peers}{fileno $peer->{socket}};
    close delete $peer->{socket};
    delete $peer->{until};
    push @{ $self->{late} }, time + $self->{lingers} if $self->{lingers};
    return;
}

# With those whose process has not ended yet.
sub _sessions {
    my ($self) = @_;

    my @late = grep { $_ > time } @{ $self->{late} // [] };
    $self->{late} = \@late;
    return @late + keys %{ $self->{peers} };
}

# What it has sent, until it has to wait.
sub _serve {
    my ($self, $peer) = @_;

    while (defined $peer->{socket} && !defined $peer->{stage}) {
        if ($peer->{content}) {
            $peer->{buffer} =~ s/^.*?\r\n\.\r\n//s or return;
            $peer->{content} = 0;
            $self->_reach($peer, 'final');
            next;
        }
        $peer->{buffer} =~ s/^([^\n]*)\n// or return;
        my $line = $1;
        my ($verb) = lc($line) =~ /^(\w*)/;
        $peer->{recipient} = $1
            if $verb eq 'rcpt' && $line =~ /<(.*)\@.*>/;
        $self->_reach($peer, $verb);
    }
    return;
}

# Answers, or waits with that.
sub _reach {
    my ($self, $peer, $stage) = @_;

    $peer->{stage} = $stage;
    push @{ $self->{times}{$stage} }, sprintf '%.6f', time;
    return if ($self->{hold} // '') eq $stage;
    if (defined $self->{takes}{$stage}) {
        $peer->{until} = time + $self->{takes}{$stage};
        return;
    }
    return $self->_answer($peer) if !$self->{delay};
    $peer->{until} = time + rand $self->{delay};
    return;
}

sub _answer {
    my ($self, $peer) = @_;
    my $stage = delete $peer->{stage};
    my $reply = $self->{reply}{$stage} // $REPLIES{$stage}
        // '502 5.5.2 not implemented';

    delete $peer->{until};
    if ($stage eq 'final' && $reply =~ /^2/) {
        push @{ $self->{recipients} }, $peer->{recipient};
    }
    syswrite $peer->{socket}, "$reply\r\n";
    $peer->{content} = $stage eq 'data' && $reply =~ /^3/;
    $self->_close($peer) if $stage eq 'quit' || $reply =~ /^421/;
    return;
}

sub _due {
    my ($self) = @_;

    for my $peer (values %{ $self->{peers} }) {
        next if !defined $peer->{until} || $peer->{until} > time;
        $self->_answer($peer);
        $self->_serve($peer);
    }
    return;
}

sub _held {
    my ($self) = @_;

    return grep { defined $_->{stage} && !defined $_->{until} }
        values %{ $self->{peers} };
}

sub _carry_out {
    my ($self, $order) = @_;
    my ($verb, $stage, $text) = split / /, $order, 3;
    my $answer = '';

    if ($verb eq 'hold') {
        $self->{hold} = $stage;
    } elsif ($verb eq 'reply') {
        $self->{reply}{$stage} = $text;
    } elsif ($verb eq 'times') {
        $answer = join ' ', @{ $self->{times}{$stage} // [] };
    } elsif ($verb eq 'release') {
        delete $self->{hold};
        for my $peer ($self->_held) {
            $self->_answer($peer);
            $self->_serve($peer);
        }
    } else {
        $answer = join ' ', $self->{connections},
            scalar keys %{ $self->{peers} }, scalar(() = $self->_held),
            $self->{most}, @{ $self->{recipients} };
    }
    $self->_tell("$answer\n");
    return;
}

sub _tell {
    my ($self, $text) = @_;

    while ($text ne '') {
        my $count = syswrite $self->{control}, $text or return;
        substr $text, 0, $count, '';
    }
    return;
}

1;
