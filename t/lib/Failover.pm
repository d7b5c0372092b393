# SPDX-License-Identifier: BSD-2-Clause
#
# Rows that say what a host does and what has to come of it.
#
#   try_rows(
#       [{mail => '452 4.3.1 full'}, 'next',
#           '4.3.1 FIRST: 452 4.3.1 full (in reply to MAIL FROM)',
#           'EHLO MAIL QUIT', 'Delayed'],
#   );
#
# A row has the script of the first host (SmtpHost); "next", or the exit status
# of the verdict; its line; what the first host saw; the kind of the log line;
# and options of Trial.  Line, what was seen and kind (then for all of the log
# line) may be patterns, and a name may stand before all that.
#
# "next": alone in its route the host makes the agent defer with that line;
# before another host, which accepts everything, the message goes there.
# Otherwise the other host must not be tried.  Where the line has
# "timed out" in it, the first host's time-outs are $SHORT seconds.
#
#   try_trials(
#       ['a host that refuses connections is passed over',
#           {hosts => {A => {down => 1}, B => {}}, route => 'A, B/pri=1'},
#           0, qr/^2\.0\.0 B: 250 /,
#           {A => [], B => ['EHLO MAIL RCPT DATA content QUIT']}],
#   );
#
# A row has a name, what Trial is given, exit status, line, what the hosts saw
# (those that are mentioned), and the lines in the log, if these matter.  Lines
# and what was seen may be patterns.  With a host on ::1 it is left out on a
# machine that has none.

package Failover;

use strict;
use warnings;

use Exporter qw(import);
use Test::More;

use Fixture qw(has_ipv6 skip_without_ipv6);
use Trial ();

our @EXPORT = qw($DELIVERY $SHORT $TIME_LIMIT $UNSURE try_rows try_trials);

our $UNSURE =
    '; no other host was tried, since this one may have accepted it';

# What a host sees that takes a message.
our $DELIVERY = 'EHLO MAIL RCPT DATA content QUIT';

# For tests that reach them, in seconds: longer than a host takes to answer
# and all of a dialogue, when many have a slow machine; and shorter than the
# agent asks DNS.
our $SHORT = defined $ENV{SMTPROUTE_WRAPPER} ? 10 : 5;
our $TIME_LIMIT = 8;

# Rows at work at the same time.
my $BATCH = defined $ENV{SMTPROUTE_WRAPPER} ? 4 : 12;

sub try_rows {
    my (@rows) = @_;

    while (my @batch = splice @rows, 0, $BATCH) {
        my @names = map { ref $_->[0] ? describe($_->[0]) : shift @{$_} }
            @batch;
        my @trials = map { [start_row($_)] } @batch;
        for my $row (@batch) {
            my $trials = shift @trials;
            subtest shift @names => sub { check_row($row, @{$trials}) };
        }
    }
    return;
}

# A name for a row that has none.
sub describe {
    my ($script) = @_;
    my @words;

    for my $key (sort keys %{$script}) {
        my $how = $script->{$key};
        my @how = ref $how eq 'HASH' ? map { $how->{$_} } sort keys %{$how}
            : ref $how eq 'ARRAY' ? @{$how} : $how;
        my $words = join ' ', map { ref ? ${$_} : $_ } @how;
        push @words, "$key: " . substr $words, 0, 40;
    }
    my $text = join ', ', @words;
    $text =~ s/\s+/ /g;
    return $text;
}

# Alone, for the line if the next host is tried; and before another host.
sub start_row {
    my ($row) = @_;
    my ($script, $fate, $line, undef, undef, %option) = @{$row};
    my %short = $line !~ /timed out/ ? () : map { ("$_-timeout", "${SHORT}s") }
        qw(greeting command data final);
    my %common = (
        settings => {'host FIRST' => \%short},
        %option,
    );

    my $alone = $fate ne 'next' ? undef : Trial->new(
        hosts => {FIRST => {digest => 1, %{$script}}},
        route => 'FIRST',
        %common,
    )->start;
    my $pair = Trial->new(
        hosts => {FIRST => {digest => 1, %{$script}}, SECOND => {digest => 1}},
        route => 'FIRST/pri=0, SECOND/pri=10',
        %common,
    )->start;
    return ($alone, $pair);
}

sub check_row {
    my ($row, $alone, $pair) = @_;
    my ($script, $fate, $line, $saw, $kind) = @{$row};

    $_->wait for grep { defined } $alone, $pair;
    if ($fate eq 'next') {
        is $alone->status, 75, 'alone: deferred';
        matches($alone->line, $line, 'alone: the line');
        check_saw($alone, $saw);
        is $pair->status, 0, 'delivered';
        like $pair->line, qr/^2\.0\.0 SECOND: 250 /, 'by the second host';
        check_saw($pair, $saw);
        is_deeply [$pair->saw('SECOND')],
            [$DELIVERY], 'the second host saw';
        check_log($pair, own_line($pair, $alone->line, $line), $kind);
    } else {
        is $pair->status, $fate, 'exit status';
        matches($pair->line, $line, 'the line');
        check_saw($pair, $saw);
        is_deeply [$pair->saw('SECOND')], [], 'the second host was not tried';
        check_log($pair, $pair->line, $kind);
    }
    return;
}

sub matches {
    my ($got, $expected, $what) = @_;

    ref $expected ? like($got, $expected, $what) : is($got, $expected, $what);
    return;
}

sub check_saw {
    my ($trial, $expected) = @_;
    my @saw = $trial->saw('FIRST');

    is scalar @saw, 1, 'one connection with the first host';
    matches($saw[0], $expected, 'the first host saw');
    return;
}

# The line that this run would have ended with, had its host been alone: where
# $expected is a pattern, two runs need not end alike.
sub own_line {
    my ($pair, $line, $expected) = @_;
    my ($text) = map { /^Connection Error: .* details: (.*) interface: /s }
        ($pair->log)[1];

    return $line if !ref $expected || !defined $text;
    my $own = $line =~ s/^(\S+ FIRST: ).*/$1$text/sr;
    return $own =~ $expected ? $own : $line;
}

sub check_log {
    my ($pair, $line, $kind) = @_;
    my @log = $pair->log;

    is $log[0], 'New SMTP DCID 1 interface 127.0.0.1 address FIRST',
        'log: connected';
    matches($log[1], ref $kind ? $kind : log_line($kind, $line),
        'log: what came of it');
    is scalar(grep { /to=<.*status=/ } @log), 0, 'log: nothing like status=';
    return;
}

# The line of a kind for what the verdict says.
sub log_line {
    my ($kind, $line) = @_;

    $line =~ s/\Q$UNSURE\E$//;
    my ($dsn, $text) = $line =~ /^(\S+) FIRST: (.*)/;
    my ($code, $reply, $where) =
        $text =~ /^(\d{3})(?: (?!\(in )(.*?))?(?: \(in (?:reply to )?(.*)\))?$/;
    $reply //= '';
    if ($kind eq 'Connection Error') {
        my $reason = defined $code ? 'unexpected SMTP response'
            : 'network error';
        return 'Connection Error: DCID 1 domain: example.com IP: FIRST '
            . "details: $text interface: 127.0.0.1 reason: $reason";
    } elsif ($kind eq 'Delivered') {
        return 'Delivered: DCID 1 to RID [0] Response ' . ($reply || $code);
    }
    my $what = defined $code ? "in reply to $where ('$code', ['$reply'])"
        : $text;
    return "$kind: DCID 1 to RID [0] - $dsn - $what";
}

sub try_trials {
    my (@rows) = @_;

    while (my @batch = splice @rows, 0, $BATCH) {
        my @trials = map { scalar start_trial(%{ $_->[1] }) } @batch;
        for my $row (@batch) {
            my $trial = shift @trials;
            subtest $row->[0] => sub {
                skip_without_ipv6() if !defined $trial;
                check_trial($trial->wait, @{$row});
            };
        }
    }
    return;
}

# undef: there is no place here for one of the hosts.
sub start_trial {
    my (%given) = @_;
    my @addresses = map { $_->{address} // () } values %{ $given{hosts} };

    return if !has_ipv6() && grep { /:/ } @addresses;
    return Trial->new(%given)->start;
}

sub check_trial {
    my ($trial, undef, undef, $status, $line, $saw, @log) = @_;
    my @logged = grep { !/^host \S+ is (?:down|up)\b/ } $trial->log;

    is $trial->status, $status, 'exit status';
    matches($trial->line, $line, 'the line');
    for my $host (sort keys %{$saw}) {
        my @saw = $trial->saw($host);
        my @expected = @{ $saw->{$host} };
        is scalar @saw, scalar @expected, "connections with $host";
        matches(shift @saw, $_, "$host saw") for @expected;
    }
    is scalar(grep { /to=<.*status=/ } @logged), 0,
        'log: nothing like status=';
    return if !@log;
    is scalar @logged, scalar @log, 'log: lines' or diag join "\n", @logged;
    matches(shift @logged, $_, 'log') for @log;
    return;
}

1;
