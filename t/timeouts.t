#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Time-outs: which one ends what, for which host, and what becomes of the
# message.  Nothing here measures time.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use BlackHole ();
use Failover;
use Fixture qw(has_ipv6 skip_or_fail);

# More than all buffers between two sockets take.
my $LARGE = "Subject: large\n\n" . ('x' x 99 . "\n") x 160_000;

my $LATE = '; time-limit near, no other host was begun';

my $SENT = 'EHLO MAIL RCPT DATA content';

my $PAUSE = $SHORT + 1;

my %PATIENT = map { ("$_-timeout", '1m') }
    qw(connect greeting command data final);

# One time-out of A is short; all others of A, and B's, are not.
sub short {
    my ($script, $timeout, %option) = @_;

    return {
        hosts => {A => $script, B => {digest => 1}},
        route => 'A, B/pri=1',
        settings => {%PATIENT, 'host A' => {$timeout => "${SHORT}s"},
            %{ delete $option{settings} // {} }},
        %option,
    };
}

# A alone, so that the line says which time-out it was.
sub alone {
    my ($script, $timeout, %option) = @_;

    my $given = short($script, $timeout, %option);
    return {%{$given}, hosts => {A => $script}, route => 'A'};
}

# Stage and behaviour, the time-out that ends it, and what the host saw.
my @stages = (
    ['greeting', {greeting => 'silence'}, 'greeting-timeout', ''],
    ['EHLO', {ehlo => 'silence'}, 'command-timeout', 'EHLO'],
    ['HELO', {ehlo => '502 no', helo => 'silence'}, 'command-timeout',
        'EHLO HELO'],
    ['MAIL FROM', {mail => 'silence'}, 'command-timeout', 'EHLO MAIL'],
    ['RCPT TO', {rcpt => 'silence'}, 'command-timeout', 'EHLO MAIL RCPT'],
    ['DATA', {data => 'silence'}, 'data-timeout', 'EHLO MAIL RCPT DATA'],
    ['message content', {content => {after => 1000, then => 'deaf'}},
        'data-timeout', 'EHLO MAIL RCPT DATA part', message => $LARGE],
);

sub stage_rows {
    my ($stage, $script, $timeout, $saw, %option) = @_;

    return ["$timeout: $stage",
        alone($script, $timeout, %option),
        75, "4.4.2 A: $stage: timed out after $SHORT s", {A => [$saw]}],
        ["$timeout: $stage, then the next host",
        short($script, $timeout, %option),
        0, qr/^2\.0\.0 B: 250 /, {A => [$saw], B => [$DELIVERY]}];
}

my @where = ('127.0.0.1', has_ipv6() ? '::1' : ());
my @holes = grep { defined } map { eval { BlackHole->new(address => $_) } }
    @where;

sub hole_rows {
    my ($hole) = @_;
    my $address = $hole->address;

    return ["connect-timeout: $address", alone($hole, 'connect-timeout'),
        75, "4.4.1 A: connect: timed out after $SHORT s", {},
        "Connection Error: DCID 1 domain: example.com IP: A "
            . "details: connect: timed out after $SHORT s interface: - "
            . 'reason: network error'],
        ["connect-timeout: $address, then the next host",
        short($hole, 'connect-timeout'),
        0, qr/^2\.0\.0 B: 250 /, {B => [$DELIVERY]}],
        ["time-limit: $address", limited($hole),
        75, "4.4.1 A: connect: time-limit reached$LATE", {B => []}];
}

# No time-out is short, time-limit comes first.
sub limited {
    my ($script, %option) = @_;

    return {
        hosts => {A => $script, B => {}},
        route => 'A, B/pri=1',
        settings => {%PATIENT, 'time-limit' => "${TIME_LIMIT}s"},
        %option,
    };
}

my @limits = (
    ['greeting', {greeting => 'silence'}, ''],
    ['EHLO', {ehlo => 'silence', address => '::1'}, 'EHLO'],
    ['MAIL FROM', {mail => {reply => '250 ' . 'x' x 200, drip => 0.1}},
        'EHLO MAIL'],
    ['DATA', {data => 'silence', address => '::1'}, 'EHLO MAIL RCPT DATA'],
    ['message content', {content => {after => 1000, then => 'deaf'}},
        'EHLO MAIL RCPT DATA part', message => $LARGE],
);

sub limit_row {
    my ($stage, $script, $saw, %option) = @_;

    return ["time-limit: $stage", limited($script, %option),
        75, "4.4.2 A: $stage: time-limit reached$LATE",
        {A => [$saw], B => []}];
}

my @finals = (
    ['final-timeout', short({final => 'silence'}, 'final-timeout'),
        75, "4.4.2 A: end of DATA: timed out after $SHORT s$UNSURE",
        {A => [$SENT], B => []},
        'New SMTP DCID 1 interface 127.0.0.1 address A',
        'Connection Error: DCID 1 domain: example.com IP: A '
            . "details: end of DATA: timed out after $SHORT s "
            . 'interface: 127.0.0.1 reason: network error',
        'Delayed: DCID 1 to RID [0] - 4.4.2 - end of DATA: '
            . "timed out after $SHORT s"],
    ['when-unsure = defer', short({final => 'close'}, 'final-timeout',
            settings => {'when-unsure' => 'defer'}),
        75, "4.4.2 A: end of DATA: connection lost$UNSURE",
        {A => [$SENT], B => []}],
    ['when-unsure = next: time-out', short({final => 'silence'},
            'final-timeout', settings => {'when-unsure' => 'next'}),
        0, qr/^2\.0\.0 B: 250 /, {A => [$SENT], B => [$DELIVERY]}],
    ['when-unsure = next: lost connection', short({final => 'close'},
            'final-timeout', settings => {'when-unsure' => 'next'}),
        0, qr/^2\.0\.0 B: 250 /, {A => [$SENT], B => [$DELIVERY]}],
    ['when-unsure = next: rubbish', short({final => 'hello'},
            'final-timeout', settings => {'when-unsure' => 'next'}),
        0, qr/^2\.0\.0 B: 250 /, {A => [$SENT], B => [$DELIVERY]}],
    ['when-unsure = next, and there is none', alone({final => 'close'},
            'final-timeout', settings => {'when-unsure' => 'next'}),
        75, '4.4.2 A: end of DATA: connection lost', {A => [$SENT]}],
    ['time-limit: end of DATA', limited({final => 'silence'}),
        75, "4.4.2 A: end of DATA: time-limit reached$UNSURE",
        {A => [$SENT], B => []}],
);

# A pause that a longer time-out bears, although all others are short.
sub patient {
    my ($timeout, $script, %settings) = @_;
    my %short = map { ("$_-timeout", "${SHORT}s") }
        qw(connect greeting command data final);

    return ["$timeout: longer than a pause", {
            hosts => {A => $script},
            route => 'A',
            settings => {%short, $timeout => '1m', %settings},
            message => $LARGE,
        }, 0, qr/^2\.0\.0 A: 250 /, {A => [$DELIVERY]}];
}

my @overrides = (
    patient('greeting-timeout',
        {greeting => {reply => '220 a', delay => $PAUSE}}),
    patient('command-timeout', {mail => {reply => '250 a', delay => $PAUSE}}),
    patient('data-timeout', {data => {reply => '354 a', delay => $PAUSE}}),
    patient('data-timeout', {content => {after => 1000, delay => $PAUSE}}),
    patient('final-timeout', {final => {reply => '250 a', delay => $PAUSE}}),
    ['[host] is stronger than [smtproute]', {
            hosts => {A => {mail => {reply => '250 a', delay => $PAUSE}}},
            route => 'A',
            settings => {'command-timeout' => "${SHORT}s",
                'host 127.0.0.1' => {'command-timeout' => '1m'}},
        }, 0, qr/^2\.0\.0 A: 250 /, {A => [$DELIVERY]}],
    ['[host:port] is stronger than [host]', {
            hosts => {A => {mail => {reply => '250 a', delay => $PAUSE}}},
            route => 'A',
            settings => {'host 127.0.0.1' => {'command-timeout' => "${SHORT}s"},
                'host A' => {'command-timeout' => '1m'}},
        }, 0, qr/^2\.0\.0 A: 250 /, {A => [$DELIVERY]}],
    ['[host] of another host', {
            hosts => {A => {mail => {reply => '250 a', delay => $PAUSE}}},
            route => 'A',
            settings => {'host 127.0.0.2' =>
                {'command-timeout' => "${SHORT}s"}},
        }, 0, qr/^2\.0\.0 A: 250 /, {A => [$DELIVERY]}],
);

# Less than a tenth of the time limit is left when A has answered.
my $ALMOST = 0.93 * $TIME_LIMIT;
my @near = (
    ['no host is begun when time-limit is near',
        limited({greeting => {reply => '450 4.3.2 x', delay => $ALMOST}}),
        75, qr/^4\.\d\.\d A: .*\Q$LATE\E$/, {B => []}],
    ['a host that has not answered then is the last', {
            hosts => {A => {down => 1}, B => {mail => 'silence'}, C => {}},
            route => 'A, B/pri=1, C/pri=2',
            settings => {%PATIENT, 'time-limit' => "${TIME_LIMIT}s"},
        }, 75, '4.4.2 A: connect: Connection refused; '
            . "B: MAIL FROM: time-limit reached$LATE",
        {B => ['EHLO MAIL'], C => []}],
);

try_trials(
    (map { stage_rows(@{$_}) } @stages),
    (map { hole_rows($_) } @holes),
    (map { limit_row(@{$_}) } @limits),
    @finals, @overrides, @near,
);

subtest 'black holes' => sub {
    skip_or_fail(BlackHole->missing);
    is scalar @holes, scalar @where, 'were there for the rows above';
};

done_testing;
