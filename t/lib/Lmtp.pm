# SPDX-License-Identifier: BSD-2-Clause
#
# A client of the agent's LMTP face: runs it as spawn(8) does, one socket for
# its fds 0 to 2.
#
#   my $lmtp = Lmtp->begin(agent => $agent);     # new, and LHLO
#   my @replies = $lmtp->deliver(
#       sender => 'sender@example.org', recipients => ['user@example.com'],
#       message => "Subject: test\n\ntest\n", queue_id => '4F1B');
#   is $lmtp->end, 0;
#
# deliver: the replies for the recipients, in their order: those of RCPT that
# refuse, and after the content one for each of the others.  Options: what
# MAIL and each RCPT add, mail_options, rcpt_options.
#
#   Lmtp->new(agent => $agent)
#                         reads the greeting, unless with mute => 1
#   $lmtp->lhlo           the reply to it
#   $lmtp->deliver_one($user)
#                         the reply for this user of example.com, with a message
#                         from the one of example.org
#   $lmtp->say($line)     sends a command, returns its reply
#   $lmtp->send($bytes)   sends them as they are
#   $lmtp->reply          the next reply, its lines joined by LF, without ends;
#                         undef: the agent has closed
#   $lmtp->end            hangs up; the agent's exit status
#   $lmtp->pid            of the agent

package Lmtp;

use strict;
use warnings;
use parent -norequire, 'Fixture::Guarded';

use Carp qw(croak);
use IO::Handle ();
use POSIX ();
use Socket qw(AF_UNIX PF_UNSPEC SOCK_STREAM SHUT_WR);

use Fixture;

accessors(__PACKAGE__, qw(pid greeting));

sub new {
    my ($class, %option) = @_;
    my $agent = $option{agent};
    my $self = guard(bless { agent => $agent, buffer => '' }, $class);

    socketpair my $ours, my $its, AF_UNIX, SOCK_STREAM, PF_UNSPEC
        or die "socketpair: $!\n";
    my ($program, @arguments) = ($agent->command, '-L');
    my %environment = $agent->environment;
    $self->{pid} = child(sub {
        close $ours;
        chdir $agent->folder or die "chdir: $!\n";
        POSIX::setsid();
        POSIX::dup2(fileno $its, $_) for 0, 1, 2;
        %ENV = %environment;
        exec { $program } $program, @arguments or die "$program: $!\n";
    });
    close $its;
    $self->{running} = 1;
    $self->{socket} = $ours;
    $self->{greeting} = $self->reply if !$option{mute};
    return $self;
}

sub begin {
    my ($class, %option) = @_;
    my $self = $class->new(%option);

    $self->lhlo;
    return $self;
}

sub send {
    my ($self, $bytes) = @_;

    local $SIG{PIPE} = 'IGNORE';
    while (length $bytes) {
        my $n = syswrite $self->{socket}, $bytes;
        return 0 if !defined $n;
        substr $bytes, 0, $n, '';
    }
    return 1;
}

sub _line {
    my ($self) = @_;
    my $readable = '';

    vec($readable, fileno $self->{socket}, 1) = 1;
    while ($self->{buffer} !~ /\n/) {
        select(my $ready = $readable, undef, undef, $Fixture::PATIENCE)
            or croak 'no reply';
        my $n = sysread $self->{socket}, $self->{buffer}, 65536,
            length $self->{buffer};
        return undef if !$n;
    }
    $self->{buffer} =~ s/^(.*?)\r\n//s or croak 'a line without CR';
    return $1;
}

sub reply {
    my ($self) = @_;
    my @lines;

    while (defined(my $line = $self->_line)) {
        push @lines, $line;
        $line =~ /^[2-5][0-9][0-9]([ -])/ or croak "no reply: $line";
        return join "\n", @lines if $1 eq ' ';
    }
    return undef;
}

sub say {
    my ($self, $line) = @_;

    $self->send("$line\r\n");
    return $self->reply;
}

sub lhlo {
    my ($self) = @_;

    return $self->say('LHLO client.example');
}

sub deliver {
    my ($self, %option) = @_;
    my $more = sub { defined $_[0] ? " $_[0]" : '' };
    my @recipients = @{ $option{recipients} // ['user@example.com'] };
    my $message = $option{message} // "Subject: test\n\ntest\n";
    my $sender = $option{sender} // 'sender@example.org';

    $message =~ s/\r?\n/\r\n/g;
    $message =~ s/^\./../mg;
    $self->say("XFORWARD IDENT=$option{queue_id}") if $option{queue_id};
    my $reply = $self->say("MAIL FROM:<$sender>"
        . $more->($option{mail_options}));
    return ($reply) if $reply !~ /^250 /;
    my @replies = map {
        $self->say("RCPT TO:<$_>" . $more->($option{rcpt_options}))
    } @recipients;
    if (grep { /^250 / } @replies) {
        $reply = $self->say('DATA');
        croak $reply if $reply !~ /^354 /;
        $self->send("$message.\r\n");
        @replies = map { /^250 / ? $self->reply : $_ } @replies;
    } else {
        $self->say('RSET');
    }
    return @replies;
}

sub deliver_one {
    my ($self, $user) = @_;
    my ($reply) = $self->deliver(recipients => ["$user\@example.com"],
        sender => "$user\@example.org");

    return $reply;
}

sub end {
    my ($self) = @_;

    shutdown $self->{socket}, SHUT_WR;
    local $?;
    reap($self->{pid}, $Fixture::PATIENCE) or croak 'the agent does not end';
    $self->{running} = 0;
    my $status = $? & 127 ? "signal $?" : $? >> 8;
    $self->stop;
    $self->{agent}->check_reports;
    return $status;
}

sub stop {
    my ($self) = @_;

    end_group($self->{pid}) if $self->{running};
    $self->{running} = 0;
    close delete $self->{socket} if $self->{socket};
    return;
}

1;
