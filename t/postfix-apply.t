#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# smtproutectl postfix: the lines that it prints, and what --apply makes of
# Postfix's files.

use strict;
use warnings;

use Fcntl qw(:flock);
use IO::Handle ();
use Test::More;

use Agent;
use Ctl;
use Fixture;
use PostfixInstance;
use SmtpHost;

my $POSTCONF = '/usr/sbin/postconf';
my $ARGUMENTS = '-q ${queue_id} -f ${sender} -n ${nexthop} -- ${recipient}';

skip_or_fail(-x $POSTCONF ? undef : 'Postfix is not installed');

my $MAIN = <<'EOF_MAIN';
# How this machine calls itself.
myhostname = gw1.example.com

compatibility_level = 3.6
# The end.
EOF_MAIN

my $MASTER = <<'EOF_MASTER';
# service type  private unpriv  chroot  wakeup  maxproc command + args
pickup    unix  n       -       y       60      1       pickup
# Kept for the archive.
archive   unix  -       n       n       -       10      pipe
  flags=DRXhu user=nobody argv=/bin/false ${recipient}
EOF_MASTER

# An entry of ours that --apply changes: its user is there on every machine.
my $OURS = "smtproute unix - n n - 50 pipe\n"
    . "  user=nobody argv=DIR/smtproute \${recipient}\n";

# What has $SMTPROUTE_WRAPPER run the tool where other files stand in the place
# of some: path => the file to see there.
sub disguise {
    my (%files) = @_;
    my $script = new_folder('disguise') . '/run';

    write_file($script, join "\n", '#! /bin/sh', 'set -e',
        (map { "mount --bind $files{$_} $_" } sort keys %files),
        'exec "$@"', '');
    chmod 0755, $script or die "$script: $!\n";
    return join ' ', 'unshare', '-m', $script, $ENV{SMTPROUTE_WRAPPER} // ();
}

my ($disguised) = $> == 0 ? capture('unshare', '-m', 'mount', '--bind',
    '/etc/passwd', '/etc/passwd') : 1;

# Users as after an installation.
sub with_user {
    my $passwd = new_folder('users') . '/passwd';

    write_file($passwd, read_file('/etc/passwd')
        . "smtproute:x:4711:4711::/:/usr/sbin/nologin\n");
    return disguise('/etc/passwd' => $passwd);
}

# A folder with main.cf, master.cf and settings; MAIN and MASTER may be given.
sub folder {
    my (%option) = @_;
    my $dir = new_folder('apply');

    write_file("$dir/main.cf", ($option{main} // $MAIN) =~ s/\bDIR\b/$dir/gr);
    write_file("$dir/master.cf",
        ($option{master} // $MASTER) =~ s/\bDIR\b/$dir/gr);
    write_file("$dir/smtproute.conf", "[smtproute]\nroutes = $dir/routes\n"
        . "state-directory = $dir\nspool-directory = $dir\n");
    write_file("$dir/routes", "example.com [127.0.0.1]\n");
    write_file("$dir/smtproute", "#!/bin/sh\n");
    chmod 0755, "$dir/smtproute" or die "$dir/smtproute: $!\n";
    return $dir;
}

sub postfix {
    my ($dir, @arguments) = @_;
    my %option = ref $arguments[-1] ? %{ pop @arguments } : ();

    age($dir);
    return Ctl->run(
        conf        => "$dir/smtproute.conf",
        arguments   => ['postfix', @arguments],
        %option,
        environment => {
            MAIL_CONFIG => $dir,
            TMPDIR      => new_folder('tmp'),
            %{ $option{environment} // {} },
        },
    );
}

# Postfix's commands wait until its files are no longer young.
sub age {
    my ($dir) = @_;

    utime time - 60, time - 60, map { "$dir/$_" } qw(main.cf master.cf);
    return;
}

sub files {
    my ($dir) = @_;

    return map { ($_ => read_file("$dir/$_")) } qw(main.cf master.cf);
}

# What postconf makes of them.
sub postconf {
    my ($dir, @arguments) = @_;

    age($dir);
    my ($status, $output) = capture($POSTCONF, '-c', $dir, @arguments);

    return join "\n", grep { !/^\S*postconf: warning: / } split /\n/, $output;
}

sub field {
    my ($dir, $field) = @_;

    return postconf($dir, '-F', "smtproute/unix/$field") =~ s/^\S+ = //r;
}

# A run that is to change nothing.
sub unchanged {
    my ($says, $dir, $run, $status) = @_;
    my %before = %{ $dir->{before} };

    is $run->status, $status, "$says: status";
    is_deeply {files($dir->{path})}, \%before, "$says: the files are as before";
    my @names = sort grep { !/^(?:main\.cf|master\.cf|smtproute|smtproute\.conf|routes)$/ }
        map { s{.*/}{}r } glob "$dir->{path}/*";
    is_deeply \@names, [], "$says: nothing is left behind";
    return;
}

sub snapshot {
    my ($path) = @_;

    return {path => $path, before => {files($path)}};
}

subtest 'the pieces' => sub {
    my $dir = folder();
    my $before = snapshot($dir);
    my $run = postfix($dir);
    my @lines = $run->lines;

    is_deeply [@lines[0 .. 2]], ['# master.cf',
        'smtproute unix  -  n  n  -  50  pipe',
        '  flags=hq user=smtproute null_sender='], 'the entry';
    like $lines[3], qr{^  argv=/\S+/smtproute -c $dir/smtproute\.conf \Q$ARGUMENTS\E$},
        'its command, with these settings';
    is_deeply [@lines[4 .. 7]], ['', '# main.cf',
        'smtproute_destination_recipient_limit = 1',
        "transport_maps = pipemap:{texthash:$dir/routes, static:{smtproute:}}"],
        'the parameters';
    is scalar(@lines), 8, 'and no more';
    unchanged('printing', $before, $run, 0);

    # As somebody would paste it.
    my $pasted = folder(
        main   => $MAIN . join("\n", @lines[6, 7], ''),
        master => $MASTER . join("\n", @lines[1 .. 3], ''));
    is field($pasted, 'command'), 'pipe flags=hq user=smtproute null_sender= '
        . $lines[3] =~ s/^ *//r, 'Postfix reads the entry so';
};

subtest 'applied to the files as they come' => sub {
    my $user = defined getpwnam 'smtproute';
    skip_or_fail($user || $disguised == 0 ? undef : 'no user smtproute');
    local $ENV{SMTPROUTE_WRAPPER} = with_user() if !$user;
    my $dir = folder();
    my $run = postfix($dir, '--apply');

    is $run->status, 0, 'status';
    like $run->stdout, qr/^--- $dir\/master\.cf$/m, 'a diff of master.cf';
    like $run->stdout, qr/^\+smtproute  ?unix /m, 'with the entry';
    like $run->stdout, qr/^--- $dir\/main\.cf$/m, 'and of main.cf';
    like $run->stdout, qr/^\+smtproute_destination_recipient_limit = 1$/m;
    like $run->stdout, qr/^done; next: postfix -c $dir reload$/m, 'the next step';
    unlike $run->stdout, qr/^-[^-]/m, 'nothing is taken away';
    is $run->stderr, '', 'no complaint';

    my %after = files($dir);
    like $after{'main.cf'}, qr/\A\Q$MAIN\E/, 'main.cf goes on behind its end';
    like $after{'master.cf'}, qr/\A\Q$MASTER\E/, 'so does master.cf';
    is field($dir, $$_[0]), $$_[1], "$$_[0] is $$_[1]"
        for [private => '-'], [unprivileged => 'n'], [chroot => 'n'],
        [wakeup => '-'], [process_limit => '50'];
    like field($dir, 'command'),
        qr{^pipe flags=hq user=smtproute null_sender= argv=/\S+/smtproute -c $dir/smtproute\.conf \Q$ARGUMENTS\E$},
        'the command';
    is postconf($dir, '-h', 'smtproute_destination_recipient_limit'), 1, 'the limit';
    is postconf($dir, '-h', 'transport_maps'),
        "pipemap:{texthash:$dir/routes, static:{smtproute:}}", 'the maps';

    my $before = snapshot($dir);
    $run = postfix($dir, '--apply');
    is $run->stdout, "nothing to change\n", 'once is enough';
    unchanged('again', $before, $run, 0);
};

my $PIPEMAP = 'pipemap:{texthash:DIR/routes, static:{smtproute:}}';

subtest 'what is there stays' => sub {
    my @rows = (
        ['other maps come first', 'hash:DIR/other', "hash:DIR/other, $PIPEMAP"],
        ['over several lines', "inline:{a=b:},\n  texthash:DIR/other", "inline:{a=b:}, texthash:DIR/other, $PIPEMAP"],
        ['a map that nobody can see through', 'unix:/x', "unix:/x, $PIPEMAP",
            'transport_maps has unix:/x, which cannot be read here; see whether it leads mail to smtproute already'],
        ['a table that names routes', 'inline:{a=b:} texthash:DIR/named', undef,
            'transport_maps leads mail to smtproute by texthash:DIR/named, and stays so'],
        ['the same, behind others', 'pipemap:{hash:DIR/named, inline:{a=b}}', undef,
            'transport_maps leads mail to smtproute by pipemap:{hash:DIR/named, inline:{a=b}}, and stays so'],
        ['inline', 'inline:{{a=smtproute:x}}', undef,
            'transport_maps leads mail to smtproute by inline:{{a=smtproute:x}}, and stays so'],
        ['with parameters', '$lead', "\$lead, $PIPEMAP"],
        ['a pipemap of somebody else', 'pipemap:{texthash:DIR/other, static:{other:}}',
            "pipemap:{texthash:DIR/other, static:{other:}}, $PIPEMAP"],
        ['ours, anywhere', "$PIPEMAP hash:DIR/other", undef],
        ['ours, by a parameter', '$ours', undef],
        ['a table beside main.cf', 'texthash:${config_directory}/named', undef,
            'transport_maps leads mail to smtproute by texthash:DIR/named, and stays so'],
    );
    for my $row (@rows) {
        my ($says, $old, $new, $complaint) = @{$row};
        my $dir = folder(master => $MASTER . $OURS, main => "# a\nlead = inline:{a=b:}\nours = $PIPEMAP\n"
            . "transport_maps = $old\n# b\nmyhostname = gw1.example.com\n");
        write_file("$dir/other", "a b:\n");
        write_file("$dir/named", "# x\nexample.com smtproute:exchange\n");
        $new //= $old;
        my $run = postfix($dir, '--apply');
        is $run->status, 0, "$says: status";
        is $run->stderr, defined $complaint
            ? "smtproutectl: $complaint\n" =~ s/\bDIR\b/$dir/gr : '', "$says: stderr";
        is postconf($dir, '-h', 'transport_maps'), $new =~ s/\bDIR\b/$dir/gr, $says;
        my $main = read_file("$dir/main.cf");
        like $main, qr/^# a\nlead = .*\n(?:.*\n)+# b\nmyhostname = /, "$says: the rest";
        is postfix($dir, '--apply')->stdout, "nothing to change\n", "$says: once";
    }
};

sub entry {
    my ($command, $limit) = @_;

    return $MASTER . "smtproute unix - n n - " . ($limit // 50) . " pipe\n"
        . "  $command\n# The end.\n";
}

subtest 'an entry that is there' => sub {
    my $standard = "-c DIR/smtproute.conf $ARGUMENTS";
    my @rows = (
        ['the same, by hand', "flags=hq user=nobody null_sender=\n# x\n  argv=DIR/smtproute $standard", 50, undef],
        ['with a limit of its own', "flags=hq user=nobody null_sender= argv=DIR/smtproute $standard", 20, undef],
        ['with a time limit', "-o smtproute_time_limit=950s\n flags=hq user=nobody null_sender= argv=DIR/smtproute $standard", 50, undef],
        ['without null_sender', "flags=hqu user=nobody argv=DIR/smtproute $standard", 20,
            "pipe flags=hq user=nobody null_sender= argv=DIR/smtproute $standard"],
        ['with more', "-o syslog_name=x user=nobody:nogroup flags=Rhq size=1000 argv=DIR/smtproute $standard", 50,
            "pipe -o syslog_name=x flags=hq user=nobody:nogroup null_sender= size=1000 argv=DIR/smtproute $standard"],
        ['with other settings', "flags=hq user=nobody null_sender= argv=DIR/smtproute -c /nowhere $ARGUMENTS", 50,
            "pipe flags=hq user=nobody null_sender= argv=DIR/smtproute $standard"],
        ['without a process limit', "flags=hq user=nobody null_sender= argv=DIR/smtproute $standard", '-',
            "pipe flags=hq user=nobody null_sender= argv=DIR/smtproute $standard"],
    );
    for my $row (@rows) {
        my ($says, $command, $limit, $becomes) = @{$row};
        my $dir = folder(master => entry($command, $limit));
        my $before = read_file("$dir/master.cf");
        my $run = postfix($dir, '--apply');
        is $run->status, 0, "$says: status";
        my $after = read_file("$dir/master.cf");
        if (defined $becomes) {
            is field($dir, 'command'), $becomes =~ s/\bDIR\b/$dir/gr, $says;
            is field($dir, 'process_limit'), $limit eq '-' ? 50 : $limit, "$says: its limit";
            like $run->stdout, qr/^-smtproute unix/m, "$says: the diff shows the old one";
            like $after, qr/\A\Q$MASTER\E(?:.*\n)+# The end\.\n\z/, "$says: the rest";
        }
        else {
            is $after, $before, "$says: stays as it is";
        }
        is postfix($dir, '--apply')->stdout, "nothing to change\n", "$says: once";
    }
};

my $LMTP = 'pipemap:{texthash:DIR/routes, static:{lmtp:unix:private/smtproute-lmtp}}';
my $SPAWN = "smtproute-lmtp unix - n n - 30 spawn\n"
    . "  user=nobody argv=DIR/smtproute -L -c DIR/smtproute.conf\n";

subtest 'LMTP, applied to the files as they come' => sub {
    my $user = defined getpwnam 'smtproute';
    skip_or_fail($user || $disguised == 0 ? undef : 'no user smtproute');
    local $ENV{SMTPROUTE_WRAPPER} = with_user() if !$user;
    my $dir = folder();
    my $run = postfix($dir, '--lmtp', '--apply');

    is $run->status, 0, 'status';
    is $run->stderr, '', 'no complaint';
    like $run->stdout, qr/^done; next: postfix -c $dir reload$/m, 'the next step';
    like postconf($dir, '-M', 'smtproute-lmtp/unix'),
        qr{^smtproute-lmtp +unix +- +n +n +- +50 +spawn user=smtproute argv=/\S+/smtproute -L -c $dir/smtproute\.conf$},
        'the entry';
    is postconf($dir, '-h', $_->[0]), $_->[1] =~ s/\bDIR\b/$dir/gr, $_->[0]
        for ['smtproute-lmtp_time_limit', '1d'],
            ['lmtp_send_xforward_command', 'yes'],
            ['lmtp_data_done_timeout', '600s'], ['transport_maps', $LMTP];
    my $before = snapshot($dir);
    $run = postfix($dir, '--apply', '--lmtp');
    is $run->stdout, "nothing to change\n", 'once is enough';
    unchanged('again', $before, $run, 0);
};

subtest 'LMTP: what is there stays' => sub {
    my $dir = folder(master => $MASTER . $SPAWN, main => $MAIN
        . "transport_maps = $LMTP\nsmtproute-lmtp_time_limit = 2h\n"
        . "lmtp_data_done_timeout = 1200s\n");
    my $run = postfix($dir, '--lmtp', '--apply');

    is $run->status, 0, 'status';
    is read_file("$dir/master.cf"), $MASTER . $SPAWN =~ s/\bDIR\b/$dir/gr,
        'the entry';
    is postconf($dir, '-h', $_->[0]), $_->[1], $_->[0]
        for ['smtproute-lmtp_time_limit', '2h'],
            ['lmtp_data_done_timeout', '1200s'],
            ['lmtp_send_xforward_command', 'yes'];

    $dir = folder(master => $MASTER . $SPAWN =~ s/ -L//r, main => $MAIN
        . "transport_maps = $LMTP\nlmtp_send_xforward_command = yes\n"
        . "smtproute-lmtp_time_limit = 60s\nlmtp_data_done_timeout = 1m\n");
    is postfix($dir, '--lmtp', '--apply')->status, 0, 'faults: status';
    like postconf($dir, '-M', 'smtproute-lmtp/unix'),
        qr{ 30 +spawn user=nobody argv=$dir/smtproute -L -c },
        'faults are mended: -L';
    is postconf($dir, '-h', $_->[0]), $_->[1], $_->[0]
        for ['smtproute-lmtp_time_limit', '1d'],
            ['lmtp_data_done_timeout', '600s'];
};

subtest 'from pipe to LMTP and back' => sub {
    my $dir = folder(master => $MASTER . $OURS . $SPAWN,
        main => $MAIN . "transport_maps = inline:{a=b:} $PIPEMAP, inline:{c=d:}\n");
    my $maps = sub {
        return "inline:{a=b:}, $_[0], inline:{c=d:}" =~ s/\bDIR\b/$dir/gr;
    };

    is postfix($dir, '--lmtp', '--apply')->status, 0, 'to LMTP';
    is postconf($dir, '-h', 'transport_maps'), $maps->($LMTP), 'in its place';
    is postfix($dir, '--apply')->status, 0, 'to pipe';
    is postconf($dir, '-h', 'transport_maps'), $maps->($PIPEMAP), 'and back';
};

# --apply on a machine that does not have the program.
sub without {
    my ($path, $dir) = @_;
    my $none = new_folder('none') . '/none';

    write_file($none, '');
    local $ENV{SMTPROUTE_WRAPPER} = disguise($path => $none);
    return postfix($dir, '--apply');
}

subtest 'refused' => sub {
    my $dir = folder(master => $MASTER
        . "smtproute unix - n n - - pipe\n  user=nobody argv=/bin/false\n");
    my $before = snapshot($dir);
    my $run = postfix($dir, '--apply');
    unchanged('the name is another\'s', $before, $run, 2);
    is $run->stderr, "smtproutectl: master.cf: smtproute/unix does not run smtproute by pipe; "
        . "expected the name to be free, so rename that service\n", 'it says so';

    $dir = folder(master => $MASTER . $OURS =~ s/^smtproute/smtproute-lmtp/r);
    $before = snapshot($dir);
    $run = postfix($dir, '--lmtp', '--apply');
    unchanged('the name of LMTP is another\'s', $before, $run, 2);
    is $run->stderr, "smtproutectl: master.cf: smtproute-lmtp/unix does not run smtproute by spawn; "
        . "expected the name to be free, so rename that service\n", 'it says so';

    $dir = folder(master => $MASTER . "smtproute unix - - n - - smtp\n");
    $before = snapshot($dir);
    unchanged('the name is smtp\'s', $before, postfix($dir, '--apply'), 2);

    $dir = folder();
    write_file("$dir/smtproute.conf", "[smtproute]\nroutes = lmdb:$dir/routes\n");
    $before = snapshot($dir);
    $run = postfix($dir, '--apply');
    unchanged('an indexed map', $before, $run, 2);
    like $run->stderr, qr/: open database \S+\.lmdb: No such file or directory; nothing was changed$/,
        'that is not there yet: it says so';

    write_file("$dir/smtproute.conf", "[smtproute]\nroutes = $dir/a b\n");
    $run = postfix($dir, '--apply');
    unchanged('a path with a blank', $before, $run, 2);
    like $run->stderr, qr/: Postfix's files cannot have this path; expected /, 'it says so';

    write_file("$dir/smtproute.conf", "[smtproute]\nroutse = x\n");
    $run = postfix($dir, '--apply');
    unchanged('settings at fault', $before, $run, 2);
    like $run->stderr, qr/smtproute\.conf:2: unknown key/, 'it says so';

    $dir = folder(master => $MASTER . $OURS);
    $before = snapshot($dir);
    unchanged('an argument', $before, postfix($dir, '--apply', 'x'), 2);
    unchanged('an unknown option', $before, postfix($dir, '--undo'), 2);
    unchanged('nobody would see the diff', $before,
        postfix($dir, '--apply', {output => '/dev/full'}), 2)
        if -c '/dev/full';
    skip_or_fail($disguised == 0 ? undef : 'needs root, to hide programs');
    $run = without('/usr/bin/diff', $dir);
    unchanged('no diff(1)', $before, $run, 2);
    is $run->stderr, "smtproutectl: diff: not found in PATH\n", 'it says so';
    $run = without($POSTCONF, $dir);
    unchanged('no Postfix', $before, $run, 2);
    is $run->stderr, "smtproutectl: postconf: not found in PATH\n", 'it says so';
};

subtest 'users' => sub {
    my $useradd = 'useradd --system --home-dir / --shell /usr/sbin/nologin';
    my $dir = folder(master => $MASTER . $OURS =~ s/nobody/no-such-user/r);
    my $before = snapshot($dir);
    my $run = postfix($dir, '--apply');
    unchanged('the entry names one who is missing', $before, $run, 2);
    is $run->stderr, "smtproutectl: user no-such-user does not exist; expected one: $useradd no-such-user\n",
        'it says so';
    is $run->stdout, '', 'no diff';

    skip_or_fail(defined getpwnam('smtproute') ? 'there is a user smtproute' : undef);
    $dir = folder();
    $before = snapshot($dir);
    $run = postfix($dir, '--apply');
    unchanged('the agent\'s is missing', $before, $run, 2);
    is $run->stderr, "smtproutectl: user smtproute does not exist; expected one: $useradd smtproute\n",
        'it says so';
};

subtest 'a route map that Postfix refuses' => sub {
    my $dir = folder(master => $MASTER . $OURS);
    my $before = snapshot($dir);
    write_file("$dir/routes", "a.example [127.0.0.1]\na.example [127.0.0.2]\n");
    my $run = postfix($dir, '--apply');
    unchanged('a key twice', $before, $run, 2);
    is $run->stderr, "smtproutectl: postmap: warning: $dir/routes, line 2: duplicate entry: \"a.example\"; nothing was changed\n",
        'it says so';
    unlink "$dir/routes" or die "unlink: $!\n";
    $run = postfix($dir, '--apply');
    unchanged('no file', $before, $run, 2);
    like $run->stderr, qr{^smtproutectl: postmap: fatal: .*$dir/routes: No such file or directory; nothing was changed$}m,
        'it says so';
};

subtest 'owner, mode and links' => sub {
    my $dir = folder(master => $MASTER . $OURS);
    my $gid = (getpwnam 'nobody')[3];
    my %mode = ('main.cf' => 0640, 'master.cf' => 0600);
    for my $name (keys %mode) {
        chmod $mode{$name}, "$dir/$name" or die "chmod: $!\n";
        chown -1, $gid, "$dir/$name" or die "chown: $!\n" if $> == 0;
    }
    my %before = map { ($_ => [(stat "$dir/$_")[2, 4, 5]]) } keys %mode;
    my $run = postfix($dir, '--apply');
    is $run->status, 0, 'status';
    like read_file("$dir/$_"), qr/smtproute_dest|flags=hq/, "$_ was changed"
        for keys %mode;
    is_deeply {map { ($_ => [(stat "$dir/$_")[2, 4, 5]]) } keys %mode},
        \%before, 'both stay as they were';

    $dir = folder(master => $MASTER . $OURS);
    my $before = snapshot($dir);
    my $elsewhere = new_folder('elsewhere');
    rename "$dir/main.cf", "$elsewhere/main.cf" or die "rename: $!\n";
    symlink "$elsewhere/main.cf", "$dir/main.cf" or die "symlink: $!\n";
    $run = postfix($dir, '--apply');
    unchanged('a link', $before, $run, 2);
    ok -l "$dir/main.cf", 'it stays one';
    is $run->stderr, "smtproutectl: $dir/main.cf: is a link to $elsewhere/main.cf, which postconf(1) would replace; expected a file\n",
        'it says so';
};

subtest 'the chroot column' => sub {
    for my $level (0, '3.6') {
        my $dir = folder(main => $MAIN =~ s/3\.6/$level/r,
            master => entry("flags=hq user=nobody null_sender= argv=DIR/smtproute -c DIR/smtproute.conf $ARGUMENTS")
                =~ s/unix - n n/unix - n -/r);
        my $run = postfix($dir, '--apply');
        is $run->status, 0, "level $level: status";
        is field($dir, 'chroot'), $level eq '0' ? 'n' : '-',
            "level $level: what - stands for counts";
    }
};

subtest 'a failure half way' => sub {
    my $dir = folder(master => $MASTER . $OURS);
    my $before = snapshot($dir);

    # A file there is in the way of the new one.
    mkdir "$dir/main.cf.tmp" or die "mkdir: $!\n";
    my $run = postfix($dir, '--apply');
    is $run->status, 2, 'status';
    like $run->stderr, qr/^smtproutectl: $dir\/main\.cf\.tmp: Is a directory; main\.cf is as it was, master\.cf has the service, which gets no mail yet$/m,
        'it says what is and what is not';
    rmdir "$dir/main.cf.tmp" or die "rmdir: $!\n";
    my %after = files($dir);
    is $after{'main.cf'}, $before->{before}{'main.cf'}, 'main.cf is whole';
    like $after{'master.cf'}, qr/\A\Q$MASTER\Esmtproute .*flags=hq.*\$\{recipient\}\n\z/s,
        'so is master.cf';
    is postfix($dir, '--apply')->status, 0, 'the second run';
    is postconf($dir, '-h', 'smtproute_destination_recipient_limit'), 1,
        'does the rest';
};

# Opens a file for others, however briefly: a line in @log.
sub watch_modes {
    my ($log, @paths) = @_;

    return child(sub {
        open my $handle, '>>', $log or die "$log: $!\n";
        $handle->autoflush;
        print {$handle} "watching\n";
        for (;;) {
            for my $path (@paths) {
                my @stat = stat $path or next;
                printf {$handle} "%s %04o\n", $path, $stat[2] & 07777
                    if $stat[2] & 077;
            }
        }
    });
}

subtest 'files that others must not read' => sub {
    my $dir = folder(master => $MASTER . $OURS);
    my @paths = map { ("$dir/$_", "$dir/$_.tmp") } qw(main.cf master.cf);
    my $log = new_folder('watch') . '/log';

    # What postconf(1) may have left behind.
    write_file("$dir/main.cf.tmp", 'old ' x 1000);
    chmod 0600, grep { -e } @paths or die "chmod: $!\n";
    my $watcher = watch_modes($log, @paths);
    wait_until('the watcher', sub { -s $log });
    my $run = postfix($dir, '--apply');
    end_child($watcher);
    is $run->status, 0, 'status';
    is read_file($log), "watching\n", 'nobody else could read them';
    is +(stat "$dir/main.cf")[2] & 07777, 0600, 'mode of main.cf';
    ok !-e "$dir/main.cf.tmp", 'nothing is left';
    unlike read_file("$dir/main.cf"), qr/old/, 'nor of what was there';
};

subtest 'somebody else edits' => sub {
    my $dir = folder(master => $MASTER . $OURS);
    my $before = snapshot($dir);

    open my $lock, '>', "$dir/master.cf.tmp" or die "open: $!\n";
    flock $lock, LOCK_EX or die "flock: $!\n";
    my $run = postfix($dir, '--apply');
    is $run->status, 2, 'a lock: status';
    is $run->stderr, "smtproutectl: $dir/master.cf.tmp: another program is editing; nothing was changed\n",
        'it says so';
    close $lock;
    unlink "$dir/master.cf.tmp" or die "unlink: $!\n";
    symlink "$dir/main.cf", "$dir/master.cf.tmp" or die "symlink: $!\n";
    $run = postfix($dir, '--apply');
    is $run->status, 2, 'a link in its place: status';
    unlink "$dir/master.cf.tmp" or die "unlink: $!\n";
    unchanged('either', $before, $run, 2);
};

subtest 'without leave to write' => sub {
    skip_or_fail($> == 0 ? undef : 'needs root, to be somebody else');
    my $dir = folder(master => $MASTER . $OURS);
    my $before = snapshot($dir);
    my $tmp = new_folder('tmp');
    chmod 01777, $tmp or die "$tmp: $!\n";
    my %other = (user => 'nobody', environment => {TMPDIR => $tmp});

    my $run = postfix($dir, '--apply', \%other);
    unchanged('a folder of root\'s', $before, $run, 2);
    is $run->stderr, "smtproutectl: $dir: Permission denied; expected leave to write\n",
        'it says so';
    chmod 0777, $dir or die "$dir: $!\n";
    $run = postfix($dir, '--apply', \%other);
    unchanged('files of root\'s', $before, $run, 2);
    like $run->stderr, qr/: $dir\/master\.cf: Permission denied; expected leave to write$/m,
        'it says so';
    is_deeply [glob "$tmp/*"], [], 'no copies are left behind';
};

subtest 'Postfix delivers by it' => sub {
    skip_or_fail(PostfixInstance->missing);
    my $host = SmtpHost->new;
    my $agent = Agent->new(user => 'nobody',
        routes => 'example.com ' . $host->destination . "\n");
    my $postfix = PostfixInstance->new(stopped => 1,
        main => {maillog_file_prefixes => '/tmp', relay_domains => 'example.com'});
    my $dir = $postfix->folder;

    # As after an installation, but for the program's path and user.
    my %reports = $agent->report_environment;
    my $exported = join ' ', 'TZ MAIL_CONFIG LANG',
        map { "{$_=$reports{$_}}" } sort keys %reports;
    my $copy = "$dir/smtproute";
    write_file($copy, read_file($agent->binary));
    chmod 0755, $copy or die "$copy: $!\n";
    write_file("$dir/main.cf", read_file("$dir/main.cf") =~ s/^maillog_file_prefixes.*/maillog_file_prefixes = $dir\nexport_environment = $exported/mr);
    write_file("$dir/master.cf", read_file("$dir/master.cf")
        . "smtproute unix - n n - - pipe user=nobody argv=$copy \${recipient}\n");

    my %environment = (environment => {MAIL_CONFIG => $dir});
    my $run = Ctl->run(conf => $agent->conf,
        arguments => ['postfix', '--apply'], %environment);
    is $run->status, 0, 'applied';
    $run = Ctl->run(conf => $agent->conf, arguments => ['check'],
        %environment);
    is $run->stdout =~ s/^main\.cf: config_directory: note: .*\n//r,
        "no faults found: 1 route, 1 host\n",
        'then check finds nothing';
    is $run->status, 0, 'status';
    my ($status, $answer) = $postfix->command('postmap', '-q', 'example.com',
        postconf($dir, '-h', 'transport_maps'));
    is $answer, "smtproute:\n", 'transport_maps leads the domain there';

    $postfix->start;
    my $id = $postfix->inject;
    $postfix->wait_for(qr/ $id: to=<user\@example\.com>, relay=smtproute, .*status=sent /);
    is scalar($host->messages), 1, 'the message arrives';
    $postfix->stop;
    $agent->check_reports;
};

done_testing;
