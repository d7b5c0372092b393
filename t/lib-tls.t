#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The test library's hosts and authorities in TLS, without the agent.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use Errno qw(ECONNRESET);
use FindBin ();
use IO::Select ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Dialogue;
use Fixture;
use SmtpHost;
use TestCa;

# TLS with what dial() returned, as the options say; undef if that fails.
sub begin_tls {
    my ($socket, %option) = @_;

    return IO::Socket::SSL->start_SSL($socket, SSL_verify_mode => 0,
        SSL_hostname => 'sni.example', %option);
}

# STARTTLS, then the commands; returns all replies within TLS.
sub dialogue_tls {
    my ($host, $option, @commands) = @_;

    my $socket = dial($host);
    dialogue($socket, "EHLO c\r\n", "STARTTLS\r\n");
    begin_tls($socket, %{$option}) or return "no TLS";
    return map { $socket->print($_); reply($socket) } @commands;
}

subtest 'a certificate authority' => sub {
    skip_or_fail(TestCa->missing);
    my $ca = TestCa->new;
    my $middle = $ca->intermediate;
    my $other = TestCa->new('Other Root');
    my %names = (names => ['mx1.example.com', '*.wild.example'],
        addresses => ['127.0.0.1', '::1']);

    # Who signs, with which options, and what a client says to that.
    my @rows = (
        ['right', $ca, {}, undef],
        ['by an intermediate authority', $middle, {}, undef],
        ['a partial chain', $middle, {chain => 0}, qr/local issuer/],
        ['the whole chain', $middle, {with_root => 1}, undef],
        ['expired', $ca, {expired => 1}, qr/has expired/],
        ['early', $ca, {early => 1}, qr/not yet valid/],
        ['self-signed', $ca, {self_signed => 1}, qr/self.signed cert/],
        ['by somebody else', $other, {}, qr/local issuer/],
        ['a wrong name', $ca, {names => ['mx2.example.com']}, qr/hostname/],
        ['only a common name', $ca, {names => [], addresses => [],
            common_name => 'mx1.example.com'}, qr/hostname/],
    );
    for my $row (@rows) {
        my ($name, $issuer, $option, $trouble) = @{$row};
        my $host = SmtpHost->new(tls => {wrapper => 1,
            certificate => $issuer->certificate(%names, %{$option})});
        my $why = '';
        my $began = begin_tls(dial($host),
            SSL_verify_mode     => 1,
            SSL_verify_callback => sub {
                my ($right, $store) = @_;
                $why = Net::SSLeay::X509_verify_cert_error_string(
                    Net::SSLeay::X509_STORE_CTX_get_error($store)) if !$right;
                return $right;
            },
            SSL_ca_file         => $ca->file,
            SSL_verifycn_name   => 'mx1.example.com',
            SSL_verifycn_scheme => {wildcards_in_cn => 0,
                wildcards_in_alt => 'leftmost', check_cn => 'never'},
        );
        if (defined $trouble) {
            ok !$began, $name;
            like "$why $IO::Socket::SSL::SSL_ERROR", $trouble,
                "$name: why not";
        } else {
            ok $began, $name or diag $IO::Socket::SSL::SSL_ERROR;
        }
    }

    my $certificate = $ca->certificate(%names);
    is $certificate, $ca->certificate(%names), 'made once';
    my @san = Net::SSLeay::X509_get_subjectAltNames(
        IO::Socket::SSL::Utils::PEM_file2cert($certificate->file));
    is_deeply \@san, [2, 'mx1.example.com', 2, '*.wild.example',
        7, "\x7f\0\0\1", 7, "\0" x 15 . "\1"], 'names and addresses';
    my ($base64) = $certificate->pem =~ /-----\n(.*?)-----/s;
    my $der = MIME::Base64::decode_base64($base64);
    is $certificate->tlsa(3, 0, 1), '3 0 1 ' . sha256_hex($der),
        'TLSA of the certificate';
    my ($key) = $certificate->tlsa(3, 1, 0) =~ /^3 1 0 ([0-9a-f]+)$/;
    like unpack('H*', $der), qr/\Q$key\E/, 'TLSA of the key, whole';
    is $certificate->tlsa(3, 1, 1), '3 1 1 ' . sha256_hex(pack 'H*', $key),
        'TLSA of the key';
};

subtest 'a host with TLS' => sub {
    skip_or_fail(TestCa->missing);
    my $host = SmtpHost->new(
        tls => {certificate => TestCa->new->certificate},
        keywords     => ['SIZE 1'],
        keywords_tls => ['AUTH PLAIN LOGIN'],
        auth_tls     => ['334 VXNlcg==', '334 UGFzcw==', '235 2.7.0 ok'],
    );
    my $socket = dial($host);

    is_deeply [dialogue($socket, "EHLO c\r\n", "MAIL FROM:<x\@y>\r\n",
        "AUTH\r\n", "STARTTLS\r\n")], ["220 host.example ESMTP\n",
        "250-host.example\n250-SIZE 1\n250 STARTTLS\n", "250 2.1.0 ok\n",
        "502 5.5.2 not implemented\n", "220 2.0.0 ready for TLS\n"],
        'in clear';
    begin_tls($socket) or die "$IO::Socket::SSL::SSL_ERROR\n";
    my @replies = map { $socket->print($_); reply($socket) }
        $ENVELOPE[1], @ENVELOPE, "AUTH LOGIN\r\n", "dXNlcg==\r\n",
        "cGFzcw==\r\n", "STARTTLS\r\n", "DATA\r\n", "a\r\n.\r\n", "QUIT\r\n";
    is_deeply \@replies, ["503 5.5.1 EHLO first\n",
        "250-host.example\n250 AUTH PLAIN LOGIN\n", "250 2.1.0 ok\n",
        "250 2.1.5 ok\n", "334 VXNlcg==\n", "334 UGFzcw==\n",
        "235 2.7.0 ok\n", "503 5.5.1 TLS already\n", "354 go ahead\n",
        "250 2.0.0 Ok: queued as 0.1\n", "221 2.0.0 bye\n"], 'within TLS';
    is readline $socket, undef, 'the end';
    close $socket;
    my ($connection) = $host->connections;
    is_deeply [$connection->commands_clear],
        ['EHLO c', 'MAIL FROM:<x@y>', 'AUTH', 'STARTTLS'], 'clear commands';
    is_deeply [$connection->commands_tls], [map { s/\r\n//r } $ENVELOPE[1],
        @ENVELOPE, 'AUTH LOGIN', 'dXNlcg==', 'cGFzcw==', 'STARTTLS',
        'DATA', 'QUIT'], 'commands within TLS';
    is $connection->input_clear,
        "EHLO c\r\nMAIL FROM:<x\@y>\r\nAUTH\r\nSTARTTLS\r\n", 'clear input';
    is $connection->story, 'EHLO MAIL AUTH STARTTLS tls MAIL EHLO MAIL RCPT '
        . 'AUTH dXNlcg== cGFzcw== STARTTLS DATA content QUIT', 'story';
    is $connection->sni, 'sni.example', 'SNI';
    is $connection->end, 'quit', 'how it ended';
    my ($message) = $connection->messages;
    ok $message->tls, 'the message came within TLS';
    is $message->wire, "a\r\n", 'the message';
};

subtest 'TLS versions and ciphers' => sub {
    skip_or_fail(TestCa->missing);
    my $certificate = TestCa->new->certificate;
    my $old = 'ECDHE-ECDSA-AES128-SHA';
    my $cipher = 'ECDHE-ECDSA-AES256-GCM-SHA384';
    my $any = sub { Net::SSLeay::CTX_set_min_proto_version($_[0], 0x0301) };

    for my $row (
        ['TLSv1.3', {min => 'TLSv1.3'}, qr/^TLS_/],
        ['TLSv1.2', {max => 'TLSv1.2'}, qr/^ECDHE-ECDSA-/],
        ['TLSv1.2', {max => 'TLSv1.2', ciphers => $cipher}, qr/^$cipher$/],
        ['TLSv1.1', {max => 'TLSv1.1', ciphers => "$old:\@SECLEVEL=0"},
            qr/^$old$/],
        ['TLSv1', {max => 'TLSv1', ciphers => "$old:\@SECLEVEL=0"},
            qr/^$old$/],
    ) {
        my ($version, $tls, $like) = @{$row};
        my $host = SmtpHost->new(
            tls => {certificate => $certificate, %{$tls}});
        my @replies = dialogue_tls($host, {SSL_create_ctx_callback => $any,
            SSL_version => 'SSLv23:!SSLv3:!SSLv2',
            SSL_cipher_list => 'DEFAULT:@SECLEVEL=0'}, "EHLO c\r\n");
        like $replies[-1], qr/^250/, "$version within TLS";
        my ($connection) = $host->connections;
        is $connection->tls->{version}, $version, $version;
        like $connection->tls->{cipher}, $like, "$version: cipher";
        is $connection->tls->{sni}, 'sni.example', "$version: SNI";
    }
};

# The host's script; what the client does after STARTTLS's reply; what then
# can be read, how the connection ended and its story.
subtest 'hosts that have trouble with TLS' => sub {
    skip_or_fail(TestCa->missing);
    my $ca = TestCa->new;
    my %tls = (tls => {certificate => $ca->certificate});
    my $hello = "\x16\3\1\0\5\1\0\0\1\0";
    my $greet = sub {
        $_[0]->print($hello);
        sysread $_[0], my $bytes, 1024 or return $! == ECONNRESET ? 'RST' : '';
        return $bytes;
    };
    my $wait = sub {
        my ($socket, $host) = @_;
        $socket->print($hello);
        $host->wait_for('handshake');
        return scalar(() = IO::Select->new($socket)->can_read(0));
    };
    my $talk = sub {
        begin_tls($_[0]) or return 'no TLS';
        $_[0]->print("EHLO c\r\n");
        my $text = reply($_[0]);
        $_[0]->print("MAIL FROM:<a>\r\n");
        return $text . reply($_[0]);
    };
    my $is = "250 host.example\n";

    my @rows = (
        ['injection', {starttls => \"220 go\r\n250 injected\r\n"},
            sub { reply($_[0]) }, "250 injected\n", 'closed', 'EHLO STARTTLS'],
        ['no ClientHello, but text', {}, sub { $_[0]->print("QUIT\r\n"); '' },
            '', 'handshake', 'EHLO STARTTLS'],
        ['a handshake that ends', {handshake => 'close'}, $greet, '', 'host',
            'EHLO STARTTLS -tls'],
        ['a handshake that is reset', {handshake => 'reset'}, $greet, 'RST',
            'host', 'EHLO STARTTLS -tls'],
        ['garbage for a handshake', {handshake => \"\x15garbage"}, $greet,
            "\x15garbage", 'closed', 'EHLO STARTTLS -tls'],
        ['garbage, then close',
            {handshake => {reply => 'no', then => 'close'}}, $greet,
            "no\r\n", 'host', 'EHLO STARTTLS -tls'],
        ['silence for a handshake', {handshake => 'silence'}, $wait, 0,
            'closed', 'EHLO STARTTLS -tls'],
        ['a handshake that comes late', {handshake => {delay => .1}}, $talk,
            "${is}250 2.1.0 ok\n", 'closed', 'EHLO STARTTLS tls EHLO MAIL'],
        ['another certificate authority', {},
            sub { begin_tls($_[0], SSL_verify_mode => 1,
                SSL_ca_file => TestCa->new('Other')->file); '' }, '',
            'handshake', 'EHLO STARTTLS -tls'],
        ['STARTTLS refused', {starttls => '454 4.7.0 no'},
            sub { $_[0]->print("MAIL FROM:<a>\r\n"); reply($_[0]) },
            "250 2.1.0 ok\n", 'closed', 'EHLO STARTTLS MAIL'],
        ['close within TLS', {mail_tls => 'close'}, $talk, $is, 'host',
            'EHLO STARTTLS tls EHLO MAIL'],
        ['reset within TLS', {mail_tls => 'reset'}, $talk, $is, 'host',
            'EHLO STARTTLS tls EHLO MAIL'],
        ['a reply of bytes within TLS', {mail_tls => \"250 a\r\n250 b\r\n"},
            $talk, "${is}250 a\n", 'closed', 'EHLO STARTTLS tls EHLO MAIL'],
        ['a reply with drops within TLS', {mail_tls =>
                {reply => '250 a', drip => .01}},
            $talk, "${is}250 a\n", 'closed', 'EHLO STARTTLS tls EHLO MAIL'],
    );
    for my $row (@rows) {
        my ($name, $script, $client, $reads, $end, $story) = @{$row};
        my $host = SmtpHost->new(%tls, keywords => [], %{$script});
        my $socket = dial($host);
        dialogue($socket, "EHLO c\r\n", "STARTTLS\r\n");
        is $client->($socket, $host), $reads, $name;
        close $socket;
        my ($connection) = $host->connections;
        is $connection->end, $end, "$name: end";
        is $connection->story, $story, "$name: story";
    }
};

subtest 'the end of TLS' => sub {
    skip_or_fail(TestCa->missing);
    my %tls = (tls => {certificate => TestCa->new->certificate, wrapper => 1});

    for my $row (['close', 1], ['cut', 0], ['reset', 0]) {
        my ($how, $told) = @{$row};
        my $host = SmtpHost->new(%tls, noop => $how);
        my $socket = dial($host);
        begin_tls($socket);
        reply($socket);
        $socket->print("NOOP\r\n");
        is readline $socket, undef, "$how: nothing more comes";
        my $ssl = $socket->_get_ssl_object;
        is Net::SSLeay::get_shutdown($ssl) & 2 ? 1 : 0, $told,
            "$how: close_notify";
    }
    for my $quiet (0, 1) {
        my $host = SmtpHost->new(%tls);
        my $socket = dial($host);
        begin_tls($socket);
        reply($socket);
        $socket->close(SSL_no_shutdown => $quiet);
        my ($connection) = $host->connections;
        is $connection->notified, 1 - $quiet, 'the peer\'s close_notify';
        is $connection->end, 'closed', 'how it ended';
    }
};

subtest 'content within TLS' => sub {
    skip_or_fail(TestCa->missing);
    my $content = ('.' . 'x' x 70 . "\r\n") x 40_000;

    for my $version ('TLSv1.2', 'TLSv1.3') {
        my $host = SmtpHost->new(digest => 1, tls => {
            certificate => TestCa->new->certificate, max => $version},
            per_connection => [{}, {content => {after => 7, then => 'close'}},
                {tls => undef}]);
        my @send = (@ENVELOPE, "DATA\r\n",
            $content =~ s/^\./../mgr . ".\r\n", "QUIT\r\n");
        my @replies = dialogue_tls($host, {}, @send);
        like $replies[-2], qr/^250/, "$version: accepted";
        @replies = dialogue_tls($host, {}, @send[0 .. 3], "abc\r\nde");
        is $replies[-1], '', "$version: closed amid the content";
        like send_message($host, "a\r\n"), qr/^250/, 'no TLS at last';
        my ($message, $part) = $host->messages;
        is $message->size, length $content, "$version: size";
        is $message->sha256, sha256_hex($content), "$version: digest";
        is $part->received, 7, "$version: as much as was to be read";
        is_deeply [map { $_->tls } $host->messages], [1, 1, 0], 'tls';
    }
};

done_testing;
