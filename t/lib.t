#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The test library's hosts and services, without the agent.

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
use BlackHole;
use Dialogue;
use Dns;
use Fixture;
use SmtpHost;
use Syslog;

delete @ENV{qw(SMTPROUTE SMTPROUTE_WRAPPER)};

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
    subtest "a host on $address" => sub {
        skip_without_ipv6() if $address =~ /:/;
        my $host = SmtpHost->new(address => $address);

        like send_message($host, "a\r\n"), qr/^250 /, 'it takes a message';
        is $host->destination, "[$address]:" . $host->port, 'its destination';
    };
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
