#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The test library itself, without the agent: what it says about a run must be
# true before anything can be concluded from it.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use Errno qw(ECONNREFUSED ECONNRESET);
use FindBin ();
use IO::Select ();
use IO::Socket::IP ();
use Socket qw(SOCK_DGRAM SOL_SOCKET SO_LINGER);
use Test::More;

use lib "$FindBin::Bin/lib";
use Agent;
use BlackHole;
use Dns;
use Fixture;
use PostfixInstance;
use SmtpHost;
use Syslog;
use TestCa;

delete @ENV{qw(SMTPROUTE SMTPROUTE_WRAPPER)};

my @ENVELOPE = ("EHLO c\r\n", "MAIL FROM:<a\@b>\r\n", "RCPT TO:<c\@d>\r\n");

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

subtest 'a correct host' => sub {
    my $host = SmtpHost->new;
    my @replies = dialogue(dial($host), @ENVELOPE, "data\r\n",
        "A: b\r\n\r\n..\r\n.\r\n", "RSET\r\n", "HUH\n", "QUIT\r\n");

    is_deeply \@replies, [
        "220 host.example ESMTP\n",
        "250-host.example\n250-PIPELINING\n250-8BITMIME\n250-SIZE 0\n"
            . "250 ENHANCEDSTATUSCODES\n",
        "250 2.1.0 ok\n", "250 2.1.5 ok\n", "354 go ahead\n",
        "250 2.0.0 Ok: queued as 0.1\n", "250 2.0.0 ok\n",
        "502 5.5.2 not implemented\n", "221 2.0.0 bye\n",
    ], 'what it says';
    my ($connection) = $host->connections;
    is $connection->peer, '127.0.0.1', 'peer';
    is $connection->input,
        join('', @ENVELOPE, "data\r\nRSET\r\nHUH\nQUIT\r\n"), 'input';
    is_deeply [$connection->commands], ['EHLO c', 'MAIL FROM:<a@b>',
        'RCPT TO:<c@d>', qw(data RSET HUH QUIT)], 'commands';
    ok $connection->quit, 'QUIT came';
    is $connection->end, 'quit', 'how it ended';
    my ($message) = $connection->messages;
    is $message->sender, 'a@b', 'sender';
    is_deeply [$message->recipients], ['c@d'], 'recipients';
    is $message->wire, "A: b\r\n\r\n..\r\n", 'wire';
    is $message->content, "A: b\r\n\r\n.\r\n", 'content';
    is $message->size, 11, 'size';
    is $message->sha256, sha256_hex($message->content), 'digest';
    ok $message->dot && $message->accepted, 'dot and acceptance';
};

# Each with the replies that follow a scripted one, and how it ended.
my @BEHAVIOURS = (
    ['lines', {greeting => "220-a\n220 b"}, [], ["220-a\n220 b\n"], 'closed'],
    ['bytes', {greeting => \"220 a\0b"}, [], ["220 a\0b"], 'host', 'close'],
    ['a doubled reply', {ehlo => \"250 a\r\n250 b\r\n"},
        ["EHLO c\r\n", ''], ["220 host.example ESMTP\n", "250 a\n", "250 b\n"],
        'closed'],
    ['no reply to one of two', {mail => ['', '250 yes']},
        ["MAIL FROM:<a>\r\nMAIL FROM:<b>\r\n"],
        ["220 host.example ESMTP\n", "250 yes\n"], 'closed'],
    ['the last of a list stays', {greeting => '220', noop => [250, 450]},
        [("NOOP\r\n") x 3], ["220\n", "250\n", "450\n", "450\n"], 'closed'],
    ['a function', {greeting => '220', noop => sub { "250 $_[1] $_[0]" }},
        ["NOOP a\r\n", "NOOP b\r\n"],
        ["220\n", "250 1 NOOP a\n", "250 2 NOOP b\n"], 'closed'],
    ['undef is as usual', {greeting => '220', noop => [421, undef, 421]},
        [("NOOP\r\n") x 2], ["220\n", "421\n", "250 2.0.0 ok\n"], 'closed'],
    ['more lines after 334', {greeting => '220',
            auth => ['334 a', '334 b', '235 ok']},
        ["AUTH LOGIN\r\n", "quit\r\n", "noop\r\n"],
        ["220\n", "334 a\n", "334 b\n", "235 ok\n"], 'closed'],
    ['close', {greeting => 'close'}, [], [''], 'host'],
    ['reply, then close', {greeting => '220',
            mail => {reply => '421 bye', then => 'close'}},
        ["MAIL\r\n", ''], ["220\n", "421 bye\n", ''], 'host'],
    ['drip and delay', {
            greeting => {reply => "220-a\n220 b", delay => .01, drip => .01}},
        [], ["220-a\n220 b\n"], 'closed'],
    ['MAIL in a transaction', {greeting => '220'}, [("MAIL FROM:<a>\r\n") x 2],
        ["220\n", "250 2.1.0 ok\n", "503 5.5.1 nested MAIL\n"], 'closed'],
    ['RCPT without one', {greeting => '220'}, ["RCPT TO:<a>\r\n"],
        ["220\n", "503 5.5.1 need MAIL\n"], 'closed'],
    ['DATA without recipients', {greeting => '220', rcpt => '550 no'},
        [@ENVELOPE[1, 2], "DATA\r\n"], ["220\n", "250 2.1.0 ok\n",
        "550 no\n", "554 5.5.1 no valid recipients\n"], 'closed'],
);

for my $row (@BEHAVIOURS) {
    my ($name, $script, $commands, $replies, $end, $then) = @{$row};

    $script->{greeting} = {reply => $script->{greeting}, then => $then}
        if defined $then;
    my $host = SmtpHost->new(%{$script});
    is_deeply [dialogue(dial($host), @{$commands})], $replies, $name;
    is +($host->connections)[0]->end, $end, "$name: $end";
}

subtest 'reset' => sub {
    my $host = SmtpHost->new(greeting => 'reset');
    my $socket = dial($host);

    is sysread($socket, my $byte, 1), undef, 'nothing can be read';
    is $! + 0, ECONNRESET, 'reset';
    is +($host->connections)[0]->end, 'host', 'the host did it';
};

subtest 'reset by the peer' => sub {
    my $host = SmtpHost->new;
    my $socket = dial($host);

    reply($socket);
    $socket->setsockopt(SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0);
    close $socket;
    is +($host->connections)[0]->end, 'reset', 'the peer did it';
};

subtest 'silence and deafness' => sub {
    my $host = SmtpHost->new(mail => 'silence',
        content => {after => 3, then => 'deaf'},
        per_connection => [{}, {mail => undef}]);
    my $socket = dial($host);
    dialogue($socket, "EHLO c\r\n");
    $socket->print("MAIL FROM:<a>\r\nNOOP\r\n");
    $host->wait_for('noop');
    is_deeply [IO::Select->new($socket)->can_read(0)], [], 'silent';
    close $socket;

    $socket = dial($host);
    dialogue($socket, @ENVELOPE, "DATA\r\n");
    $socket->blocking(0);
    my $sent = 0;
    my $select = IO::Select->new($socket);
    while ($sent < 1 << 27 && $select->can_write(0.2)) {
        $sent += syswrite($socket, 'x' x 65536) // 0;
    }
    cmp_ok $sent, '<', 1 << 27, 'deaf';
    close $socket;
    my @connections = $host->connections;
    is_deeply [$connections[0]->commands],
        ['EHLO c', 'MAIL FROM:<a>', 'NOOP'], 'silence listens';
    is +($connections[1]->messages)[0]->size, $sent,
        'deafness ends when the records are asked for';
    is $connections[1]->end, 'closed', 'the peer left';
};

subtest 'amid the content' => sub {
    my $host = SmtpHost->new(per_connection => [
        {content => '250 premature'},
        {content => {after => 7, reply => '451 no', then => 'close'}},
    ]);
    my $socket = dial($host);
    my @replies = dialogue($socket, @ENVELOPE, "DATA\r\n", '');
    is $replies[-1], "250 premature\n", 'a reply before the content';
    close $socket;

    $socket = dial($host);
    @replies = dialogue($socket, @ENVELOPE, "DATA\r\n", "abc\r\nde\r\n");
    is $replies[-1], "451 no\n", 'a reply amid the content';
    my ($early, $message) = $host->messages;
    ok !$early->dot && !$early->accepted, 'neither dot nor acceptance';
    is $message->wire, "abc\r\nde", 'as much as was to be read';
    ok !$message->dot, 'no dot';
};

subtest 'content in any pieces' => sub {
    my @contents = ('', "a\r\n", ".\r\n", "..\r\n.a\r\n", "\r\n\r\n",
        "a\n.\nb\r.\r\n", "\r.\r\n", "a\0\xff\r\n", "\r\n.\n.\r\n");

    for my $content (@contents) {
        my $wire = $content =~ s/(\A|\r\n)\./$1../gr . ".\r\nREST";
        my @wrong;
        for my $first (0 .. length $wire) {
            for my $second ($first .. length $wire) {
                my $message = SmtpHost::Message->new('', []);
                my $rest = $message->add(substr $wire, 0, $first);
                $rest .= $message->dot
                    ? substr $wire, $first, $second - $first
                    : $message->add(substr $wire, $first, $second - $first);
                $rest .= $message->dot
                    ? substr $wire, $second
                    : $message->add(substr $wire, $second);
                $message->finish;
                push @wrong, "$first $second" if $rest ne 'REST'
                    || $message->sha256 ne sha256_hex($content)
                    || $message->size != length $content
                    || $message->received != length($wire) - 4;
            }
        }
        is_deeply \@wrong, [], sha256_hex($content);
    }
};

subtest 'a large message' => sub {
    my $host = SmtpHost->new(digest => 1);
    my $content = ('.' . 'x' x 70 . "\r\n") x 300_000;

    send_message($host, $content =~ s/^\./../mgr);
    my ($message) = $host->messages;
    is $message->size, length $content, 'size';
    is $message->sha256, sha256_hex($content), 'digest';
};

subtest 'several connections at once' => sub {
    my $host = SmtpHost->new;
    my @sockets = map { dial($host) } 1 .. 5;

    like reply($_), qr/^220 /, 'greeted' for @sockets;
    is_deeply [$host->finished], [], 'none has ended';
    close $_ for @sockets;
    is scalar(() = $host->connections), 5, 'all are recorded';
};

subtest 'hosts that go down and come up' => sub {
    my $host = SmtpHost->new(down => 1);
    my $port = $host->port;
    my @others;

    is dial($host), undef, 'down';
    is $! + 0, ECONNREFUSED, 'it refuses';
    $host->start;
    like send_message($host, "a\r\n"), qr/^250 /, 'up';
    push @others, SmtpHost->new;    # inherits descriptors of the first
    my $socket = dial($host);
    reply($socket);
    $host->stop;
    is reply($socket), '', 'a connection ends with its host';
    is dial($host), undef, 'down again';
    is $! + 0, ECONNREFUSED, 'it refuses again';
    $host->start;
    send_message($host, "b\r\n");
    is $host->port, $port, 'the same port';
    is_deeply [map { $_->end } $host->connections], [qw(quit stopped quit)],
        'no record is lost';
};

for my $address ('127.0.0.2', '::1') {
    my $host = SmtpHost->new(address => $address);

    like send_message($host, "a\r\n"), qr/^250 /, "a host on $address";
    is $host->destination, "[$address]:" . $host->port, 'its destination';
}

ok !eval { SmtpHost->new(mial => '250 ok') }, 'misspelt stages are refused';

subtest 'a black hole' => sub {
    skip_or_fail(BlackHole->missing);
    my $hole = BlackHole->new;

    my $socket = IO::Socket::IP->new(
        PeerHost => $hole->address,
        PeerPort => $hole->port,
        Blocking => 0,
    );
    my $pending = IO::Select->new($socket);
    is_deeply [$pending->can_write(0.5)], [], 'no connection';
    is_deeply [$pending->has_exception(0)], [], 'no error';
};

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

# Stands for the agent: Perl that says what it was given.
sub stand_in {
    my ($code) = @_;

    my $path = new_folder('stand-in') . '/agent';
    write_file($path, "#!$^X\nuse strict;\nuse Fcntl;\n\$| = 1;\n$code");
    chmod 0755, $path or die "$path: $!\n";
    return $path;
}

subtest 'the agent is run as pipe(8) runs it' => sub {
    my $agent = Agent->new(settings => {
            'connect-timeout' => '2s', 'host a' => {tls => 'none'}},
        routes => "example.com a\n", binary => stand_in(<<'EOF_PERL'));
my $input = do { local $/; <STDIN> };
print "@ARGV\n", join(' ', sort keys %ENV), "\n$input";
print STDERR getpgrp == $$ ? 'own' : 'shared', "\n";
print fcntl(STDOUT, F_GETFL, 0) & O_NONBLOCK ? 'non-blocking' : 'blocking';
open my $status, '<', '/proc/self/status' or die;
my ($ignored) = map { /^SigIgn:\s*(\S+)/ } <$status>;
print "\n", hex($ignored) & 1 << 12 ? 'PIPE' : '';
print ' ', hex($ignored) & 1 << 24 ? 'XFSZ' : '', "\n";
exit 75;
EOF_PERL
    my $run = $agent->deliver(sender => '', recipients => ['a@b', 'c@d'],
        nexthop => 'n', message => "m\n", environment => {EXTRA => 1});

    is $run->status, 75, 'exit status';
    is $run->signal, 0, 'no signal';
    is $run->output, <<"EOF_TEXT", 'output';
-c @{[$agent->conf]} -q 4F1B -f  -n n -- a\@b c\@d
EXTRA LANG MAIL_CONFIG PATH TZ
m
own
non-blocking
PIPE XFSZ
EOF_TEXT
    like read_file($agent->conf), qr/^connect-timeout = 2s$/m, 'a setting';
    like read_file($agent->conf), qr/^\[host a\]\ntls = none$/m, 'a group';
    is read_file($agent->routes), "example.com a\n", 'routes';
};

subtest 'runs of the agent' => sub {
    my $agent = Agent->new(binary => stand_in(<<'EOF_PERL'));
my ($what) = @ARGV[2 .. $#ARGV];
my $folder = $ENV{MAIL_CONFIG};
if ($what eq 'log') {
    open my $log, '>>', "$folder/var/log" or die;
    print {$log} "line $$\n";
} elsif ($what eq 'signal') {
    kill 'KILL', $$;
} elsif ($what eq 'report') {
    open my $report, '>>', "$folder/reports/sanitizer.1" or die;
    print {$report} "ERROR: heap-use-after-free\n";
} elsif ($what eq 'hang') {
    sleep 1000;
} elsif ($what eq 'count') {
    my $length = 0;
    $length += length while <STDIN>;
    print $length;
}
EOF_PERL

    my @runs = map { $agent->deliver(arguments => ['log']) } 1, 2;
    is_deeply [map { $_->log_lines } @runs], [map { 'line ' . $_->pid } @runs],
        'the log of each run';
    my $run = $agent->deliver(arguments => ['signal']);
    is $run->status, undef, 'no status';
    is $run->signal, 9, 'a signal';
    $run = $agent->deliver(arguments => ['count'], message => "x\n" x 1e6);
    is $run->output, 2e6, 'a large message';
    $run = $agent->deliver(arguments => ['count'], message => sub {
        my ($pipe) = @_;
        print {$pipe} "part\n";
    });
    is $run->output, 5, 'a message of its own making';
    $run = $agent->start(arguments => ['hang']);
    $run->kill('TERM');
    is $run->wait->signal, 15, 'killed by the test';
    ok !eval {
        local $Fixture::PATIENCE = 0.2;
        $agent->deliver(arguments => ['hang']);
    }, 'a run that hangs dies';
    like $@, qr/ran for more than/, 'and says so';
    ok !eval { $agent->deliver(arguments => ['report']) },
        'a sanitizer that complains dies';
    like $@, qr/heap-use-after-free/, 'with its report';
};

subtest 'a wrapper, and another user' => sub {
    skip_or_fail('another user needs root') if $> != 0;
    my $agent = Agent->new(user => 'nobody', binary => stand_in(<<'EOF_PERL'));
open my $file, '>', "$ENV{MAIL_CONFIG}/var/state/x" or die;
print scalar getpwuid $>, " $) $ENV{SMTPROUTE_REPORTS} $ENV{WRAPPED}";
EOF_PERL
    local $ENV{SMTPROUTE_WRAPPER} = 'env WRAPPED=1';
    my $gid = (getpwnam 'nobody')[3];

    is $agent->deliver->output, "nobody $gid " . $agent->reports . ' 1',
        'user, groups and wrapper';
};

subtest 'a private Postfix' => sub {
    skip_or_fail(PostfixInstance->missing);
    my $host = SmtpHost->new(rcpt => sub {
        my ($line) = @_;
        return '550 5.1.1 unknown' if $line =~ /<bounce/;
        return '450 4.2.0 busy' if $line =~ /<defer/;
        return;
    });
    my $postfix = PostfixInstance->new(relay => $host);

    my $id = $postfix->inject(message => "Subject: x\n\n.dot\n\xff\n",
        mail_options => 'BODY=8BITMIME');
    $postfix->wait_for(qr/ $id: to=<user\@example.com>.* status=sent/);
    $id = $postfix->inject(recipients => ['bounce@example.com']);
    $postfix->wait_for(qr/ $id: .* status=bounced/);
    $postfix->wait_for(qr/: to=<sender\@example.org>.* status=sent/);
    $id = $postfix->inject(recipients => ['defer@example.com']);
    $postfix->wait_for(qr/ $id: .* status=deferred/);
    $postfix->flush;
    $postfix->wait_for(qr/ $id: .* status=deferred/, 2);
    my @queue = $postfix->queue;
    is scalar @queue, 1, 'one message in the queue';
    is $queue[0]{queue_id}, $id, 'the deferred one';
    $postfix->reload;
    my ($status) = $postfix->command('postsuper', '-d', $id);
    is $status, 0, 'postsuper';
    is_deeply [$postfix->queue], [], 'the queue is empty';
    $postfix->stop;

    my ($message, $bounce) = $host->messages;
    like $message->content, qr/\r\n\r\n\.dot\r\n\xff\r\n\z/, 'content';
    is $bounce->sender, '', 'the bounce has a null sender';
    like $bounce->content, qr/unknown/, 'the bounce says why';
};

subtest 'a private Postfix runs the agent' => sub {
    skip_or_fail(PostfixInstance->missing);
    skip_or_fail(Syslog->missing);
    my $syslog = Syslog->new;
    my $postfix = PostfixInstance->new(
        syslog => $syslog,
        agent  => Agent->new(
            user   => 'nobody',
            routes => "example.com [a]\n",
            binary => stand_in(<<'EOF_PERL'),
while (<STDIN>) {}
system '/usr/bin/logger', '-p', 'mail.info', '-t', 'agent', $ARGV[3];
print "4.3.2 @ARGV[4 .. $#ARGV] ", scalar getpwuid $>;
exit 75;
EOF_PERL
        ),
    );

    my $id = $postfix->inject(recipients => ['user@example.com'], sender => '');
    my ($line) = $postfix->wait_for(qr/ $id: to=.* relay=smtproute,/);
    my $said = '-f  -n example.com -- user@example.com nobody';
    like $line, qr/dsn=4\.3\.2, status=deferred \(\Q$said\E\)/,
        'arguments and user';
    is scalar(grep { $_ eq "mail.info agent: $id" } $syslog->lines), 1,
        "the agent's own line in syslog";
    is_deeply [$postfix->command(qw(postconf -h myhostname))],
        [0, "test.example\n"], 'postconf';
};

subtest 'a sanitizer complains about the agent that Postfix runs' => sub {
    skip_or_fail(PostfixInstance->missing);
    my $postfix = PostfixInstance->new(agent => Agent->new(
        user   => 'nobody',
        routes => "example.com [a]\n",
        binary => stand_in(<<'EOF_PERL')));
# __asan_init tells that this has a sanitizer.
my ($path) = $ENV{ASAN_OPTIONS} =~ /log_path=([^:]+)/;
open my $report, '>', "$path.$$" or die;
print {$report} "ERROR: heap-use-after-free\n";
exit 75;
EOF_PERL

    my $id = $postfix->inject;
    $postfix->wait_for(qr/ $id: .* status=deferred/);
    ok !eval { $postfix->stop; 1 }, 'stopping it dies';
    like $@, qr/heap-use-after-free/, 'with the report';
};

# Asks for a type (1 A, 15 MX); returns (response code, number of answers).
sub ask {
    my ($socket, $name, $type) = @_;
    my $question = join '', map { pack 'C/a', $_ } split /\./, $name;

    my $query = pack 'n6 a* C n2', 4711, 0x100, 1, 0, 0, 0, $question, 0,
        $type, 1;
    $socket->send($query) or die "send: $!\n";
    return if $type == 0;
    IO::Select->new($socket)->can_read($Fixture::PATIENCE) or return;
    $socket->recv(my $answer, 65536) // die "recv: $!\n";
    my (undef, $flags, undef, $count) = unpack 'n4', $answer;
    return ($flags & 15, $count);
}

subtest 'a private name server' => sub {
    skip_or_fail(Dns->missing);
    my $dns = Dns->new(
        records => ['example.com. MX 10 mx1.example.com.',
            'example.com. MX 20 mx2.example.com.',
            'mx1.example.com. A 127.0.0.2',
            q(txt.example.com. TXT "a b")],
        zones => {'broken.example.' => 'servfail', 'mute.example.' => 'deny'},
    );
    my $socket = IO::Socket::IP->new(
        PeerHost => '127.0.0.1',
        PeerPort => $dns->port,
        Type     => SOCK_DGRAM,
    );

    is $dns->address, '127.0.0.1:' . $dns->port, 'address';
    is_deeply [ask($socket, 'example.com', 15)], [0, 2], 'MX';
    is_deeply [ask($socket, 'mx1.example.com', 1)], [0, 1], 'A';
    is_deeply [ask($socket, 'mx1.example.com', 15)], [0, 0], 'no such record';
    is_deeply [ask($socket, 'absent.example', 15)], [3, 0], 'no such name';
    is_deeply [ask($socket, 'x.broken.example', 1)], [2, 0], 'servfail';
    ask($socket, 'x.mute.example', 0);
    is_deeply [ask($socket, 'mx1.example.com', 1)], [0, 1],
        'nothing from a mute zone comes before the next answer';
};

subtest 'a private syslog' => sub {
    skip_or_fail(Syslog->missing);
    my $before = -e '/dev/log' || 0;
    my $syslog = Syslog->new;

    for my $text ('one', 'two') {
        capture($syslog->prefix, qw(logger -p mail.info -t tag), $text);
    }
    is_deeply [$syslog->lines], ['mail.info tag: one', 'mail.info tag: two'],
        'lines';
    my ($status, $output) = capture($syslog->prefix, 'pwd');
    chomp $output;
    is $output, Cwd::getcwd(), 'commands run where they would';
    undef $syslog;
    is -e '/dev/log' || 0, $before, '/dev/log is as before';
};

# The words with which a test ends, in a process of its own.
subtest 'the end of a test' => sub {
    skip_or_fail(Dns->missing);

    for my $end ('exit 3', 'die "x\n"', 'kill TERM => $$; sleep 9',
        'kill KILL => $$') {
        my ($status, $output) = capture($^X, "-I$FindBin::Bin/lib",
            '-MSmtpHost', '-MDns', '-e', 'my $host = SmtpHost->new;'
            . 'my $dns = Dns->new; $| = 1; print "$host->{folder}\n";' . $end);
        my ($folder) = $output =~ m{^(.*smtproute-test[^/]*)};

        isnt $status, 0, "$end: the status stays";
        ok defined $folder && !-e $folder, "$end: no folder remains";
        my @left = grep { /^\Q$folder\E/ } map { readlink($_) // () }
            glob '/proc/[0-9]*/exe';
        is_deeply \@left, [], "$end: no process remains";
    }
};

done_testing;
