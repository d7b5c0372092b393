#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# tls=dane: TLSA records (RFC 6698, RFC 7671, RFC 7672) against what the host
# presents, through a validating resolver of the test's own.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Fixture qw(new_folder read_file skip_or_fail write_file);
use SignedZone ();
use SmtpHost ();
use TestCa ();
use Trial ();

skip_or_fail(SignedZone->missing // TestCa->missing);

# Hosts' certificates come with the intermediate's, as a rule.
my $ROOT = TestCa->new;
my $CA = $ROOT->intermediate;
my $OTHER = TestCa->new('Other Root');

my $EXPIRED = {expired => 1};
my $WITH_ROOT = {with_root => 1};
my $ELSEWHERE = {names => ['elsewhere.example']};
my $SELF_SIGNED = {self_signed => 1, names => [], common_name => 'localhost'};

my $NONE = 'not verified (no TLSA records)';
my $INSECURE = 'not verified (TLSA records without DNSSEC)';
my $UNUSABLE = 'not verified (no usable TLSA records)';

# DSN, text and what the host saw.
my @TLS = ('4.7.5', 'TLS: certificate verification failed:',
    'EHLO STARTTLS -tls');
my @MISMATCH = ($TLS[0], "$TLS[1] no matching DANE TLSA records", $TLS[2]);
my @NOT_OFFERED = ('4.7.4',
    'STARTTLS: not offered, but required (tls=dane)', 'EHLO QUIT');
my @NO_ANSWER = ('4.7.5',
    'TLSA: cannot resolve: no DNS server has an answer', '');

# A row is a sentence; what is set up; and what has to come of it: how the log
# says that TLS began, and the host gets the message; or DSN, text, what the
# host saw and the reason in the log ("TLS failed"), and the next host gets it.
# Set up are
#   tlsa         data of the host's records; "own 3 1 1" stands for those of its
#                certificate, others are "other", "intermediate" and "root"
#   owner        of these, if it is not OWNER
#   certificate  options of TestCa (names: of the host), and with_root
#   zone         where the host's name is ("dane.example")
#   records      more of that zone's
#   bogus        names there whose signatures are broken
#   fails        what a server does that is asked for OWNER: servfail, deny
#   host         options of SmtpHost
#   route        of the host ("[NAME]:PORT/tls=dane")
#   settings
#   sni          the name in the ClientHello (NAME: RFC 7672 section 8.1)
# In all texts NAME is the host's name and UCNAME that in capitals, PORT its
# port, OWNER the name of its TLSA records, RESOLVER the resolver's address.

# DANE-EE (3): the key or certificate is the host's, nothing else counts.
my @host_keys = (
    (map { ["$_", {tlsa => ["own $_"]}, "verified by TLSA $_"] }
        '3 1 1', '3 0 1', '3 1 2', '3 0 2', '3 1 0', '3 0 0'),
    (map { ["$_ of another host", {tlsa => ["other $_"]}, @MISMATCH] }
        '3 1 1', '3 0 1', '3 1 2', '3 1 0'),
    ['the digest of a key as that of a certificate',
        {tlsa => [sub { $_[0]->tlsa(3, 1, 1) =~ s/3 1/3 0/r }]}, @MISMATCH],
    ['the authority\'s key as the host\'s', {tlsa => ['intermediate 3 1 1']},
        @MISMATCH],
    ['3 1 1, expired (RFC 7672 section 3.1.1)',
        {tlsa => ['own 3 1 1'], certificate => $EXPIRED},
        'verified by TLSA 3 1 1'],
    ['3 0 1, expired', {tlsa => ['own 3 0 1'], certificate => $EXPIRED},
        'verified by TLSA 3 0 1'],
    ['3 1 1, not valid yet',
        {tlsa => ['own 3 1 1'], certificate => {early => 1}},
        'verified by TLSA 3 1 1'],
    ['3 1 1 with another name',
        {tlsa => ['own 3 1 1'], certificate => $ELSEWHERE},
        'verified by TLSA 3 1 1'],
    ['3 1 1, self-signed without a name',
        {tlsa => ['own 3 1 1'], certificate => $SELF_SIGNED},
        'verified by TLSA 3 1 1'],
);

# DANE-TA (2): an authority in the chain that the host sends, and its name.
my @authorities = (
    ['the root, in the chain',
        {tlsa => ['root 2 0 1'], certificate => $WITH_ROOT},
        'verified by TLSA 2 0 1'],
    ['the root\'s key', {tlsa => ['root 2 1 1'], certificate => $WITH_ROOT},
        'verified by TLSA 2 1 1'],
    ['the root\'s key by SHA-512',
        {tlsa => ['root 2 1 2'], certificate => $WITH_ROOT},
        'verified by TLSA 2 1 2'],
    ['an intermediate authority', {tlsa => ['intermediate 2 0 1']},
        'verified by TLSA 2 0 1'],
    ['the intermediate\'s key', {tlsa => ['intermediate 2 1 1']},
        'verified by TLSA 2 1 1'],
    ['the root, which the host does not send', {tlsa => ['root 2 0 1']},
        @MISMATCH],
    ['the root, which is in DNS', {tlsa => ['root 2 0 0']},
        'verified by TLSA 2 0 0'],
    ['the intermediate, which the host does not send',
        {tlsa => ['intermediate 2 0 1'], certificate => {chain => 0}},
        @MISMATCH],
    ['another root', {tlsa => ['other 2 0 1'], certificate => $WITH_ROOT},
        @MISMATCH],
    ['the host as its own authority', {tlsa => ['own 2 0 1']}, @MISMATCH],
    ['another name', {tlsa => ['root 2 0 1'],
            certificate => {%{$WITH_ROOT}, %{$ELSEWHERE}}},
        $TLS[0], "$TLS[1] hostname mismatch (expected NAME)", $TLS[2]],
    ['another name below the intermediate',
        {tlsa => ['intermediate 2 1 1'], certificate => $ELSEWHERE},
        $TLS[0], "$TLS[1] hostname mismatch (expected NAME)", $TLS[2]],
    ['a wildcard', {tlsa => ['intermediate 2 1 1'],
            certificate => {names => ['*.dane.example']}},
        'verified by TLSA 2 1 1'],
    ['tls-name', {tlsa => ['intermediate 2 1 1'], certificate => $ELSEWHERE,
            route => '[NAME]:PORT/tls=dane/tls-name=elsewhere.example',
            sni => 'elsewhere.example'},
        'verified by TLSA 2 1 1'],
    ['expired', {tlsa => ['intermediate 2 0 1'], certificate => $EXPIRED},
        $TLS[0], "$TLS[1] certificate has expired", $TLS[2]],
    ['expired below the root', {tlsa => ['root 2 0 1'],
            certificate => {%{$WITH_ROOT}, %{$EXPIRED}}},
        $TLS[0], "$TLS[1] certificate has expired", $TLS[2]],
);

# What does not hold together is as if it were not there; what does is
# enforced, whatever is beside it.
my @sets = (
    (map { ["only $_", {tlsa => [$_]}, $UNUSABLE] }
        'own 0 0 1', 'own 1 0 1', 'own 1 1 1', 'other 1 1 1', 'own 4 1 1',
        'own 255 1 1', 'own 3 2 1', 'own 3 255 1', 'own 3 1 3', 'own 3 1 255'),
    ['a SHA-256 of 31 bytes', {tlsa => ['3 1 1 ' . 'ab' x 31]}, $UNUSABLE],
    ['a SHA-256 of 33 bytes', {tlsa => ['3 1 1 ' . 'ab' x 33]}, $UNUSABLE],
    ['a SHA-512 of 32 bytes', {tlsa => ['3 1 2 ' . 'ab' x 32]}, $UNUSABLE],
    ['what is no key', {tlsa => ['3 1 0 ' . 'ab' x 91]}, $UNUSABLE],
    ['what is no certificate', {tlsa => ['2 0 0 ' . 'ab' x 400]}, $UNUSABLE],
    ['the old key and the new one', {tlsa => ['other 3 1 1', 'own 3 1 1']},
        'verified by TLSA 3 1 1'],
    ['an authority and another key',
        {tlsa => ['intermediate 2 0 1', 'other 3 1 1']},
        'verified by TLSA 2 0 1'],
    ['another authority and the key', {tlsa => ['other 2 0 1', 'own 3 1 1'],
            certificate => $EXPIRED},
        'verified by TLSA 3 1 1'],
    ['an unusable record and the key', {tlsa => ['own 3 1 9', 'own 3 1 1']},
        'verified by TLSA 3 1 1'],
    ['an unusable record and another key',
        {tlsa => ['own 3 1 9', 'other 3 1 1']}, @MISMATCH],
    ['usage 1 right, usage 3 wrong', {tlsa => ['own 1 1 1', 'other 3 1 1']},
        @MISMATCH],
    ['the strongest digest decides (RFC 7671 section 9): it matches',
        {tlsa => ['other 3 1 1', 'own 3 1 2']}, 'verified by TLSA 3 1 2'],
    ['the strongest digest decides: it does not',
        {tlsa => ['own 3 1 1', 'other 3 1 2']}, @MISMATCH],
    ['so many that DNS needs TCP, the last matches',
        {tlsa => [(map { '3 1 1 ' . sprintf '%064x', $_ } 1 .. 40),
                'own 3 1 1']},
        'verified by TLSA 3 1 1'],
    ['so many that DNS needs TCP, none matches',
        {tlsa => [map { '3 1 1 ' . sprintf '%064x', $_ } 1 .. 40]}, @MISMATCH],
);

# Where the records are, and whether they can be had.
my @lookups = (
    ['no records', {}, $NONE],
    ['no records, expired and with another name',
        {certificate => {%{$EXPIRED}, %{$ELSEWHERE}}}, $NONE],
    ['records of another type', {records => ['OWNER. TXT "3 1 1"']}, $NONE],
    ['records of another port',
        {records => ['_25._tcp.NAME. TLSA 3 1 1 ' . 'ab' x 32]}, $NONE],
    ['records of the host without a port',
        {records => ['NAME. TLSA 3 1 1 ' . 'ab' x 32]}, $NONE],
    ['a wildcard', {records => ['*._tcp.NAME. TLSA 3 1 1 ' . 'ab' x 32]},
        @MISMATCH],
    ['records elsewhere', {records => ['OWNER. CNAME keys.NAME.'],
            tlsa => ['own 3 1 1'], owner => 'keys.NAME.'},
        'verified by TLSA 3 1 1'],
    ['records elsewhere that do not match',
        {records => ['OWNER. CNAME keys.NAME.'], tlsa => ['other 3 1 1'],
            owner => 'keys.NAME.'}, @MISMATCH],
    ['an alias of nothing', {records => ['OWNER. CNAME absent.NAME.']}, $NONE],
    ['an alias in an unsigned zone',
        {records => ['OWNER. CNAME alien.plain.example.']}, $INSECURE],
    ['an unsigned zone, the record does not match',
        {zone => 'plain.example', tlsa => ['other 3 1 1']}, $INSECURE],
    ['an unsigned zone, the record matches',
        {zone => 'plain.example', tlsa => ['own 3 1 1']}, $INSECURE],
    ['an unsigned zone without records', {zone => 'plain.example'}, $NONE],
    ['an unsigned zone, no STARTTLS', {zone => 'plain.example',
            tlsa => ['own 3 1 1'], host => {tls => undef}}, @NOT_OFFERED],
    ['no records, no STARTTLS', {host => {tls => undef}}, @NOT_OFFERED],
    ['records, no STARTTLS',
        {tlsa => ['own 3 1 1'], host => {tls => undef}}, @NOT_OFFERED],
    ['records, STARTTLS refused', {tlsa => ['own 3 1 1'],
            host => {starttls => '454 4.7.0 not now'}},
        '4.7.4', '454 4.7.0 not now (in reply to STARTTLS)',
        'EHLO STARTTLS QUIT', 'unexpected SMTP response'],
    ['no records, and TLS does not come about',
        {host => {handshake => 'close'}},
        '4.7.5', 'TLS: handshake failed: connection lost',
        'EHLO STARTTLS -tls'],
    ['a bad signature, the record matches',
        {zone => 'bogus.example', tlsa => ['own 3 1 1'], bogus => ['OWNER.']},
        @NO_ANSWER],
    ['a bad signature, the record does not',
        {zone => 'bogus.example', tlsa => ['other 3 1 1'], bogus => ['OWNER.']},
        @NO_ANSWER],
    ['a denial with a bad signature', {zone => 'bogus.example',
            records => ['OWNER. TXT "3 1 1"'], bogus => ['OWNER.']},
        @NO_ANSWER],
    ['the host\'s address has a bad signature', {zone => 'bogus.example',
            tlsa => ['own 3 1 1'], bogus => ['NAME.']},
        '4.4.3', 'cannot resolve: no DNS server has an answer', '',
        'DNS error'],
    ['a failing server', {zone => 'plain.example', fails => 'servfail'},
        @NO_ANSWER],
    ['a silent server', {zone => 'plain.example', fails => 'deny',
            settings => {'connect-timeout' => '3s'}},
        '4.7.5', qr/TLSA: cannot resolve: no answer from DNS within \d+ s/,
        ''],
    ['tls=dane for all hosts', {tlsa => ['other 3 1 1'],
            route => '[NAME]:PORT', settings => {tls => 'dane'}}, @MISMATCH],
    ['tls=dane for this host', {tlsa => ['other 3 1 1'],
            route => '[NAME]:PORT',
            settings => {'host NAME' => {tls => 'dane'}}}, @MISMATCH],
    ['tls=encrypt does not ask', {tlsa => ['other 3 1 1'],
            route => '[NAME]:PORT/tls=encrypt'},
        'not verified (tls=encrypt)'],
    ['capitals in the route', {tlsa => ['other 3 1 1'],
            route => '[UCNAME]:PORT/tls=dane'}, @MISMATCH],
    ['a server that is not on this machine beside one that is',
        {tlsa => ['other 3 1 1'],
            settings => {'dns-servers' => 'RESOLVER,192.0.2.53'}}, $INSECURE],
    ['it is believed if the settings say so', {tlsa => ['other 3 1 1'],
            settings => {'dns-servers' => 'RESOLVER,192.0.2.53',
                'dns-trust-ad' => 'yes'}}, @MISMATCH],
    ['an address', {tlsa => ['other 3 1 1'],
            route => '[127.0.0.1]:PORT/tls=dane', sni => undef}, $NONE],
    ['an address needs no DNS', {route => '[127.0.0.1]:PORT/tls=dane',
            sni => undef,
            settings => {'dns-servers' => '127.0.0.1:1'}}, $NONE],
    ['a name in /etc/hosts does', {route => '[localhost]:PORT/tls=dane',
            settings => {'dns-servers' => '127.0.0.1:1'}},
        '4.7.5', qr/TLSA: cannot resolve: .+/, ''],
);

# A name that MX expands: the records are those of the exchanger, the name its
# own or that in the route.
my %MX = (
    records => ['mx.NAME. MX 10 NAME.'],
    route   => 'mx.NAME:PORT/tls=dane',
);
my @exchangers = (
    ['its key', {%MX, tlsa => ['own 3 1 1']}, 'verified by TLSA 3 1 1'],
    ['another key', {%MX, tlsa => ['other 3 1 1']}, @MISMATCH],
    ['an authority, and its name', {%MX, tlsa => ['intermediate 2 0 1']},
        'verified by TLSA 2 0 1'],
    ['an authority, and the name in the route',
        {%MX, tlsa => ['intermediate 2 0 1'],
            certificate => {names => ['mx.NAME']}},
        'verified by TLSA 2 0 1'],
    ['an authority, and another name', {%MX, tlsa => ['intermediate 2 0 1'],
            certificate => $ELSEWHERE},
        $TLS[0], "$TLS[1] hostname mismatch (expected mx.NAME or NAME)",
        $TLS[2]],
    ['records of the name in the route do not count',
        {%MX, records => ['mx.NAME. MX 10 NAME.',
                '_PORT._tcp.mx.NAME. TLSA 3 1 1 ' . 'ab' x 32]}, $NONE],
);

my %tables = (
    'the host\'s key' => \@host_keys,
    'an authority'    => \@authorities,
    'sets'            => \@sets,
    'lookups'         => \@lookups,
    'exchangers'      => \@exchangers,
);

my %zones = map { $_ => [] } qw(dane.example plain.example bogus.example);
my (%failing, @bogus);

push @{ $zones{'plain.example'} }, 'alien.plain.example. TLSA 3 1 1 '
    . 'ab' x 32;

# What stands for others in a row's texts.
sub insert {
    my ($row, $text) = @_;
    my %known = (
        NAME     => $row->{name},
        UCNAME   => uc $row->{name},
        PORT     => $row->{host} && $row->{host}->port,
        OWNER    => $row->{owner},
        RESOLVER => $row->{dns} && $row->{dns}->address,
    );

    return qr/@{[ insert($row, "$text") ]}/ if ref $text eq 'Regexp';
    if (ref $text eq 'HASH') {
        return {map { insert($row, $_) } %{$text}};
    }
    $text =~ s/(?:\b|(?<=_))(NAME|UCNAME|PORT|OWNER|RESOLVER)\b/$known{$1}/g;
    return $text;
}

sub certificate {
    my ($row) = @_;
    my %option = (names => ['NAME'], %{ $row->{setup}{certificate} // {} });

    my $with_root = delete $option{with_root};
    $option{names} = [map { insert($row, $_) } @{ $option{names} }];
    my $certificate = $CA->certificate(%option);
    return $certificate if !$with_root;
    my $path = new_folder('chain') . '/pem';
    write_file($path, read_file($certificate->file) . $ROOT->pem);
    return bless {%{$certificate}, file => $path}, ref $certificate;
}

# "own 3 1 1" to a record's data.
sub tlsa_data {
    my ($row, $text) = @_;
    my %sources = (
        own          => $row->{certificate},
        other        => $OTHER,
        intermediate => $CA,
        root         => $ROOT,
    );

    return $text->($row->{certificate}) if ref $text;
    my ($source, @parameters) = split / /, $text;
    my $from = $sources{$source} // return $text;
    return $from->tlsa(@parameters);
}

my $count = 0;

# The host, and its records.
sub set_up {
    my ($sentence, $setup, @outcome) = @_;
    my $zone = $setup->{zone} // 'dane.example';
    my $row = {
        sentence => $sentence,
        setup    => $setup,
        name     => 'h' . ++$count . ".$zone",
    };

    $row->{certificate} = certificate($row);
    $row->{host} = SmtpHost->new(
        tls => {certificate => $row->{certificate}},
        %{ $setup->{host} // {} },
    );
    $row->{owner} = insert($row, '_PORT._tcp.NAME');
    my $owner = $setup->{owner} // 'OWNER.';
    push @{ $zones{$zone} }, map { insert($row, $_) } 'NAME. A 127.0.0.1',
        @{ $setup->{records} // [] },
        map { "$owner TLSA " . tlsa_data($row, $_) } @{ $setup->{tlsa} // [] };
    push @bogus, map { insert($row, $_) } @{ $setup->{bogus} // [] };
    $failing{"$row->{owner}."} = $setup->{fails} if $setup->{fails};
    $row->{outcome} = [map { insert($row, $_) } @outcome];
    return $row;
}

sub trial {
    my ($row, $dns, $more) = @_;

    $row->{dns} = $dns;
    my $route = insert($row, $row->{setup}{route} // '[NAME]:PORT/tls=dane');
    return Trial->new(
        hosts    => {FIRST => $row->{host}, SECOND => SmtpHost->new},
        routes   => "* $route$more\n",
        settings => {
            'dns-servers' => $dns->address,
            %{ insert($row, $row->{setup}{settings} // {}) },
        },
    )->start;
}

sub stories {
    my ($trial, $host) = @_;

    return [map { $_->story } $trial->host($host)->connections];
}

sub check_delivered {
    my ($row, $trial) = @_;
    my ($words) = @{ $row->{outcome} };

    $trial->wait;
    is $trial->status, 0, 'delivered';
    like $trial->line, qr/^2\.0\.0 FIRST: 250 /, 'by that host';
    is_deeply stories($trial, 'FIRST'),
        ['EHLO STARTTLS tls EHLO MAIL RCPT DATA content QUIT'], 'what it saw';
    my ($connection) = $row->{host}->connections;
    my $setup = $row->{setup};
    is $connection->sni, exists $setup->{sni} ? $setup->{sni} : $row->{name},
        'whom it was taken for';
    my @log = grep { / TLS / } $trial->log;
    is scalar @log, 1, 'one line about TLS' or diag join "\n", $trial->log;
    like $log[0], qr/^DCID\ 1\ TLS\ success\ protocol\ TLSv1\.3
        \ cipher\ TLS_\w+\ \Q$words\E$/x, 'the log';
    return;
}

# Alone in its route, and before another host.
sub check_refused {
    my ($row, $alone, $pair) = @_;
    my ($dsn, $text, $saw, $reason) = @{ $row->{outcome} };

    $text = quotemeta $text if !ref $text;
    $reason //= 'TLS failed';
    $_->wait for $alone, $pair;
    is $alone->status, 75, 'alone: deferred';
    like $alone->line, qr/^\Q$dsn\E \S+: $text$/, 'alone: the line';
    is $pair->status, 0, 'delivered';
    like $pair->line, qr/^2\.0\.0 SECOND: 250 /, 'by the next host';
    is_deeply stories($pair, 'FIRST'), $saw eq '' ? [] : [$saw, $saw],
        'what the first host saw';
    my @log = $pair->log;
    my ($error) = grep { /^Connection Error: / } @log;
    like $error, qr/\ details:\ (?:\S+:\ )?$text\ interface:\ \S+
        \ reason:\ \Q$reason\E$/x, 'the log';
    is scalar(grep { /^host \S+ is down until / } @log), 1, 'it is down';
    return;
}

my @rows;
for my $table (sort keys %tables) {
    push @rows, map { set_up("$table: $_->[0]", @{$_}[1 .. $#{$_}]) }
        @{ $tables{$table} };
}

my $dns = SignedZone->new(
    signed   => {map { ("$_." => $zones{$_}) } qw(dane.example bogus.example)},
    unsigned => {'plain.example.' => $zones{'plain.example'}},
    bogus    => \@bogus,
    zones    => \%failing,
);

subtest 'the resolver validates, and says so' => sub {
    my ($signed) = grep { $_->{setup}{tlsa} && $_->{name} =~ /dane/ } @rows;
    my %expected = (
        "$signed->{name}. A"              => 'NOERROR AD 1',
        "$signed->{owner}. TLSA"          => 'NOERROR AD 1',
        "$signed->{name}. TLSA"           => 'NOERROR AD',
        'absent.dane.example. TLSA'       => 'NXDOMAIN AD',
        'alien.plain.example. TLSA'       => 'NOERROR 1',
        'ns.plain.example. TLSA'          => 'NOERROR',
        'absent.plain.example. TLSA'      => 'NXDOMAIN',
        "$bogus[0] TLSA"                  => 'SERVFAIL',
        'ns.bogus.example. A'             => 'NOERROR AD 1',
    );

    for my $question (sort keys %expected) {
        is $dns->says(split / /, $question), $expected{$question}, $question;
    }
};

# Rows at work at the same time.
my $BATCH = defined $ENV{SMTPROUTE_WRAPPER} ? 4 : 12;

while (my @batch = splice @rows, 0, $BATCH) {
    for my $row (@batch) {
        $row->{trials} = [map { trial($row, $dns, $_) }
            '', @{ $row->{outcome} } > 1 ? ', SECOND/pri=1/tls=none' : ()];
    }
    for my $row (@batch) {
        my $check = @{ $row->{outcome} } > 1 ? \&check_refused
            : \&check_delivered;
        subtest $row->{sentence} => sub {
            $check->($row, @{ $row->{trials} });
        };
    }
}

done_testing;
