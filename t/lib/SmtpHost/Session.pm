# SPDX-License-Identifier: BSD-2-Clause
#
# One connection of an SmtpHost, from greeting to record.

package SmtpHost::Session;

use strict;
use warnings;

use Errno qw(EAGAIN ECONNRESET EINTR);
use Socket qw(SOL_SOCKET SO_LINGER);
use Storable ();
use Time::HiRes qw(time);

use Fixture;
use SmtpHost::Connection ();
use SmtpHost::Message ();

my $CHUNK = 256 * 1024;

my %ACTIONS = map { $_ => 1 } qw(close cut deaf handshake reset silence);

# What a correct host says; _default() has what depends on more.
my %REPLIES = (
    mail => '250 2.1.0 ok',
    rcpt => '250 2.1.5 ok',
    data => '354 go ahead',
    rset => '250 2.0.0 ok',
    noop => '250 2.0.0 ok',
    vrfy => '252 2.0.0 try it',
    quit => '221 2.0.0 bye',
);

# Given: socket, life (the other end of the listener's line), script, number,
# folder and events.
sub new {
    my ($class, %given) = @_;

    $given{socket}->blocking(0);
    return bless {
        %given,
        buffer => '',
        count  => {},
        record => SmtpHost::Connection->new(
            peer => $given{socket}->peerhost,
            port => $given{socket}->peerport,
        ),
    }, $class;
}

sub run {
    my ($self) = @_;
    my $record = $self->{record};

    eval { $self->_dialogue };
    if (ref $@) {
        $record->{end} = ${$@};
    } else {
        $record->{error} = $@;
    }
    $self->_hang_up;
    $record->add_input($self->{buffer});
    $_->finish for @{ $record->{messages} };
    my $path = "$self->{folder}/connection.$self->{number}";
    Storable::nstore($record, "$path.new");
    rename "$path.new", $path or die "$path: $!\n";
    return;
}

sub _hang_up {
    my ($self) = @_;

    if ($self->_is_tls) {
        $self->{record}{notified} = SmtpHost::Tls::notified($self->{socket});
        SmtpHost::Tls::end($self->{socket}, $self->{cut});
    } else {
        close $self->{socket};
    }
    return;
}

sub _is_tls {
    my ($self) = @_;

    return defined $self->{record}{tls};
}

# Leaves _dialogue().
sub _end {
    my ($self, $how) = @_;

    die \$how;
}

sub _dialogue {
    my ($self) = @_;

    $self->_start_tls if ($self->{script}{tls} // {})->{wrapper};
    $self->_behave('greeting');
    my $pending;
    while (1) {
        my $line = $self->_line;
        my $stage = $pending // lc(($line =~ /^(\w*)/)[0]);
        $self->{record}{quit} = 1 if $stage eq 'quit';
        my $reply = $self->_behave($stage, $line);
        $pending = $reply =~ /^334/m ? $stage : undef;
        $self->_end('quit') if $stage eq 'quit' && !$self->{mute};
        $self->_receive if $stage eq 'data' && $reply =~ /^3/m;
    }
}

# Does what the script has for a stage; returns what was said.
sub _behave {
    my ($self, $stage, $line) = @_;

    syswrite $self->{events}, "$stage\n";
    return '' if $self->{mute};
    my $how = $self->_how($stage, $line);
    my $reply = $how->{reply} // '';
    if (ref $reply) {
        $reply = ${$reply};
    } elsif ($reply ne '') {
        $reply = join '', map { "$_\r\n" } split /\n/, $reply;
    }
    $self->_wait('time', $how->{delay}) if $how->{delay};
    $self->_say($reply, $how->{drip});
    $self->_note($stage, $line) if $reply =~ /^2/;
    my $then = $how->{then};
    $then //= 'handshake' if $stage eq 'starttls' && $reply =~ /^220/
        && $self->{script}{tls} && !$self->_is_tls;
    $self->_then($then) if defined $then;
    return $reply;
}

# The script's entry for a stage, in its long form.
sub _how {
    my ($self, $stage, $line) = @_;
    my $key = $self->_key($stage);
    my $number = ++$self->{count}{$key};

    my $how = $self->{script}{$key};
    if (ref $how eq 'ARRAY') {
        $how = $how->[$number > @{$how} ? -1 : $number - 1];
    }
    $how = $how->($line, $number) if ref $how eq 'CODE';
    $how //= $self->_default($stage);
    return $how if ref $how eq 'HASH';
    return {$ACTIONS{$how} ? 'then' : 'reply', $how};
}

# Where the script has it.
sub _key {
    my ($self, $name) = @_;

    return $self->_is_tls && exists $self->{script}{"${name}_tls"}
        ? "${name}_tls" : $name;
}

sub _default {
    my ($self, $stage) = @_;
    my $script = $self->{script};

    if ($stage eq 'greeting') {
        return "220 $script->{name} ESMTP";
    } elsif ($stage eq 'ehlo') {
        my @lines = ($script->{name}, $self->_keywords);
        my $last = pop @lines;
        return join "\n", map({ "250-$_" } @lines), "250 $last";
    } elsif ($stage eq 'helo') {
        return "250 $script->{name}";
    } elsif ($stage eq 'final') {
        return sprintf '250 2.0.0 Ok: queued as %d.%d', $self->{number},
            scalar @{ $self->{record}{messages} };
    } elsif ($stage eq 'mail' && defined $self->{sender}) {
        return '503 5.5.1 nested MAIL';
    } elsif ($stage eq 'mail' && $self->_is_tls && !$self->{introduced}) {
        return '503 5.5.1 EHLO first';
    } elsif ($stage eq 'starttls' && $script->{tls}) {
        return $self->_is_tls ? '503 5.5.1 TLS already'
            : '220 2.0.0 ready for TLS';
    } elsif ($stage eq 'handshake') {
        return {};
    } elsif ($stage eq 'rcpt' && !defined $self->{sender}) {
        return '503 5.5.1 need MAIL';
    } elsif ($stage eq 'data' && !@{ $self->{recipients} // [] }) {
        return '554 5.5.1 no valid recipients';
    }
    return $REPLIES{$stage} // '502 5.5.2 not implemented';
}

sub _keywords {
    my ($self) = @_;
    my $script = $self->{script};
    my $tls = $script->{tls};

    my @keywords = @{ $script->{ $self->_key('keywords') } };
    push @keywords, 'STARTTLS'
        if $tls && ($tls->{offer} // 1) && !$self->_is_tls
        && !grep { $_ eq 'STARTTLS' } @keywords;
    return @keywords;
}

# What changes with a positive reply.
sub _note {
    my ($self, $stage, $line) = @_;
    my ($path) = ($line // '') =~ /<(.*?)>/;

    if ($stage eq 'mail') {
        @{$self}{qw(sender recipients)} = ($path // '', []);
    } elsif ($stage eq 'rcpt') {
        push @{ $self->{recipients} }, $path // '';
    } elsif ($stage eq 'final') {
        $self->{record}{messages}[-1]{accepted} = 1;
    } elsif ($stage =~ /^(?:ehlo|helo|lhlo|rset)$/) {
        delete @{$self}{qw(sender recipients)};
        $self->{introduced} ||= $stage ne 'rset';
    }
    return;
}

sub _then {
    my ($self, $action) = @_;

    if ($action eq 'close' || $action eq 'cut') {
        $self->_drain;
        $self->{cut} = $action eq 'cut';
        $self->_end('host');
    } elsif ($action eq 'handshake') {
        return $self->_start_tls;
    } elsif ($action eq 'reset') {
        $self->{socket}->setsockopt(SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0);
        $self->{cut} = 1;
        $self->_end('host');
    } elsif ($action eq 'deaf') {
        $self->_wait('release') if !$self->{released};
    } elsif ($action ne 'silence') {
        die "unknown action $action\n";
    }
    $self->{mute} = 1;
    return;
}

# What is unread would make a close a reset.
sub _drain {
    my ($self) = @_;
    my $end = length($self->{buffer}) + $CHUNK;

    while ((my $length = length $self->{buffer}) < $end) {
        last if !sysread $self->{socket}, $self->{buffer}, $end - $length,
            $length;
    }
    return;
}

# Everything of before is forgotten (RFC 3207 section 4.2), also what the peer
# sent after STARTTLS without waiting.
sub _start_tls {
    my ($self) = @_;
    my $record = $self->{record};

    $record->add_input($self->{buffer});
    $self->{buffer} = '';
    $self->_wait('read');
    $record->{hello} = SmtpHost::Tls::speaks($self->{socket}) ? 1 : 0;
    $self->_take_hello if $self->_scripted('handshake');
    $self->_behave('handshake');
    $self->_ignore if $self->_scripted('handshake');
    $self->_shake_hands;
    delete @{$self}{qw(sender recipients introduced)};
    return;
}

# Does the script have more than a delay for it?
sub _scripted {
    my ($self, $stage) = @_;

    my $how = $self->{script}{ $self->_key($stage) };
    return ref $how eq 'HASH' ? exists $how->{reply} || exists $how->{then}
        : defined $how;
}

# So that nothing is unread when the connection is closed.
sub _take_hello {
    my ($self) = @_;

    return if !$self->{record}{hello};
    my $hello = '';
    while ((my $more = SmtpHost::Tls::record_lacks($hello)) > 0) {
        $self->_read($more);
        $hello .= $self->{buffer};
        $self->{buffer} = '';
    }
    return;
}

# Until the peer leaves.  What it says is of no interest, if it is TLS.
sub _ignore {
    my ($self) = @_;

    while (1) {
        $self->_read($CHUNK);
        next if !$self->{record}{hello};
        $self->{buffer} = '';
    }
}

sub _shake_hands {
    my ($self) = @_;
    my ($record, $socket) = @{$self}{qw(record socket)};
    my $state = 'read';

    # What comes in its place becomes input.
    if (!$record->{hello}) {
        $self->_read($CHUNK);
        $record->{trouble} = 'no ClientHello';
        $self->_end('handshake');
    }
    SmtpHost::Tls::prepare($socket, $self->{script}{tls}, \$record->{sni});
    while (1) {
        $state = SmtpHost::Tls::shake_hands($socket);
        if (!defined $state) {
            $record->{trouble} = SmtpHost::Tls::trouble();
            $self->_end('handshake');
        }
        last if $state eq 'done';
        $self->_wait($state);
    }
    $record->{tls} = {%{ SmtpHost::Tls::facts($socket) },
        sni => $record->{sni}};
    return;
}

# Content, and the reply to its end.
sub _receive {
    my ($self) = @_;
    my $messages = $self->{record}{messages};

    my $path = sprintf '%s/content.%d.%d', $self->{folder}, $self->{number},
        scalar @{$messages};
    my $message = SmtpHost::Message->new($self->{sender} // '',
        $self->{recipients} // [], $self->{script}{digest} ? undef : $path,
        $self->_is_tls);
    push @{$messages}, $message;

    my $act = $self->{script}{content};
    my $after = ref $act eq 'HASH' ? $act->{after} // 0 : 0;
    until ($message->dot) {
        my $limit = defined $act ? $after - $message->received : $CHUNK;
        if ($limit == 0) {
            undef $act;
            $self->_behave('content');
            next;
        }
        $self->_read($limit) if $self->{buffer} eq '';
        my $some = substr $self->{buffer}, 0, $limit, '';
        substr $self->{buffer}, 0, 0, $message->add($some);
    }
    $message->finish;
    $self->_behave('final');
    delete @{$self}{qw(sender recipients)};
    return;
}

# The next command, as it came but for its line end.
sub _line {
    my ($self) = @_;
    my $end;

    while (($end = index $self->{buffer}, "\n") < 0) {
        $self->_read($CHUNK);
    }
    my $line = substr $self->{buffer}, 0, $end + 1, '';
    $self->{record}->add_input($line);
    $line =~ s/\r?\n\z//;
    $self->{record}->add_command($line);
    return $line;
}

sub _read {
    my ($self, $limit) = @_;

    while (1) {
        $self->_wait('read');
        my $count = sysread $self->{socket}, $self->{buffer}, $limit,
            length $self->{buffer};
        return if $count;
        $self->_end('closed') if defined $count;
        $self->_failed;
    }
}

sub _say {
    my ($self, $bytes, $drip) = @_;

    while ($bytes ne '') {
        $self->_wait('write');
        my $count = syswrite $self->{socket}, $bytes,
            $drip ? 1 : length $bytes;
        if (!defined $count) {
            $self->_failed;
            next;
        }
        substr $bytes, 0, $count, '';
        $self->_wait('time', $drip) if $drip;
    }
    return;
}

sub _failed {
    my ($self) = @_;

    return if $! == EAGAIN || $! == EINTR;
    $self->_end($! == ECONNRESET ? 'reset' : 'closed');
}

# Waits until the peer can be read from ('read') or written to ('write'), the
# listener asks for the end ('release'), or for some seconds ('time').  Does
# not outlive the listener.
sub _wait {
    my ($self, $what, $seconds) = @_;
    my ($life, $peer) = map { fileno $_ } @{$self}{qw(life socket)};
    my $end = time + ($seconds // 0);

    return if $what eq 'read' && $self->_is_tls && $self->{socket}->pending;
    while (1) {
        my ($read, $write) = ('', '');
        vec($read, $life, 1) = 1;
        vec($read, $peer, 1) = 1 if $what eq 'read';
        vec($write, $peer, 1) = 1 if $what eq 'write';
        my $left = $what eq 'time' ? $end - time : undef;
        return if defined $left && $left <= 0;
        next if select($read, $write, undef, $left) <= 0;
        if (vec $read, $life, 1) {
            sysread $self->{life}, my $told, 1 or $self->_end('stopped');
            $self->{released} = 1;
            return if $what eq 'release';
        }
        return if vec($read, $peer, 1) || vec($write, $peer, 1);
    }
}

1;
