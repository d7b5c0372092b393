#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# smtproutectl check: TLS and AUTH, in the route map, in the settings, and in
# the files that these name.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Checked;
use Fixture;
use Secrets;
use TestCa;

skip_or_fail(TestCa->missing);

my $CA = TestCa->new;
my $CA_TEXT = read_file($CA->file);
my $KEY_TEXT = read_file($CA->key_file);
my $PASSWORD = 'open sesame, please';
my @FORMS = secret_forms('relay', $PASSWORD);

# The group of the agent's user.
my $GID = (getpwnam 'nobody')[3];
my $GROUP = getgrgid $GID;

# Rows: name, what configuration() is given, what is found.
sub try_all {
    for my $row (@_) {
        my ($says, $change, @lines) = @{$row};
        my $dir = configuration(%{$change});
        my $run = check($dir);
        finds($says, $run, $dir, @lines);
        is_deeply [secrets_in(\@FORMS, $run->stdout)], [],
            "$says: nothing secret";
    }
    return;
}

my $PROFILE = "[auth ex]\nusername = relay\npassword-file = DIR/secret\n";
my %SECRET = (secret => ["$PASSWORD\n", 0640, $GROUP]);

sub with_profile {
    my (%more) = @_;

    return {append => $PROFILE, files => \%SECRET, %more};
}

subtest 'routes' => sub {
    skip_or_fail($> == 0 ? undef : 'other users\' files need root');
    my $USED = '* [127.0.0.9]/auth=ex/tls=secure' . "\n";
    try_all(
        ['nothing is wrong', with_profile(routes =>
            "a [127.0.0.1]/tls=secure/auth=ex,\n  [127.0.0.2]/auth=ex/tls=secure\n"
            . "b [127.0.0.3]/tls=wrapper/tls-name=mx.example.com/auth=ex\n"
            . "c [127.0.0.4]/tls=none, [127.0.0.5]/tls=secure/auth=ex\n")],
        ['no such profile, said once', {routes =>
            "a [127.0.0.1],\n  [127.0.0.2]/auth=ex/tls=secure\nb [127.0.0.3]/auth=ex/tls=secure\n"
            . "c [127.0.0.4]/auth=x.y/tls=secure\n"},
            'DIR/routes:2:3: auth=ex, but the settings have no [auth ex]; expected this group, without which the host is passed over',
            'DIR/routes:4:3: auth=x.y, but the settings have no [auth x.y]; expected this group, without which the host is passed over'],
        ['no such profile in [host]',
            {append => "[host 127.0.0.1]\nauth = ex\n"},
            'DIR/smtproute.conf:8: bad value "ex" of auth; expected a profile with a group [auth NAME]'],
        ['AUTH, and no TLS', with_profile(routes =>
            "a [127.0.0.1], [127.0.0.2]/auth=ex/tls=none\n"
            . "b [127.0.0.2]/auth=ex/tls=none\n"),
            'DIR/routes:1:16: auth=ex is never used in clear text (tls=none, auth-in-clear = no); expected tls=secure, or another level with TLS'],
        ['AUTH of the settings, and no TLS of the route', with_profile(
            routes => "a [127.0.0.1]/tls=none\n",
            append => "${PROFILE}[host 127.0.0.1]\nauth = ex\n"),
            'DIR/routes:1:3: auth=ex is never used in clear text (tls=none, auth-in-clear = no); expected tls=secure, or another level with TLS'],
        ['AUTH of the route, and no TLS in the settings', with_profile(
            routes => "a [127.0.0.1]/auth=ex\n",
            conf   => ['[smtproute]', "[smtproute]\ntls = none"]),
            'DIR/routes:1:3: auth=ex is never used in clear text (tls=none, auth-in-clear = no); expected tls=secure, or another level with TLS'],
        ['AUTH, no TLS, and that is meant so', with_profile(
            routes => "a [127.0.0.1]/tls=none/auth=ex\n",
            append => "${PROFILE}[host 127.0.0.1]\nauth-in-clear = yes\n"),
            'DIR/smtproute.conf:11: warning: passwords and tokens may go over the wire in clear text; expected no'],
        ['the same for all hosts', with_profile(routes => $USED,
            conf => ['[smtproute]', "[smtproute]\nauth-in-clear = yes"]),
            'DIR/smtproute.conf:2: warning: passwords and tokens may go over the wire in clear text; expected no'],
        ['AUTH with whoever it is', with_profile(routes =>
            "a [127.0.0.1]/auth=ex\nb [127.0.0.2]/auth=ex/tls=encrypt,\n"
            . " [127.0.0.3]/auth=ex/tls=dane, [127.0.0.4]/tls=encrypt\n"),
            'DIR/routes:1:3: warning: auth=ex, but tls=may does not verify who gets the credentials; expected tls=secure or wrapper',
            'DIR/routes:2:3: warning: auth=ex, but tls=encrypt does not verify who gets the credentials; expected tls=secure or wrapper',
            'DIR/routes:3:2: warning: tls=dane is as tls=encrypt for an address, which has no TLSA records; expected a name, or tls=secure'],
        ['TLS at once where others wait', {routes => "a [127.0.0.1],\n"
            . " [127.0.0.2]/tls=wrapper, [127.0.0.3]:25/tls=wrapper\n",
            append => "[host 127.0.0.1]\ntls = wrapper\n"},
            'DIR/routes:1:3: warning: tls=wrapper at port 25, where hosts begin without TLS; expected port 465, or tls=secure',
            'DIR/routes:2:27: warning: tls=wrapper at port 25, where hosts begin without TLS; expected port 465, or tls=secure'],
        ['a name that nobody verifies', {routes =>
            "a [127.0.0.1]/tls-name=mx.example.com\n"
            . "b [127.0.0.2]/tls=encrypt/tls-name=mx.example.com\n"
            . "c [127.0.0.3]/tls=secure/tls-name=mx.example.com\n"},
            'DIR/routes:1:3: warning: tls-name mx.example.com, but tls=may verifies nothing; expected tls=secure, dane or wrapper',
            'DIR/routes:2:3: warning: tls-name mx.example.com, but tls=encrypt verifies nothing; expected tls=secure, dane or wrapper'],
        ['the same in [host]', {routes => "a [127.0.0.1]\n",
            append => "[host 127.0.0.1]\ntls-name = mx.example.com\n"},
            'DIR/routes:1:3: warning: tls-name mx.example.com, but tls=may verifies nothing; expected tls=secure, dane or wrapper'],
        ['DANE for an address', {routes => "a [127.0.0.1],\n [127.0.0.2]/tls=dane\n"},
            'DIR/routes:2:2: warning: tls=dane is as tls=encrypt for an address, which has no TLSA records; expected a name, or tls=secure'],
    );
};

subtest 'DANE' => sub {
    my $lost = 'warning: tls=dane, but TLSA records are not believed: there are DNS servers on other machines, and dns-trust-ad = no; expected a resolver on this machine that validates';
    my $named = "a [127.0.0.1], [localhost]/tls=dane,\n [localhost]:26/tls=dane\n";
    my $dns = sub {
        my ($servers, $more) = @_;
        return ['[smtproute]', "[smtproute]\nconnect-timeout = 1s\n"
            . "dns-servers = $servers" . ($more // '')];
    };
    my $elsewhere = '192.0.2.53:53';
    my $USEDNS = "a USEDNS\n";

    try_all(
        ['a server elsewhere',
            {routes => $named, conf => $dns->($elsewhere)},
            "DIR/routes:1:16: $lost"],
        ['one of them elsewhere',
            {routes => $named, conf => $dns->("127.0.0.1:1, $elsewhere")},
            "DIR/routes:1:16: $lost"],
        ['here', {routes => $named, conf => $dns->('127.0.0.1:1, [::1]:1')}],
        ['elsewhere, and trusted', {routes => $named,
            conf => $dns->($elsewhere, "\ndns-trust-ad = yes")}],
        ['for all hosts, whoever they are', {routes => $USEDNS,
            conf => $dns->($elsewhere, "\ntls = dane")},
            "DIR/smtproute.conf:4: $lost"],
        ['for none', {routes => $USEDNS, conf => $dns->($elsewhere)}],
        ['for an address alone', {routes => "a [127.0.0.1]/tls=dane\n",
            conf => $dns->($elsewhere)},
            'DIR/routes:1:3: warning: tls=dane is as tls=encrypt for an address, which has no TLSA records; expected a name, or tls=secure'],
    );
};

# What is found in line 7 of the settings, of a file with this text and mode.
sub secret_row {
    my ($says, $file, @found) = @_;
    my %files = $file ? (secret => $file) : ();

    return [$says, {append => $PROFILE, routes => "a [127.0.0.1]/auth=ex/tls=secure\n",
        files => \%files}, map { "DIR/smtproute.conf:9: DIR/secret: $_" } @found];
}

subtest 'files with secrets' => sub {
    skip_or_fail($> == 0 ? undef : 'other users\' files need root');
    my $can_read = 'expected a file that user nobody can read';
    my $alone = 'expected the password alone, in one line';
    my $modes = "expected 0600, or 0640 and group $GID";

    try_all(
        secret_row('good', ["$PASSWORD\n", 0640, $GROUP]),
        secret_row('not there', undef, "No such file or directory; $can_read"),
        secret_row('root\'s alone', [$PASSWORD, 0600],
            "Permission denied; $can_read"),
        secret_row('readable for all', [$PASSWORD, 0644, $GROUP],
            "mode 0644 and group $GID let others have it; $modes"),
        secret_row('writable for its group', [$PASSWORD, 0660, $GROUP],
            "mode 0660 and group $GID let others have it; $modes"),
        secret_row('readable for another group', [$PASSWORD, 0644, 'daemon'],
            qq{mode 0644 and group @{[scalar getgrnam 'daemon']} let others have it; $modes}),
        secret_row('empty', ['', 0640, $GROUP], "empty; $alone"),
        secret_row('an empty line', ["\n", 0640, $GROUP], "empty; $alone"),
        secret_row('two lines', ["$PASSWORD\n$PASSWORD\n", 0640, $GROUP],
            "more than one line; $alone"),
        secret_row('a NUL byte', ["$PASSWORD\0", 0640, $GROUP],
            "NUL byte; $alone"),
        secret_row('as long as can be', ['x' x 255 . "\n", 0640, $GROUP]),
        secret_row('longer', ['x' x 256, 0640, $GROUP],
            "longer than 255 bytes; $alone"),
        ['a token as long as can be', {routes => "a [127.0.0.1]/auth=ex/tls=secure\n",
            append => "[auth ex]\ntoken-file = DIR/secret\nusername = relay\n",
            files  => {secret => ['x' x 8192, 0640, $GROUP]}}],
        ['a longer one', {routes => "a [127.0.0.1]/auth=ex/tls=secure\n",
            append => "[auth ex]\ntoken-file = DIR/secret\nusername = relay\n",
            files  => {secret => ['x' x 8193, 0640, $GROUP]}},
            'DIR/smtproute.conf:8: DIR/secret: longer than 8192 bytes; expected the token alone, in one line'],
        ['nobody refers to it',
            {append => $PROFILE, files => {secret => ['', 0640, $GROUP]}},
            'DIR/smtproute.conf:7: warning: no route or [host] has auth = ex; expected one, or no such profile',
            "DIR/smtproute.conf:9: DIR/secret: empty; $alone"],
        ['a [host] does', {append => "[host 127.0.0.1]\nauth = ex\ntls = secure\n$PROFILE",
            files => \%SECRET}],
        ['a route may', {append => $PROFILE, files => \%SECRET,
            routes => "a [127.0.0.1]\nb [127.0.0.1]/auth=e/x\n"},
            'DIR/routes:2:22: bad option \'x\'; expected pri, weight, tls, auth, bind, tls-name, rate, rate-recipients, drain, verify or lmtp'],
    );
    my $dir = configuration(with_profile(routes => "a [127.0.0.1]/auth=ex/tls=secure\n")->%*);
    chown scalar getpwnam('daemon'), -1, "$dir/secret" or die "chown: $!\n";
    finds('another user\'s', check($dir), $dir,
        'DIR/smtproute.conf:9: DIR/secret: owned by user '
        . getpwnam('daemon') . '; expected root or user ' . getpwnam('nobody'));
    chmod 0600, "$dir/secret" or die "chmod: $!\n";
    chown scalar getpwnam('nobody'), -1, "$dir/secret" or die "chown: $!\n";
    finds('the agent\'s own', check($dir), $dir);
    finds('as the agent', check($dir, user => 'nobody'), $dir);
    my $run = check($dir, user => 'daemon');
    finds('another user cannot tell', $run, $dir);
    like $run->stdout, qr/: note: what user nobody can read and write is not checked; /,
        'and says so';
};

subtest 'passwords in the settings' => sub {
    skip_or_fail($> == 0 ? undef : 'other users\' files need root');
    my %conf = (
        append => "[auth ex]\nusername = relay\npassword = $PASSWORD\n",
        routes => "a [127.0.0.1]/auth=ex/tls=secure\n",
    );
    my $stands = 'DIR/smtproute.conf:9: a password stands here: mode';
    my $others = "let others have it; expected 0600, or 0640 and group $GID";

    try_all(
        ['and everybody can read them', {%conf},
            "$stands 0644 and group 0 $others"],
        ['and the agent\'s group can', {%conf,
            files => {'smtproute.conf' => [undef, 0640, $GROUP]}}],
        ['and the agent cannot', {%conf,
            files => {'smtproute.conf' => [undef, 0600]}},
            'DIR/smtproute.conf: user nobody cannot read it; expected access for this user, who has no supplementary groups'],
        ['of no use', {%conf, routes => "a [127.0.0.1]\n",
            files => {'smtproute.conf' => [undef, 0640, $GROUP]}},
            'DIR/smtproute.conf:7: warning: no route or [host] has auth = ex; expected one, or no such profile'],
        ['beside a password-file', {%conf,
            append => "$PROFILE\npassword = $PASSWORD\n", files => \%SECRET},
            'DIR/smtproute.conf:7: [auth ex] has more than one password; expected username and one of password-file, token-file and password'],
    );
};

subtest 'certificates of authorities' => sub {
    skip_or_fail($> == 0 ? undef : 'other users\' files need root');
    my $expected = 'expected a file with certificates (PEM) that user nobody can read';
    my $row = sub {
        my ($says, $file, $why) = @_;
        return [$says, {append => "tls-ca-file = DIR/ca\n",
            files => {$file ? (ca => $file) : ()}},
            defined $why ? "DIR/smtproute.conf:7: tls-ca-file DIR/ca: $why; $expected" : ()];
    };

    try_all(
        $row->('good', [$CA_TEXT, 0644]),
        $row->('not there', undef, 'No such file or directory'),
        $row->('root\'s alone', [$CA_TEXT, 0600], 'Permission denied'),
        $row->('a key', [$KEY_TEXT, 0644], 'no certificate or crl found'),
        $row->('empty', ['', 0644], 'no certificate or crl found'),
        ['of one host', {append => "[host 127.0.0.1]\nbind = 127.0.0.1\ntls-ca-file = DIR/ca\n"},
            "DIR/smtproute.conf:9: tls-ca-file DIR/ca: No such file or directory; $expected"],
        ['the system\'s', {append => "tls-ca-file =\n"}],
        (map { my ($says, $cert, $key, $why) = @{$_};
            [$says, {append => "tls-cert-file = DIR/cert\ntls-key-file = DIR/key\n",
                files => {cert => [$cert, 0644], key => $key}},
                defined $why ? "DIR/smtproute.conf:7: $why; expected files (PEM) of a certificate and its key that user nobody can read" : ()] }
            ['ours', $CA_TEXT, [$KEY_TEXT, 0640, $GROUP]],
            ['ours, and anybody can read the key', $CA_TEXT, [$KEY_TEXT, 0644, $GROUP],
                "tls-key-file DIR/key: mode 0644 and group $GID let others have it; expected 0600, or 0640 and group $GID"],
            ['ours, and it is none', '', [$KEY_TEXT, 0640, $GROUP],
                'tls-cert-file DIR/cert: no start line']),
        ['not a path', {append => "tls-ca-file = ca.pem\n"},
            'DIR/smtproute.conf:7: bad value "ca.pem" of tls-ca-file; expected an absolute path, or nothing'],
    );
};

subtest 'ciphers' => sub {
    try_all(
        ['some', {append => "tls-ciphers = HIGH:!aNULL\n"}],
        ['OpenSSL\'s', {append => "tls-ciphers =\n"}],
        ['none that there is', {append => "tls-ciphers = ROT13\n"},
            'DIR/smtproute.conf:7: tls-ciphers: no cipher match; expected a list as of openssl-ciphers(1)'],
        ['of one host', {append => "[host 127.0.0.1:25]\ntls-ciphers = ROT13\n"},
            'DIR/smtproute.conf:8: tls-ciphers: no cipher match; expected a list as of openssl-ciphers(1)'],
    );
};

done_testing;
