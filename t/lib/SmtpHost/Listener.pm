# SPDX-License-Identifier: BSD-2-Clause
#
# The process of an SmtpHost that accepts connections, each of which gets a
# process of its own.  Sockets tell who lives: control ends when the test does,
# a session's line when the session or the listener does.

package SmtpHost::Listener;

use strict;
use warnings;

use IO::Select ();
use Socket qw(AF_UNIX IPPROTO_TCP PF_UNSPEC SHUT_RDWR SOCK_STREAM
    TCP_NODELAY);

use Fixture;
use SmtpHost::Session ();

# Given: socket, control, script, folder, and the number of the next
# connection.
sub new {
    my ($class, %given) = @_;

    return bless {%given, sessions => {}}, $class;
}

# Serves until control ends.  A byte on it asks for one back when all
# connections have ended; deaf sessions are told to listen.
sub run {
    my ($self) = @_;
    my ($socket, $control) = @{$self}{qw(socket control)};
    my $sessions = $self->{sessions};
    my $select = IO::Select->new($socket, $control);
    my $asked;

    $socket->blocking(0);
    local $SIG{PIPE} = 'IGNORE';
    open $self->{events}, '>>', "$self->{folder}/events" or die "events: $!\n";
    while (1) {
        for my $ready ($select->can_read) {
            if ($ready == $control) {
                $asked = sysread $control, my $question, 1
                    or return $self->_stop;
            } elsif ($ready != $socket) {
                $select->remove($ready);
                waitpid delete($sessions->{$ready})->{pid}, 0;
            }
        }
        while (my $peer = $socket->accept) {
            # As mail servers do: replies behind TLS's tickets must not wait.
            setsockopt $peer, IPPROTO_TCP, TCP_NODELAY, 1;
            $select->add($self->_session($peer));
        }
        next if !$asked;
        for my $session (values %{$sessions}) {
            syswrite $session->{line}, '!' if !$session->{told}++;
        }
        next if %{$sessions};
        syswrite $control, '!';
        undef $asked;
    }
}

sub _stop {
    my ($self) = @_;
    my @sessions = values %{ $self->{sessions} };

    shutdown $_->{line}, SHUT_RDWR for @sessions;
    waitpid $_->{pid}, 0 for @sessions;
    return;
}

# Starts a session with $peer; returns its line.
sub _session {
    my ($self, $peer) = @_;
    my $number = $self->{number}++;

    socketpair my $line, my $life, AF_UNIX, SOCK_STREAM, PF_UNSPEC
        or die "socketpair: $!\n";
    my $pid = child(sub {
        close $_->{line} for values %{ $self->{sessions} };
        close $_ for $line, $self->{socket}, $self->{control};
        SmtpHost::Session->new(
            socket => $peer,
            life   => $life,
            events => $self->{events},
            folder => $self->{folder},
            number => $number,
            script => $self->_script($number),
        )->run;
    });
    $self->{sessions}{$line} = {pid => $pid, line => $line};
    return $line;
}

sub _script {
    my ($self, $number) = @_;
    my $script = $self->{script};

    my $list = $script->{per_connection} // return $script;
    return {%{$script}, %{ $list->[$number] // $list->[-1] }};
}

1;
