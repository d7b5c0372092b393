#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The envelope as one: what hosts that offer PIPELINING get in one write, and
# what becomes of their answers.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent;
use Fixture;
use Lmtp;
use PatientHost ();
use SmtpHost;

my $OK = '250 2.1.5 ok';
my $NO = '550 5.1.1 no such user';

sub agent_for {
    my ($destination) = @_;

    return Agent->new(routes => "example.com $destination\n",
        settings => {tls => 'none', 'command-timeout' => '20s'});
}

sub send_to {
    my ($agent, $count) = @_;
    my $lmtp = Lmtp->begin(agent => $agent);

    my @replies = $lmtp->deliver(
        recipients => [map { "u$_\@example.com" } 1 .. $count]);
    is $lmtp->end, 0, 'exit status';
    return @replies;
}

for my $count (1, 99) {
    subtest "$count recipients, in one write" => sub {
        my $host = PatientHost->new;
        my @replies = send_to(agent_for($host->destination), $count);

        is scalar(grep { /^250 2\.0\.0 \S+: 250 2\.0\.0 taken$/ } @replies),
            $count, 'delivered';
        ok $host->has_seen_all, 'the host has seen it all';
        done_testing;
    };
}

# Stages of the host, recipients, their replies, how many messages it has.
for my $row (
    ['MAIL is refused', {mail => '550 5.7.1 not you'}, 2,
        [('550 5.7.1') x 2], 0],
    ['MAIL is to wait', {mail => '451 4.2.0 later'}, 2, [('451 4.2.0') x 2], 0],
    ['all are refused', {rcpt => $NO}, 2, [('550 5.1.1') x 2], 0],
    ['all are refused, but DATA is not', {rcpt => $NO, data => '354 go'}, 2,
        [('550 5.1.1') x 2], undef],
    ['one is refused', {rcpt => [$OK, $NO]}, 2, ['250 2.0.0', '550 5.1.1'], 1],
    ['one is to wait', {rcpt => ['450 4.2.0 wait', $OK]}, 2,
        ['451 4.2.0', '250 2.0.0'], 1],
    ['DATA is refused', {data => '554 5.7.0 no'}, 2, [('550 5.7.0') x 2], 0],
    ['DATA is to wait', {rcpt => [$OK, $NO], data => '451 4.3.0 later'}, 2,
        ['451 4.3.0', '550 5.1.1'], 0],
    ['a reply too many', {mail => \"250 ok\r\n250 ok\r\n", rcpt => [$NO, $OK]},
        2, [('451 4.4.2') x 2], undef],
    ['421 at RCPT', {rcpt => [$OK, {reply => '421 4.3.2 bye',
        then => 'close'}]}, 3, [('450 4.3.2') x 3], 0],
    ['closed at RCPT', {rcpt => [$OK, 'close']}, 3, [('451 4.4.2') x 3], 0],
    ['more than go at once', {}, 250, [('250 2.0.0') x 250], 1],
    ['MAIL is refused, and more than go at once',
        {mail => '550 5.7.1 not you'}, 250, [('550 5.7.1') x 250], 0],
) {
    my ($says, $script, $count, $expected, $messages) = @{$row};

    subtest $says => sub {
        my $host = SmtpHost->new(keywords => ['PIPELINING'], %{$script});
        my @replies = send_to(agent_for($host->destination), $count);

        is_deeply [map { /^(\d+ \S+) / } @replies], $expected, 'replies';
        is scalar(my @m = $host->messages), $messages, 'messages'
            if defined $messages;
        done_testing;
    };
}

done_testing;
