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
# verbs (lhlo noop vrfy expn help auth starttls bdat etrn x...).  What is not
# scripted is what a correct host does.  After a 334 the next line belongs to
# the same stage.  With "_tls" behind its name a stage is one within TLS, in
# place of that without.  A stage has
#   'text'         that reply; LF inside makes several lines, all get CRLF;
#                  '' sends nothing
#   \'bytes'       exactly these bytes
#   'close' 'reset'  ends the connection, by FIN or by RST
#   'silence'      answers nothing any more, but reads until the peer leaves
#   'deaf'         does not even read, until connections() or stop()
#   'cut'          as close, but within TLS without saying so (close_notify)
#   'handshake'    begins TLS
#   {...}          reply => text or \bytes, after delay => seconds, drip =>
#                  seconds between its bytes, then => one of the words above
#   [...]          one of these for each time the stage comes; the last stays
#   sub            called with the line and its number (1, 2, ...); returns one
#   undef          what a correct host does
# content => {after => $n, ...} acts once, when exactly $n bytes of content
# have been read: 0 is at once after the 354, before anything came.
#
# Options: address ('127.0.0.1'), port (any that is free), name, keywords => [lines of EHLO],
# keywords_tls => [those within TLS] (the same), digest => 1 (keep only size and
# SHA-256 of contents), down => 1 (begin with a port that refuses connections),
# per_connection => [{stages, keywords, tls}, ...] (over the above, for the
# first, second, ... connection; the last stays), and
# tls => {...}: the host offers STARTTLS, and begins TLS after a reply of 220
#   certificate       a TestCa's (or what else has file and key_file)
#   wrapper => 1      TLS from the first byte
#   offer => 0        EHLO's reply does not say STARTTLS
#   min, max          versions ('TLSv1.1'); ciphers, of TLS 1.2 and before
#   clients           a file of authorities: no TLS without one's certificate
# After STARTTLS, the bytes behind a 220 are injected if it is \"220 go\r\n...".
# The stage handshake comes when the peer has sent its ClientHello, or whatever
# it has in its place; if it is scripted, there is no TLS (but after a delay).
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
# (how: quit; closed, reset: by the peer; host: as scripted; handshake: it
# failed; stopped); input_clear, commands_clear and commands_tls, the parts of
# these that came in clear and within TLS; hello (did a ClientHello come?); sni
# (from it); tls, undef or {version, cipher, sni,
# client: the name in its certificate}; trouble, why the handshake
# failed; notified (did the peer end TLS with a close_notify?); story, a line
# of the verbs, after DATA "content" (or "part" without the final dot), and
# "tls" where TLS began, "-tls" where a ClientHello led to nothing.
# A message has  sender, recipients (accepted ones), dot (did it arrive?),
# accepted, size and sha256 of content, content, wire (as it came, without the
# final dot's line), tls (did it come within TLS?).

package SmtpHost;

use strict;
use warnings;
use parent 'ControlledHost';

use Carp qw(croak);
use IO::Select ();
use Storable ();

use Fixture;
use SmtpHost::Connection ();
use SmtpHost::Listener ();
use SmtpHost::Message ();

my @KEYWORDS = ('PIPELINING', '8BITMIME', 'SIZE 0', 'ENHANCEDSTATUSCODES');
my %OPTIONS = map { $_ => 1 }
    qw(address port name keywords keywords_tls digest down per_connection tls);

sub new {
    my ($class, %option) = @_;
    my $address = $option{address} // '127.0.0.1';

    for my $name (grep { !$OPTIONS{$_} } keys %option) {
        croak "unknown stage or option $name" if $name !~ /^(?:
            greeting|ehlo|helo|lhlo|mail|rcpt|data|content|final|rset|quit|noop|
            vrfy|expn|help|auth|starttls|handshake|bdat|etrn|x[a-z]+)
            (?:_tls)?$/x;
    }
    # Here, so that not every connection loads it.
    require SmtpHost::Tls
        if grep { $_->{tls} } \%option, @{ $option{per_connection} // [] };
    my $reserved = reserve_port($address, $option{port});
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

# Its connections have numbers behind those of before.
sub start {
    my ($self) = @_;

    $self->finished;
    $self->SUPER::start;
    return;
}

sub _serve {
    my ($self, %sockets) = @_;

    SmtpHost::Listener->new(
        %sockets,
        script => $self->{script},
        folder => $self->{folder},
        number => scalar @{ $self->{records} },
    )->run;
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
