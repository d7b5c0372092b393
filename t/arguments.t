#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The agent's command line.  A mistake in it is the administrator's, and
# defers: nothing is contacted, nothing lost.

use strict;
use warnings;

use FindBin ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Agent;
use Fixture;
use SmtpHost;

my $host = SmtpHost->new(keywords => []);
my $other = SmtpHost->new(keywords => []);
my $map = 'example.com ' . $host->destination . "\n"
    . 'named ' . $other->destination . "\n";
my $agent = Agent->new(routes => $map);

my $NULL = 'MAIL FROM:<>';
my $USER = 'RCPT TO:<user@example.com>';

# Arguments that defer.
my @MISTAKES = (
    ['no arguments', []],
    ['no recipient', [qw(-q 4F1B -f sender@example.org)]],
    ['no recipient after --', [qw(-q 4F1B --)]],
    ['no argument of -c', ['-c']],
    ['no argument of -f', ['-f']],
    ['no argument of -n', [qw(-f sender@example.org -n)]],
    ['no argument of -q', ['-q']],
    ['an unknown option', [qw(-x user@example.com)]],
    ['an unknown option after others', [qw(-q 4F1B -z -- user@example.com)]],
    ['an unknown option joined to another', [qw(-Vx user@example.com)]],
    ['a question mark', [qw(-? user@example.com)]],
    ['a colon', [qw(-: user@example.com)]],
    ['an option in capitals', [qw(-F sender@example.org user@example.com)]],
    ['a long option', [qw(--sender=a@example.org user@example.com)]],
    ['a long option of many programs', ['--help']],
    ['another', ['--version']],
    ['an option with printf directives', [qw(-%s%n user@example.com)]],
    ['an option with a line end', ["-\n", 'user@example.com']],
    ['an option of 8 bits', ["-\xff", 'user@example.com']],
    ['a recipient with a hyphen without --', ['-user@example.com']],
    ['-V with a recipient', [qw(-V user@example.com)]],
    ['-V with a recipient after --', [qw(-V -- user@example.com)]],
);

for my $row (@MISTAKES) {
    my ($says, $arguments) = @{$row};
    subtest "a mistake: $says" => sub {
        my $run = $agent->deliver(arguments => $arguments);

        is $run->status, 75, 'deferred';
        like $run->output, qr/\A4\.3\.5 usage: smtproute [ -~]+\z/, 'verdict';
        is scalar(() = $host->connections), 0, 'nobody contacted';
        is scalar(() = $run->log_lines), 0, 'no log line';
    };
}

# Arguments, the queue id in the log, MAIL, RCPT.
my @SPELLINGS = (
    ['a recipient alone', [qw(user@example.com)],
        'NOQUEUE', $NULL, $USER],
    ['-- and a recipient', [qw(-- user@example.com)],
        'NOQUEUE', $NULL, $USER],
    ['all of them, as master.cf has them',
        [qw(-q 4F1B -f a@example.org -n example.com -- user@example.com)],
        '4F1B', 'MAIL FROM:<a@example.org>', $USER],
    ['another order', [qw(-f a@example.org -n example.com -q 4F1B
            user@example.com)],
        '4F1B', 'MAIL FROM:<a@example.org>', $USER],
    ['arguments joined to their options',
        [qw(-q4F1B -fa@example.org -nexample.com user@example.com)],
        '4F1B', 'MAIL FROM:<a@example.org>', $USER],
    ['-f empty', ['-f', '', 'user@example.com'], 'NOQUEUE', $NULL, $USER],
    ['-q empty', ['-q', '', 'user@example.com'], 'NOQUEUE', $NULL, $USER],
    ['-f twice: the last counts',
        [qw(-f a@example.org -f b@example.org user@example.com)],
        'NOQUEUE', 'MAIL FROM:<b@example.org>', $USER],
    ['-q twice: the last counts', [qw(-q A -q B user@example.com)],
        'B', $NULL, $USER],
    ['a sender that looks like an option',
        [qw(-f -q@example.org user@example.com)],
        'NOQUEUE', 'MAIL FROM:<-q@example.org>', $USER],
    ['a sender that looks like the end of options',
        [qw(-f --@example.org user@example.com)],
        'NOQUEUE', 'MAIL FROM:<--@example.org>', $USER],
    ['a queue id that looks like the end of options',
        [qw(-q -- user@example.com)], '--', $NULL, $USER],
    ['a next hop in capitals', [qw(-n EXAMPLE.com user@example.com)],
        'NOQUEUE', $NULL, $USER],
    ['a recipient with a hyphen', [qw(-- -f@example.com)],
        'NOQUEUE', $NULL, 'RCPT TO:<-f@example.com>'],
    ['a recipient with two hyphens', [qw(-- --help@example.com)],
        'NOQUEUE', $NULL, 'RCPT TO:<--help@example.com>'],
    ['two recipients', [qw(-- user@example.com b@example.com)],
        'NOQUEUE', $NULL, $USER, 'RCPT TO:<b@example.com>'],
    ['an option after a recipient is a recipient',
        [qw(user@example.com -q@example.com)],
        'NOQUEUE', $NULL, $USER, 'RCPT TO:<-q@example.com>'],
);

for my $row (@SPELLINGS) {
    my ($says, $arguments, $id, @envelope) = @{$row};
    subtest "arguments: $says" => sub {
        my $run = $agent->deliver(arguments => $arguments);

        is $run->status, 0, 'delivered';
        my ($connection) = ($host->connections)[-1];
        is_deeply [$connection->commands],
            ['EHLO agent.example', @envelope, 'DATA', 'QUIT'], 'commands';
        my @lines = $run->log_lines;
        like $_, qr/\]: \Q$id\E: [NDA-Z]/, 'the queue id in the log'
            for @lines;
    };
}

# What is no recipient's address, wherever it stands.
my @NO_ADDRESSES = (
    ['a hyphen', ['-'], 67, '5.1.3'],
    ['a second --', ['--', '--'], 67, '5.1.3'],
    ['nothing', [''], 67, '5.1.3'],
    ['an option after --', ['--', '-q'], 67, '5.1.3'],
    ['an option and its argument after a recipient',
        [qw(user@example.com -q 4F1B)], 75, '4.3.5'],
    ['-- after a recipient', [qw(user@example.com -- b@example.com)],
        75, '4.3.5'],
);

for my $row (@NO_ADDRESSES) {
    my ($says, $arguments, $status, $code) = @{$row};
    subtest "no address: $says" => sub {
        my $connected = () = $host->connections;
        my $run = $agent->deliver(arguments => $arguments);

        is $run->status, $status, 'exit status';
        like $run->output, qr/\A\Q$code\E [ -~]+\z/, 'verdict';
        is scalar(() = $host->connections), $connected, 'nobody contacted';
    };
}

# Which host gets it.
my @NEXTHOPS = (
    ['none: the domain is looked up', [], $host],
    ['the domain: it is looked up', [qw(-n example.com)], $host],
    ['a name: its route', [qw(-n named)], $other],
    ['a route', ['-n', $other->destination], $other],
    ['twice: the last counts', [qw(-n example.com -n named)], $other],
);

for my $row (@NEXTHOPS) {
    my ($says, $arguments, $taker) = @{$row};
    subtest "-n: $says" => sub {
        my ($before) = scalar(() = $taker->connections);
        my $run = $agent->deliver(
            arguments => [@{$arguments}, '--', 'user@example.com']);

        is $run->status, 0, 'delivered';
        is scalar(() = $taker->connections), $before + 1, 'by this host';
    };
}

subtest '-c twice: the last counts' => sub {
    my $more = Agent->new(routes => 'example.com ' . $other->destination);
    my $before = () = $other->connections;
    my $run = $agent->deliver(
        arguments => ['-c', $more->conf, '--', 'user@example.com']);

    is $run->status, 0, 'delivered';
    is scalar(() = $other->connections), $before + 1, 'by the other host';
};

subtest '-c is not there: the installed settings' => sub {
    my ($status, $output) = capture($agent->binary, '--', 'no-address');

    if ($status == 75) {
        like $output, qr{\A4\.3\.5 /[ -~]*/smtproute\.conf[: ]}, 'named';
    } else {
        like $output, qr/\A5\.1\.3 /, 'read';
    }
};

subtest '-V' => sub {
    my ($status, $output) = capture($agent->binary, '-V');

    is $status, 0, 'exit status';
    like $output, qr/\Asmtproute \d[\w.~-]*\n/, 'its version';
    like $output, qr/^libesmtp\ \d[^\n]*\bglib\ \d[^\n]*\bc-ares\ \d[^\n]*
        \bopenssl\ [3-9][^\n]*\blmdb\ \d/mx,
        'those of the libraries';
    unlike $output, qr/[^ -~\n]/, 'printable';
};

subtest '-V does not need settings' => sub {
    my ($status) = capture($agent->binary, '-c', '/nonexistent', '-V');

    is $status, 0, 'exit status';
};

done_testing;
