# SPDX-License-Identifier: BSD-2-Clause
#
# Rows that say what a host does with TLS and what has to come of it.
#
#   try_tls(
#       ['STARTTLS is refused', {starttls => '454 4.7.0 no'},
#           {tls => 'encrypt'}, 'next',
#           '4.7.4 FIRST: 454 4.7.0 no (in reply to STARTTLS)',
#           ['EHLO STARTTLS QUIT']],
#   );
#
# A row has a name; the script of the first host (SmtpHost), which has TLS as
# right() has it, unless tls is undef; its settings, of which "route" are
# options behind it in the route (all else is its [host] group) and "smtproute"
# is for everybody; its fate, "next" or the exit status; the line (undef for a
# delivery); its story in each connection (SmtpHost); the end of the log's line
# on TLS (see below); and options of Trial.  Lines and stories may be patterns.
#
# The log has no line on TLS; with "verified as x" or "not verified (y)" one on
# its success, with the protocol and cipher that the host saw; with anything
# else one on its failure under tls=may.
#
# Where "timed out" is in the line, or in that of the log, the first host's
# time-outs are $SHORT seconds.
#
# Alone in its route a host whose fate is "next" makes the agent defer with
# that line; before another host, which has no TLS, the message goes there.
# With tls=encrypt or more nothing of the message may ever come in clear.
#
#   $SHORT              as above: long enough for TLS, short enough to wait
#   $CA                 the authority that all hosts of try_tls() believe
#   right(%tls)         a host's option tls: a certificate of its own, for the
#                       names $NAME and 127.0.0.1, and %tls

package TlsTrial;

use strict;
use warnings;

use Exporter qw(import);
use Test::More;

use Failover qw($DELIVERY);
use TestCa ();
use Trial ();

our @EXPORT = qw($CA $NAME $SHORT right try_tls);

our $NAME = 'mx1.example.com';
our $SHORT = defined $ENV{SMTPROUTE_WRAPPER} ? 10 : 4;
our $CA;

# Rows at work at the same time.
my $BATCH = defined $ENV{SMTPROUTE_WRAPPER} ? 3 : 8;

sub right {
    my (%tls) = @_;

    return {
        certificate => $CA->certificate(names => [$NAME],
            addresses => ['127.0.0.1']),
        %tls,
    };
}

sub try_tls {
    my (@rows) = @_;

    while (my @batch = splice @rows, 0, $BATCH) {
        my @trials = map { [start_row(@{$_})] } @batch;
        for my $row (@batch) {
            my $trials = shift @trials;
            subtest $row->[0] => sub { check_row($row, @{$trials}) };
        }
    }
    return;
}

# Alone, if the next host has to be tried; and before another one.
sub start_row {
    my (undef, $script, $settings, $fate, $line, undef, $tls, %option) = @_;
    my $slow = grep { defined && /timed out/ } $line, $tls;
    my %host = ($slow ? map({ ("$_-timeout", "${SHORT}s") }
        qw(greeting command data final)) : (), %{$settings});
    my %all = ('tls-ca-file' => $CA->file,
        %{ delete $host{smtproute} // {} });
    my $options = delete $host{route} // '';
    my %common = (settings => {%all, 'host FIRST' => \%host}, %option);
    my %first = %{$script};
    $first{tls} = right(%{ $first{tls} // {} })
        if !exists $first{tls} || defined $first{tls};

    my $alone = $fate ne 'next' ? undef : Trial->new(
        hosts => {FIRST => {%first}},
        route => "FIRST$options",
        %common,
    )->start;
    my $pair = Trial->new(
        hosts => {FIRST => {%first}, SECOND => {}},
        route => "FIRST/pri=0$options, SECOND/pri=10/tls=none",
        %common,
    )->start;
    return ($alone, $pair);
}

sub check_row {
    my ($row, $alone, $pair) = @_;
    my (undef, undef, $settings, $fate, $line, $stories, $tls) = @{$row};

    for my $trial (grep { defined } $alone, $pair) {
        $trial->wait;
        check_stories($trial, $stories);
        check_tls_lines($trial, $tls);
        check_secrecy($trial, $settings);
    }
    if ($fate eq 'next') {
        is $alone->status, 75, 'alone: deferred';
        Failover::matches($alone->line, $line, 'alone: the line');
        is $pair->status, 0, 'delivered';
        like $pair->line, qr/^2\.0\.0 SECOND: 250 /, 'by the second host';
        is_deeply [$pair->saw('SECOND')], [$DELIVERY], 'the second host saw';
        check_error($pair, Failover::own_line($pair, $alone->line, $line));
    } else {
        is $pair->status, $fate, 'exit status';
        Failover::matches($pair->line, $line // qr/^2\.0\.0 FIRST: 250 /, 'the line');
        is_deeply [$pair->saw('SECOND')], [], 'the second host was not tried';
    }
    is scalar(grep { /to=<.*status=/ } $pair->log), 0,
        'log: nothing like status=';
    return;
}

sub check_stories {
    my ($trial, $expected) = @_;
    my @stories = map { $_->story } $trial->host('FIRST')->connections;

    is scalar @stories, scalar @{$expected}, 'connections with the first host';
    for my $story (@{$expected}) {
        Failover::matches(shift @stories // '', $story, 'the first host saw');
    }
    return;
}

sub check_tls_lines {
    my ($trial, $end) = @_;
    my @lines = grep { / TLS (?:success|failed:) / } $trial->log;
    my ($facts) = grep { defined }
        map { $_->tls } $trial->host('FIRST')->connections;

    if (!defined $end) {
        is_deeply \@lines, [], 'log: nothing on TLS';
    } elsif ($end =~ /verified/) {
        my ($version, $cipher) = map { $_ // 'none' }
            @{ $facts // {} }{qw(version cipher)};
        is_deeply \@lines, ["DCID 1 TLS success protocol $version "
            . "cipher $cipher $end"], 'log: TLS';
    } else {
        $end = quotemeta $end if !ref $end;
        is scalar @lines, 1, 'log: one line on TLS';
        like $lines[0] // '',
            qr/^DCID 1 TLS failed: $end; going on in clear text$/,
            'log: TLS failed';
    }
    return;
}

sub check_secrecy {
    my ($trial, $settings) = @_;
    my @connections = $trial->host('FIRST')->connections;
    my ($level) = ($settings->{route} // '') =~ m{/tls=(\w+)};

    $level //= $settings->{tls} // $settings->{smtproute}{tls} // 'may';
    return if $level eq 'none' || $level eq 'may';
    my @clear = grep { /^(?:MAIL|RCPT|DATA|BDAT|AUTH)\b/ }
        map { $_->commands_clear } @connections;
    is_deeply \@clear, [], 'no command that needs TLS in clear';
    is scalar(grep { !$_->tls } $trial->host('FIRST')->messages), 0,
        'no content in clear';
    return;
}

# The log's line on what was wrong with the first host, and whether it is down.
sub check_error {
    my ($pair, $line) = @_;
    my ($dsn, $text) = $line =~ /^(\S+) FIRST: (.*)/s;
    my ($code, $reply, $where) =
        $text =~ /^(\d{3}) (.*?) \(in (?:reply to )?(.*)\)$/;
    my $dcid = () = $pair->host('FIRST')->connections;

    my ($error) = grep { /^(?:Connection Error|Delayed): / } $pair->log;
    if (($where // '') =~ /^(?:MAIL|RCPT|DATA|message|end)/) {
        is $error, "Delayed: DCID $dcid to RID [0] - $dsn - in reply to "
            . "$where ('$code', ['$reply'])", 'log: the error';
    } else {
        my $reason = defined $code ? 'unexpected SMTP response'
            : $dsn ne '4.4.2' && $text =~ /^(?:START)?TLS: / ? 'TLS failed'
            : 'network error';
        # Two losses need not be the same one.
        s/(connection lost): (?:Connection reset by peer|Broken pipe)/$1/
            for $error, $text;
        is $error, "Connection Error: DCID $dcid domain: example.com "
            . "IP: FIRST details: $text interface: 127.0.0.1 reason: $reason",
            'log: the error';
    }
    my $down = $dsn eq '4.3.5' || ($where // '') =~ /^message/ ? 0 : 1;
    is scalar(grep { /^host .* is down / } $pair->log), $down,
        $down ? 'log: the host is down' : 'log: the host is not down';
    return;
}

1;
