#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A certificate of ours, for hosts that want one.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Ctl ();
use Fixture;
use TestCa ();
use TlsTrial;
use Trial ();

skip_or_fail(TestCa->missing);
$CA = TestCa->new;

my $NAME_OURS = 'gateway.example';
my $ours = $CA->certificate(common_name => $NAME_OURS, client => 1);
my $folder = new_folder('client');

# A file of this mode; its path.
sub file {
    my ($text, $mode) = @_;
    my $path = sprintf '%s/%d', $folder, scalar(() = glob "$folder/*");

    write_file($path, $text);
    chmod $mode // 0600, $path or die "$path: $!\n";
    return $path;
}

sub set {
    my ($cert, $key, %more) = @_;

    return ('tls-cert-file' => $cert, defined $key ? ('tls-key-file' => $key)
        : (), %more);
}

my $cert = file(read_file($ours->file), 0644);
my $key = file(read_file($ours->key_file));
my $both = file(read_file($ours->file) . read_file($ours->key_file));
my $stranger = TestCa->new('Another Root')->certificate(
    common_name => 'stranger.example', client => 1);
my $locked = "$folder/locked";
capture('openssl', 'ec', '-aes256', '-passout', 'pass:open sesame', '-in', $key,
    '-out', $locked);
chmod 0600, $locked or die "$locked: $!\n";

# What it says; the host's TLS; settings of the host; the exit status and line;
# whose certificate the host has seen; settings for all.
my @rows = (
    (map { my $version = $_;
        (["$version: it is wanted", {min => $version, max => $version},
                {set($cert, $key)}, 0, qr/^2\.0\.0 /, $NAME_OURS],
            ["$version: a stranger's", {min => $version, max => $version},
                {set(file(read_file($stranger->file)),
                    file(read_file($stranger->key_file)))}, 75,
                qr/^4\.7\.5 FIRST: TLS: .*alert unknown ca$/, undef]) }
        'TLSv1.2', 'TLSv1.3'),
    ['with its key in the same file', {}, {set($both)}, 0, qr/^2\.0\.0 /,
        $NAME_OURS],
    ['for all hosts', {}, {}, 0, qr/^2\.0\.0 /, $NAME_OURS, set($both)],
    ['not for this host', {}, {set('')}, 75, qr/certificate required$/, undef,
        set($both)],
    ['by TLS from the first byte', {wrapper => 1},
        {set($both), tls => 'wrapper', 'tls-name' => $NAME}, 0, qr/^2\.0\.0 /,
        $NAME_OURS],
    ['it is not wanted', {clients => undef}, {set($both)}, 0, qr/^2\.0\.0 /,
        undef],
    ['no such file', {}, {set("$folder/none", $key)}, 75,
        "4.3.5 FIRST: TLS: tls-cert-file $folder/none: No such file or directory"],
    ['no certificate in it', {}, {set($key)}, 75,
        "4.3.5 FIRST: TLS: tls-cert-file $key: no start line"],
    ['no such key', {}, {set($cert, "$folder/none")}, 75,
        "4.3.5 FIRST: TLS: tls-key-file $folder/none: No such file or directory"],
    ['no key in it', {}, {set($cert, file(read_file($cert)))}, 75,
        qr/^4\.3\.5 FIRST: TLS: tls-key-file \S+: /],
    ['another\'s key', {}, {set($cert, file(read_file($stranger->key_file)))},
        75, qr/^4\.3\.5 FIRST: TLS: tls-key-file \S+: key values mismatch$/],
    ['a key with a passphrase', {}, {set($cert, $locked)}, 75,
        qr/^4\.3\.5 FIRST: TLS: tls-key-file \S+: /],
    ['a key that others can read', {},
        {set($cert, file(read_file($key), 0644))}, 75,
        qr{^4\.3\.5\ FIRST:\ TLS:\ tls-key-file\ (\S+):\ mode\ 0644\ and\ group
            \ \d+\ let\ others\ have\ it;\ expected\ 0600,\ or\ 0640\ }x],
    ['a certificate with a key that others can read', {},
        {set(file(read_file($both), 0644))}, 75,
        qr/^4\.3\.5 FIRST: TLS: tls-key-file \S+: mode 0644 /],
    ['secret-modes = shared', {}, {set($cert, file(read_file($key), 0444))}, 0,
        qr/^2\.0\.0 /, $NAME_OURS, 'secret-modes' => 'shared'],
    ['shared, but to write as well', {},
        {set($cert, file(read_file($key), 0666))}, 75,
        qr/^4\.3\.5 FIRST: TLS: tls-key-file \S+: mode 0666 /, undef,
        'secret-modes' => 'shared'],
    ['without TLS nobody looks', {clients => undef},
        {set("$folder/none"), tls => 'none'}, 0, qr/^2\.0\.0 /, undef],
);

for my $row (@rows) {
    my ($says, $tls, $host, $status, $line, $seen, %all) = @{$row};
    my $trial = Trial->new(
        hosts => {FIRST => {tls => right(clients => $CA->file, %{$tls})}},
        route    => 'FIRST',
        settings => {'tls' => 'encrypt', 'tls-ca-file' => $CA->file, %all,
            'host FIRST' => $host},
    )->wait;

    subtest $says => sub {
        is $trial->status, $status, 'exit status';
        ref $line ? like($trial->line, $line, 'line')
            : is($trial->line, $line, 'line');
        my ($connection) = $trial->host('FIRST')->connections;
        is $connection->tls && $connection->tls->{client}, $seen,
            'whom the host saw';
        is scalar(grep { /is down/ } $trial->log), $trial->line =~ /^4\.7/ ? 1 : 0,
            'the host is down only if it is its trouble';
        unlike join("\n", $trial->line, $trial->log), qr/PRIVATE|BEGIN/,
            'nothing of the files';
    };
}

subtest 'route shows the files' => sub {
    my $trial = Trial->new(hosts => {FIRST => {}}, route => 'FIRST',
        settings => {set($both)});
    my $run = Ctl->run(conf => $trial->agent->conf,
        arguments => ['route', 'example.com']);

    like $run->stdout, qr/^    tls-$_   +\Q$both\E$/m, $_
        for qw(cert-file key-file);
};

done_testing;
