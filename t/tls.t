#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# TLS: who has to offer it, and what becomes of mail if it does not come about.
# Who the peer is: t/tls-certificates.t; what is said then: t/tls-within.t.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Ctl ();
use Failover qw($DELIVERY $TIME_LIMIT try_trials);
use Fixture qw(skip_or_fail);
use TestCa ();
use TlsTrial;
use Trial ();

skip_or_fail(TestCa->missing);
$CA = TestCa->new;

my $CLEAR = $DELIVERY;
my $STARTED = "EHLO STARTTLS tls $DELIVERY";
my $WRAPPED = "tls $DELIVERY";
my $FAILED = 'EHLO STARTTLS -tls';
my @SECURE = (tls => 'secure', 'tls-name' => $NAME);
my @WRAPPER = (tls => 'wrapper', 'tls-name' => $NAME);
my $VERIFIED = "verified as $NAME";

my $LATE = "timed out after $SHORT s";

my %NONE = (tls => undef);

sub unoffered {
    my ($level) = @_;

    return "4.7.4 FIRST: STARTTLS: not offered, but required (tls=$level)";
}

# Each level with hosts that can and cannot.
my @levels = (
    ['none: not used', {}, {tls => 'none'}, 0, undef, [$CLEAR]],
    ['none: not there', {%NONE}, {tls => 'none'}, 0, undef, [$CLEAR]],
    ['may is the default', {}, {}, 0, undef, [$STARTED],
        'not verified (tls=may)'],
    ['may: used', {}, {tls => 'may'}, 0, undef, [$STARTED],
        'not verified (tls=may)'],
    ['may: not there', {%NONE}, {tls => 'may'}, 0, undef, [$CLEAR]],
    ['may: HELO only', {ehlo => '502 no'}, {tls => 'may'}, 0, undef,
        ["EHLO HELO MAIL RCPT DATA content QUIT"]],
    ['encrypt: used', {}, {tls => 'encrypt'}, 0, undef, [$STARTED],
        'not verified (tls=encrypt)'],
    ['encrypt: not there', {%NONE}, {tls => 'encrypt'}, 'next',
        unoffered('encrypt'), ['EHLO QUIT']],
    ['encrypt: stripped on the way', {tls => {offer => 0}},
        {tls => 'encrypt'}, 'next', unoffered('encrypt'), ['EHLO QUIT']],
    ['encrypt: replaced on the way', {keywords => ['SIZE 0', 'XXXXXXXA'],
            tls => {offer => 0}}, {tls => 'encrypt'}, 'next',
        unoffered('encrypt'), ['EHLO QUIT']],
    ['encrypt: HELO only', {ehlo => '502 no'}, {tls => 'encrypt'}, 'next',
        unoffered('encrypt'), [qr/^EHLO(?: HELO)? QUIT$/]],
    ['secure: used', {}, {@SECURE}, 0, undef, [$STARTED], $VERIFIED],
    ['secure: not there', {%NONE}, {@SECURE}, 'next', unoffered('secure'),
        ['EHLO QUIT']],
    ['secure: HELO only', {ehlo => '502 no'}, {@SECURE}, 'next',
        unoffered('secure'), [qr/^EHLO(?: HELO)? QUIT$/]],
    ['wrapper: used', {tls => {wrapper => 1}}, {@WRAPPER}, 0, undef,
        [$WRAPPED], $VERIFIED],
    ['wrapper: a host that speaks first', {}, {@WRAPPER}, 'next',
        '4.7.5 FIRST: TLS: handshake failed: wrong version number; '
            . 'the port begins without TLS, try tls=secure',
        [qr/^(?!.*(?:EHLO|MAIL))/]],
    ['encrypt: a host that waits for TLS', {tls => {wrapper => 1}},
        {tls => 'encrypt'}, 'next',
        "4.4.2 FIRST: greeting: $LATE", ['']],
    ['may: a host that waits for TLS', {tls => {wrapper => 1}},
        {tls => 'may'}, 'next',
        "4.4.2 FIRST: greeting: $LATE", ['']],
    ['the route option beats the group', {}, {tls => 'none',
            route => '/tls=encrypt'}, 0, undef, [$STARTED],
        'not verified (tls=encrypt)'],
    ['the group beats the default', {}, {tls => 'none',
            smtproute => {tls => 'encrypt'}}, 0, undef, [$CLEAR]],
    ['the default', {}, {smtproute => {tls => 'encrypt'}}, 0, undef,
        [$STARTED], 'not verified (tls=encrypt)'],
    ['offered in small letters', {keywords => ['starttls', 'size 0'],
            tls => {offer => 0}}, {tls => 'encrypt'}, 0, undef, [$STARTED],
        'not verified (tls=encrypt)'],
    ['offered with words behind it', {keywords => ['STARTTLS REQUIRED'],
            tls => {offer => 0}}, {tls => 'encrypt'}, 0, undef, [$STARTED],
        'not verified (tls=encrypt)'],
    ['a word that begins like it', {keywords => ['STARTTLSX'],
            tls => {offer => 0}}, {tls => 'encrypt'}, 'next',
        unoffered('encrypt'), ['EHLO QUIT']],
);

# STARTTLS has another reply than 220.
sub refusals {
    my ($reply, $text) = @_;

    $text //= $reply;
    return (
        ["may: $reply", {starttls => $reply}, {tls => 'may'}, 0, undef,
            ['EHLO STARTTLS MAIL RCPT DATA content QUIT'],
            "$text (in reply to STARTTLS)"],
        map { ["$_->{tls}: $reply", {starttls => $reply}, $_, 'next',
            "4.7.4 FIRST: $text (in reply to STARTTLS)",
            ['EHLO STARTTLS QUIT']] } {tls => 'encrypt'}, {@SECURE},
    );
}

my @refused = (
    refusals('454 4.7.0 TLS not available'),
    refusals('502 5.5.1 not implemented'),
    refusals('501 5.5.4 no arguments'),
    refusals("454-4.7.0 not now\n454 4.7.0 later",
        '454 4.7.0 not now later'),
    (map { ["$_: closing", {starttls => '421 4.3.2 closing'}, {tls => $_},
            'next', '4.3.2 FIRST: 421 4.3.2 closing (in reply to STARTTLS)',
            ['EHLO STARTTLS']] } qw(may encrypt)),
    (map { ["$_: refused, then closed",
            {starttls => {reply => '454 no', then => 'close'}}, {tls => $_},
            'next', $_ eq 'may'
            ? qr/^4\.4\.2 FIRST: MAIL FROM: connection lost(?:: .*)?$/
            : '4.7.4 FIRST: 454 no (in reply to STARTTLS)',
            [$_ eq 'may' ? qr/^EHLO STARTTLS(?: MAIL)?$/
                : qr/^EHLO STARTTLS(?: QUIT)?$/],
            $_ eq 'may' ? '454 no (in reply to STARTTLS)' : undef]
        } qw(may encrypt)),
    (map { my $level = $_;
        map { ["$level: no reply: " . ($_->[0] =~ s/\s+/ /gr),
            {starttls => $_->[0]}, {tls => $level}, 'next',
            "4.4.2 FIRST: STARTTLS: $_->[1]", ['EHLO STARTTLS']] }
        ['close', 'connection lost'],
        ['reset', 'connection lost: Connection reset by peer'],
        ['silence', $LATE],
        ['hello', 'not an SMTP reply: hello'],
        ["220-a\n550 b", 'reply lines with different codes: 550 b'],
    } qw(may encrypt)),
    (map { my $level = $_;
        map { ["$level: $_", {starttls => $_}, {tls => $level}, 'next',
            "4.4.2 FIRST: STARTTLS: unexpected reply: " . s/ $//r,
            ['EHLO STARTTLS']] }
        '250 2.0.0 ok', '354 go ahead', '334 ',
    } qw(may encrypt)),
);

# Bytes behind the 220 that somebody else has put there (CVE-2011-0411), and
# that must not be taken for a reply within TLS.
my @injected = map {
    my $settings = $_;
    map { my ($name, $bytes) = @{$_};
        ["$settings->{tls}: injected: $name",
            {starttls => \"220 2.0.0 go\r\n$bytes"}, $settings, 'next',
            '4.7.5 FIRST: STARTTLS: reply out of turn', ['EHLO STARTTLS']] }
    ['a reply', "250 2.0.0 ok\r\n"],
    ['two replies', "250-x\r\n250 AUTH PLAIN\r\n250 2.1.0 ok\r\n"],
    ['part of a reply', '2'],
    ['an alert of TLS', "\x15\3\3\0\2\2\x28"],
    ['the end of a line', "\n"],
} {tls => 'may'}, {tls => 'encrypt'}, {@SECURE};
# Those that come later may meet our ClientHello on the way.
push @injected, ['encrypt: injected: bit by bit',
    {starttls => {reply => \"220 go\r\n250 ok\r\n", drip => .01}},
    {tls => 'encrypt'}, 'next', qr/^4\.7\.5\ FIRST:\ (?:STARTTLS:\ reply\ out
        \ of\ turn|TLS:\ handshake\ failed:\ wrong\ version\ number)$/x,
    [qr/^EHLO STARTTLS(?: -tls)?$/]];

# No TLS comes about: the host's script, and why in words.
my @handshakes = (
    ['close', {handshake => 'close'}, 'connection lost'],
    ['close after the 220', {starttls => {reply => '220 go',
        then => 'close'}}, qr/connection lost(?:: .*)?/],
    ['reset', {handshake => 'reset'},
        'connection lost: Connection reset by peer'],
    ['a line', {handshake => '454 4.7.0 no TLS today'},
        'wrong version number'],
    ['a line, and close',
        {handshake => {reply => '454 4.7.0 no TLS', then => 'close'}},
        'wrong version number'],
    ['an alert', {handshake => \"\x15\3\3\0\2\2\x28"},
        qr/.*alert handshake failure/],
    ['part of a record', {handshake => {reply => \"\x16\3\3",
        then => 'close'}}, 'connection lost'],
    ['rubbish in a record', {handshake => \"\x16\3\3\0\4\x63\0\0\0"},
        qr/unexpected message|.*/],
    ['TLS 1.1 only', {tls => {max => 'TLSv1.1'}},
        qr/(?:.*alert protocol version|unsupported protocol)/],
    ['ciphers that we do not have', {tls => {max => 'TLSv1.2',
        ciphers => 'ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0'}},
        qr/.*alert handshake failure/],
);

sub handshake_rows {
    my ($name, $script, $why) = @_;
    my $failed = ref $why ? qr/handshake failed: $why/
        : "handshake failed: $why";

    # Where the host does not wait for it there may be no ClientHello.
    my $story = defined $script->{starttls} ? qr/^EHLO STARTTLS\b/ : $FAILED;

    return (
        ["may: $name: the same host in clear", $script, {tls => 'may'}, 0,
            undef, [$story, $CLEAR], $failed],
        map { ["$_->{tls}: $name", $script, $_, 'next',
            ref $why ? qr/^4\.7\.5 FIRST: TLS: handshake failed: $why$/
                : "4.7.5 FIRST: TLS: handshake failed: $why",
            [$story]] } {tls => 'encrypt'}, {@SECURE},
    );
}

my @slow = (
    (map { ["may: $_->[0]: the same host in clear", $_->[1],
        {tls => 'may'}, 0, undef, [$FAILED, $CLEAR],
        "handshake $LATE"],
        ["encrypt: $_->[0]", $_->[1], {tls => 'encrypt'}, 'next',
        "4.7.5 FIRST: TLS: handshake $LATE", [$FAILED]],
    } ['silence', {handshake => 'silence'}],
        ['a record that never ends', {handshake =>
            {reply => \("\x16\3\3\x3f\xff" . "\0" x 100), drip => .1}}]),
    ['wrapper: silence', {tls => {wrapper => 1}, handshake => 'silence'},
        {@WRAPPER}, 'next',
        "4.7.5 FIRST: TLS: handshake $LATE", ['-tls']],
    ['wrapper: close', {tls => {wrapper => 1}, handshake => 'close'},
        {@WRAPPER}, 'next',
        '4.7.5 FIRST: TLS: handshake failed: connection lost', ['-tls']],
    ['may: a handshake that comes in time', {handshake => {delay => .2}},
        {tls => 'may'}, 0, undef, [$STARTED], 'not verified (tls=may)'],
);

# The host wants a certificate of ours.  With TLS 1.3 it says so after the
# handshake, as far as we see it, and may have closed by then.
sub wanted {
    my ($tls, $text) = @_;
    my %host = (tls => {%{$tls}, clients => $CA->file});
    my ($version) = values %{$tls};

    return (
        ["may: $version, our certificate is wanted", \%host, {tls => 'may'},
            0, undef, [$FAILED, $CLEAR], $text],
        (map { ["$_->{tls}: $version, our certificate is wanted", \%host, $_,
            'next', qr/^4\.7\.5 FIRST: TLS: $text$/, [$FAILED]] }
            {tls => 'encrypt'}, {@SECURE}),
        ["wrapper: $version, our certificate is wanted",
            {tls => {%{ $host{tls} }, wrapper => 1}}, {@WRAPPER}, 'next',
            qr/^4\.7\.5 FIRST: TLS: $text$/, ['-tls']],
    );
}

my @wanted = (
    wanted({max => 'TLSv1.2'}, qr/handshake failed: .*alert handshake failure/),
    wanted({min => 'TLSv1.3'},
        qr/ended by the host: .*alert certificate required/),
);

# The second connection of tls=may is one like any other.
my @fallen = (
    ['may: the second connection is refused', {per_connection =>
            [{handshake => 'close'}, {greeting => '554 5.7.1 not again'}]},
        {tls => 'may'}, 'next',
        '4.7.1 FIRST: 554 5.7.1 not again (in greeting)', [$FAILED, 'QUIT'],
        'handshake failed: connection lost'],
    ['may: the second connection has another recipient\'s fate',
        {per_connection => [{handshake => 'close'}, {rcpt => '550 5.1.1 no'}]},
        {tls => 'may'}, 67, '5.1.1 FIRST: 550 5.1.1 no (in reply to RCPT TO)',
        [$FAILED, 'EHLO MAIL RCPT QUIT'],
        'handshake failed: connection lost'],
    ['may: nothing that was offered counts in the second connection',
        {keywords => ['SIZE 1'], per_connection =>
            [{handshake => 'close'}, {keywords => ['SIZE 0']}]},
        {tls => 'may'}, 0, undef, [$FAILED, $CLEAR],
        'handshake failed: connection lost'],
);

# Settings of the protocol.
my $AES256 = 'ECDHE-ECDSA-AES256-GCM-SHA384';
my $AES128 = 'ECDHE-ECDSA-AES128-GCM-SHA256';
my @protocols = (
    ['TLS 1.2', {tls => {max => 'TLSv1.2'}}, {tls => 'encrypt'}, 0, undef,
        [$STARTED], 'not verified (tls=encrypt)'],
    ['TLS 1.3', {tls => {min => 'TLSv1.3'}}, {tls => 'encrypt'}, 0, undef,
        [$STARTED], 'not verified (tls=encrypt)'],
    (map { ["TLS 1.3 only, by $_->[0]", {tls => {max => 'TLSv1.2'}}, $_->[1],
        'next', qr/^4\.7\.5 FIRST: TLS: handshake failed: .*protocol/,
        [$FAILED]] }
        ['a group', {tls => 'encrypt', 'tls-min-protocol' => 'TLSv1.3'}],
        ['default', {tls => 'encrypt',
            smtproute => {'tls-min-protocol' => 'TLSv1.3'}}]),
    ['may: TLS 1.3 only', {tls => {max => 'TLSv1.2'}},
        {tls => 'may', 'tls-min-protocol' => 'TLSv1.3'}, 0, undef,
        [$FAILED, $CLEAR], qr/handshake failed: .*protocol.*/],
    ['TLS 1.1, if it may be', {tls => {max => 'TLSv1.1'}}, {tls => 'encrypt',
            'tls-min-protocol' => 'TLSv1.1',
            'tls-ciphers'      => 'DEFAULT:@SECLEVEL=0'}, 0, undef,
        [$STARTED], 'not verified (tls=encrypt)'],
    ['TLS 1, if it may be', {tls => {max => 'TLSv1'}}, {tls => 'encrypt',
            'tls-min-protocol' => 'TLSv1',
            'tls-ciphers'      => 'DEFAULT:@SECLEVEL=0'}, 0, undef,
        [$STARTED], 'not verified (tls=encrypt)'],
    ['ciphers, in common', {tls => {max => 'TLSv1.2'}}, {tls => 'encrypt',
            'tls-ciphers' => $AES128}, 0, undef, [$STARTED],
        'not verified (tls=encrypt)'],
    ['ciphers, none in common',
        {tls => {max => 'TLSv1.2', ciphers => $AES256}},
        {tls => 'encrypt', smtproute => {'tls-ciphers' => $AES128}}, 'next',
        qr/^4\.7\.5 FIRST: TLS: handshake failed: .*handshake failure$/,
        [$FAILED]],
    ['ciphers, not of TLS 1.3', {}, {tls => 'encrypt',
            'tls-ciphers' => $AES128}, 0, undef, [$STARTED],
        'not verified (tls=encrypt)'],
    (map { ["$_: ciphers that OpenSSL does not know", {}, {tls => $_,
            'tls-ciphers' => 'NO-SUCH-CIPHER'}, 'next',
        '4.3.5 FIRST: TLS: tls-ciphers: no cipher match',
        [qr/^(?:EHLO(?: STARTTLS)?(?: QUIT)?)?$/]] } qw(may encrypt)),
    ['none: ciphers do not matter', {}, {tls => 'none',
            'tls-ciphers' => 'NO-SUCH-CIPHER'}, 0, undef, [$CLEAR]],
);

try_tls(@levels, @refused, @injected, (map { handshake_rows(@{$_}) }
    @handshakes), @slow, @wanted, @fallen, @protocols);

# The time-out is paid once, not by every message; not where TLS must be.
subtest 'a handshake that hangs is remembered' => sub {
    my $trial = Trial->new(
        hosts => {FIRST => {tls => right(), handshake => 'silence'}},
        routes => "example.com FIRST\nexample.net FIRST/tls=encrypt\n",
        settings => {'command-timeout' => "${SHORT}s", 'retry-min' => '1h',
            'retry-max' => '1h'},
    );
    my $agent = $trial->agent;
    my @lines;

    for my $number (1 .. 3) {
        my $run = $agent->deliver;
        is $run->status, 0, "message $number: delivered";
        push @lines, [grep { / TLS / } $run->log_lines];
    }
    is_deeply [$trial->host('FIRST')->connections > 0
            ? map { $_->story } $trial->host('FIRST')->connections : ()],
        [$FAILED, ($CLEAR) x 3], 'one handshake for all';
    like $lines[0][-1], qr/DCID 1 TLS failed: handshake \Q$LATE\E; /,
        'log: it failed';
    like $lines[-1][-1], qr/DCID\ 4\ TLS\ not\ tried:\ a\ handshake\ timed\ out
        \ lately;\ going\ on\ in\ clear\ text$/x, 'log: it is not tried';
    # What people see of it, and how they end it.
    my $ctl = sub { Ctl->run(conf => $agent->conf, arguments => [@_])->stdout };
    my $not_tried = qr/^\ +tls\ +may,\ but\ not\ tried:\ a\ handshake\ timed\ out
        \ lately$/mx;
    like $ctl->('route', 'user@example.com'), $not_tried, 'route: not tried';
    like $ctl->('route', 'user@example.net'), qr/^ +tls +encrypt$/m,
        'route: where it must be';
    like $ctl->('retry'), qr/^\S+ is up, as if it had not failed$/m, 'retry';
    unlike $ctl->('route', 'user@example.com'), $not_tried, 'route: forgotten';
    is $ctl->('retry'), "no host is down\n", 'retry: once';
    my $again = $agent->deliver;
    like join("\n", $again->log_lines), qr/ TLS failed: handshake \Q$LATE\E; /,
        'it is tried again';
    my $run = $agent->deliver(recipients => ['user@example.net']);
    is $run->status, 75, 'where it must be it is tried';
    like $run->output, qr/^4\.7\.5 .*: TLS: handshake \Q$LATE\E$/, 'and fails';
};

# A port of its own kind: who waits for us to begin is told so, whatever comes
# of it.
for my $row (['silence', $LATE], ['close', 'connection lost'],
    [\"\x15\x03\x01\0\2\2\x28\r\n", qr/[ -~]+/]) {
    my ($greeting, $why) = @{$row};

    subtest 'a greeting at port 465: ' . (ref $greeting || $greeting) => sub {
        skip_or_fail('only root has port 465') if $> != 0;
        my %host = (greeting => $greeting, port => 465,
            address => sprintf '127.46.%d.%d', $$ / 256 % 256, $$ % 256);
        my $trial = Trial->new(
            hosts    => {FIRST => \%host},
            route    => 'FIRST',
            settings => {'greeting-timeout' => "${SHORT}s"},
        )->wait;

        is $trial->status, 75, 'deferred';
        like $trial->line, qr/\A4\.4\.2 FIRST: greeting: $why; port 465 /,
            'what came of it';
        like $trial->line, qr/; port 465 usually wants tls=wrapper\z/,
            'and what it wants';
    };
}

subtest 'nothing follows an injection, not even a ClientHello' => sub {
    my $trial = Trial->new(
        hosts => {FIRST => {tls => right(),
            starttls => \"220 go\r\n250 injected\r\n"}},
        route => 'FIRST',
    )->wait;

    my ($connection) = $trial->host('FIRST')->connections;
    is $connection->input, "EHLO agent.example\r\nSTARTTLS\r\n", 'input';
    ok !$connection->hello, 'no ClientHello';
};

# time-limit ends a handshake too, and no other host is begun.
my @limits = map { my ($level, $script, $line, $saw) = @{$_};
    ["time-limit, $level", {
            hosts => {A => {tls => right(), %{$script}}, B => {}},
            route => "A/tls=$level, B/pri=1",
            settings => {'time-limit' => "${TIME_LIMIT}s"},
        }, 75, $line, {$level eq 'may' ? () : (A => [$saw]), B => []}],
    } (['encrypt', {handshake => 'silence'}, '4.7.5 A: TLS: handshake '
            . 'time-limit reached; time-limit near, no other host was begun',
        'EHLO STARTTLS'],
    ['encrypt', {starttls => 'silence'}, '4.4.2 A: STARTTLS: '
            . 'time-limit reached; time-limit near, no other host was begun',
        'EHLO STARTTLS'],
    ['may', {handshake => 'silence'},
        qr/^4\.\d\.\d A: .*; time-limit near, /]);
try_trials(@limits);

# Each host refuses MAIL, but the last.
my $FULL = '452 4.3.1 full';
my $LINE = "$FULL (in reply to MAIL FROM)";
my %MIXED = (
    hosts => {
        CLEAR => {mail => $FULL},
        START => {tls => right(), mail_tls => $FULL},
        WRAP  => {tls => right(wrapper => 1), mail_tls => $FULL},
        LAST  => {tls => right()},
    },
    route => 'CLEAR/pri=0, ' . "START/pri=1/tls=secure/tls-name=$NAME, "
        . "WRAP/pri=2/tls=wrapper/tls-name=$NAME, LAST/pri=3/tls=none",
    settings => {'tls-ca-file' => $CA->file, 'host CLEAR' => {tls => 'none'}},
);
try_trials(['hosts of all kinds in one route', \%MIXED, 0,
    qr/^2\.0\.0 LAST: 250 /, {
        CLEAR => ['EHLO MAIL QUIT'],
        START => ['EHLO STARTTLS EHLO MAIL QUIT'],
        WRAP  => ['EHLO MAIL QUIT'],
        LAST  => [$DELIVERY],
    },
    'New SMTP DCID 1 interface 127.0.0.1 address CLEAR',
    qr/^Delayed: DCID 1 /,
    'New SMTP DCID 2 interface 127.0.0.1 address START',
    qr/^DCID 2 TLS success .* verified as \Q$NAME\E$/,
    qr/^Delayed: DCID 2 /,
    'New SMTP DCID 3 interface 127.0.0.1 address WRAP',
    qr/^DCID 3 TLS success .* verified as \Q$NAME\E$/,
    qr/^Delayed: DCID 3 /,
    'New SMTP DCID 4 interface 127.0.0.1 address LAST',
    qr/^Delivered: DCID 4 /]);

done_testing;
