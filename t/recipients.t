#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Several recipients in one call: all or nothing, whatever each is answered.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent;
use Failover;
use Fixture;
use IO::Select ();
use Trial ();

my $OK = '250 2.1.5 ok';
my $NO = '550 5.1.1 no such user';
my $MANY = '452 4.5.3 too many recipients';

# What is said to do where recipients were answered differently.
my $ADVICE = '4.3.5 recipients of one call were answered differently and '
    . 'nothing was sent: set smtproute_destination_recipient_limit = 1; ';

my $TWO = 'EHLO MAIL RCPT RCPT DATA content QUIT';
my $REFUSED = 'EHLO MAIL RCPT RCPT QUIT';

my @KEYWORDS = ('8BITMIME', 'SIZE', 'ENHANCEDSTATUSCODES');

# What A and B say to the two recipients, exit status, line, what A and B saw.
my @answers = (
    ['both are accepted', [$OK, $OK], [],
        0, qr/^2\.0\.0 A: 250 /, $TWO, undef],
    ['both are refused', [$NO, $NO], [],
        67, "5.1.1 A: $NO (in reply to RCPT TO)", $REFUSED, undef],
    ['both are refused, for different reasons',
        [$NO, '554 5.7.1 Relay access denied'], [],
        67, "5.1.1 A: $NO (in reply to RCPT TO)", $REFUSED, undef],
    ['both are to wait', ['450 4.2.0 wait'], [$OK],
        0, qr/^2\.0\.0 B: 250 /, $REFUSED, $TWO],
    ['both are to wait everywhere', ['450 4.2.0 wait'], ['451 4.2.1 wait'],
        75, '4.2.1 A: 450 4.2.0 wait (in reply to RCPT TO); '
            . 'B: 451 4.2.1 wait (in reply to RCPT TO)', $REFUSED, $REFUSED],
    ['the second is refused', [$OK, $NO], [],
        75, "${ADVICE}A: $NO (in reply to RCPT TO)", $REFUSED, undef],
    ['the first is refused', [$NO, $OK], [],
        75, "${ADVICE}A: $NO (in reply to RCPT TO)", $REFUSED, undef],
    ['the first is refused, the second is to wait', [$NO, '450 4.2.0 wait'],
        [], 75, qr/^\Q$ADVICE\EA: /, $REFUSED, undef],
    ['the second is too many, but not for B', [$OK, $MANY], [$OK],
        0, qr/^2\.0\.0 B: 250 /, $REFUSED, $TWO],
    ['the second is too many everywhere', [$OK, $MANY], [$OK, $MANY],
        75, "${ADVICE}A: $MANY (in reply to RCPT TO); "
            . "B: $MANY (in reply to RCPT TO)", $REFUSED, $REFUSED],
    ['the second is too many, in old words',
        [$OK, '552 too many recipients'], [$OK],
        0, qr/^2\.0\.0 B: 250 /, $REFUSED, $TWO],
    ['the second has a full mailbox', [$OK, '552 5.2.2 mailbox full'], [],
        75, "${ADVICE}A: 552 5.2.2 mailbox full (in reply to RCPT TO)",
        $REFUSED, undef],
    ['one is refused, the other too many in old words',
        [$NO, '552 too many recipients'], [],
        75, qr/^\Q$ADVICE\EA: /, $REFUSED, undef],
    ['one is to wait, and B takes none of them', [$OK, $MANY], [$NO],
        67, "5.1.1 B: $NO (in reply to RCPT TO)", $REFUSED, $REFUSED],
    ['one is to wait, and B refuses the other', [$OK, $MANY], [$NO, $OK],
        75, "${ADVICE}A: $MANY (in reply to RCPT TO); "
            . "B: $NO (in reply to RCPT TO)", $REFUSED, $REFUSED],
    ['the host goes down at once', ['421 4.3.2 closing'], [$OK],
        0, qr/^2\.0\.0 B: 250 /, qr/^EHLO MAIL RCPT( RCPT)?$/, $TWO],
    ['the connection is lost at once', ['close'], [$OK],
        0, qr/^2\.0\.0 B: 250 /, qr/^EHLO MAIL RCPT( RCPT)?$/, $TWO],
    ['the host goes down after the first', [$OK, '421 4.3.2 closing'], [$OK],
        0, qr/^2\.0\.0 B: 250 /, 'EHLO MAIL RCPT RCPT', $TWO],
    ['the connection is lost after a refusal', [$NO, 'close'], [$OK],
        75, qr/^\Q$ADVICE\EA: /, 'EHLO MAIL RCPT RCPT', undef],
    ['the connection is lost after the first', [$OK, 'close'], [$OK],
        0, qr/^2\.0\.0 B: 250 /, 'EHLO MAIL RCPT RCPT', $TWO],
);

sub answer_rows {
    my ($name, $a, $b, $status, $line, $saw_a, $saw_b) = @_;
    my @rows;

    for my $pipelining (0, 1) {
        my @keywords = (@KEYWORDS, ('PIPELINING') x $pipelining);
        push @rows, [$name . ($pipelining ? ', with PIPELINING' : ''), {
                hosts => {
                    A => {rcpt => $a, keywords => \@keywords},
                    B => {rcpt => $b, keywords => \@keywords},
                },
                route => 'A, B/pri=1',
                recipients => ['one@example.com', 'two@example.com'],
            }, $status, $line, {A => [$saw_a], B => [$saw_b // ()]}];
    }
    return @rows;
}

# One host, and what it says after both were accepted.
sub one_host {
    my (%script) = @_;

    return (
        hosts => {A => \%script, B => {}},
        route => 'A, B/pri=1',
        recipients => ['one@example.com', 'two@example.com'],
    );
}

my %MAP = (
    hosts => {A => {}, B => {}},
    routes => "example.com A\nexample.org B\nboth A\n* A\n",
);

my @HUNDREDS = map { "user$_\@example.com" } 1 .. 250;

try_trials(
    (map { answer_rows(@{$_}) } @answers),
    ['content refused for all', {one_host(final => '554 5.6.0 no')},
        65, '5.6.0 A: 554 5.6.0 no (in reply to end of DATA)',
        {A => [$TWO], B => []},
        'New SMTP DCID 1 interface 127.0.0.1 address A',
        map { "Bounced: DCID 1 to RID [$_] - 5.6.0 - in reply to end of DATA "
            . "('554', ['5.6.0 no'])" } 0, 1],
    ['content to wait for all', {one_host(final => '452 4.3.1 full')},
        0, qr/^2\.0\.0 B: 250 /, {A => [$TWO], B => [$TWO]}],
    ['silence after the content', {one_host(final => 'close')},
        75, "4.4.2 A: end of DATA: connection lost$UNSURE",
        {A => ['EHLO MAIL RCPT RCPT DATA content'], B => []}],
    ['a lost connection is one line in the log', {one_host(mail => 'close')},
        0, qr/^2\.0\.0 B: 250 /, {A => ['EHLO MAIL'], B => [$TWO]},
        'New SMTP DCID 1 interface 127.0.0.1 address A',
        qr/^Connection Error: DCID 1 domain: example\.com IP: A details: MAIL/,
        'New SMTP DCID 2 interface 127.0.0.1 address B',
        map { qr/^Delivered: DCID 2 to RID \[$_\] Response 2\.0\.0 Ok/ } 0, 1],
    ['hundreds of recipients',
        {hosts => {A => {}}, route => 'A', recipients => \@HUNDREDS},
        0, qr/^2\.0\.0 A: 250 /,
        {A => [join ' ', 'EHLO MAIL', ('RCPT') x 250, 'DATA content QUIT']}],
    ['the last of hundreds is refused', {
            hosts => {A => {rcpt => [($OK) x 249, $NO]}},
            route => 'A',
            recipients => \@HUNDREDS,
        }, 75, "${ADVICE}A: $NO (in reply to RCPT TO)",
        {A => [join ' ', 'EHLO MAIL', ('RCPT') x 250, 'QUIT']}],
    ['domains with routes of their own',
        {%MAP, recipients => ['one@example.com', 'two@example.org']},
        75, "${ADVICE}recipients of several routes", {A => [], B => []}],
    ['domains of one route: not known to be one',
        {%MAP, recipients => ['one@a.example', 'two@b.example']},
        75, "${ADVICE}recipients of several routes", {A => [], B => []}],
    ['domains with a named route', {%MAP, nexthop => 'both',
            recipients => ['one@example.com', 'two@example.org']},
        0, qr/^2\.0\.0 A: 250 /, {A => [$TWO], B => []}],
    ['domains with an inline route', {%MAP, nexthop => 'B',
            recipients => ['one@example.com', 'two@example.org']},
        0, qr/^2\.0\.0 B: 250 /, {A => [], B => [$TWO]}],
    ['the case of domains does not matter',
        {%MAP, recipients => ['one@example.com', 'two@EXAMPLE.com']},
        0, qr/^2\.0\.0 A: 250 /, {A => [$TWO], B => []}],
    ['one address cannot be used',
        {%MAP, recipients => ['one@example.com', "two\@ex\nample.com"]},
        75, "${ADVICE}an address cannot be used", {A => [], B => []}],
);

# A host that answers the first recipient twice, and to the second as to one
# that is accepted: nobody may bounce.
for my $pipelining (0, 1) {
    my $trial = Trial->new(
        hosts => {A => {
            rcpt => ["$NO\n$NO", $OK],
            keywords => [@KEYWORDS, ('PIPELINING') x $pipelining],
        }},
        route => 'A',
        recipients => ['one@example.com', 'two@example.com'],
    )->wait;

    is $trial->status, 75, 'a refusal twice'
        . ($pipelining ? ', with PIPELINING' : '');
    like $trial->line, qr/^4/, 'nobody bounces';
}

# As many as one call can have: execve(2) takes 2 MB, as the stack's limit is
# by default.
sub padded {
    my ($count, $length) = @_;

    return map {
        my $label = 'x' x 55;
        my $local = sprintf 'user%05d', $_;
        my $domain = join '.', ($label) x 4, 'example.com';
        $length > 200 ? $local . 'y' x ($length - length "$local\@$domain")
            . "\@$domain" : "$local\@example.com";
    } 1 .. $count;
}

for my $row ([4_000, 20], [6_000, 300]) {
    my ($count, $length) = @{$row};
    subtest "$count recipients of $length bytes, with PIPELINING" => sub {
        my @recipients = padded($count, $length);
        my $trial = Trial->new(hosts => {A => {digest => 1}},
            routes => "example.com A\n.example.com A\n",
            recipients => \@recipients)->wait;

        is $trial->status, 0, 'exit status';
        my @messages = $trial->host('A')->messages;
        is scalar @messages, 1, 'one message';
        is_deeply [$messages[0]->recipients], \@recipients, 'for all of them';
    };
}

# Answers no RCPT until no more comes; then says how many bytes had come.
sub slow_host {
    my ($socket, $result) = @_;
    my $peer = $socket->accept or die "accept: $!\n";
    my $select = IO::Select->new($peer);
    my ($buffer, $most) = ('', 0);

    syswrite $peer, "220 host\r\n";
    while (1) {
        my $more = $select->can_read($buffer =~ /^RCPT/m ? 2 : undef);
        last if $more && !sysread $peer, $buffer, 65536, length $buffer;
        next if $buffer =~ /^RCPT/ && $more;
        $most = length $buffer if length $buffer > $most;
        while ($buffer =~ s/^(\w+)(.*)\n//) {
            syswrite $peer, $1 eq 'EHLO' ? "250-host\r\n250 PIPELINING\r\n"
                : $1 eq 'DATA' ? "451 4.3.0 that is all\r\n"
                : $1 eq 'QUIT' ? "221 bye\r\n" : "250 ok\r\n";
        }
    }
    write_file($result, $most);
    return;
}

subtest 'a host that waits for more does not get all ahead' => sub {
    my $socket = listen_on('127.0.0.1', 0);
    my $result = new_folder('ahead') . '/most';
    my $host = child(sub { slow_host($socket, $result) });
    my $agent = Agent->new(
        routes => 'example.com [127.0.0.1]:' . $socket->sockport . "\n");
    my $run = $agent->deliver(recipients => \@HUNDREDS);

    like $run->output, qr/^4\.3\.0 .* 451 4\.3\.0 that is all/, 'all were sent';
    ok reap($host, 60), 'the host has ended';
    cmp_ok read_file($result), '<=', 4096, 'but a small part';
};

subtest 'one message for all' => sub {
    my $trial = Trial->new(one_host)->wait;
    my @messages = $trial->host('A')->messages;

    is scalar @messages, 1, 'is sent once';
    is $messages[0]->sender, 'sender@example.org', 'sender';
    is_deeply [$messages[0]->recipients],
        ['one@example.com', 'two@example.com'], 'recipients';
};

done_testing;
