#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# TLS: whose certificate is believed, and for which names.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Dns ();
use Fixture qw(new_folder skip_or_fail skip_without_ipv6 write_file);
use TestCa ();
use TlsTrial;
use Trial ();

skip_or_fail(TestCa->missing);
$CA = TestCa->new;

my $middle = $CA->intermediate;
my $other = TestCa->new('Other Root');
my $DELIVERED = 'EHLO MAIL RCPT DATA content QUIT';

# STARTTLS with tls=secure, or TLS from the first byte.
my %LEVELS = (
    secure  => ['EHLO STARTTLS ', {}],
    wrapper => ['', {wrapper => 1}],
);

# A row of try_tls(): undef for why the certificate is not believed is a
# delivery; else that is what OpenSSL says, and perhaps whom it expected.
sub row {
    my ($level, $name, $certificate, $settings, $why, $verified) = @_;
    my ($before, $tls) = @{ $LEVELS{$level} };
    my $script = {tls => {certificate => $certificate, %{$tls}}};

    $settings = {'tls-name' => $NAME, tls => $level, %{$settings}};
    delete $settings->{'tls-name'} if !defined $settings->{'tls-name'};
    return ["$level: $name", $script, $settings, 0, undef,
        ["${before}tls $DELIVERED"],
        'verified as ' . ($verified // $settings->{'tls-name'})]
        if !defined $why;
    return ["$level: $name", $script, $settings, 'next', ref $why
        ? qr/^4\.7\.5 FIRST: TLS: certificate verification failed: $why$/
        : '4.7.5 FIRST: TLS: certificate verification failed: ' . $why,
        ["${before}-tls"]];
}

# Names and addresses of a certificate by $CA.
sub san {
    my (@names) = @_;

    return $CA->certificate(
        names     => [grep { !/^[\d.]+$|:/ } @names],
        addresses => [grep { /^[\d.]+$|:/ } @names],
    );
}

my $MISMATCH = "hostname mismatch (expected $NAME)";
my $ADDRESS = {'tls-name' => undef};
my $WRONG_ADDRESS = 'IP address mismatch (expected 127.0.0.1)';
my $UNKNOWN = 'unable to get local issuer certificate';
my $SELF_SIGNED = qr/self.signed certificate/;
my $ROOT = qr/self.signed certificate in certificate chain/;

# A name, the certificate, settings, why it is not believed, or what it was
# verified as, if that is not tls-name.
my @chains = (
    ['right', san($NAME), {}],
    ['signed by an intermediate authority, which is sent',
        $middle->certificate(names => [$NAME]), {}],
    ['the root is sent as well',
        $middle->certificate(names => [$NAME], with_root => 1), {}],
    ['signed by an intermediate authority, which is not sent',
        $middle->certificate(names => [$NAME], chain => 0), {}, $UNKNOWN],
    ['expired', $CA->certificate(names => [$NAME], expired => 1), {},
        'certificate has expired'],
    ['not yet valid', $CA->certificate(names => [$NAME], early => 1), {},
        'certificate is not yet valid'],
    ['self-signed', $CA->certificate(names => [$NAME], self_signed => 1), {},
        $SELF_SIGNED],
    ['signed by somebody else', $other->certificate(names => [$NAME]), {},
        $UNKNOWN],
    ['somebody else\'s root is sent',
        $other->certificate(names => [$NAME], with_root => 1), {}, $ROOT],
    ['a root of the same name',
        TestCa->new->certificate(names => [$NAME], with_root => 1), {},
        qr/self.signed certificate in certificate chain|.*signature failure/],
    ['expired, and for somebody else', $CA->certificate(
        names => ['mx2.example.com'], expired => 1), {}, qr/.+/],
);

my @names = (
    ['another name', san('mx2.example.com'), {}, $MISMATCH],
    ['the second of several', san('mx2.example.com', $NAME, 'mx3.example.com'),
        {}],
    ['in capitals', san('MX1.Example.COM'), {}, undef, 'MX1.Example.COM'],
    ['tls-name in capitals', san($NAME), {'tls-name' => 'MX1.EXAMPLE.COM'},
        undef, $NAME],
    ['only the common name', $CA->certificate(common_name => $NAME), {},
        $MISMATCH],
    ['the common name is another', $CA->certificate(common_name => 'x.example',
        names => [$NAME]), {}],
    ['the common name, but other names', $CA->certificate(
        common_name => $NAME, names => ['mx2.example.com']), {}, $MISMATCH],
    ['the parent', san('example.com'), {}, $MISMATCH],
    ['a name below', san("a.$NAME"), {}, $MISMATCH],
    ['a name that goes on', san("$NAME.example"), {}, $MISMATCH],
    ['only an address', san('127.0.0.1'), {}, $MISMATCH],
    ['wildcard', san('*.example.com'), {}, undef, '*.example.com'],
    ['wildcard for two labels', san('*.com'), {}, $MISMATCH],
    ['wildcard, one label too few', san('*.mx1.example.com'), {}, $MISMATCH],
    ['wildcard, one label too many', san('*.example.com'),
        {'tls-name' => 'a.mx1.example.com'},
        'hostname mismatch (expected a.mx1.example.com)'],
    ['wildcard for part of a label', san('mx*.example.com'), {}, $MISMATCH],
    ['wildcard for the end of a label', san('*1.example.com'), {}, $MISMATCH],
    ['wildcard in the middle', san('mx1.*.com'), {}, $MISMATCH],
    ['wildcard for everything', san('*'), {}, $MISMATCH],
    ['an address', san('127.0.0.1'), $ADDRESS, undef, '127.0.0.1'],
    ['the second of several addresses', san('127.0.0.2', '127.0.0.1', '::1'),
        $ADDRESS, undef, '127.0.0.1'],
    ['another address', san('127.0.0.2'), $ADDRESS, $WRONG_ADDRESS],
    ['an address, but only a name', san($NAME), $ADDRESS, $WRONG_ADDRESS],
    ['an address as a name', $CA->certificate(names => ['127.0.0.1']),
        $ADDRESS, $WRONG_ADDRESS],
    ['an address as the common name', $CA->certificate(
        common_name => '127.0.0.1'), $ADDRESS, $WRONG_ADDRESS],
    ['an address and wildcards', $CA->certificate(
        names => ['*.0.0.1', '*']), $ADDRESS, $WRONG_ADDRESS],
    ['an option in the route beats its group', san($NAME),
        {'tls-name' => 'x.example', route => "/tls-name=$NAME"}, undef, $NAME],
    ['an option in the route is taken', san($NAME),
        {'tls-name' => $NAME, route => '/tls-name=x.example'},
        'hostname mismatch (expected x.example)'],
);

my $folder = new_folder('ca-files');
my $both = "$folder/both.pem";
write_file($both, $other->pem . $CA->pem);
write_file("$folder/empty.pem", '');
write_file("$folder/garbage.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n"
    . "-----END CERTIFICATE-----\n");
write_file("$folder/text.pem", "no certificate\n" x 1000);
my $alone = $CA->certificate(names => [$NAME], self_signed => 1);

sub ca_file {
    my ($file, %more) = @_;

    return {smtproute => {'tls-ca-file' => $file}, %more};
}

my @authorities = (
    ['of two in a file', san($NAME), ca_file($both)],
    ['another file', san($NAME), ca_file($other->file), $UNKNOWN],
    ['the group beats the default', san($NAME),
        ca_file($other->file, 'tls-ca-file' => $CA->file)],
    ['the group is taken', san($NAME),
        ca_file($CA->file, 'tls-ca-file' => $other->file), $UNKNOWN],
    ['the system\'s do not know ours', san($NAME), ca_file(''),
        $UNKNOWN],
    ['the certificate itself in the file', $alone, ca_file($alone->file)],
    ['only the intermediate authority in the file',
        $middle->certificate(names => [$NAME]), ca_file($middle->file),
        qr/unable to get (?:local )?issuer certificate/],
);

try_tls(map({ row('secure', @{$_}) } @chains, @names, @authorities),
    map { row('wrapper', @{$_}) } @chains, @names[0 .. 4]);

# Files that are none: not the host's fault, and nothing comes in clear.
my @unusable = map { my $level = $_;
    map { my ($file, $why) = @{$_};
        ["$level: tls-ca-file $file", {tls => $LEVELS{$level}[1]},
            ca_file("$folder/$file", tls => $level, 'tls-name' => $NAME),
            'next',
            qr{^4\.3\.5 FIRST: TLS: tls-ca-file \Q$folder/$file\E: $why},
            [$level eq 'wrapper' ? qr/^(?:QUIT)?$/
                : qr/^(?:EHLO(?: STARTTLS)?(?: QUIT)?)?$/]] }
    ['absent.pem', 'No such file or directory$'], ['empty.pem', '.'],
    ['garbage.pem', '.'], ['text.pem', '.'], ['.', '.'],
} qw(secure wrapper);
# Nobody reads them where nothing is verified, and nothing is wrong there.
my $wrong = $other->certificate(names => ['x.example'], expired => 1);
my @unread = map {
    ["$_: tls-ca-file is not read, and nothing verified",
        {tls => {certificate => $wrong}},
        ca_file("$folder/absent.pem", tls => $_), 0, undef,
        ["EHLO STARTTLS tls $DELIVERED"], "not verified (tls=$_)"]
} qw(may encrypt);
try_tls(@unusable, @unread);

subtest 'an address of IPv6' => sub {
    skip_without_ipv6();
    my @rows = (['::1', 0], ['::2', 75]);

    for my $row (@rows) {
        my ($address, $status) = @{$row};
        my $trial = Trial->new(
            hosts => {FIRST => {address => '::1',
                tls => {certificate => san($address)}}},
            route    => 'FIRST/tls=secure',
            settings => {'tls-ca-file' => $CA->file},
        )->wait;
        is $trial->status, $status, $address;
        is $trial->line, '4.7.5 FIRST: TLS: certificate verification failed: '
            . 'IP address mismatch (expected ::1)', 'the line' if $status;
        is +($trial->host('FIRST')->connections)[0]->sni, undef, 'no SNI';
    }
};

subtest 'SNI' => sub {
    for my $row ([$NAME, "/tls-name=$NAME"], [undef, '']) {
        my ($sni, $option) = @{$row};
        for my $level (qw(may secure)) {
            my $trial = Trial->new(
                hosts => {FIRST => {tls => right()}},
                route    => "FIRST/tls=$level$option",
                settings => {'tls-ca-file' => $CA->file},
            )->wait;
            is $trial->status, 0, 'delivered' or diag $trial->line;
            my ($connection) = $trial->host('FIRST')->connections;
            ok $connection->tls, 'by TLS';
            is $connection->sni, $sni, "$level$option";
        }
    }
};

subtest 'names that DNS or a file knows' => sub {
    skip_or_fail(Dns->missing);
    my $dns = Dns->new(records => [
        'example.com. MX 10 mx1.example.com.',
        'mx1.example.com. A 127.0.0.1',
        'gw.example.com. A 127.0.0.1',
    ]);

    # Names of the certificate, the destination, SNI, what the log says or the
    # reason is.
    my @rows = (
        [['mx1.example.com'], '[mx1.example.com]', 'mx1.example.com',
            'verified as mx1.example.com'],
        [['mx1.example.com'], 'mx1.example.com', 'mx1.example.com',
            'verified as mx1.example.com'],
        [['mx1.example.com'], 'example.com', 'mx1.example.com',
            'hostname mismatch (expected example.com)'],
        [['example.com'], 'example.com', 'mx1.example.com',
            'verified as example.com'],
        [['x.example.com'], 'example.com', 'mx1.example.com',
            'hostname mismatch (expected example.com)'],
        [['127.0.0.1'], 'example.com', 'mx1.example.com',
            'hostname mismatch (expected example.com)'],
        [['127.0.0.1'], '[mx1.example.com]', 'mx1.example.com',
            'hostname mismatch (expected mx1.example.com)'],
        [['gw.example.com'], '[gw.example.com]', 'gw.example.com',
            'verified as gw.example.com'],
        [['mx1.example.com'], '[gw.example.com]', 'gw.example.com',
            'hostname mismatch (expected gw.example.com)'],
        [['mx1.example.com'], '[MX1.example.com]', qr/^mx1\.example\.com$/i,
            qr/ verified as mx1\.example\.com$/i],
        [['x.example'], 'example.com', 'x.example', 'verified as x.example',
            'x.example'],
        [['mx1.example.com'], 'example.com', 'x.example',
            'hostname mismatch (expected x.example)', 'x.example'],
        [['localhost'], '[localhost]', 'localhost', 'verified as localhost'],
        [['mx1.example.com'], '[localhost]', 'localhost',
            'hostname mismatch (expected localhost)'],
    );

    for my $row (@rows) {
        my ($names, $destination, $sni, $end, $name) = @{$row};
        my $host = SmtpHost->new(tls => {certificate => san(@{$names})});
        my $trial = Trial->new(
            hosts => {WILD => $host},
            routes => "* $destination:" . $host->port . '/tls=secure'
                . (defined $name ? "/tls-name=$name" : '') . "\n",
            settings => {'dns-servers' => $dns->address,
                'tls-ca-file' => $CA->file},
        )->wait;
        my $what = "@{$names} for $destination" . (defined $name
            ? ", tls-name $name" : '');
        my ($tls) = grep { / TLS success / } $trial->log;
        if ($end =~ /mismatch/) {
            is $trial->status, 75, $what;
            like $trial->line,
                qr/: certificate verification failed: \Q$end\E$/,
                "$what: why not";
        } else {
            is $trial->status, 0, $what or diag $trial->line;
            like $tls // '', ref $end ? $end : qr/ \Q$end\E$/,
                "$what: the log";
        }
        my ($connection) = $host->connections or next;
        like $connection->sni, ref $sni ? $sni : qr/^\Q$sni\E$/,
            "$what: SNI";
    }
};

# Whose certificate does not have the first name may have the second one.
for my $level (qw(secure encrypt)) {
    subtest "$level: one address under two names" => sub {
        my $host = SmtpHost->new(tls => {certificate => san('127.0.0.1')},
            mail => ['451 4.3.0 not now', undef]);
        my $port = $host->port;
        my $agent = Agent->new(
            routes   => "example.com [localhost]:$port/tls=$level, "
                . "[127.0.0.1]:$port/tls=$level/pri=5\n",
            # localhost may be ::1, too.
            settings => {
                'tls-ca-file'    => $CA->file,
                'address-family' => 'ipv4',
            },
        );
        my $run = $agent->deliver;

        if ($level eq 'secure') {
            like $run->output, qr/mismatch .*; 127\.0\.0\.1\[.*: 451 /,
                'both were tried';
        } else {
            like $run->output, qr/^4\.3\.0 localhost\[[^;]*: 451 [^;]*$/,
                'it is the same';
        }
    };
}

done_testing;
