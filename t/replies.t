#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Replies in odd forms, at odd times, and in odd numbers.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Failover;
use Shim;

my $DELIVERED = qr/^2\.0\.0 FIRST: 250 /;

my $X5000 = 'x' x 5_000;

# A field of a row may be a reference to bytes, which go out as they are.
my @forms = (
    ['several lines everywhere', {
        greeting => "220-one\n220-two\n220 three",
        mail     => "250-2.1.0 one\n250 2.1.0 two",
        rcpt     => "250-2.1.5 one\n250 2.1.5 two",
        data     => "354-one\n354 two",
        final    => "250-2.6.0 one\n250-2.6.0 two\n250 2.6.0 three",
        quit     => "221-one\n221 two",
    }, 0, '2.6.0 FIRST: 250 2.6.0 one two three', $DELIVERY, 'Delivered'],
    ['no text anywhere', {
        greeting => '220',
        ehlo     => '250',
        mail     => '250',
        rcpt     => '250',
        data     => '354',
        final    => '250',
        quit     => '221',
    }, 0, '2.0.0 FIRST: 250', $DELIVERY, 'Delivered'],
    ['blanks for texts', {
        greeting => '220 ',
        ehlo     => '250 ',
        mail     => '250-' . "\n" . '250 ',
        rcpt     => '250  ',
        data     => '354 ',
        final    => '250 ',
    }, 0, qr/^2\.0\.0 FIRST: 250 ?$/, $DELIVERY, qr/^Delivered: /],
    ['bare LF everywhere', {
        greeting => \"220-a\n220 b\n",
        ehlo     => \"250-host\n250-PIPELINING\n250 SIZE\n",
        mail     => \"250 2.1.0 ok\n",
        rcpt     => \"250 2.1.5 ok\n",
        data     => \"354 go\n",
        final    => \"250 2.6.0 queued\n",
    }, 0, '2.6.0 FIRST: 250 2.6.0 queued', $DELIVERY, 'Delivered'],
    ['one byte at a time, in time', {
        greeting => {reply => '220 hello', drip => 0.02},
        ehlo     => {reply => "250-host\n250 PIPELINING", drip => 0.02},
        mail     => {reply => '250 2.1.0 ok', drip => 0.02},
        rcpt     => {reply => '250 2.1.5 ok', drip => 0.02},
        data     => {reply => '354 go', drip => 0.02},
        final    => {reply => '250 2.6.0 queued', drip => 0.02},
    }, 0, '2.6.0 FIRST: 250 2.6.0 queued', $DELIVERY, 'Delivered'],
    ['a greeting that comes late', {greeting => {reply => '220 x', delay => 1}},
        0, $DELIVERED, $DELIVERY, 'Delivered'],
    ['a refusal without text', {rcpt => '450'}, 'next',
        '4.0.0 FIRST: 450 (in reply to RCPT TO)',
        'EHLO MAIL RCPT QUIT', 'Delayed'],
    ['a refusal without text is final', {rcpt => "550-\n550"}, 69,
        '5.0.0 FIRST: 550 (in reply to RCPT TO)',
        'EHLO MAIL RCPT QUIT', 'Bounced'],
    ['over 4 KiB in one line', {mail => "452 4.3.1 $X5000"}, 'next',
        qr/^4\.3\.1 FIRST: 452 4\.3\.1 x{200,300}\.\.\. \(in reply to MAIL /,
        'EHLO MAIL QUIT', 'Delayed'],
    ['over 4 KiB in many lines', {rcpt =>
            join("\n", ('550-5.1.1 no such user') x 300, '550 5.1.1 end')}, 67,
        qr/^5\.1\.1 FIRST: 550 5\.1\.1 no such user no such .*\.\.\. \(in /,
        'EHLO MAIL RCPT QUIT', 'Bounced'],
    ['60 KiB everywhere', {
        greeting => join("\n", ("220-$X5000") x 12, '220 end'),
        ehlo     => join("\n", ("250-$X5000") x 12, '250 PIPELINING'),
        mail     => join("\n", ("250-$X5000") x 12, '250 end'),
        rcpt     => join("\n", ("250-$X5000") x 12, '250 end'),
        data     => join("\n", ("354-$X5000") x 12, '354 end'),
        final    => join("\n", ("250-2.6.0 $X5000") x 12, '250 end'),
    }, 0, qr/^2\.6\.0 FIRST: 250 2\.6\.0 x+\.\.\.$/, $DELIVERY, 'Delivered'],
    ['different enhanced codes: the first counts',
        {rcpt => "550-5.1.1 no such user\n550 5.7.1 go away"}, 67,
        '5.1.1 FIRST: 550 5.1.1 no such user 5.7.1 go away '
            . '(in reply to RCPT TO)', 'EHLO MAIL RCPT QUIT', 'Bounced'],
    ['an enhanced code in the second line',
        {rcpt => "450-please wait\n450 4.2.1 for a while"}, 'next',
        '4.2.1 FIRST: 450 please wait 4.2.1 for a while (in reply to RCPT TO)',
        'EHLO MAIL RCPT QUIT', 'Delayed'],
    ['an enhanced code of the wrong class before a right one',
        {rcpt => "450-5.1.1 no such user\n450 4.2.1 for a while"}, 'next',
        '4.2.1 FIRST: 450 5.1.1 no such user 4.2.1 for a while '
            . '(in reply to RCPT TO)', 'EHLO MAIL RCPT QUIT', 'Delayed'],
    ['enhanced codes that are none', {rcpt => '550 5.1000.1 no such user'}, 69,
        '5.0.0 FIRST: 550 5.1000.1 no such user (in reply to RCPT TO)',
        'EHLO MAIL RCPT QUIT', 'Bounced'],
    ['NUL, control and 8-bit bytes', {rcpt =>
            \"550 5.1.1 a\0b\x01c\x1b[31md\x7fe\xfff\xc3(g\th\ri\r\n"}, 67,
        '5.1.1 FIRST: 550 5.1.1 a?b?c?[31md?e?f?(g h i (in reply to RCPT TO)',
        'EHLO MAIL RCPT QUIT', 'Bounced'],
    ['NUL before the text', {rcpt => \"550\0 5.1.1 no\r\n"}, 'next',
        '4.4.2 FIRST: RCPT TO: not an SMTP reply: 550', 'EHLO MAIL RCPT',
        'Connection Error'],
    ['what looks like a record of Postfix',
        {final => '250 2.0.0 to=<user@example.com>, relay=host[127.0.0.1]:25, '
            . 'delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)'},
        0, $DELIVERED, $DELIVERY, qr/^Delivered: /],
    ['the same in a refusal',
        {rcpt => '450 4.2.0 to=<user@example.com>, status=sent (250 ok)'},
        'next', qr/^4\.2\.0 FIRST: 450 4\.2\.0 /,
        'EHLO MAIL RCPT QUIT', qr/^Delayed: /],
    ['a SIZE without a number', {keywords => ['SIZE', 'PIPELINING']}, 0,
        $DELIVERED, $DELIVERY, 'Delivered'],
    ['a SIZE that is none', {keywords => ['SIZE x', 'size', '', ' 8BITMIME']},
        0, $DELIVERED, $DELIVERY, 'Delivered'],
);

# Two replies where one is due, in one segment.
my @doubled = (
    ['greeting twice', {greeting => "220 a\n220 b"}, 'next',
        '4.4.2 FIRST: EHLO: reply out of turn: 220 b', '', 'Connection Error'],
    ['EHLO twice', {ehlo => "250-a\n250 b\n250-c\n250 d"}, 'next',
        '4.4.2 FIRST: MAIL FROM: reply out of turn: 250 c d', 'EHLO',
        'Connection Error'],
    ['HELO twice', {ehlo => '502 no', helo => "250 a\n250 b"}, 'next',
        '4.4.2 FIRST: MAIL FROM: reply out of turn: 250 b', 'EHLO HELO',
        'Connection Error'],
    ['a refused EHLO twice', {ehlo => "502 a\n502 b"}, 'next',
        '4.4.2 FIRST: HELO: reply out of turn: 502 b', 'EHLO',
        'Connection Error'],
    ['MAIL twice', {mail => "250 2.1.0 a\n250 2.1.0 b"}, 'next',
        '4.4.2 FIRST: RCPT TO: reply out of turn: 250 2.1.0 b', 'EHLO MAIL',
        'Connection Error'],
    ['MAIL taken and refused', {mail => "250 2.1.0 a\n550 5.1.8 b"}, 'next',
        '4.4.2 FIRST: RCPT TO: reply out of turn: 550 5.1.8 b', 'EHLO MAIL',
        'Connection Error'],
    ['RCPT twice', {rcpt => "250 2.1.5 a\n250 2.1.5 b"}, 'next',
        '4.4.2 FIRST: DATA: reply out of turn: 250 2.1.5 b', 'EHLO MAIL RCPT',
        'Connection Error'],
    ['RCPT and DATA answered together', {rcpt => "250 2.1.5 a\n354 b"}, 'next',
        '4.4.2 FIRST: DATA: reply out of turn: 354 b', 'EHLO MAIL RCPT',
        'Connection Error'],
    ['RCPT, DATA and the content answered together',
        {rcpt => "250 2.1.5 a\n354 b\n250 2.0.0 c"}, 'next',
        '4.4.2 FIRST: DATA: reply out of turn: 354 b', 'EHLO MAIL RCPT',
        'Connection Error'],
    ['354 twice', {data => "354 a\n354 b"}, 'next',
        '4.4.2 FIRST: message content: unexpected reply: 354 b',
        'EHLO MAIL RCPT DATA', 'Connection Error'],
    ['354 and 250 together', {data => "354 a\n250 2.0.0 b"}, 'next',
        '4.4.2 FIRST: message content: unexpected reply: 250 2.0.0 b',
        'EHLO MAIL RCPT DATA', 'Connection Error'],
    ['354 and 554 together', {data => "354 a\n554 5.7.1 b"}, 77,
        '5.7.1 FIRST: 554 5.7.1 b (in reply to message content)',
        'EHLO MAIL RCPT DATA', 'Bounced'],
    ['354 and two refusals', {data => "354 a\n554 5.7.1 b\n554 5.6.0 c"}, 77,
        '5.7.1 FIRST: 554 5.7.1 b (in reply to message content)',
        'EHLO MAIL RCPT DATA', 'Bounced'],
    ['354 and two refusals, the second for now',
        {data => "354 a\n554 5.7.1 b\n451 4.3.0 c"}, 'next',
        '4.3.0 FIRST: 451 4.3.0 c (in reply to message content)',
        'EHLO MAIL RCPT DATA', 'Delayed'],
    ['354, 554 and 250 together', {data => "354 a\n554 5.7.1 b\n250 c"},
        'next', '4.4.2 FIRST: message content: contradictory replies',
        'EHLO MAIL RCPT DATA', 'Connection Error'],
    ['354 and half a reply', {data => \"354 a\r\n25"}, 'next',
        "4.4.2 FIRST: message content: timed out after $SHORT s",
        'EHLO MAIL RCPT DATA', 'Connection Error'],
    ['250 in place of 354', {data => '250 2.0.0 a'}, 'next',
        '4.4.2 FIRST: DATA: unexpected reply: 250 2.0.0 a',
        'EHLO MAIL RCPT DATA', 'Connection Error'],
    ['354 in place of 250', {rcpt => '354 a'}, 'next',
        '4.4.2 FIRST: RCPT TO: unexpected reply: 354 a',
        'EHLO MAIL RCPT', 'Connection Error'],
    (map { ["after the final dot: $_", {final => $_}, 0, qr/^2\.\d\.\d FIRST: $_$/,
        $DELIVERY, 'Delivered'] } '200 ok', '221 2.0.0 bye', '252 2.6.0 a'),
    ['354 after the final dot', {final => '354 a'}, 75,
        "4.4.2 FIRST: end of DATA: unexpected reply: 354 a$UNSURE",
        'EHLO MAIL RCPT DATA content', 'Connection Error'],
    ['the final reply twice', {final => "250 2.0.0 a\n250 2.0.0 b"}, 0,
        '2.0.0 FIRST: 250 2.0.0 a', $DELIVERY, 'Delivered'],
    (map { ["the final reply, and behind it: $_->[0]",
            {final => \"250 2.0.0 a\r\n$_->[1]"}, 0,
            '2.0.0 FIRST: 250 2.0.0 a', $DELIVERY, 'Delivered'] }
        ['a refusal', "550 no\r\n"], ['a refusal for now', "450 no\r\n"],
        ['500', "500 what\r\n"], ['221', "221 bye\r\n"],
        ['an empty line', "\r\n"], ['354', "354 go\r\n"],
        ['rubbish', "what is this\r\n"], ['half a reply', '25'],
        ['a NUL byte', "\0"]),
    ['the final reply, 221 and the end',
        {final => {reply => "250 2.0.0 a\n221 bye", then => 'close'}}, 0,
        '2.0.0 FIRST: 250 2.0.0 a',
        qr/^EHLO MAIL RCPT DATA content(?: QUIT)?$/, 'Delivered'],
    ['a refusal twice', {rcpt => "550 5.1.1 a\n550 5.1.1 b"}, 67,
        '5.1.1 FIRST: 550 5.1.1 a (in reply to RCPT TO)',
        'EHLO MAIL RCPT QUIT', 'Bounced'],
    (map { ["a refusal, and to QUIT: $_",
            {rcpt => '550 5.1.1 a', quit => $_}, 67,
            '5.1.1 FIRST: 550 5.1.1 a (in reply to RCPT TO)',
            'EHLO MAIL RCPT QUIT', 'Bounced'] }
        'silence', '421 b', '250 b', 'hello'),

    # Where the refusal may be an echo of one before, QUIT's reply tells.
    (map { ["a refusal after another, and to QUIT: $_->[0]",
            {ehlo => '502 a', mail => '502 5.5.1 b', quit => $_->[0]}, 69,
            '5.5.1 FIRST: 502 5.5.1 b (in reply to MAIL FROM)',
            'EHLO HELO MAIL QUIT', 'Bounced'] }
        ['221 c'], ['421 c'], ['silence'], ['close']),
    (map { ["a refusal after another, and to QUIT: $_->[0]",
            {ehlo => '502 a', mail => '502 5.5.1 b', quit => $_->[0]}, 'next',
            '4.4.2 FIRST: MAIL FROM: replies out of step',
            'EHLO HELO MAIL QUIT', 'Connection Error',
            environment => unhurried()] }
        ['250 2.1.0 c'], ['502 c'], ['hello']),
    ['the content is refused after another refusal',
        {ehlo => '502 a', final => '554 5.6.0 b', quit => '250 c'}, 65,
        '5.6.0 FIRST: 554 5.6.0 b (in reply to end of DATA)',
        'EHLO HELO MAIL RCPT DATA content QUIT', 'Bounced'],

    ['the content is refused twice', {final => "554 5.7.1 a\n554 5.6.0 b"}, 77,
        '5.7.1 FIRST: 554 5.7.1 a (in reply to end of DATA)', $DELIVERY,
        'Bounced'],
    ['the content is refused a hundred times',
        {final => join "\n", ('552 5.2.3 line too long') x 100}, 69,
        '5.2.3 FIRST: 552 5.2.3 line too long (in reply to end of DATA)',
        $DELIVERY, 'Bounced'],
    (map { ["the content is refused, for now, too: $_",
            {final => $_}, 'next',
            '4.3.1 FIRST: 452 4.3.1 a (in reply to end of DATA)', $DELIVERY,
            'Delayed'] }
        "452 4.3.1 a\n552 5.3.4 b", "552 5.3.4 b\n452 4.3.1 a"),
    (map { ["the content is refused, and behind it: $_",
            {final => "554 5.7.1 a\n$_"}, 77,
            '5.7.1 FIRST: 554 5.7.1 a (in reply to end of DATA)', $DELIVERY,
            'Bounced'] }
        '221 b', '421 4.3.2 b', 'hello'),
    (map { ["the content is refused and accepted: $_", {final => $_}, 75,
            "4.4.2 FIRST: end of DATA: contradictory replies$UNSURE",
            'EHLO MAIL RCPT DATA content', 'Connection Error'] }
        "550 5.7.1 a\n250 2.0.0 b", "450 4.7.1 a\n250 2.0.0 b"),
    ['closing after the greeting', {greeting => "220 a\n421 4.3.2 b"}, 'next',
        '4.3.2 FIRST: 421 4.3.2 b (in reply to EHLO)', '', 'Connection Error'],
    ['closing after EHLO', {ehlo => "250 a\n421 4.3.2 b"}, 'next',
        '4.3.2 FIRST: 421 4.3.2 b (in reply to MAIL FROM)', 'EHLO', 'Delayed'],
    ['closing after MAIL', {mail => "250 a\n421 4.3.2 b"}, 'next',
        '4.3.2 FIRST: 421 4.3.2 b (in reply to RCPT TO)', 'EHLO MAIL',
        'Delayed'],
    ['closing after RCPT', {rcpt => "250 a\n421 4.3.2 b"}, 'next',
        '4.3.2 FIRST: 421 4.3.2 b (in reply to DATA)', 'EHLO MAIL RCPT',
        'Delayed'],
    ['closing after the 354', {data => "354 a\n421 4.3.2 b"}, 'next',
        '4.3.2 FIRST: 421 4.3.2 b (in reply to message content)',
        'EHLO MAIL RCPT DATA', 'Delayed'],
    ['closing after the final reply', {final => "250 2.0.0 a\n421 b"}, 0,
        '2.0.0 FIRST: 250 2.0.0 a', $DELIVERY, 'Delivered'],
);

# An empty line is no reply, wherever it comes.
my @empty = map {
    my $line = $_;
    ["an empty line before each reply: " . ($line =~ s/\r/CR/r =~ s/\n/LF/r), {
        greeting => \"${line}220 a\r\n",
        ehlo     => \"${line}250-host\r\n250 PIPELINING\r\n",
        mail     => \"${line}250 2.1.0 ok\r\n",
        rcpt     => \"${line}250 2.1.5 ok\r\n",
        data     => \"${line}354 go\r\n",
        final    => \"${line}250 2.6.0 queued\r\n",
    }, 0, '2.6.0 FIRST: 250 2.6.0 queued', $DELIVERY, 'Delivered'],
    ['... behind each', {
        greeting => \"220 a\r\n$line",
        ehlo     => \"250-host\r\n250 PIPELINING\r\n$line",
        mail     => \"250 2.1.0 ok\r\n$line$line",
        rcpt     => \"250 2.1.5 ok\r\n$line",
        data     => \"354 go\r\n$line",
        final    => \"250 2.6.0 queued\r\n$line",
    }, 0, '2.6.0 FIRST: 250 2.6.0 queued', $DELIVERY, 'Delivered'],
} "\r\n", "\n";

push @empty,
    ['an empty line amid a reply', {mail => \"250-a\r\n\r\n250 b\r\n"}, 'next',
        '4.4.2 FIRST: MAIL FROM: not an SMTP reply', 'EHLO MAIL',
        'Connection Error'],
    ['empty lines without an end', {mail => \("\r\n" x 40_000)}, 'next',
        '4.4.2 FIRST: MAIL FROM: reply longer than 65536 bytes', 'EHLO MAIL',
        'Connection Error'],
    ['an empty line before a second reply',
        {mail => \"250 a\r\n\r\n250 b\r\n"}, 'next',
        '4.4.2 FIRST: RCPT TO: reply out of turn: 250 b', 'EHLO MAIL',
        'Connection Error'];

# The same refusal, however much of the content is under way: the host says it
# after 100 kB, and reads on.
sub content_of {
    my ($size) = @_;

    return "Subject: large\n\n" . ('x' x 99 . "\n") x ($size / 100);
}

my $REFUSED = qr/\ \(in\ reply\ to\ (?:message\ content|end\ of\ DATA)\)$/x;
my $REFUSED_SAW = qr/^EHLO MAIL RCPT DATA (?:part|content QUIT)$/;
my @amid = map {
    my ($size, $final) = @{$_};
    my %refuses = (after => 100_000, reply => '552 5.3.4 too big');

    (["552 amid $size bytes, at the dot '$final'",
        {content => \%refuses, final => $final}, 69,
        qr/^5\.3\.4 FIRST: 552 5\.3\.4 too big$REFUSED/, $REFUSED_SAW,
        qr/^Bounced: DCID 1 to RID \[0\] - 5\.3\.4 - /,
        message => content_of($size)],
    ["452 amid $size bytes, at the dot '$final'",
        {content => {%refuses, reply => '452 4.3.1 full'}, final => $final},
        'next', qr/^4\.3\.1 FIRST: 452 4\.3\.1 full$REFUSED/, $REFUSED_SAW,
        qr/^Delayed: DCID 1 to RID \[0\] - 4\.3\.1 - /,
        message => content_of($size)]);
} map { ([$_, '552 5.3.4 again'], [$_, '']) }
    200_000, 1_000_000, 3_000_000, 10_000_000;

# A refusal for each line that is too long, and of the content in the end.
push @amid, ['552 a hundred times amid the content, and at the dot',
    {content => {after => 100_000,
            reply => join "\n", ('552 5.2.3 line too long') x 100},
        final => '552 5.3.0 lines too long'}, 69,
    qr/^5\.2\.3 FIRST: 552 5\.2\.3 line too long$REFUSED/, $REFUSED_SAW,
    'Bounced', message => content_of(1_000_000)];

# Nothing after the dot, which is still here: the host cannot have it.
push @amid, map {
    my ($size, $how) = @{$_};

    ["$size bytes, of which the host reads 10,000: $how",
        {content => {after => 10_000, then => $how}}, 'next',
        $how eq 'deaf' ? "4.4.2 FIRST: message content: timed out after $SHORT s"
            : qr/^4\.4\.2 FIRST: message content: connection lost/,
        'EHLO MAIL RCPT DATA part', 'Connection Error',
        message => content_of($size)];
} map { ([$_, 'reset'], [$_, 'deaf']) } 250_000, 300_000;

# The second reply comes later, when the next command may be out already, which
# takes it for its own.  What matters: nobody believes in a delivery.
sub later {
    my ($text) = @_;

    return {reply => $text, drip => 0.02};
}

my $SHIFTED = qr/^4\.4\.2 FIRST: .*: (?:unexpected reply|reply out of turn): 2/;
my $CLOSING = qr/^4\.3\.2 FIRST: 421 4\.3\.2 b \(in reply to /;
my @later = (
    ['greeting twice, later', {greeting => later("220 a\n220 b")}, 'next',
        $SHIFTED, qr/^(?:EHLO)?$/, 'Connection Error'],
    ['EHLO twice, later', {ehlo => later("250 a\n250 b")}, 'next',
        $SHIFTED, qr/^EHLO(?: MAIL(?: RCPT(?: DATA)?)?)?$/,
        'Connection Error'],
    ['MAIL twice, later', {mail => later("250 2.1.0 a\n250 2.1.0 b")}, 'next',
        $SHIFTED, qr/^EHLO MAIL(?: RCPT(?: DATA)?)?$/, 'Connection Error'],
    ['RCPT twice, later', {rcpt => later("250 2.1.5 a\n250 2.1.5 b")}, 'next',
        $SHIFTED, qr/^EHLO MAIL RCPT(?: DATA)?$/, 'Connection Error'],
    ['closing after the greeting, later',
        {greeting => later("220 a\n421 4.3.2 b")}, 'next',
        $CLOSING, qr/^(?:EHLO)?$/, 'Connection Error'],
    ['closing after EHLO, later', {ehlo => later("250 a\n421 4.3.2 b")},
        'next', $CLOSING, qr/^EHLO(?: MAIL)?$/, 'Delayed'],
    ['closing after MAIL, later', {mail => later("250 a\n421 4.3.2 b")},
        'next', $CLOSING, qr/^EHLO MAIL(?: RCPT)?$/, 'Delayed'],
    ['closing after RCPT, later', {rcpt => later("250 a\n421 4.3.2 b")},
        'next', $CLOSING, qr/^EHLO MAIL RCPT(?: DATA)?$/, 'Delayed'],
);

# Pieces that never stop coming do not put the deadline off.
my $slow = {reply => \('250-' . 'x' x 100), drip => 0.1};
my @slow = (
    [{greeting => $slow}, 'greeting', ''],
    [{ehlo => $slow}, 'EHLO', 'EHLO'],
    [{ehlo => '502 no', helo => $slow}, 'HELO', 'EHLO HELO'],
    [{mail => $slow}, 'MAIL FROM', 'EHLO MAIL'],
    [{rcpt => $slow}, 'RCPT TO', 'EHLO MAIL RCPT'],
    [{data => $slow}, 'DATA', 'EHLO MAIL RCPT DATA'],
    [{final => $slow}, 'end of DATA', 'EHLO MAIL RCPT DATA content'],
);

sub slow_row {
    my ($script, $stage, $saw) = @_;
    my $unsure = defined $script->{final};

    return ["slow pieces: $stage", $script, $unsure ? 75 : 'next',
        "4.4.2 FIRST: $stage: timed out after $SHORT s" . ($unsure ? $UNSURE : ''),
        $saw, 'Connection Error'];
}

try_rows(@forms, @doubled, @empty, @amid, @later, map { slow_row(@{$_}) } @slow);

done_testing;
