# SPDX-License-Identifier: BSD-2-Clause
#
# TLS at an SmtpHost's end of a connection.  The socket stays as it is for
# sysread, syswrite and select, but for pending().

package SmtpHost::Tls;

use strict;
use warnings;

use IO::Socket::SSL qw($SSL_ERROR SSL_VERIFY_FAIL_IF_NO_PEER_CERT
    SSL_VERIFY_PEER SSL_WANT_READ SSL_WANT_WRITE);
use Socket qw(MSG_PEEK);

my %VERSIONS = (
    'TLSv1'   => 0x0301,
    'TLSv1.1' => 0x0302,
    'TLSv1.2' => 0x0303,
    'TLSv1.3' => 0x0304,
);
my $HANDSHAKE = 0x16;

# The type of the record that comes first (RFC 8446 section 5.1), without
# taking it from a socket that can be read.
sub speaks {
    my ($socket) = @_;

    recv $socket, my $byte, 1, MSG_PEEK;
    return defined $byte && $byte eq chr $HANDSHAKE;
}

# The rest of the first record that $bytes begins: how many bytes it has.
sub record_lacks {
    my ($bytes) = @_;

    return 5 - length $bytes if length $bytes < 5;
    my $length = unpack 'x3 n', $bytes;
    return 5 + $length - length $bytes;
}

# Makes $socket a server's; $tls is SmtpHost's option.  What SNI says is put
# in ${$sni}.
sub prepare {
    my ($socket, $tls, $sni) = @_;
    my $context = sub {
        my ($context) = @_;
        Net::SSLeay::CTX_set_min_proto_version($context,
            $VERSIONS{ $tls->{min} // 'TLSv1' });
        Net::SSLeay::CTX_set_max_proto_version($context,
            $VERSIONS{ $tls->{max} // 'TLSv1.3' });
        Net::SSLeay::CTX_set_tlsext_servername_callback($context,
            sub { ${$sni} = Net::SSLeay::get_servername($_[0]) });
    };

    IO::Socket::SSL->start_SSL($socket,
        SSL_server              => 1,
        SSL_startHandshake      => 0,
        # By default a new IO::Socket::SSL has no TLS 1.1.
        SSL_version             => 'SSLv23:!SSLv3:!SSLv2',
        SSL_cert_file           => $tls->{certificate}->file,
        SSL_key_file            => $tls->{certificate}->key_file,
        SSL_cipher_list         => $tls->{ciphers} // 'DEFAULT:@SECLEVEL=0',
        defined $tls->{clients} ? (
            SSL_ca_file     => $tls->{clients},
            SSL_verify_mode => SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
        ) : (),
        SSL_create_ctx_callback => $context,
    ) or die "start_SSL: $SSL_ERROR\n";
    return;
}

# One step of the handshake: 'done', 'read' or 'write' for what to wait for,
# or undef if it has failed: then trouble() says why.
sub shake_hands {
    my ($socket) = @_;

    return 'done' if $socket->accept_SSL;
    return 'read' if $SSL_ERROR == SSL_WANT_READ;
    return 'write' if $SSL_ERROR == SSL_WANT_WRITE;
    return;
}

sub trouble {
    return "$SSL_ERROR";
}

sub facts {
    my ($socket) = @_;

    return {
        version => $socket->get_sslversion =~ s/_/./r,
        cipher  => $socket->get_cipher,
        client  => scalar $socket->peer_certificate('commonName'),
    };
}

# Has the peer said that it ends?
sub notified {
    my ($socket) = @_;

    my $ssl = $socket->_get_ssl_object or return 0;
    return Net::SSLeay::get_shutdown($ssl) & 2 ? 1 : 0;
}

# Closes the socket, with close_notify or without.
sub end {
    my ($socket, $cut) = @_;

    $socket->close(SSL_no_shutdown => $cut);
    return;
}

1;
