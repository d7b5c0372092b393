#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# smtproutectl probe: what it says of TLS, certificates and AUTH, what hosts see
# of it, and that credentials are for the right ones only.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent ();
use Ctl ();
use Fixture;
use Profiles;
use Sasl ();
use Secrets;
use SignedZone ();
use SmtpHost ();
use TestCa ();

my $MS = qr/ +\d+\.\d ms/;
my $OTHER = TestCa->new('Other Root');
my @NAMES = (names => ['mx1.example.com'], addresses => ['127.0.0.1']);
my $RIGHT = $CA->certificate(@NAMES);
my @FORMS = map { secret_forms($USERNAME, $_) } $PASSWORD, $TOKEN;

# For hosts that are silent: as short as can be.
# A whole dialogue on a busy machine comes before what is waited for.
my %SHORT = ('command-timeout' => '5s');

# Parts of what is said.
my @CLEAR = ('connect', 'greeting 220 host.example ESMTP',
    'EHLO 250 host.example');
my @HELLO = (@CLEAR, 'PIPELINING, STARTTLS');
my @START = (@HELLO, 'STARTTLS 220 2.0.0 ready for TLS');
my $TLS13 = qr/^TLS TLSv1\.3 TLS_\S+$/;
my @WITHIN = ('EHLO 250 host.example', 'PIPELINING');
my $QUIT = 'QUIT 221 2.0.0 bye';
my @MAIL = ('MAIL 250 2.1.0 ok', 'RSET 250 2.0.0 ok', $QUIT);
my @WORKS = (@MAIL, 'result works');
my $VERIFIED = 'verified as 127.0.0.1';

# What is said of a certificate; more: what differs.
sub shown {
    my (%more) = @_;
    my %said = (
        subject => 'CN=host.example',
        names   => 'mx1.example.com, 127.0.0.1',
        issuer  => 'CN=Test Root',
        end     => 'expires in 30 days',
        %more,
    );

    return (map({ "$_ $said{$_}" } qw(subject names issuer)), $said{end});
}

sub fails {
    my ($why) = @_;

    return ref $why ? qr/^result does not work: $why/
        : "result does not work: $why";
}

# STARTTLS with a certificate that is not right: what is said up to the second
# EHLO.  With secure nothing comes after that.
sub wrong {
    my ($why, @shown) = @_;

    return (@START, $TLS13, @{$why}, @shown, @WITHIN);
}

sub unverified {
    my ($why) = @_;

    return ($QUIT, fails("TLS: certificate verification failed: $why"));
}

sub certificate {
    my (%option) = @_;

    return {tls => {certificate => $CA->certificate(%option)}};
}

my $SECURED = 'EHLO STARTTLS tls EHLO MAIL RSET QUIT';
my $LOOK = 'EHLO STARTTLS tls EHLO QUIT';
my $FULL = 'EHLO MAIL RSET QUIT';
my $EXPIRED = 'certificate has expired';
my $MISMATCH = 'hostname mismatch (expected mx2.example.com)';
my $SELF_SIGNED = 'self-signed certificate';
my $UNKNOWN = 'unable to get local issuer certificate';
my @AGED = (names => ['x.example'], addresses => ['127.0.0.1']);

# Name, the host, options of its route, settings, exit status, the block, the
# stories of its connections.
my @rows = (
    # Levels.
    ['none', {}, '/tls=none', {}, 0, [@HELLO, @WORKS], $FULL],
    ['may', {}, '', {}, 0,
        [@START, $TLS13, $VERIFIED, shown(), @WITHIN, @WORKS], $SECURED],
    ['encrypt', {}, '/tls=encrypt', {}, 0,
        [@START, $TLS13, $VERIFIED, shown(), @WITHIN, @WORKS], $SECURED],
    ['secure', {}, '/tls=secure', {}, 0,
        [@START, $TLS13, $VERIFIED, shown(), @WITHIN, @WORKS], $SECURED],
    ['secure, by name', {}, '/tls=secure/tls-name=mx1.example.com', {}, 0,
        [@START, $TLS13, 'verified as mx1.example.com', shown(), @WITHIN,
            @WORKS], $SECURED],
    ['wrapper', {tls => {certificate => $RIGHT, wrapper => 1}}, '/tls=wrapper',
        {}, 0, ['connect', $TLS13, $VERIFIED, shown(), $CLEAR[1], @WITHIN,
            @WORKS], 'tls EHLO MAIL RSET QUIT'],
    ['dane, of an address', {}, '/tls=dane', {}, 0,
        [@START, $TLS13, 'not verified (no TLSA records); as tls=encrypt',
            shown(), @WITHIN, @WORKS], $SECURED],
    ['TLS 1.2', {tls => {certificate => $RIGHT, max => 'TLSv1.2'}},
        '/tls=secure', {}, 0,
        [@START, qr/^TLS TLSv1\.2 ECDHE-\S+$/, $VERIFIED, shown(), @WITHIN,
            @WORKS], $SECURED],

    # Certificates.
    ['secure, expired', certificate(@AGED, expired => 1), '/tls=secure', {}, 1,
        [wrong(["not verified: $EXPIRED"],
            shown(names => 'x.example, 127.0.0.1', end => 'expired 1 day ago')),
            unverified($EXPIRED)], $LOOK],
    ['may, expired', certificate(@AGED, expired => 1), '', {}, 0,
        [wrong(["not verified: $EXPIRED; no matter", 'with tls=may'],
            shown(names => 'x.example, 127.0.0.1', end => 'expired 1 day ago')),
            @WORKS], $SECURED],
    ['secure, another name', {}, '/tls=secure/tls-name=mx2.example.com', {}, 1,
        [wrong([qr/^not verified: hostname mismatch \(expected$/i,
            'mx2.example.com)'], shown()), $QUIT,
            qr/^result does not work: TLS: certificate verification failed: \Q$MISMATCH\E$/i],
        $LOOK],
    ['encrypt, another name', {}, '/tls=encrypt/tls-name=mx2.example.com', {},
        0, [wrong([qr/^not verified: hostname mismatch \(expected$/i,
            'mx2.example.com); no matter with tls=encrypt'], shown()), @WORKS],
        $SECURED],
    ['secure, self-signed', certificate(@NAMES, self_signed => 1),
        '/tls=secure', {}, 1,
        [wrong(["not verified: $SELF_SIGNED"],
            shown(issuer => 'CN=host.example')),
            unverified($SELF_SIGNED)], $LOOK],
    ['encrypt, self-signed', certificate(@NAMES, self_signed => 1),
        '/tls=encrypt', {}, 0,
        [wrong(["not verified: $SELF_SIGNED; no matter",
            'with tls=encrypt'],
            shown(issuer => 'CN=host.example')), @WORKS], $SECURED],
    ['secure, another authority',
        {tls => {certificate => $OTHER->certificate(@NAMES)}}, '/tls=secure',
        {}, 1,
        [wrong(["not verified: $UNKNOWN"], shown(issuer => 'CN=Other Root')),
            unverified($UNKNOWN)], $LOOK],
    ['wrapper, another authority', {tls => {wrapper => 1,
            certificate => $OTHER->certificate(@NAMES)}}, '/tls=wrapper',
        {}, 1,
        ['connect', $TLS13, "not verified: $UNKNOWN",
            shown(issuer => 'CN=Other Root'), $CLEAR[1], @WITHIN,
            unverified($UNKNOWN)], 'tls EHLO QUIT'],
    ['no names', certificate(), '/tls=encrypt', {}, 0,
        [@START, $TLS13, qr/^not verified: IP address mismatch \(expected$/i,
            '127.0.0.1); no matter with tls=encrypt', shown(names => 'none'),
            @WITHIN, @WORKS], $SECURED],
    ['many names', certificate(addresses => ['127.0.0.1'],
            names => [map { "mail$_.example.com" } 1 .. 6]), '', {}, 0,
        [@START, $TLS13, $VERIFIED, 'subject CN=host.example',
            'names mail1.example.com, mail2.example.com,',
            'mail3.example.com, mail4.example.com,',
            'mail5.example.com, mail6.example.com,', '127.0.0.1',
            'issuer CN=Test Root', 'expires in 30 days', @WITHIN, @WORKS],
        $SECURED],
    ['more of them than anybody reads', certificate(
            addresses => ['127.0.0.1'],
            names => [map { "m$_.example.com" } 1 .. 30]), '', {}, 0,
        [@START, $TLS13, $VERIFIED, 'subject CN=host.example',
            qr/^names m1\./, (qr/,$/) x 8, qr/m20\.example\.com, \.\.\.$/,
            'issuer CN=Test Root', 'expires in 30 days', @WITHIN, @WORKS],
        $SECURED],
    ['control characters', certificate(@NAMES, common_name => "a\e[31m\a"),
        '', {}, 0,
        [@START, $TLS13, $VERIFIED, qr/^subject CN=a[ -~]+$/,
            (shown())[1 .. 3], @WITHIN, @WORKS], $SECURED],
    ['expires tomorrow', certificate(@NAMES, days => 1), '/tls=secure', {}, 0,
        [@START, $TLS13, $VERIFIED, shown(end => 'expires in 1 day'), @WITHIN,
            @WORKS], $SECURED],
    ['expires today', certificate(@NAMES, days => 0), '/tls=secure', {}, 0,
        [@START, $TLS13, $VERIFIED, shown(end => 'expires within a day'),
            @WITHIN, @WORKS], $SECURED],
    ['not valid yet', certificate(@NAMES, early => 1), '/tls=secure', {}, 1,
        [wrong(['not verified: certificate is not yet valid'], shown()),
            unverified('certificate is not yet valid')], $LOOK],

    # STARTTLS.
    ['may, not offered', {tls => undef}, '', {}, 0,
        [@CLEAR, 'PIPELINING', 'STARTTLS not offered', @WORKS], $FULL],
    (map { ["$_, not offered", {tls => undef}, "/tls=$_", {}, 1,
            [@CLEAR, 'PIPELINING', 'STARTTLS not offered', $QUIT,
                fails("STARTTLS: not offered, but required (tls=$_)")],
            'EHLO QUIT'] } qw(encrypt secure dane)),
    ['required, and no EHLO', {ehlo => '502 5.5.1 what?'}, '/tls=encrypt',
        {}, 1, [@CLEAR[0, 1], 'EHLO 502 5.5.1 what?', 'HELO 250 host.example',
            'STARTTLS not offered', $QUIT,
            fails('STARTTLS: not offered, but required (tls=encrypt)')],
        'EHLO HELO QUIT'],
    ['may, refused', {starttls => '454 4.7.0 no'}, '', {}, 0,
        [@HELLO, 'STARTTLS 454 4.7.0 no', @WORKS],
        'EHLO STARTTLS MAIL RSET QUIT'],
    ['required, refused', {starttls => '454 4.7.0 no'}, '/tls=encrypt', {}, 1,
        [@HELLO, 'STARTTLS 454 4.7.0 no', $QUIT,
            fails('STARTTLS: 454 4.7.0 no')], 'EHLO STARTTLS QUIT'],
    ['may, 421', {starttls => {reply => '421 4.3.2 bye', then => 'close'}},
        '', {}, 1, [@HELLO, 'STARTTLS 421 4.3.2 bye',
            fails('STARTTLS: 421 4.3.2 bye')], 'EHLO STARTTLS'],
    (map { ["$_, a reply before its time",
            {starttls => \"220 go\r\n250 host.example\r\n"}, "/tls=$_", {}, 1,
            [@HELLO, 'STARTTLS 220 go', 'STARTTLS reply out of turn',
                fails('STARTTLS: reply out of turn')], 'EHLO STARTTLS'] }
        qw(may encrypt)),

    # Handshakes.
    ['may, closed', {handshake => 'close'}, '', {}, 0,
        [@START, qr/^TLS handshake failed: connection lost/,
            'going on in clear text', @HELLO, @WORKS],
        'EHLO STARTTLS -tls', $FULL],
    ['may, then nobody is there', {per_connection => [
            {handshake => 'close'}, {greeting => '554 5.3.2 no'}]}, '', {}, 1,
        [@START, qr/^TLS handshake failed: /, 'going on in clear text',
            'connect', 'greeting 554 5.3.2 no', $QUIT,
            fails('greeting: 554 5.3.2 no')], 'EHLO STARTTLS -tls', 'QUIT'],
    ['encrypt, closed', {handshake => 'close'}, '/tls=encrypt', {}, 1,
        [@START, qr/^TLS handshake failed: connection lost/,
            fails(qr/TLS: handshake failed: connection lost/)],
        'EHLO STARTTLS -tls'],
    ['encrypt, rubbish', {handshake => \"250 hello to you\r\n"},
        '/tls=encrypt', {}, 1,
        [@START, qr/^TLS handshake failed: \w/,
            fails(qr/TLS: handshake failed: \w/)],
        'EHLO STARTTLS -tls'],
    ['encrypt, TLS 1.1', {tls => {certificate => $RIGHT, max => 'TLSv1.1'}},
        '/tls=encrypt', {}, 1, [@START, qr/^TLS handshake failed: /,
            fails(qr/TLS: handshake failed: /)], 'EHLO STARTTLS -tls'],
    ['may, TLS 1.1', {tls => {certificate => $RIGHT, max => 'TLSv1.1'}},
        '', {}, 0, [@START, qr/^TLS handshake failed: /,
            'going on in clear text', @HELLO, @WORKS],
        'EHLO STARTTLS -tls', $FULL],
    # With TLS 1.3 it comes after the handshake.
    ['may, an alert', {tls => {certificate => $RIGHT, clients => $CA->file}},
        '', {}, 0, [@START, $TLS13, $VERIFIED, shown(),
            qr/^TLS ended by the host: .*alert certificate required$/,
            'going on in clear text', @HELLO, @WORKS],
        qr/^EHLO STARTTLS (?:-tls|tls.*)$/, $FULL],
    ['encrypt, an alert', {tls => {certificate => $RIGHT,
            clients => $CA->file}}, '/tls=encrypt', {}, 1,
        [@START, $TLS13, $VERIFIED, shown(),
            qr/^TLS ended by the host: .*alert certificate required$/,
            fails(qr/TLS: ended by the host: .*alert certificate required$/)],
        qr/^EHLO STARTTLS (?:-tls|tls.*)$/],
    ['wrapper, an alert', {tls => {certificate => $RIGHT, wrapper => 1,
            clients => $CA->file}}, '/tls=wrapper', {}, 1,
        ['connect', $TLS13, $VERIFIED, shown(),
            qr/^TLS ended by the host: .*alert certificate required$/,
            fails(qr/TLS: ended by the host: .*alert certificate required$/)],
        qr/^(?:-tls|tls.*)$/],
    ['encrypt, silence', {handshake => 'silence'}, '/tls=encrypt', \%SHORT, 1,
        [@START, 'TLS handshake timed out after 5 s',
            fails('TLS: handshake timed out after 5 s')],
        'EHLO STARTTLS -tls'],
    ['wrapper, silence', {tls => {certificate => $RIGHT, wrapper => 1},
            handshake => 'silence'}, '/tls=wrapper', \%SHORT, 1,
        ['connect', 'TLS handshake timed out after 5 s',
            fails('TLS: handshake timed out after 5 s')], '-tls'],
    ['closed behind the handshake', {ehlo_tls => 'close'}, '/tls=secure', {},
        1, [@START, $TLS13, $VERIFIED, shown(), 'EHLO connection lost',
            fails('EHLO: connection lost')], 'EHLO STARTTLS tls EHLO'],

    # Settings.
    ['secure, no file of authorities', {}, '/tls=secure',
        {'tls-ca-file' => '/nonexistent'}, 1,
        [@START, 'TLS tls-ca-file /nonexistent: No such file or directory',
            fails('TLS: tls-ca-file /nonexistent: No such file or directory')],
        'EHLO STARTTLS'],
    ['may, no file of authorities', {}, '', {'tls-ca-file' => '/nonexistent'},
        0, [@START, $TLS13, 'not verified (tls=may)', shown(), @WITHIN,
            @WORKS], $SECURED],
    ['no such ciphers', {}, '', {'tls-ciphers' => 'ROT13'}, 1,
        [@START, 'TLS tls-ciphers: no cipher match',
            fails('TLS: tls-ciphers: no cipher match')], 'EHLO STARTTLS'],
);

# The same where the host wants AUTH.  These hosts have keywords of their own.
my @SASL = (keywords => ['X'], keywords_tls => ['AUTH PLAIN LOGIN CRAM-MD5']);
my @X = (@CLEAR, 'X, STARTTLS', $START[4]);
my $AUTH = 'AUTH PLAIN LOGIN CRAM-MD5';
my @SECURE = (@X, $TLS13, $VERIFIED, shown(), 'EHLO 250 host.example');
my $IN_TLS = 'EHLO STARTTLS tls EHLO';
my @WELCOME = ('AUTH 235 2.7.0 welcome', 'by PLAIN as relay (profile ex)');
my @TRY = ('by PLAIN as relay (profile ex)', $QUIT);
my $EX = '/tls=secure/auth=ex';

# A host that wants our password, or token; what the tool says of this host.
sub host {
    my (%option) = @_;

    return {Sasl::script(username => $USERNAME, password => $PASSWORD,
        tls => {certificate => $RIGHT}, @SASL, %option)};
}

sub host_for_token {
    my ($mechanism) = @_;

    return {Sasl::script(username => $USERNAME, token => $TOKEN,
        mechanisms => [$mechanism], tls => {certificate => $RIGHT}, @SASL,
        keywords_tls => ["AUTH $mechanism"])};
}

sub profile {
    my (@how) = @_;

    return {'auth ex' => {username => $USERNAME, @how}};
}

my @BY_TOKEN = profile('token-file' => secret_file("$TOKEN\n"));
my $UNSAFE = secret_file($PASSWORD, 0644);
my $EMPTY = secret_file('');

sub untried {
    my ($why) = @_;

    return [@SECURE, $AUTH, 'AUTH not tried', $QUIT, fails($why)];
}

push @rows, (
    ['PLAIN', host(), $EX, {}, 0, [@SECURE, $AUTH, @WELCOME, @WORKS],
        "$IN_TLS AUTH MAIL RSET QUIT"],
    (map { ["$_", host(mechanisms => [$_], keywords_tls => ["AUTH $_ GSSAPI"]),
            $EX, {}, 0, [@SECURE, "AUTH $_ GSSAPI", $WELCOME[0],
                "by $_ as relay (profile ex)", @WORKS],
            qr/^$IN_TLS AUTH( \+){1,2} MAIL RSET QUIT$/] } qw(LOGIN CRAM-MD5)),
    (map { ["$_", host_for_token($_), $EX, @BY_TOKEN, 0,
            [@SECURE, "AUTH $_", $WELCOME[0],
                "by $_ as relay (profile ex)", @WORKS],
            "$IN_TLS AUTH MAIL RSET QUIT"] } qw(XOAUTH2 OAUTHBEARER)),
    ['a token that is refused', host_for_token('XOAUTH2'), $EX,
        profile('token-file' => secret_file('another')), 1,
        [@SECURE, 'AUTH XOAUTH2', 'AUTH 535 5.7.8 who are you',
            'by XOAUTH2 as relay (profile ex)', $QUIT,
            fails('AUTH: 535 5.7.8 who are you')], "$IN_TLS AUTH QUIT"],
    ['refused', host(auth => '535 5.7.8 who are you'), $EX, {}, 1,
        [@SECURE, $AUTH, 'AUTH 535 5.7.8 who are you', @TRY,
            fails('AUTH: 535 5.7.8 who are you')], "$IN_TLS AUTH QUIT"],
    ['deferred', host(auth => '454 4.7.0 later'), $EX, {}, 1,
        [@SECURE, $AUTH, 'AUTH 454 4.7.0 later', @TRY,
            fails('AUTH: 454 4.7.0 later')], "$IN_TLS AUTH QUIT"],
    ['AUTH 421', host(auth => {reply => '421 4.3.2 bye', then => 'close'}), $EX,
        {}, 1, [@SECURE, $AUTH, 'AUTH 421 4.3.2 bye', $TRY[0],
            fails('AUTH: 421 4.3.2 bye')], "$IN_TLS AUTH"],
    ['closed', host(auth => 'close'), $EX, {}, 1,
        [@SECURE, $AUTH, 'AUTH connection lost',
            fails('AUTH: connection lost')], "$IN_TLS AUTH"],
    ['silence', host(auth => 'silence'), $EX, \%SHORT, 1,
        [@SECURE, $AUTH, 'AUTH timed out after 5 s',
            fails('AUTH: timed out after 5 s')], "$IN_TLS AUTH"],
    ['no challenge', host(auth => '334 ?!'), $EX, {}, 1,
        [@SECURE, $AUTH, 'AUTH unusable challenge',
            fails('AUTH: unusable challenge')], "$IN_TLS AUTH"],
    ['challenges without end', host(auth => '334 '), $EX, {}, 1,
        [@SECURE, $AUTH, 'AUTH too many challenges',
            fails('AUTH: too many challenges')], qr/^$IN_TLS AUTH( \*)+$/],
    ['a mechanism that it does not have after all',
        host(mechanisms => ['LOGIN']), $EX, {}, 0,
        [@SECURE, $AUTH, 'AUTH 504 5.5.4 what', $TRY[0], $WELCOME[0],
            'by LOGIN as relay (profile ex)', @WORKS],
        qr/^$IN_TLS AUTH AUTH( \+){1,2} MAIL RSET QUIT$/],
    ['none of them', host(auth => '504 5.5.4 what'), $EX, {}, 1,
        [@SECURE, $AUTH, map({ ('AUTH 504 5.5.4 what',
            "by $_ as relay (profile ex)") } qw(PLAIN LOGIN CRAM-MD5)), $QUIT,
            fails('AUTH: 504 5.5.4 what')], "$IN_TLS AUTH AUTH AUTH QUIT"],
    ['AUTH is not offered', host(keywords_tls => ['Y']), $EX, {}, 1,
        [@SECURE, 'Y', 'AUTH not offered', $QUIT, fails('AUTH: not offered')],
        "$IN_TLS QUIT"],
    ['AUTH is offered before TLS', host(keywords => [$AUTH],
            keywords_tls => ['Y']), $EX, {}, 1,
        [@CLEAR, "$AUTH, STARTTLS", @SECURE[4 .. $#SECURE], 'Y',
            'AUTH not offered', $QUIT, fails('AUTH: not offered')],
        "$IN_TLS QUIT"],
    ['what we cannot do is offered', host(
            keywords_tls => ["AUTH GSSAPI NT\eLM"]), $EX, {}, 1,
        [@SECURE, 'AUTH GSSAPI NT?LM',
            'AUTH no usable mechanism offered (GSSAPI NT?LM)', $QUIT,
            fails('AUTH: no usable mechanism offered (GSSAPI NT?LM)')],
        "$IN_TLS QUIT"],
    ['a token for a host that wants passwords', host(), $EX, @BY_TOKEN, 1,
        [@SECURE, $AUTH, 'AUTH no usable mechanism offered (PLAIN LOGIN '
            . 'CRAM-MD5)', $QUIT,
            fails('AUTH: no usable mechanism offered (PLAIN LOGIN CRAM-MD5)')],
        "$IN_TLS QUIT"],
    ['MAIL is refused all the same', host(mail => '530 5.7.0 who?'), $EX, {},
        1, [@SECURE, $AUTH, @WELCOME, 'MAIL 530 5.7.0 who?', $QUIT,
            fails('MAIL: 530 5.7.0 who?')], "$IN_TLS AUTH MAIL QUIT"],

    # Credentials are for the right host, and need TLS.
    ['secure, another authority, and AUTH',
        host(tls => {certificate => $OTHER->certificate(@NAMES)}), $EX, {}, 1,
        [@X, $TLS13, "not verified: $UNKNOWN", shown(issuer => 'CN=Other Root'),
            'EHLO 250 host.example', $AUTH, 'AUTH not tried',
            unverified($UNKNOWN)], "$IN_TLS QUIT"],
    ['wrapper, another name, and AUTH',
        host(tls => {certificate => $RIGHT, wrapper => 1}),
        '/tls=wrapper/auth=ex/tls-name=mx2.example.com', {}, 1,
        ['connect', $TLS13, qr/^not verified: hostname mismatch/i,
            'mx2.example.com)', shown(), $CLEAR[1], 'EHLO 250 host.example',
            $AUTH, 'AUTH not tried', $QUIT,
            fails(qr/TLS: certificate verification failed: hostname/i)],
        'tls EHLO QUIT'],
    ['encrypt, another authority, and AUTH',
        host(tls => {certificate => $OTHER->certificate(@NAMES)}),
        '/tls=encrypt/auth=ex', {}, 0,
        [@X, $TLS13, 'not verified: unable to get local issuer',
            'certificate; no matter with tls=encrypt',
            shown(issuer => 'CN=Other Root'),
            'EHLO 250 host.example', $AUTH, @WELCOME, @WORKS],
        "$IN_TLS AUTH MAIL RSET QUIT"],
    ['may, and AUTH, which needs TLS', host(tls => undef, keywords => [$AUTH]),
        '/auth=ex', {}, 1,
        [@CLEAR, $AUTH, 'STARTTLS not offered', 'AUTH not tried', $QUIT,
            fails('STARTTLS: not offered, but AUTH needs it '
                . '(auth-in-clear = no)')], 'EHLO QUIT'],
    ['may, and AUTH, and the handshake fails', host(handshake => 'close'),
        '/auth=ex', {}, 1,
        [@X, qr/^TLS handshake failed: /, fails(qr/TLS: handshake failed: /)],
        'EHLO STARTTLS -tls'],
    ['none, and AUTH', host(keywords => [$AUTH]), '/tls=none/auth=ex', {}, 1,
        [@CLEAR, "$AUTH, STARTTLS", 'AUTH not tried', $QUIT,
            fails('AUTH: not in clear text (tls=none, auth-in-clear = no)')],
        'EHLO QUIT'],
    ['in clear text, as it was wanted',
        host(keywords => [$AUTH], mechanisms => ['CRAM-MD5']),
        '/tls=none/auth=ex', {'auth-in-clear' => 'yes'}, 0,
        [@CLEAR, "$AUTH, STARTTLS", $WELCOME[0],
            'by CRAM-MD5 as relay (profile ex)', @WORKS],
        'EHLO AUTH + MAIL RSET QUIT'],
    ['in clear text, since the handshake fails',
        host(keywords => [$AUTH], mechanisms => ['CRAM-MD5'],
            handshake => 'close'), '/auth=ex',
        {'auth-in-clear' => 'yes'}, 0,
        [@CLEAR, "$AUTH, STARTTLS", $START[4], qr/^TLS handshake failed: /,
            'going on in clear text', @CLEAR, "$AUTH, STARTTLS", $WELCOME[0],
            'by CRAM-MD5 as relay (profile ex)', @WORKS],
        'EHLO STARTTLS -tls', 'EHLO AUTH + MAIL RSET QUIT'],

    # Profiles.
    ['no such profile', host(), '/tls=secure/auth=absent', {}, 1,
        untried(qr{AUTH: /\S+/smtproute\.conf has no \[auth absent\]$}),
        "$IN_TLS QUIT"],
    ['no such file', host(), $EX, profile('password-file' => '/nonexistent'),
        1, untried('AUTH: /nonexistent: No such file or directory'),
        "$IN_TLS QUIT"],
    ['a file that others can read', host(), $EX,
        profile('password-file' => $UNSAFE), 1,
        untried(qr{AUTH: \Q$UNSAFE\E: mode 0644 and group \d+ let others have it; expected 0600, }),
        "$IN_TLS QUIT"],
    ['an empty file', host(), $EX, profile('password-file' => $EMPTY), 1,
        untried("AUTH: $EMPTY: empty"), "$IN_TLS QUIT"],
    ['a password in settings that others can read', host(), $EX,
        profile(password => $PASSWORD), 1,
        untried(qr{AUTH: /\S+/smtproute\.conf: mode 0644 }), "$IN_TLS QUIT"],

    # What it was told a host may say again.
    ['a host that shows the password', host(auth => sub {
            return "535 5.7.8 what is $PASSWORD, $_[0]?";
        }), $EX, {}, 1,
        [@SECURE, $AUTH, qr/^AUTH 535 5\.7\.8 what is \*+, AUTH PLAIN \*+\?$/,
            @TRY, fails(qr/AUTH: 535 5\.7\.8 what is \*+, /)],
        "$IN_TLS AUTH QUIT"],
    ['a host that shows it later', host(mail => "550 5.7.1 not $PASSWORD",
            quit => "221 bye, $PASSWORD"), $EX, {}, 1,
        [@SECURE, $AUTH, @WELCOME, qr/^MAIL 550 5\.7\.1 not \*+$/,
            qr/^QUIT 221 bye, \*+$/, fails(qr/MAIL: 550 5\.7\.1 not \*+$/)],
        "$IN_TLS AUTH MAIL QUIT"],
    ['a host that has known it before', host(
            greeting => "220 $PASSWORD ESMTP", keywords => [$PASSWORD]),
        '/tls=encrypt/auth=ex', {}, 0,
        ['connect', qr/^greeting 220 \*+ ESMTP$/, $CLEAR[2],
            qr/^\*+, STARTTLS$/, $START[4], $TLS13, $VERIFIED, shown(),
            'EHLO 250 host.example', $AUTH, @WELCOME, @WORKS],
        "$IN_TLS AUTH MAIL RSET QUIT"],
);

sub start_row {
    my ($row) = @_;
    my (undef, $script, $options, $settings) = @{$row};

    my $host = SmtpHost->new(
        keywords => ['PIPELINING'],
        tls      => {certificate => $RIGHT},
        %{$script},
    );
    my $agent = Agent->new(
        routes   => 'example.com ' . $host->destination . "$options\n",
        settings => settings('auth-in-clear' => 'no', %{$settings}),
    );
    return [$host, Ctl->start(conf => $agent->conf,
        arguments => ['probe', 'example.com'])];
}

sub check_row {
    my ($row, $host, $run) = @_;
    my ($name, undef, undef, undef, $status, $lines, @stories) = @{$row};

    $run->wait;
    is $run->status, $status, 'exit status';
    is $run->stderr, '', 'no complaint';
    my @got = $run->stages;
    is_like(shift @got // '(nothing)', $_, 'line') for @{$lines};
    is_deeply \@got, [], 'no other line';
    my @connections = $host->connections;
    is scalar @connections, scalar @stories, 'connections';
    for my $connection (@connections) {
        is_like(Sasl::story($connection), shift @stories, 'story');
        is_deeply [$connection->messages], [], 'no mail';
        is scalar(grep { /^(?:RCPT|DATA|BDAT)\b/ } $connection->commands), 0,
            'nor anything like it';
    }
    is_deeply [secrets_in(\@FORMS, $run->stdout)], [], 'nothing secret';
    unlike $run->stdout, qr/[^\n -~]/, 'printable ASCII';
    is_deeply [grep { length > 79 && !/^(?:route | +result )/ } $run->lines],
        [], '80 columns' if "@{$lines}" !~ /what is |no usable mechanism/;
    return;
}

try_all(\&start_row, \&check_row, @rows);

subtest 'what exactly it says' => sub {
    my $host = SmtpHost->new(%{ host() });
    my $agent = Agent->new(
        routes   => 'example.com ' . $host->destination . "$EX\n",
        settings => settings(),
    );
    my $run = Ctl->run(conf => $agent->conf,
        arguments => ['probe', 'example.com']);

    like $run->stdout, qr/
        ^127\.0\.0\.1\[127\.0\.0\.1\]:\d+\n
        \ {4}connect\ \ $MS\n
        \ {4}greeting\ $MS\ \ 220\ host\.example\ ESMTP\n
        \ {4}EHLO\ {5}$MS\ \ 250\ host\.example\n
        \ {27}X,\ STARTTLS\n
        \ {4}STARTTLS\ $MS\ \ 220\ 2\.0\.0\ ready\ for\ TLS\n
        \ {4}TLS\ {6}$MS\ \ TLSv1\.3\ TLS_\S+\n
        \ {27}verified\ as\ 127\.0\.0\.1\n
        \ {27}subject\ CN=host\.example\n
        \ {27}names\ \ \ mx1\.example\.com,\ 127\.0\.0\.1\n
        \ {27}issuer\ \ CN=Test\ Root\n
        \ {27}expires\ in\ 30\ days\n
        \ {4}EHLO\ {5}$MS\ \ 250\ host\.example\n
        \ {27}AUTH\ PLAIN\ LOGIN\ CRAM-MD5\n
        \ {4}AUTH\ {5}$MS\ \ 235\ 2\.7\.0\ welcome\n
        \ {27}by\ PLAIN\ as\ relay\ \(profile\ ex\)\n
        \ {4}MAIL\ {5}$MS\ \ 250\ 2\.1\.0\ ok\n
        \ {4}RSET\ {5}$MS\ \ 250\ 2\.0\.0\ ok\n
        \ {4}QUIT\ {5}$MS\ \ 221\ 2\.0\.0\ bye\n
        \ {4}result\ {4}works\n
        \n
        result\ {4}1\ of\ 1\ addresses\ works\n\z/mx, 'output';
};

subtest 'a silent greeting at port 465' => sub {
    skip_or_fail('only root has port 465') if $> != 0;
    my $host = SmtpHost->new(greeting => 'silence', port => 465,
        address => sprintf '127.47.%d.%d', $$ / 256 % 256, $$ % 256);
    my $agent = Agent->new(
        routes   => 'example.com ' . $host->destination . "\n",
        settings => settings('greeting-timeout' => '1s'),
    );
    my $run = Ctl->run(conf => $agent->conf,
        arguments => ['probe', 'example.com']);

    is $run->status, 1, 'exit status';
    like $run->stdout, qr/^\ +result\ +does\ not\ work:\ greeting:\ timed\ out
        \ after\ 1\ s;\ port\ 465\ usually\ wants\ tls=wrapper$/mx, 'why';
};

# What a delivery says is what probe says.
subtest 'a host of many names' => sub {
    my $host = SmtpHost->new(
        keywords => ['PIPELINING'],
        tls      => {certificate => $RIGHT},
    );
    my $agent = Agent->new(
        routes   => "example.com [localhost]:@{[$host->port]}/tls=secure\n",
        settings => settings(),
    );
    my $delivery = $agent->deliver;
    my $run = Ctl->run(conf => $agent->conf,
        arguments => ['probe', 'example.com']);
    my ($why) = $delivery->output =~ /:\d+: (TLS: .*)/;

    is $delivery->status, 75, 'a delivery defers';
    like $why, qr/\(expected localhost\)$/, 'for the name';
    is $run->status, 1, 'it does not work';
    like $run->stdout, qr/^    result    does not work: \Q$why\E$/m, 'why';
    my ($first, $second) = $host->connections;
    is_deeply [map { $_->tls ? $_->tls->{sni} : $_->sni } $first, $second],
        ['localhost', 'localhost'], 'SNI';
};

subtest 'dane' => sub {
    skip_or_fail(SignedZone->missing);
    my $host = SmtpHost->new(
        keywords => ['PIPELINING'],
        tls      => {certificate => $RIGHT},
    );
    my $port = $host->port;
    my $dns = SignedZone->new(
        signed => {'dane.example.' => [
            (map { "$_.dane.example. A 127.0.0.1" } qw(good bad none odd)),
            "_$port._tcp.good.dane.example. TLSA " . $RIGHT->tlsa(3, 1, 1),
            "_$port._tcp.bad.dane.example. TLSA " . $OTHER->tlsa(3, 1, 1),
            "_$port._tcp.odd.dane.example. TLSA " . $RIGHT->tlsa(1, 1, 1),
        ]},
    );
    my $agent = Agent->new(
        routes   => join('', map { "$_.example [$_.dane.example]:$port\n" }
            qw(good bad none odd)),
        settings => settings('dns-servers' => $dns->address, tls => 'dane'),
    );
    my %said = (
        good => [0, qr/^ +TLS .*\n +verified by TLSA 3 1 1\n +subject /m],
        bad  => [1, qr/^\ +TLS\ .*\n\ +not\ verified:\ no\ matching\ DANE\ TLSA\ records\n
            (?s:.*)^\ +result\ +does\ not\ work:\ TLS:\ certificate\ verification
            \ failed:\ no\ matching\ DANE\ TLSA\ records$/mix],
        none => [0, qr/^ +TLS .*\n +not verified \(no TLSA records\); as tls=encrypt\n +subject /m],
        odd  => [0, qr/^ +TLS .*\n +not verified \(no usable TLSA records\); as\n +tls=encrypt\n +subject /m],
    );

    for my $name (sort keys %said) {
        my ($status, $output) = @{ $said{$name} };
        my $run = Ctl->run(conf => $agent->conf,
            arguments => ['probe', "$name.example"]);
        is $run->status, $status, "$name: exit status";
        like $run->stdout, $output, "$name: output";
        is $run->stderr, '', "$name: no complaint";
    }
    $agent->configure(settings => settings(tls => 'dane',
        'dns-servers' => '127.0.0.1:1', 'connect-timeout' => '1s'));
    my $run = Ctl->run(conf => $agent->conf,
        arguments => ['probe', "[localhost]:$port"]);
    is $run->status, 1, 'no answer: exit status';
    like $run->stdout, qr/^    result    does not work: TLSA: cannot resolve: /m,
        'no answer: result';
    like $run->stdout, qr/^ +TLS .*\n +not verified\n +subject /m,
        'no answer: a look all the same';
};

done_testing;
