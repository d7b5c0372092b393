#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# smtproutectl check: a log that goes nowhere, a state that cannot be kept.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Checked;
use Ctl;
use Fixture;

my $LOSS = 'without which there is no log';

subtest 'a file' => sub {
    my $dir = configuration(conf => ['DIR/state/maillog', 'DIR/state/link']);
    symlink 'maillog', "$dir/state/link" or die "symlink: $!\n";
    finds('a link', check($dir), $dir,
        "DIR/state/link: warning: is a symbolic link, which is not followed; expected the file itself, $LOSS");
    table(
        ['a folder', conf => ['DIR/state/maillog', 'DIR/state'],
            "DIR/state: warning: is a folder; expected a file, $LOSS"],
        ['in no folder', conf => ['DIR/state/maillog', 'DIR/none/maillog'],
            "DIR/none/maillog: warning: is in no folder; expected one, $LOSS"],
        ['a full device', conf => ['DIR/state/maillog', '/dev/full'],
            "/dev/full: warning: is a device; expected a file, $LOSS"],
        ['a device that keeps nothing', conf => ['DIR/state/maillog', '/dev/null'],
            "/dev/null: warning: is a device; expected a file, $LOSS"],
    );
};

my $NO_SYSLOG = 'DIR/smtproute.conf: warning: the log is syslog, but /dev/log: '
    . 'No such file or directory; expected a syslog daemon, or log = postlog, '
    . $LOSS;
my $NO_DEV = 'mount -t tmpfs -o mode=0755 tmpfs /dev && mknod -m 0666 /dev/null c 1 3';

subtest 'syslog' => sub {
    skip_or_fail(namespaces() ? undef : 'mount namespaces need root');
    my $dir = configuration(conf => ['file:DIR/state/maillog', 'syslog']);
    local $ENV{SMTPROUTE_WRAPPER} = after($NO_DEV);

    finds('no daemon', check($dir), $dir, $NO_SYSLOG);
};

subtest 'postlog' => sub {
    skip_or_fail(namespaces() ? undef : 'mount namespaces need root');
    my $bin = new_folder('bin');
    my @main = (main => ['relay_domains', "maillog_file = /var/log/mail.log\nrelay_domains"]);
    my @conf = (conf => ['file:DIR/state/maillog', 'postlog']);
    my $service = "postlog unix-dgram n - n - 1 postlogd\n";
    my $dir = configuration(@conf);
    my ($program) = grep { -x } '/usr/sbin/postlog', '/usr/local/sbin/postlog';

    write_file("$bin/$_", '') for qw(bare set-gid);
    chmod 0755, "$bin/bare" or die "chmod: $!\n";
    chown 0, scalar getgrnam 'postdrop', "$bin/set-gid" or die "chown: $!\n";
    chmod 02755, "$bin/set-gid" or die "chmod: $!\n";
    {
        local $ENV{SMTPROUTE_WRAPPER} = after($NO_DEV);
        finds('Postfix has syslog itself', check($dir), $dir,
            $NO_SYSLOG);
    }
    for my $name (qw(bare set-gid)) {
        local $ENV{SMTPROUTE_WRAPPER} = after("mount --bind $bin/$name $program");
        my @rights = $name eq 'bare'
            ? "$program: warning: is not set-gid postdrop and cannot get to postlogd(8); expected postfix set-permissions, or mode 2755 and group postdrop, $LOSS"
            : ();
        $dir = configuration(@conf, @main);
        finds("$name, no service", check($dir), $dir,
            "master.cf: warning: has no service postlog; expected postlog unix-dgram n - n - 1 postlogd, $LOSS",
            @rights);
        $dir = configuration(@conf, @main, master => ['pickup ', "${service}pickup "]);
        finds($name, check($dir), $dir, @rights);
    }
    unlink "$bin/bare" or die "unlink: $!\n";
    mkdir "$bin/empty" or die "mkdir: $!\n";
    local $ENV{SMTPROUTE_WRAPPER} = after("mount --bind $bin/empty /usr/sbin");
    like check($dir, environment => {PATH => '/usr/bin:/bin'})->stdout,
        qr{^$dir/smtproute\.conf: warning: log = postlog, but there is no postlog\(1\); expected Postfix's, $LOSS$}m,
        'no such program';
};

# A file system that takes nothing: root may still write where it is full.
subtest 'the state' => sub {
    skip_or_fail(namespaces() ? undef : 'mount namespaces need root');
    my $nothing = 'without which nothing is remembered of hosts';
    my $dir = configuration(conf => ['spool-directory = DIR/state', 'spool-directory = /tmp']);
    my $none = $dir . '/full';

    mkdir $none or die "mkdir: $!\n";
    write_file("$dir/smtproute.conf", read_file("$dir/smtproute.conf")
        =~ s/^(state-directory) = .*$/$1 = $none/mr);
    my $uid = getpwnam 'nobody';
    my $mount = "mount -t tmpfs -o mode=0700,uid=$uid,nr_inodes=4,size=16k tmpfs $none";
    {
        local $ENV{SMTPROUTE_WRAPPER} = after($mount);
        finds('room', check($dir), $dir);
    }
    {
        local $ENV{SMTPROUTE_WRAPPER} =
            after("$mount && head -c 16384 /dev/zero >$none/x");
        finds('full', check($dir), $dir,
            "DIR/full: warning: No space left on device; expected room for files, $nothing");
    }
    {
        local $ENV{SMTPROUTE_WRAPPER} =
            after("$mount && touch $none/1 $none/2 $none/3");
        finds('no inodes', check($dir), $dir,
            "DIR/full: warning: No space left on device; expected room for files, $nothing");
    }
    local $ENV{SMTPROUTE_WRAPPER} = after("$mount && mount -o remount,ro $none");
    my $run = Ctl->run(conf => "$dir/smtproute.conf", arguments => ['hosts']);
    is $run->stderr, "smtproutectl: $none: Read-only file system; nothing new is remembered of hosts\n",
        'hosts says so';
    like $run->stdout, qr/^127\.0\.0\.1:25 /m, 'and shows what it knows';
    $run = Ctl->run(conf => "$dir/smtproute.conf",
        arguments => ['hosts', '--openmetrics']);
    like $run->stdout, qr/^smtproute_state_usable 0$/m, 'in metrics, too';
    like $run->stdout, qr/^smtproute_host_up\{host="127\.0\.0\.1",port="25"\} 1$/m,
        'with what it knows';
    finds('read-only', check($dir), $dir,
        "DIR/full: warning: Read-only file system; expected room for files, $nothing");
};

done_testing;
