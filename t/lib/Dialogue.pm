# SPDX-License-Identifier: BSD-2-Clause
#
# A client that says what it is told to, for tests of the hosts of this library.
#
#   my $socket = dial($host);
#   my @replies = dialogue($socket, "EHLO c\r\n", "QUIT\r\n");
#   like send_message($host, "a\r\n"), qr/^250/;

package Dialogue;

use strict;
use warnings;

use Exporter qw(import);
use IO::Socket::IP ();

our @EXPORT = qw(@ENVELOPE dial dialogue reply send_message);

our @ENVELOPE = ("EHLO c\r\n", "MAIL FROM:<a\@b>\r\n", "RCPT TO:<c\@d>\r\n");

# A connection, after the greeting.
sub dial {
    my ($host) = @_;

    my $socket = IO::Socket::IP->new(
        PeerHost => $host->address,
        PeerPort => $host->port,
    ) // return;
    return $socket;
}

# One reply, its lines joined by LF; what there was of it if the host left.
sub reply {
    my ($socket) = @_;
    my $text = '';

    while (defined(my $line = readline $socket)) {
        $text .= $line;
        last if $line !~ /^\d{3}-/;
    }
    $text =~ s/\r\n/\n/g;
    return $text;
}

# The greeting and the reply to each command; '' is a host that left.
sub dialogue {
    my ($socket, @commands) = @_;
    my @replies = reply($socket);

    for my $command (@commands) {
        $socket->print($command);
        push @replies, reply($socket);
    }
    return @replies;
}

# Sends one message and says goodbye; returns the reply to it.
sub send_message {
    my ($host, $wire) = @_;

    my $socket = dial($host) // return;
    my @replies = dialogue($socket, @ENVELOPE, "DATA\r\n", "$wire.\r\n",
        "QUIT\r\n");
    return $replies[5];
}

1;
