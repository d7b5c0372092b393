#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Where the credentials for AUTH come from: profiles, files, their owners.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent;
use Fixture;
use Profiles;
use Sasl;
use Secrets;
use SmtpHost;
use Trial;

my $FOLDER = new_folder('nothing');

# Name, the group [auth ex] (undef: there is none) or other settings, the
# reason, with FILE for the path of a file of secrets.
my @ours = (
    ['no TLS, and in clear text AUTH may not be',
        {'auth-in-clear' => 'no', 'host FIRST' => {tls => 'none'}},
        'AUTH: not in clear text (tls=none, auth-in-clear = no)', '4.7.8'],
    ['there is no such profile', {'auth ex' => undef}, qr/\[auth ex\]/],
    map { [$_->[0], {'auth ex' => {username => $USERNAME, %{ $_->[1] }}},
            $_->[2]] }
        ['the password file is missing', {'password-file' => '/nonexistent'},
            qr{/nonexistent: No such file or directory}],
        ['the password file is a folder', {'password-file' => $FOLDER},
            qr/\Q$FOLDER\E: /],
        ['the password file is a device', {'password-file' => '/dev/null'},
            qr{/dev/null: }],
        (map { my ($name, $text, $why, $mode) = @{$_};
            my $file = secret_file($text, $mode);
            [$name, {'password-file' => $file}, qr/\Q$file\E: .*$why/] }
            ['the password file is empty', '', qr/empty/],
            ['the password file has an empty line', "\n", qr/empty/],
            ['the password file has CRLF only', "\r\n", qr/empty/],
            ['the password file has two lines', "$PASSWORD\nx\n",
                qr/more than one line/],
            ['the password file begins with an empty line', "\n$PASSWORD\n",
                qr/more than one line/],
            ['the password file has a NUL byte', "$PASSWORD\0x", qr/NUL/],
            ['the password is too long', 'x' x 256 . "\n",
                qr/longer than 255/],
            ['the password file is far too long', 'x' x 2_000_000,
                qr/longer than 255/],
            ['others may read the password file', $PASSWORD, qr/mode 0644/,
                0644],
            ['others may write to the password file', $PASSWORD,
                qr/mode 0602/, 0602],
            ['its group may write to the password file', $PASSWORD,
                qr/mode 0620/, 0620]),
        (map { my ($name, $text, $why, $mode) = @{$_};
            my $file = secret_file($text, $mode);
            [$name, {'token-file' => $file}, qr/\Q$file\E: .*$why/] }
            ['the token file is empty', '', qr/empty/],
            ['the token is too long', 'x' x 8_193, qr/longer than 8192/],
            ['others may read the token file', $TOKEN, qr/mode 0604/, 0604]),
);

sub start_ours {
    my ($row) = @_;
    my (undef, $change) = @{$row};
    my %settings = %{ settings(%{$change}) };
    my $script = {Sasl::script(username => $USERNAME,
        password => $PASSWORD)};

    return [map { Trial->new(
        hosts    => {FIRST => $script, SECOND => {}},
        route    => $_,
        settings => \%settings,
    )->start } 'FIRST/auth=ex', 'FIRST/auth=ex, SECOND/pri=1'];
}

sub check_ours {
    my ($row, $alone, $pair) = @_;
    my (undef, undef, $why, $dsn) = @{$row};

    $_->wait for $alone, $pair;
    is $alone->status, 75, 'alone: deferred';
    my ($got_dsn, $got) = $alone->line =~ /^(\S+) FIRST: (.*)\z/
        or diag $alone->line;
    is $got_dsn, $dsn // '4.3.5', 'alone: DSN';
    is_like($got, $why, 'alone: why');
    like $got, qr/^AUTH: /, 'alone: where';
    is $pair->status, 0, 'delivered';
    like $pair->line, qr/^2\.0\.0 SECOND: /, 'by the next host';
    for my $trial ($alone, $pair) {
        is scalar(() = $trial->host('FIRST')->connections), 0,
            'the host is not contacted';
        is state_of($trial, 'FIRST'), 'up', 'nor is it down';
        is_discreet($trial);
    }
    like join("\n", $pair->log),
        qr/^Connection\ Error:\ DCID\ 1\ .*\ details:\ AUTH:\ .*
            \ reason:\ AUTH\ failed$/mx,
        'log';
    return;
}

try_all(\&start_ours, \&check_ours, @ours);

# The agent's answer where the password is in that file, or the settings.
sub deliver_with {
    my ($host, %option) = @_;
    my $agent = Agent->new(
        user     => $option{user},
        routes   => 'example.com ' . $host->destination . "/auth=ex\n",
        settings => settings('auth ex' => {
            username => $USERNAME,
            %{ $option{profile} },
        }),
    );

    chmod $option{conf_mode}, $agent->conf if defined $option{conf_mode};
    chown @{ $option{conf_owner} }, $agent->conf if $option{conf_owner};
    my $run = $agent->deliver;
    return $run->status . ' ' . $run->output;
}

my $HOST = SmtpHost->new(Sasl::script(username => $USERNAME,
    password => $PASSWORD));

subtest 'files that will do' => sub {
    my $symlink = "$FOLDER/symlink";
    symlink secret_file($PASSWORD), $symlink or die "symlink: $!\n";
    my %files = (
        'with LF'         => secret_file("$PASSWORD\n"),
        'with CRLF'       => secret_file("$PASSWORD\r\n"),
        'read-only'       => secret_file($PASSWORD, 0400),
        'executable, too' => secret_file($PASSWORD, 0700),
        'a symbolic link' => $symlink,
    );

    for my $name (sort keys %files) {
        like deliver_with($HOST,
            profile => {'password-file' => $files{$name}}),
            qr/^0 2\.0\.0 /, $name;
    }
};

subtest 'owners and groups' => sub {
    skip_or_fail('other users need root') if $> != 0;
    my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
    my ($other, $group) = (getpwnam 'daemon')[2, 3];

    # Who runs the agent; owner, group and mode of the file; what comes of it.
    my @rows = (
        ['nobody', $uid, $gid, 0600],
        ['nobody', $uid, 0, 0600],
        ['nobody', $uid, $gid, 0400],
        ['nobody', 0, $gid, 0640],
        ['nobody', $uid, $gid, 0640],
        ['nobody', $uid, $group, 0640, 'group \d+ let'],
        ['nobody', 0, 0, 0600, 'Permission denied'],
        ['nobody', 0, $group, 0640, 'Permission denied'],
        ['nobody', 0, $gid, 0660, 'mode 0660'],
        ['nobody', 0, 0, 0644, 'mode 0644'],
        ['nobody', $uid, $gid, 0604, 'mode 0604'],
        ['nobody', $other, $gid, 0640, 'owned by user'],
        ['nobody', $other, 0, 0644, 'owned by user'],
        [undef, 0, $gid, 0600],
        [undef, 0, 0, 0640],
        [undef, 0, $gid, 0640, 'group \d+ let'],
        [undef, $uid, $gid, 0600, 'owned by user'],
    );
    for my $row (@rows) {
        my ($user, $owner, $group, $mode, $why) = @{$row};
        my $file = secret_file($PASSWORD, $mode);
        chown $owner, $group, $file or die "$file: $!\n";
        my $name = sprintf '%s reads a file of %d:%d, %04o',
            $user // 'root', $owner, $group, $mode;
        like deliver_with($HOST, user => $user,
            profile => {'password-file' => $file}),
            defined $why ? qr/^75 4\.3\.5 .*AUTH: \Q$file\E: .*$why/
            : qr/^0 2\.0\.0 /, $name;
    }
};

subtest 'a password in the settings' => sub {
    my @rows = (
        ['private', undef, 0600, qr/^0 2\.0\.0 /],
        ['everybody may read them', undef, 0644,
            qr/^75 4\.3\.5 .*AUTH: .*smtproute\.conf: mode 0644/],
        $> ? () : (
            ["private to the agent's group", 'nobody', 0640,
                qr/^0 2\.0\.0 /],
            ['everybody may read them, and the agent', 'nobody', 0644,
                qr/^75 4\.3\.5 .*AUTH: .*smtproute\.conf: mode 0644/]),
    );

    for my $row (@rows) {
        my ($name, $user, $mode, $expected) = @{$row};
        my $said = deliver_with($HOST,
            user      => $user,
            profile   => {password => $PASSWORD},
            conf_mode => $mode,
            defined $user ? (conf_owner => [0, (getpwnam $user)[3]]) : (),
        );
        like $said, $expected, $name;
        unlike $said, qr/\Q$PASSWORD\E/, "$name: it is not shown";
    }
};

# Name, the file's kind, its content twice and what the host wants to hear.
for my $kind (qw(password token)) {
    subtest "another program changes the $kind file" => sub {
        my $file = secret_file("old $kind\n");
        my $mechanism = $kind eq 'token' ? 'XOAUTH2' : 'PLAIN';
        my $host = SmtpHost->new(Sasl::script(
            mechanisms => [$mechanism],
            username   => $USERNAME,
            $kind      => "new $kind",
        ));
        my $agent = Agent->new(
            routes   => 'example.com ' . $host->destination . "/auth=ex\n",
            settings => settings(
                'auth ex' => {username => $USERNAME, "$kind-file" => $file},
            ),
        );

        like $agent->deliver->output, qr/^4\.7\.8 .*: 535 5\.7\.8 /,
            'the old one is refused';
        write_file("$file.new", "new $kind\n");
        chmod 0600, "$file.new" or die "$file.new: $!\n";
        rename "$file.new", $file or die "$file: $!\n";
        $agent->forget;
        like $agent->deliver->output, qr/^2\.0\.0 /, 'the new one is taken';
    };
}

subtest 'nobody reads what is not needed' => sub {
    my $trial = Trial->new(
        hosts    => {FIRST => {}, SECOND => {}},
        route    => 'FIRST, SECOND/pri=1/auth=ex',
        settings => settings('auth ex' => {
            'username'      => $USERNAME,
            'password-file' => '/nonexistent',
        }),
    );

    is $trial->wait->status, 0, 'delivered';
    like $trial->line, qr/^2\.0\.0 FIRST: /, 'by the host without AUTH';
};

done_testing;
