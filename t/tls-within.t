#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# TLS: what is said within it, and how that ends.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Digest::SHA qw(sha256_hex);
use Test::More;

use Failover qw($DELIVERY $UNSURE);
use Fixture qw(skip_or_fail);
use TestCa ();
use TlsTrial;
use Trial ();

skip_or_fail(TestCa->missing);
$CA = TestCa->new;

my $STARTED = "EHLO STARTTLS tls $DELIVERY";
my $WRAPPED = "tls $DELIVERY";
my @WRAPPER = (tls => 'wrapper', 'tls-name' => $NAME);
my $VERIFIED = "verified as $NAME";
my $LATE = "timed out after $SHORT s";

my $MUST = {tls => 'encrypt'};
my $SEALED = 'not verified (tls=encrypt)';

# What was said before TLS does not count within it (RFC 3207 section 4.2).
my $TOO_LARGE =
    "5.3.4 FIRST: message size 23 exceeds the host's limit of 22 (SIZE)";
my @forgotten = (
    ['SIZE before TLS', {keywords => ['SIZE 22'], keywords_tls => ['SIZE 23']},
        $MUST, 0, undef, [$STARTED],
        $SEALED],
    ['SIZE within TLS', {keywords => [], keywords_tls => ['SIZE 22']},
        $MUST, 69, $TOO_LARGE, ['EHLO STARTTLS tls EHLO QUIT'],
        $SEALED],
    ['STARTTLS within TLS', {keywords_tls => ['STARTTLS']},
        $MUST, 0, undef, [$STARTED],
        $SEALED],
    ['no keywords within TLS', {keywords_tls => []}, $MUST, 0,
        undef, [$STARTED], $SEALED],
    ['HELO within TLS', {ehlo_tls => '502 what'}, $MUST, 0,
        undef, ["EHLO STARTTLS tls EHLO HELO MAIL RCPT DATA content QUIT"],
        $SEALED],
    ['EHLO refused within TLS', {ehlo_tls => '554 5.7.1 no'},
        $MUST, 'next',
        '4.7.1 FIRST: 554 5.7.1 no (in reply to EHLO)',
        ['EHLO STARTTLS tls EHLO QUIT'], $SEALED],
    ['closing within TLS', {ehlo_tls => '421 4.3.2 closing'},
        {tls => 'may'}, 'next',
        '4.3.2 FIRST: 421 4.3.2 closing (in reply to EHLO)',
        ['EHLO STARTTLS tls EHLO'], 'not verified (tls=may)'],
);

# The same as without TLS: the stage within it, the line, what the host saw.
my $TLS = 'EHLO STARTTLS tls EHLO';
my $LARGE = "Subject: large\n\n" . ('x' x 99 . "\n") x 160_000;

sub lost {
    my ($stage, $text, $story, %script) = @_;

    return map {
        ["$stage: $_", {%script, "${stage}_tls" => $_}, $MUST, 'next',
            $_ eq 'reset' ? qr/^4\.4\.2 FIRST: \Q$text\E: connection lost/
            : "4.4.2 FIRST: $text: " . ($_ eq 'silence'
                ? $LATE : 'connection lost'),
            [$story], $SEALED]
    } qw(close cut reset silence);
}

my @within = (
    lost('ehlo', 'EHLO', $TLS),
    lost('mail', 'MAIL FROM', "$TLS MAIL"),
    lost('rcpt', 'RCPT TO', "$TLS MAIL RCPT"),
    lost('data', 'DATA', "$TLS MAIL RCPT DATA"),
    (map { ["content: $_",
            {digest => 1, content => {after => 50_000, then => $_}}, $MUST,
            'next', $_ eq 'deaf'
            ? "4.4.2 FIRST: message content: $LATE"
            : qr/^4\.4\.2\ FIRST:\ message\ content:\ connection\ lost
                (?::\ (?:Connection\ reset\ by\ peer|Broken\ pipe))?$/x,
            ["$TLS MAIL RCPT DATA part"], $SEALED, message => $LARGE] }
        qw(close cut reset deaf)),
    (map { ["content: $_->[0]",
            {digest => 1, content => {after => 1000, reply => $_->[0]}},
            $MUST, 'next', $_->[1], ["$TLS MAIL RCPT DATA part"], $SEALED,
            message => $LARGE] }
        ['250 2.0.0 ok', '4.4.2 FIRST: message content: unexpected reply: '
            . '250 2.0.0 ok'],
        ['452 4.3.1 full', '4.3.1 FIRST: 452 4.3.1 full '
            . '(in reply to message content)']),
    (map { ["most of the content is still here: $_",
            {digest => 1, content => {after => 10_000, then => $_}}, $MUST,
            'next', $_ eq 'deaf'
            ? "4.4.2 FIRST: message content: $LATE"
            : qr/^4\.4\.2\ FIRST:\ message\ content:\ connection\ lost/x,
            ["$TLS MAIL RCPT DATA part"], $SEALED,
            message => substr $LARGE, 0, 250_000] }
        qw(reset deaf)),
    (map { ["after the final dot: $_", {final => $_}, $MUST, 75,
            $_ eq 'reset' ? qr/^4\.4\.2 FIRST: end of DATA: connection lost/
            : '4.4.2 FIRST: end of DATA: ' . ($_ eq 'silence'
                ? $LATE : 'connection lost') . $UNSURE,
            ["$TLS MAIL RCPT DATA content"], $SEALED] }
        qw(close cut reset silence)),
    (map { ["delivered, then $_", {final => {reply => '250 2.0.0 ok',
            then => $_}}, $MUST, 0, '2.0.0 FIRST: 250 2.0.0 ok',
            [qr/^$TLS MAIL RCPT DATA content(?: QUIT)?$/], $SEALED] }
        qw(close cut reset)),
    (map { ["QUIT: $_", {quit => $_}, $MUST, 0, undef, [$STARTED], $SEALED] }
        qw(close cut reset silence)),
    ['the end of a refusal: no close_notify',
        {rcpt => {reply => '550 5.1.1 no', then => 'cut'}}, $MUST, 67,
        '5.1.1 FIRST: 550 5.1.1 no (in reply to RCPT TO)',
        [qr/^$TLS MAIL RCPT(?: QUIT)?$/], $SEALED],
    ['wrapper: no greeting, no close_notify',
        {tls => {wrapper => 1}, greeting => 'cut'}, {@WRAPPER}, 'next',
        '4.4.2 FIRST: greeting: connection lost', ['tls'], $VERIFIED],
    ['wrapper: a greeting that refuses',
        {tls => {wrapper => 1}, greeting => '554 5.7.1 no'}, {@WRAPPER},
        'next', '4.7.1 FIRST: 554 5.7.1 no (in greeting)', ['tls QUIT'],
        $VERIFIED],
    ['EHLO twice', {ehlo_tls => \"250 a\r\n250 b\r\n"}, $MUST, 'next',
        '4.4.2 FIRST: MAIL FROM: reply out of turn: 250 b', [$TLS], $SEALED],
    ['MAIL twice', {mail_tls => \"250 a\r\n250 b\r\n"}, $MUST, 'next',
        '4.4.2 FIRST: RCPT TO: reply out of turn: 250 b', ["$TLS MAIL"],
        $SEALED],
    ['a reply before the greeting\'s turn is over',
        {tls => {wrapper => 1}, greeting => "220 a\n250 b"}, {@WRAPPER},
        'next', '4.4.2 FIRST: EHLO: reply out of turn: 250 b', ['tls'],
        $VERIFIED],
    ['no text anywhere', {ehlo_tls => '250', mail => '250', rcpt => '250',
            data => '354', final => '250', quit => '221'}, $MUST, 0,
        '2.0.0 FIRST: 250', [$STARTED], $SEALED],
    ['a byte at a time', {map({ ("${_}_tls", {reply => '250 2.0.0 ok',
            drip => .01}) } qw(ehlo mail rcpt final)),
            data => {reply => '354 go', drip => .01}}, $MUST, 0,
        undef, [$STARTED], $SEALED],
    ['60 KiB everywhere', {map { ("${_}_tls",
            join "\n", ('250-' . 'x' x 5_000) x 12, '250 end') }
            qw(ehlo mail rcpt)}, $MUST, 0, undef, [$STARTED],
        $SEALED],
    # TLS 1.3's session tickets come alone, before the reply.
    ['tickets are no reply', {tls => {min => 'TLSv1.3'},
            ehlo_tls => {delay => .3, reply => '250 a'}}, $MUST,
        0, undef, [$STARTED], $SEALED],
    ['wrapper: tickets are no reply', {tls => {wrapper => 1,
            min => 'TLSv1.3'}, greeting => {delay => .3, reply => '220 a'}},
        {@WRAPPER}, 0, undef, [$WRAPPED], $VERIFIED],
);

try_tls(@forgotten, @within);

subtest 'what goes over the wire' => sub {
    my $trial = Trial->new(
        hosts => {FIRST => {tls => right(), keywords => ['8BITMIME'],
            keywords_tls => ['SIZE'],
            quit => {reply => '221 bye', then => 'silence'}}},
        route   => 'FIRST/tls=encrypt',
        message => "Subject: \xe4\n\n",
    )->wait;

    my ($connection) = $trial->host('FIRST')->connections;
    is $connection->input_clear, "EHLO agent.example\r\nSTARTTLS\r\n",
        'in clear';
    is_deeply [$connection->commands_tls], ['EHLO agent.example',
        'MAIL FROM:<sender@example.org> SIZE=14', 'RCPT TO:<user@example.com>',
        'DATA', 'QUIT'], 'within TLS, with what was offered there';
    ok $connection->notified, 'the agent ends TLS in order';
};

# What is sent after that may meet a connection that is gone in several ways.
subtest 'delivered, then reset, again and again' => sub {
    my $trial = Trial->new(
        hosts => {FIRST => {tls => right(),
            final => {reply => '250 2.0.0 ok', then => 'reset'}}},
        route => 'FIRST/tls=encrypt',
    );

    my %said = map { ($trial->agent->deliver->output =~ s/:\d+: /: /r, 1) }
        1 .. (defined $ENV{SMTPROUTE_WRAPPER} ? 8 : 40);
    is_deeply [keys %said], ['2.0.0 127.0.0.1[127.0.0.1]: 250 2.0.0 ok'],
        'always delivered';
};

# Over 3 MB, with everything that is escaped or that TLS could cut.
my $content = "Subject: large\r\n\r\n" . join '', map {
    ".\r\n..\r\n.a\r\n\x80\xff" . chr($_ % 256 || 1) x ($_ % 331) . "\0\r\n"
} grep { $_ % 256 != 10 && $_ % 256 != 13 } 1 .. 17_500;
for my $version ('TLSv1.2', 'TLSv1.3') {
    for my $tls ({}, {wrapper => 1}) {
        my $level = $tls->{wrapper} ? 'wrapper' : 'secure';
        my $trial = Trial->new(
            hosts => {FIRST => {tls => right(%{$tls}, min => $version,
                max => $version)}},
            route    => "FIRST/tls=$level/tls-name=$NAME",
            settings => {'tls-ca-file' => $CA->file},
            message  => $content,
        )->wait;
        my $what = "$version, $level: a large message";
        is $trial->status, 0, $what or diag $trial->line;
        my ($message) = $trial->host('FIRST')->messages;
        is $message->sha256, sha256_hex($content), "$what: each byte";
        ok $message->tls, "$what: within TLS";
    }
}

done_testing;
