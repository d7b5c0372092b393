#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What each reply means: the first host's behaviour at each stage, and whether
# the second host is tried.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Failover;
use Trial ();

# More than all buffers between two sockets take.
my $LARGE = "Subject: large\n\n" . ('x' x 99 . "\n") x 160_000;

my %NAMES = (
    greeting => 'greeting',
    ehlo     => 'EHLO',
    helo     => 'HELO',
    mail     => 'MAIL FROM',
    rcpt     => 'RCPT TO',
    data     => 'DATA',
    final    => 'end of DATA',
);
my @STAGES = qw(greeting ehlo helo mail rcpt data final);

# What a host has seen by then.
my %SAW = (
    greeting => '',
    ehlo     => 'EHLO',
    helo     => 'EHLO HELO',
    mail     => 'EHLO MAIL',
    rcpt     => 'EHLO MAIL RCPT',
    data     => 'EHLO MAIL RCPT DATA',
    final    => 'EHLO MAIL RCPT DATA content',
);

# Replies: the first host's script; "next" or the exit status of a verdict that
# is final; the line; what the first host saw; the kind of the log line.
my @replies = (
    [{greeting => '450 4.3.2 busy'}, 'next',
        '4.3.2 FIRST: 450 4.3.2 busy (in greeting)',
        'QUIT', 'Connection Error'],
    [{greeting => '421 4.3.2 closing'}, 'next',
        '4.3.2 FIRST: 421 4.3.2 closing (in greeting)',
        '', 'Connection Error'],
    [{greeting => "431-?example.com ESMTP\n431 Mail system full"}, 'next',
        '4.0.0 FIRST: 431 ?example.com ESMTP Mail system full (in greeting)',
        'QUIT', 'Connection Error'],
    [{greeting => '554 5.7.1 go away'}, 'next',
        '4.7.1 FIRST: 554 5.7.1 go away (in greeting)',
        'QUIT', 'Connection Error'],
    [{ehlo => '450 4.7.1 slow down'}, 'next',
        '4.7.1 FIRST: 450 4.7.1 slow down (in reply to EHLO)',
        'EHLO QUIT', 'Connection Error'],
    [{ehlo => '421 4.3.2 closing'}, 'next',
        '4.3.2 FIRST: 421 4.3.2 closing (in reply to EHLO)',
        'EHLO', 'Connection Error'],
    [{ehlo => '554 5.7.1 no'}, 'next',
        '4.7.1 FIRST: 554 5.7.1 no (in reply to EHLO)',
        'EHLO QUIT', 'Connection Error'],
    [{ehlo => '550 who are you'}, 'next',
        '4.0.0 FIRST: 550 who are you (in reply to EHLO)',
        'EHLO QUIT', 'Connection Error'],
    [{ehlo => '503 5.5.1 why'}, 'next',
        '4.5.1 FIRST: 503 5.5.1 why (in reply to EHLO)',
        'EHLO QUIT', 'Connection Error'],
    (map { [{ehlo => "$_ what"}, 0, qr/^2\.0\.0 FIRST: 250 /,
            'EHLO HELO MAIL RCPT DATA content QUIT', 'Delivered'] }
        500, 501, 502, 504),
    [{ehlo => '502 what', helo => '450 4.7.1 later'}, 'next',
        '4.7.1 FIRST: 450 4.7.1 later (in reply to HELO)',
        'EHLO HELO QUIT', 'Connection Error'],
    [{ehlo => '502 what', helo => '421 4.3.2 closing'}, 'next',
        '4.3.2 FIRST: 421 4.3.2 closing (in reply to HELO)',
        'EHLO HELO', 'Connection Error'],
    [{ehlo => '502 what', helo => '502 what'}, 'next',
        '4.0.0 FIRST: 502 what (in reply to HELO)',
        'EHLO HELO QUIT', 'Connection Error'],
    [{mail => '452 4.3.1 Insufficient system resources'}, 'next',
        '4.3.1 FIRST: 452 4.3.1 Insufficient system resources '
            . '(in reply to MAIL FROM)',
        'EHLO MAIL QUIT', 'Delayed'],
    [{mail => '451 4.7.1 greylisted'}, 'next',
        '4.7.1 FIRST: 451 4.7.1 greylisted (in reply to MAIL FROM)',
        'EHLO MAIL QUIT', 'Delayed'],
    [{mail => '450 5.1.0 a class of its own'}, 'next',
        '4.0.0 FIRST: 450 5.1.0 a class of its own (in reply to MAIL FROM)',
        'EHLO MAIL QUIT', 'Delayed'],
    [{mail => '421 4.3.2 closing'}, 'next',
        '4.3.2 FIRST: 421 4.3.2 closing (in reply to MAIL FROM)',
        'EHLO MAIL', 'Delayed'],
    (map { [{mail => "$_ 5.7.0 authenticate"}, 'next',
            "4.7.8 FIRST: $_ 5.7.0 authenticate (in reply to MAIL FROM)",
            'EHLO MAIL QUIT', 'Delayed'] }
        530, 535),
    (map { [{mail => $_}, 'next',
            "4.7.4 FIRST: $_ (in reply to MAIL FROM)",
            'EHLO MAIL QUIT', 'Delayed'] }
        '530 5.7.0 Must issue a STARTTLS command first',
        '530 First StartTLS, please', '530 5.7.10 encryption needed'),
    [{mail => '534 SIZE=Message too big.'}, 69,
        '5.0.0 FIRST: 534 SIZE=Message too big. (in reply to MAIL FROM)',
        'EHLO MAIL QUIT', 'Bounced'],
    [{mail => '538 5.7.11 in clear text'}, 77,
        '5.7.11 FIRST: 538 5.7.11 in clear text (in reply to MAIL FROM)',
        'EHLO MAIL QUIT', 'Bounced'],
    [{mail => '553 5.1.7 bad sender'}, 65,
        '5.1.7 FIRST: 553 5.1.7 bad sender (in reply to MAIL FROM)',
        'EHLO MAIL QUIT', 'Bounced'],
    [{mail => '550 5.1.8 bad sender'}, 68,
        '5.1.8 FIRST: 550 5.1.8 bad sender (in reply to MAIL FROM)',
        'EHLO MAIL QUIT', 'Bounced'],
    [{mail => '553 5.1.8 Domain of sender address does not exist'}, 68,
        '5.1.8 FIRST: 553 5.1.8 Domain of sender address does not exist (in reply to MAIL FROM)',
        'EHLO MAIL QUIT', 'Bounced'],
    [{mail => '552 5.3.4 too big'}, 69,
        '5.3.4 FIRST: 552 5.3.4 too big (in reply to MAIL FROM)',
        'EHLO MAIL QUIT', 'Bounced'],
    [{rcpt => '450 4.2.0 later'}, 'next',
        '4.2.0 FIRST: 450 4.2.0 later (in reply to RCPT TO)',
        'EHLO MAIL RCPT QUIT', 'Delayed'],
    [{rcpt => '452 4.5.3 too many recipients'}, 'next',
        '4.5.3 FIRST: 452 4.5.3 too many recipients (in reply to RCPT TO)',
        'EHLO MAIL RCPT QUIT', 'Delayed'],
    [{rcpt => '421 4.3.2 closing'}, 'next',
        '4.3.2 FIRST: 421 4.3.2 closing (in reply to RCPT TO)',
        'EHLO MAIL RCPT', 'Delayed'],
    [{rcpt => '550 5.1.1 no such user'}, 67,
        '5.1.1 FIRST: 550 5.1.1 no such user (in reply to RCPT TO)',
        'EHLO MAIL RCPT QUIT', 'Bounced'],
    [{rcpt => '554 5.7.1 Relay access denied'}, 77,
        '5.7.1 FIRST: 554 5.7.1 Relay access denied (in reply to RCPT TO)',
        'EHLO MAIL RCPT QUIT', 'Bounced'],
    [{rcpt => '552 5.2.2 mailbox full'}, 69,
        '5.2.2 FIRST: 552 5.2.2 mailbox full (in reply to RCPT TO)',
        'EHLO MAIL RCPT QUIT', 'Bounced'],
    [{rcpt => '550 4.2.2 a class of its own'}, 69,
        '5.0.0 FIRST: 550 4.2.2 a class of its own (in reply to RCPT TO)',
        'EHLO MAIL RCPT QUIT', 'Bounced'],
    [{rcpt => '251 2.1.5 will forward'}, 0, qr/^2\.0\.0 FIRST: 250 /,
        $DELIVERY, 'Delivered'],
    [{data => '451 4.3.0 later'}, 'next',
        '4.3.0 FIRST: 451 4.3.0 later (in reply to DATA)',
        'EHLO MAIL RCPT DATA QUIT', 'Delayed'],
    [{data => '421 4.3.2 closing'}, 'next',
        '4.3.2 FIRST: 421 4.3.2 closing (in reply to DATA)',
        'EHLO MAIL RCPT DATA', 'Delayed'],
    [{data => '554 5.5.1 no valid recipients'}, 69,
        '5.5.1 FIRST: 554 5.5.1 no valid recipients (in reply to DATA)',
        'EHLO MAIL RCPT DATA QUIT', 'Bounced'],
    [{final => '452 4.3.1 full'}, 'next',
        '4.3.1 FIRST: 452 4.3.1 full (in reply to end of DATA)',
        'EHLO MAIL RCPT DATA content QUIT', 'Delayed'],
    [{final => '421 4.3.2 closing'}, 'next',
        '4.3.2 FIRST: 421 4.3.2 closing (in reply to end of DATA)',
        'EHLO MAIL RCPT DATA content', 'Delayed'],
    [{final => '554 5.7.1 spam'}, 77,
        '5.7.1 FIRST: 554 5.7.1 spam (in reply to end of DATA)',
        'EHLO MAIL RCPT DATA content QUIT', 'Bounced'],
    [{final => '550 5.6.0 bad message'}, 65,
        '5.6.0 FIRST: 550 5.6.0 bad message (in reply to end of DATA)',
        'EHLO MAIL RCPT DATA content QUIT', 'Bounced'],
    [{keywords => ['SIZE 22']}, 69,
        "5.3.4 FIRST: message size 23 exceeds the host's limit of 22 (SIZE)",
        'EHLO QUIT', 'Bounced'],
    [{keywords => ['SIZE 23']}, 0, qr/^2\.0\.0 FIRST: 250 /,
        $DELIVERY, 'Delivered'],
    [{quit => 'silence'}, 0, qr/^2\.0\.0 FIRST: 250 /,
        $DELIVERY, 'Delivered'],
    [{quit => 'reset'}, 0, qr/^2\.0\.0 FIRST: 250 /,
        $DELIVERY, 'Delivered'],
    [{final => {reply => '250 2.0.0 ok', then => 'close'}}, 0,
        qr/^2\.0\.0 FIRST: 250 2\.0\.0 ok$/,
        qr/^EHLO MAIL RCPT DATA content( QUIT)?$/, 'Delivered'],
    [{rcpt => {reply => '550 5.1.1 no such user', then => 'close'}}, 67,
        '5.1.1 FIRST: 550 5.1.1 no such user (in reply to RCPT TO)',
        qr/^EHLO MAIL RCPT( QUIT)?$/, 'Bounced'],
);

# What is no reply: the behaviour at every stage, and the line's end.
my @failures = (
    ['close', 'connection lost'],
    ['reset', 'connection lost: Connection reset by peer'],
    ['silence', "timed out after $SHORT s"],
    ['hello', 'not an SMTP reply: hello'],
    ['25', 'not an SMTP reply: 25'],
    ["250\t2.0.0 ok", 'not an SMTP reply: 250 2.0.0 ok'],
    ['150 wait', 'not an SMTP reply: 150 wait'],
    ['600 ok', 'not an SMTP reply: 600 ok'],
    [\"\r\n", "timed out after $SHORT s"],
    ["250-ok\n550 no", 'reply lines with different codes: 550 no'],
    [{reply => \'250 2.0.0 o', then => 'close'}, 'connection lost'],
    [{reply => "250-ok\n250-ok", then => 'close'}, 'connection lost'],
    [\('250-' . 'x' x 80_000), 'reply longer than 65536 bytes'],
    [join("\n", ('250-ok') x 10_000), 'reply longer than 65536 bytes'],
    ['214 2.0.0 help', 'unexpected reply: 214 2.0.0 help'],
    ['334 ', 'unexpected reply: 334'],
);

# The same while content is under way, more of it than buffers can take.
my @interruptions = (
    ['close', qr/: connection lost(: Connection reset by peer)?$/],
    ['reset', qr/: connection lost(: Connection reset by peer)?$/],
    ['deaf', qr/: timed out after $SHORT s$/],
    ['hello', qr/: not an SMTP reply: hello$/],
    ['250 2.0.0 ok', qr/: unexpected reply: 250 2.0.0 ok$/],
    ['354 go ahead', qr/: unexpected reply: 354 go ahead$/],
    ['452 4.3.1 full', qr/^4\.3\.1 FIRST: 452 4\.3\.1 full \(in reply to /],
    ['421 4.3.2 closing', qr/^4\.3\.2 FIRST: 421 4\.3\.2 closing \(in /],
    [{reply => '452 4.3.1 full', then => 'reset'},
        qr/^4\.3\.1 FIRST: 452 4\.3\.1 full \(in reply to /],
);

sub failure_row {
    my ($stage, $how, $text) = @_;
    my $fate = $stage eq 'final' ? 75 : 'next';

    # Whoever is reset before he looks was not connected.
    $how = {delay => 1, then => 'reset'}
        if $stage eq 'greeting' && $how eq 'reset';
    return [
        {$stage eq 'helo' ? (ehlo => '502 what') : (), $stage => $how},
        $fate,
        "4.4.2 FIRST: $NAMES{$stage}: $text" . ($fate eq 75 ? $UNSURE : ''),
        $SAW{$stage}, 'Connection Error',
    ];
}

sub interruption_row {
    my ($how, $line) = @_;
    my $says = ref $how ? $how->{reply} : $how;

    return [{content => {after => 1000, ref $how ? %{$how} :
                $how =~ /^(?:close|reset|deaf)$/ ? (then => $how)
                : (reply => $how)}},
        'next', $line, 'EHLO MAIL RCPT DATA part',
        $says =~ /^4\d\d / ? 'Delayed' : 'Connection Error',
        message => $LARGE];
}

my @rows = @replies;
for my $failure (@failures) {
    # After the final dot any 2xx is a delivery: t/replies.t.
    push @rows, map { failure_row($_, @{$failure}) }
        grep { $_ ne 'final' || $failure->[0] !~ /^2\d\d / } @STAGES;
}
push @rows, map { interruption_row(@{$_}) } @interruptions;

try_rows(@rows);

my $FULL = {mail => '452 4.3.1 full'};
my $FULL_LINE = '452 4.3.1 full (in reply to MAIL FROM)';
my $TRIED = 'EHLO MAIL QUIT';

# Hosts in the order to try them.
sub hosts {
    my (@scripts) = @_;
    my @names = qw(A B C)[0 .. $#scripts];
    my %hosts;

    @hosts{@names} = @scripts;
    my $route = join ', ', map { "$names[$_]/pri=$_" } 0 .. $#names;
    return {hosts => \%hosts, route => $route};
}

try_trials(
    ['the first host is there: no other is tried', hosts({}, {}),
        0, qr/^2\.0\.0 A: 250 /, {A => [$DELIVERY], B => []},
        'New SMTP DCID 1 interface 127.0.0.1 address A',
        qr/^Delivered: DCID 1 to RID \[0\] Response 2\.0\.0 Ok: queued as /],
    ['the first host refuses connections', hosts({down => 1}, {}),
        0, qr/^2\.0\.0 B: 250 /, {A => [], B => [$DELIVERY]},
        'Connection Error: DCID 1 domain: example.com IP: A '
            . 'details: connect: Connection refused interface: - '
            . 'reason: network error',
        'New SMTP DCID 2 interface 127.0.0.1 address B',
        qr/^Delivered: DCID 2 to RID \[0\] Response 2\.0\.0 Ok: queued as /],
    ['the only host refuses connections', hosts({down => 1}),
        75, '4.4.1 A: connect: Connection refused', {}],
    ['all hosts refuse connections', hosts({down => 1}, {down => 1}),
        75, '4.4.1 A: connect: Connection refused; '
            . 'B: connect: Connection refused', {}],
    ['all hosts are full', hosts($FULL, {mail => '451 4.7.1 greylisted'}),
        75, "4.7.1 A: $FULL_LINE; "
            . 'B: 451 4.7.1 greylisted (in reply to MAIL FROM)',
        {A => [$TRIED], B => [$TRIED]},
        'New SMTP DCID 1 interface 127.0.0.1 address A',
        'Delayed: DCID 1 to RID [0] - 4.3.1 - in reply to MAIL FROM '
            . "('452', ['4.3.1 full'])",
        'New SMTP DCID 2 interface 127.0.0.1 address B',
        'Delayed: DCID 2 to RID [0] - 4.7.1 - in reply to MAIL FROM '
            . "('451', ['4.7.1 greylisted'])"],
    ['the code is that of the last reply, not of a later failure',
        hosts($FULL, {down => 1}),
        75, "4.3.1 A: $FULL_LINE; B: connect: Connection refused",
        {A => [$TRIED]}],
    ['the code is that of the last reply, not of an earlier failure',
        hosts({down => 1}, $FULL),
        75, "4.3.1 A: connect: Connection refused; B: $FULL_LINE",
        {B => [$TRIED]}],
    ['a 5xx decides, whatever others said before',
        hosts($FULL, {rcpt => '550 5.1.1 no such user'}, {}),
        67, '5.1.1 B: 550 5.1.1 no such user (in reply to RCPT TO)',
        {A => [$TRIED], B => ['EHLO MAIL RCPT QUIT'], C => []}],
    ['an unsure end decides too, and the line says what was before',
        hosts($FULL, {final => 'close'}, {}),
        75, "4.4.2 A: $FULL_LINE; B: end of DATA: connection lost$UNSURE",
        {A => [$TRIED], B => ['EHLO MAIL RCPT DATA content'], C => []}],
    ['the third host, at last', hosts($FULL, {data => 'close'}, {}),
        0, qr/^2\.0\.0 C: 250 /,
        {A => [$TRIED], B => ['EHLO MAIL RCPT DATA'], C => [$DELIVERY]}],
);

subtest 'an address that we do not have is not the trouble of the host' => sub {
    my $trial = Trial->new(%{ hosts({}, {}) },
        settings => {'host A' => {bind => '192.0.2.77'}})->wait;

    is $trial->status, 0, 'exit status';
    like $trial->line, qr/^2\.0\.0 B: 250 /, 'the other host';
    like +($trial->log)[0], qr/^Connection Error: .* 192\.0\.2\.77/, 'why';
    is_deeply [grep { /is down/ } $trial->log], [], 'and it stays up';
};

done_testing;
