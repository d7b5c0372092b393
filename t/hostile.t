#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Whole dialogues, changed by chance: the agent says "delivered" only after a
# host has, never sends a message twice, and always says something.
#
#   make hostile N=500 [SEED=number]
#
# A failure names its seed: "make hostile N=1 SEED=..." is that dialogue again.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Hostile;
use Trial ();

my $count = $ENV{HOSTILE_N} || 40;
my $first = $ENV{HOSTILE_SEED} || 1;

# At work at the same time: most of them wait for a time-out.
my $WINDOW = defined $ENV{SMTPROUTE_WRAPPER} ? 4 : 16;

my @MESSAGES = (
    "Subject: short\n\ntext\n",
    "Subject: dots\n\n.\n..\n.QUIT\n250 ok\n",
    "Subject: no end\n\ntext",
    "Subject: long\n\n" . ('0123456789' x 7 . "\n") x 2_000,
);

my %SETTINGS = map { $_ => '1s' } qw(connect-timeout greeting-timeout
    command-timeout data-timeout final-timeout);

my %STATUS = (
    2 => [0],
    4 => [75],
    5 => [65, 67, 68, 69, 77],
);

sub begin {
    my ($seed) = @_;
    my %scripts = (
        FIRST  => hostile_script($seed),
        SECOND => hostile_script($seed + 1_000_000),
    );
    my $message = $MESSAGES[$seed % @MESSAGES];
    my $trial = Trial->new(
        hosts      => {map { $_ => { %{ $scripts{$_} } } } keys %scripts},
        route      => 'FIRST/pri=0, SECOND/pri=10',
        settings   => {%SETTINGS, 'time-limit' => '30s'},
        message    => $message,
        recipients => [('user@example.com', 'other@example.com')
            [0 .. $seed % 5 == 0]],
    );
    return {seed => $seed, scripts => \%scripts, message => $message,
        trial => $trial->start};
}

# Every connection that got the message to its final dot, in their order.
sub sendings {
    my ($run) = @_;
    my @sendings;

    for my $name (qw(FIRST SECOND)) {
        push @sendings, map { {host => $name, message => $_} }
            grep { $_->dot } $run->{trial}->host($name)->messages;
    }
    return @sendings;
}

# Nothing, or what is wrong.
sub fault_of_line {
    my ($run) = @_;
    my ($status, $line) = ($run->{trial}->status, $run->{trial}->line);

    return 'ended by a signal' if !defined $status;
    return "no verdict: $line"
        if $line !~ /\A([245])\.\d{1,3}\.\d{1,3} [\x20-\x7e]+\z/;
    return "exit status $status" if !grep { $_ == $status } @{ $STATUS{$1} };
    return;
}

sub fault_of_sendings {
    my ($run, @sendings) = @_;
    my $whole = $run->{message} =~ s/\n/\r\n/gr;

    $whole .= "\r\n" if $whole !~ /\n\z/;
    for my $sending (@sendings) {
        return "another message at $sending->{host}"
            if $sending->{message}->content ne $whole;
        $sending->{said} = hostile_final($run->{scripts}{ $sending->{host} });
    }
    pop @sendings;
    return 'sent again after "' . $_->{said} . '"'
        for grep { $_->{said} !~ /[45]/ } @sendings;
    return;
}

sub fault_of_verdict {
    my ($run, @sendings) = @_;
    my $class = substr $run->{trial}->line, 0, 1;

    return 'delivered, but to nobody'
        if $class eq '2' && (!@sendings || $sendings[-1]{said} ne '2');
    return 'bounced by nobody'
        if $class eq '5' && !grep { hostile_has($_, 5) }
            values %{ $run->{scripts} };
    return;
}

sub fault {
    my ($run) = @_;

    eval { $run->{trial}->wait; 1 } or return $@;
    my @sendings = sendings($run);
    return fault_of_line($run) // fault_of_sendings($run, @sendings)
        // fault_of_verdict($run, @sendings);
}

sub check {
    my ($run, $verdicts) = @_;

    my $fault = fault($run);
    if (defined $fault) {
        fail "seed $run->{seed}: $fault";
        diag "make hostile N=1 SEED=$run->{seed}";
        diag 'the line: ' . ($run->{trial}->line // '');
        diag explain $run->{scripts};
        diag explain [$run->{trial}->log];
        return 0;
    }
    $verdicts->{ substr $run->{trial}->line, 0, 1 }++;
    return 1;
}

my (@runs, %verdicts);
my $bad = 0;
for my $seed ($first .. $first + $count - 1) {
    push @runs, begin($seed);
    $bad += !check(shift @runs, \%verdicts) if @runs == $WINDOW;
}
$bad += !check($_, \%verdicts) for @runs;
is $bad, 0, "$count dialogues from seed $first";
diag join ', ', map { "$_.x.x: $verdicts{$_}" } sort keys %verdicts;

# Who never says it cannot say it falsely.
cmp_ok $verdicts{$_} // 0, '>', 0, "verdicts $_.x.x among them"
    for $count >= 40 ? (2, 4, 5) : ();

done_testing;
