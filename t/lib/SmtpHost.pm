# SPDX-License-Identifier: BSD-2-Clause
#
# A scripted SMTP host, in processes of its own.
#
#   my $host = SmtpHost->new(
#       rcpt => ['250 2.1.5 ok', '450 4.2.0 later'],
#       data => {reply => '421 4.3.2 going down', then => 'close'},
#   );
#   ... $host->destination ...             # "[127.0.0.1]:4711"
#   my ($message) = $host->messages;
#
# Stages: greeting ehlo helo mail rcpt data content final rset quit, and other
# verbs (noop vrfy expn help auth starttls bdat etrn x...).  What is not
# scripted is what a correct host does.  After a 334 the next line belongs to
# the same stage.  A stage has
#   'text'         that reply; LF inside makes several lines, all get CRLF;
#                  '' sends nothing
#   \'bytes'       exactly these bytes
#   'close' 'reset'  ends the connection, by FIN or by RST
#   'silence'      answers nothing any more, but reads until the peer leaves
#   'deaf'         does not even read, until connections() or stop()
#   {...}          reply => text or \bytes, after delay => seconds, drip =>
#                  seconds between its bytes, then => close reset silence deaf
#   [...]          one of these for each time the stage comes; the last stays
#   sub            called with the line and its number (1, 2, ...); returns one
#   undef          what a correct host does
# content => {after => $n, ...} acts once, when exactly $n bytes of content
# have been read: 0 is at once after the 354, before anything came.
#
# Options: address ('127.0.0.1'), name, keywords => [lines of EHLO],
# digest => 1 (keep only size and SHA-256 of contents), down => 1 (begin with
# a port that refuses connections), per_connection => [{stages, keywords}, ...]
# (over the above, for the first, second, ... connection; the last stays).
#
#   $host->address, ->port, ->destination
#   $host->stop, $host->start   refuses connections; takes them again
#   $host->connections          all so far, when all of them have ended
#   $host->finished             those that have ended by now
#   $host->messages             of all connections
#   $host->wait_for($stage, $n) until that stage was reached $n (1) times
#
# A connection has  peer, port (where it came from); input (bytes outside
# contents), commands (without line ends), messages, quit (did QUIT come?), end
# (how: quit; closed, reset: by the peer; host: as scripted; stopped).
# A message has  sender, recipients (accepted ones), dot (did it arrive?),
# accepted, size and sha256 of content, content, wire (as it came, without the
# final dot's line).

package SmtpHost;

use strict;
use warnings;
use parent -norequire, 'Fixture::Guarded';

use Carp qw(croak);
use IO::Select ();
use Socket qw(AF_UNIX PF_UNSPEC SHUT_RDWR SOCK_STREAM);
use Storable ();

use Fixture;
use SmtpHost::Listener ();
use SmtpHost::Message ();

my @KEYWORDS = ('PIPELINING', '8BITMIME', 'SIZE 0', 'ENHANCEDSTATUSCODES');
my %OPTIONS = map { $_ => 1 }
    qw(address name keywords digest down per_connection);

accessors(__PACKAGE__, qw(address port destination));
accessors('SmtpHost::Connection',
    qw(peer port input commands messages quit end));

sub new {
    my ($class, %option) = @_;
    my $address = $option{address} // '127.0.0.1';

    for my $name (grep { !$OPTIONS{$_} } keys %option) {
        croak "unknown stage or option $name" if $name !~ /^(?:
            greeting|ehlo|helo|mail|rcpt|data|content|final|rset|quit|noop|
            vrfy|expn|help|auth|starttls|bdat|etrn|x[a-z]+)$/x;
    }
    my $reserved = reserve_port($address);
    my $port = $reserved->sockport;
    my $self = guard(bless {
        address     => $address,
        port        => $port,
        destination => "[$address]:$port",
        reserved    => $reserved,
        folder      => new_folder('host'),
        script      => {
            name     => 'host.example',
            keywords => \@KEYWORDS,
            %option,
        },
        records => [],
    }, $class);
    $self->start if !$option{down};
    return $self;
}

sub start {
    my ($self) = @_;

    return if defined $self->{pid};
    my $socket = listen_on($self->{address}, $self->{port});
    socketpair my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC
        or die "socketpair: $!\n";
    my $number = () = $self->finished;
    $self->{pid} = child(sub {
        close $ours;
        SmtpHost::Listener->new(
            socket  => $socket,
            control => $theirs,
            script  => $self->{script},
            folder  => $self->{folder},
            number  => $number,
        )->run;
    });
    $self->{control} = $ours;
    return;
}

# The listener ends its connections, and itself, when its control ends.  Other
# children may have inherited that, so closing it would not be enough.
sub stop {
    my ($self) = @_;

    return if !defined $self->{pid};
    shutdown delete $self->{control}, SHUT_RDWR;
    my $pid = delete $self->{pid};
    local $?;
    reap($pid, 10) or end_child($pid);
    return;
}

# The listener answers when it has accepted all that had connected, and all
# of these connections have ended.
sub connections {
    my ($self) = @_;

    if (defined $self->{pid}) {
        syswrite $self->{control}, '?' or die "host: $!\n";
        IO::Select->new($self->{control})->can_read($Fixture::PATIENCE)
            or croak "a connection to $self->{destination} does not end";
        sysread $self->{control}, my $answer, 1
            or croak "host $self->{destination} has died";
    }
    return $self->finished;
}

sub finished {
    my ($self) = @_;

    my $records = $self->{records};
    while (-e (my $path = sprintf '%s/connection.%d', $self->{folder},
            scalar @{$records})) {
        push @{$records}, Storable::retrieve($path);
        croak $records->[-1]{error} if defined $records->[-1]{error};
    }
    return @{$records};
}

sub messages {
    my ($self) = @_;

    return map { $_->messages } $self->connections;
}

sub wait_for {
    my ($self, $stage, $count) = @_;
    my $events = "$self->{folder}/events";

    $count //= 1;
    wait_until("$count times $stage", sub {
        return if !-e $events;
        my $reached = () = read_file($events) =~ /^\Q$stage\E$/mg;
        return $reached >= $count;
    });
    return;
}

1;
