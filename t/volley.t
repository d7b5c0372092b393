#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The envelope as one, from pipe(8) with one recipient: what comes of a host's
# answers is what comes of them one by one.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent;
use Failover;
use Fixture;
use PatientHost ();
use SmtpHost;

my $KEYWORDS = ['PIPELINING', 'ENHANCEDSTATUSCODES'];
my $ASKED = 'EHLO MAIL RCPT DATA QUIT';

sub row {
    my ($script, @row) = @_;

    return [{keywords => $KEYWORDS, %{$script}}, @row];
}

try_rows(
    row({}, 0, qr/^2\.0\.0 FIRST: 250 2\.0\.0 /, $DELIVERY, 'Delivered'),
    row({mail => '452 4.3.1 full'}, 'next',
        '4.3.1 FIRST: 452 4.3.1 full (in reply to MAIL FROM)', $ASKED,
        'Delayed'),
    row({mail => '550 5.7.1 not you'}, 77,
        '5.7.1 FIRST: 550 5.7.1 not you (in reply to MAIL FROM)', $ASKED,
        'Bounced'),
    row({rcpt => '450 4.2.1 busy'}, 'next',
        '4.2.1 FIRST: 450 4.2.1 busy (in reply to RCPT TO)', $ASKED,
        'Delayed'),
    row({rcpt => '550 5.1.1 no such user'}, 67,
        '5.1.1 FIRST: 550 5.1.1 no such user (in reply to RCPT TO)', $ASKED,
        'Bounced'),
    row({data => '451 4.3.0 later'}, 'next',
        '4.3.0 FIRST: 451 4.3.0 later (in reply to DATA)', $ASKED, 'Delayed'),
    row({data => '554 5.7.0 no'}, 77,
        '5.7.0 FIRST: 554 5.7.0 no (in reply to DATA)', $ASKED, 'Bounced'),
    row({final => '452 4.3.1 full'}, 'next',
        '4.3.1 FIRST: 452 4.3.1 full (in reply to end of DATA)', $DELIVERY,
        'Delayed'),
    # It takes the content of nobody: there is no message, not even an empty
    # one.
    row({rcpt => '550 5.1.1 no such user', data => '354 go'}, 67,
        '5.1.1 FIRST: 550 5.1.1 no such user (in reply to RCPT TO)',
        'EHLO MAIL RCPT DATA', 'Bounced'),
    # What cannot be told apart is nobody's fault but the host's.
    row({mail => \"250 2.1.0 ok\r\n250 2.1.0 ok\r\n"}, 'next',
        qr/^4\.4\.2 FIRST: DATA: replies out of step/, qr/^EHLO MAIL/,
        qr/^Connection Error: /),
    row({mail => \"250 2.1.0 ok\r\n550 5.1.8 no\r\n"}, 'next',
        qr/^4\.4\.2 FIRST: DATA: replies out of step/, qr/^EHLO MAIL/,
        qr/^Connection Error: /),
    row({mail => {reply => '421 4.7.0 bye', then => 'close'}}, 'next',
        '4.7.0 FIRST: 421 4.7.0 bye (in reply to MAIL FROM)', qr/^EHLO MAIL/,
        'Delayed'),
    row({rcpt => 'close'}, 'next', qr/^4\.4\.2 FIRST: RCPT TO: /,
        qr/^EHLO MAIL RCPT/, qr/^Connection Error: /),
);

my $patient = PatientHost->new;
my $run = Agent->new(routes => 'example.com ' . $patient->destination . "\n",
    settings => {'command-timeout' => '20s'})->deliver;
is $run->status, 0, 'nothing waits for a reply before DATA is sent';
ok $patient->has_seen_all, 'the host has seen it all';

# With two, pipe(8) has one result: no DATA before both are accepted.
my $host = SmtpHost->new(keywords => $KEYWORDS,
    rcpt => ['250 2.1.5 ok', '550 5.1.1 no']);
$run = Agent->new(routes => 'example.com ' . $host->destination . "\n")
    ->deliver(recipients => ['a@example.com', 'b@example.com']);
is $run->status, 75, 'two recipients of which one is refused';
is_deeply [map { s/ .*//r } map { $_->commands } $host->connections],
    [qw(EHLO MAIL RCPT RCPT QUIT)], 'without DATA';

done_testing;
