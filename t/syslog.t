#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The lines of the maillog, in syslog and in a file: each row is one delivery,
# and all that it logs.

use strict;
use warnings;

use File::Copy qw(copy);
use POSIX ();
use Test::More;

use Agent;
use Fixture;
use Honest;
use PostfixInstance;
use SmtpHost;
use Syslog;

skip_or_fail(Syslog->missing);

my $syslog = Syslog->new;
my $seen = 0;

# What stands before the text of a line in a file: "Nov 22 09:15:07 gw1 ".
my $STAMP = qr/\A[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [^\s.]+ /;
my $TIME = qr/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/;

# Of one run: how each line goes on after facility and level, or the stamp.
sub syslog_lines {
    my @lines = $syslog->lines;
    my @new = @lines[$seen .. $#lines];

    $seen = @lines;
    s/$TIME$/TIME/ for @new;
    return @new;
}

sub file_lines {
    my ($run) = @_;

    return map { s/$STAMP// ? s/$TIME$/TIME/r : "no stamp: $_" }
        $run->log_lines;
}

# With $tag before each of @lines, in which PORT and PID are filled in.
sub expected {
    my ($tag, $host, $run, @lines) = @_;
    my $port = $host->port;
    my $pid = $run->pid;

    return map {
        my ($level, $text) = @{$_};
        ["mail.$level ", "${tag}[$pid]: " . $text =~ s/\bPORT\b/$port/r];
    } @lines;
}

# script: of the host; agent: options, which may have {HOST} in routes; tag;
# run: options of deliver(); status.  Then the lines: level => text.
sub check {
    my ($what, $row, @pairs) = @_;
    my @lines;

    push @lines, [splice @pairs, 0, 2] while @pairs;
    for my $log ('syslog', 'file') {
        subtest "$what: $log" => sub {
            my $host = SmtpHost->new(%{ $row->{script} // {} });
            my $destination = $host->destination;
            my $routes = $row->{routes} // '{HOST}';
            my $agent = Agent->new(
                prefix   => [$syslog->prefix],
                routes   => "example.com $routes\n"
                    =~ s/\{HOST\}/$destination/gr,
                settings => {
                    $log eq 'syslog' ? (log => 'syslog') : (),
                    %{ $row->{settings} // {} },
                },
            );
            my $run = $agent->deliver(message => $SMALL,
                %{ $row->{run} // {} });
            my @expected = expected($row->{tag} // 'postfix/smtproute',
                $host, $run, @lines);

            is $run->status, $row->{status} // 0, 'exit status';
            is_deeply [syslog_lines()], [$log eq 'syslog'
                ? map { join '', @{$_} } @expected : ()], 'in syslog';
            is_deeply [file_lines($run)], [$log eq 'file'
                ? map { $_->[1] } @expected : ()], 'in the file';
        };
    }
    return;
}

my $NEW = '4F1B: New SMTP DCID 1 interface 127.0.0.1 address 127.0.0.1 '
    . 'port PORT';
my $DOWN = '4F1B: host 127.0.0.1:PORT is down until TIME';

check 'delivered', {},
    info => $NEW,
    info => '4F1B: Delivered: DCID 1 to RID [0] Response 2.0.0 Ok: queued as '
        . '0.1';
check 'refused by the first host', {
        script => {final => '250 done'},
        routes => '[127.0.0.2]:1, {HOST}/pri=5',
    },
    info => '4F1B: Connection Error: DCID 1 domain: example.com IP: 127.0.0.2 '
        . 'port: 1 details: connect: Connection refused interface: - reason: '
        . 'network error',
    info => '4F1B: host 127.0.0.2:1 is down until TIME',
    info => $NEW =~ s/DCID 1/DCID 2/r,
    info => '4F1B: Delivered: DCID 2 to RID [0] Response done';
check 'a 4xx greeting', {
        script => {greeting => "431-example.com ESMTP\n431 Mail system full"},
        status => 75,
    },
    info => $NEW,
    info => '4F1B: Connection Error: DCID 1 domain: example.com IP: 127.0.0.1 '
        . 'port: PORT details: 431 example.com ESMTP Mail system full (in '
        . 'greeting) interface: 127.0.0.1 reason: unexpected SMTP response',
    info => $DOWN;
check 'a connection that breaks', {script => {rcpt => 'close'}, status => 75},
    info => $NEW,
    info => '4F1B: Connection Error: DCID 1 domain: example.com IP: 127.0.0.1 '
        . 'port: PORT details: RCPT TO: connection lost interface: 127.0.0.1 '
        . 'reason: network error',
    info => $DOWN;
check 'deferred', {
        script => {mail => '452 4.3.1 Insufficient system resources'},
        status => 75,
    },
    info => $NEW,
    info => '4F1B: Delayed: DCID 1 to RID [0] - 4.3.1 - in reply to MAIL FROM '
        . q{('452', ['4.3.1 Insufficient system resources'])},
    info => $DOWN;
check 'bounced', {script => {rcpt => '550 5.1.1 no such user'}, status => 67},
    info => $NEW,
    info => '4F1B: Bounced: DCID 1 to RID [0] - 5.1.1 - in reply to RCPT TO '
        . q{('550', ['5.1.1 no such user'])};
check 'two recipients', {
        script => {rcpt => ['250 ok', '450 4.2.0 later']},
        run    => {recipients => ['a@example.com', 'b@example.com']},
        status => 75,
    },
    info => $NEW,
    info => '4F1B: Delayed: DCID 1 to RID [0] - 4.3.0 - not sent, since '
        . 'another recipient was refused',
    info => '4F1B: Delayed: DCID 1 to RID [1] - 4.2.0 - in reply to RCPT TO '
        . q{('450', ['4.2.0 later'])};
check 'dropped', {routes => '/dev/null'},
    info => '4F1B: Dropped: the route is /dev/null';
check 'no state', {settings => {'state-directory' => '/nonexistent'}},
    warning => '4F1B: warning: state-directory: /nonexistent/hosts.mdb: '
        . 'No such file or directory; delivering without memory of hosts',
    info => $NEW =~ s/DCID 1/DCID 0/r,
    info => '4F1B: Delivered: DCID 0 to RID [0] Response 2.0.0 Ok: queued as '
        . '0.1';
check 'another name', {
        settings => {'syslog-name' => 'gateway'},
        tag      => 'gateway',
        routes   => '/dev/null',
    },
    info => '4F1B: Dropped: the route is /dev/null';
check 'a long queue id', {
        run    => {queue_id => '4XyZ9k0QpWz1b-_.'},
        routes => '/dev/null',
    },
    info => '4XyZ9k0QpWz1b-_.: Dropped: the route is /dev/null';
check 'a queue id that is none', {
        run    => {queue_id => "a b\n%s"},
        routes => '/dev/null',
    },
    info => 'a?b??s: Dropped: the route is /dev/null';
check 'no queue id', {run => {queue_id => ''}, routes => '/dev/null'},
    info => 'NOQUEUE: Dropped: the route is /dev/null';
check 'a hostile reply',
    {script => {final => \"250 2.0.0 %s%n \e[31m\x7f\xff\0 end\r\n"}},
    info => $NEW,
    info => '4F1B: Delivered: DCID 1 to RID [0] Response 2.0.0 %s%n ?[31m??? '
        . 'end';

# A log that takes nothing holds up no mail, and Postfix's own says so.
sub check_silent {
    my ($what, $log, $why, @prefix) = @_;

    subtest $what => sub {
        my $host = SmtpHost->new;
        my $agent = Agent->new(
            prefix   => \@prefix,
            routes   => 'example.com ' . $host->destination . "\n",
            settings => {'time-limit' => '20s', log => $log},
        );

        my $run = $agent->deliver(message => $SMALL);
        is $run->status, 0, 'exit status';
        is_deeply [breaches($run, $host->messages)], [], 'honest';
        is_deeply [syslog_lines()], [], 'nothing in syslog';
        like $run->output, qr/\A2\.0\.0 [^()]+ \(no log: $why\)\z/, 'the note';
        $run = $agent->deliver(message => $SMALL, nexthop => 'no-such-route');
        is $run->status, 75, 'deferred: exit status';
        unlike $run->output, qr/no log/, 'deferred: nothing was to be logged';
    };
    return;
}

# A /dev of its own, with nothing but what is needed.  Without namespaces
# /dev/log is this very test's.
my @NO_SYSLOG = (qw(unshare --mount --propagation private sh -c),
    'mount -t tmpfs -o mode=0755 tmpfs /dev && '
    . 'mknod -m 0666 /dev/null c 1 3 && exec "$@"', 'sh');

check_silent('no /dev/log', 'syslog', '/dev/log: No such file or directory',
    @NO_SYSLOG) if Syslog::namespaces();
check_silent('a file in no folder', 'file:/nonexistent/log',
    '/nonexistent/log: No such file or directory');
check_silent('a file that is a folder', 'file:/', '/: Is a directory');
check_silent('a file on a full disk', 'file:/dev/full',
    '/dev/full: No space left on device');
my $folder = new_folder('log');
POSIX::mkfifo("$folder/pipe", 0600) or die "mkfifo: $!\n";
check_silent('a pipe that nobody reads', "file:$folder/pipe",
    "$folder/pipe: No such device or address");

# Who may write to the folder could have root's files written to.
write_file("$folder/victim", "kept\n");
symlink "$folder/victim", "$folder/link" or die "symlink: $!\n";
check_silent('a link', "file:$folder/link",
    "$folder/link: Too many levels of symbolic links");
is read_file("$folder/victim"), "kept\n", 'what it leads to is left alone';

# In a file system where postlog(1) is @file, which may be not there.
sub without_postlog {
    my ($file) = @_;

    return (qw(unshare --mount --propagation private sh -c),
        "mount --bind $file /usr/sbin/postlog && exec \"\$@\"", 'sh');
}

subtest 'postlog that does not work' => sub {
    skip_or_fail('no mount namespaces') if !Syslog::namespaces();
    skip_or_fail('Postfix is not installed') if !-x '/usr/sbin/postlog';
    my %scripts = (
        fails   => ["#!/bin/sh\nexit 3\n", 'postlog: ended with status 3'],
        says    => ["#!/bin/sh\necho postlog: fatal: '\$x' >&2\necho more\n",
            'postlog: fatal: \$x'],
        hangs   => ["#!/bin/sh\nexec sleep 60\n", 'postlog: timed out'],
        nothing => ["no program\n", 'postlog: Exec format error'],
        talks   => ["#!/bin/sh\nexec yes >&2\n", 'postlog: timed out'],
    );

    for my $name (sort keys %scripts) {
        my ($text, $why) = @{ $scripts{$name} };
        write_file("$folder/$name", $text);
        chmod 0755, "$folder/$name" or die "chmod: $!\n";
        check_silent($name, 'postlog', $why,
            without_postlog("$folder/$name"));
    }
};

# Postfix 3.10 has its postlog(1) say, too, what it logs.  Here its pipes hold a
# page each, if there is not already more, and a line for every host is more.
subtest 'postlog that repeats all lines' => sub {
    skip_or_fail('no mount namespaces') if !Syslog::namespaces();
    skip_or_fail('Postfix is not installed') if !-x '/usr/sbin/postlog';
    write_file("$folder/repeats", <<"EOF_PERL");
#!$^X
use Fcntl qw(F_SETPIPE_SZ);
fcntl STDERR, F_SETPIPE_SZ, 4096 or die;
my \@early;
until (fcntl STDIN, F_SETPIPE_SZ, 4096) {
	push \@early, scalar <STDIN> // last;
}
\$| = 1;
open my \$log, '>', '$folder/repeated' or die;
while (defined(my \$line = shift(\@early) // <STDIN>)) {
	print {\$log} \$line;
	print STDERR 'postfix/postlog: ', \$line;
}
EOF_PERL
    chmod 0755, "$folder/repeats" or die "chmod: $!\n";
    my $host = SmtpHost->new;
    my $agent = Agent->new(
        prefix   => [without_postlog("$folder/repeats")],
        routes   => 'example.com '
            . join(', ', map { "[127.0.0.$_]:1" } 2 .. 81)
            . ', ' . $host->destination . "/pri=1\n",
        settings => {log => 'postlog'},
    );

    my $run = $agent->deliver(message => $SMALL);
    like $run->output, qr/\A2\.0\.0 [^()]+\z/, 'that is no complaint';
    my @lines = split /\n/, read_file("$folder/repeated");
    is scalar(grep { /: Connection Error: / } @lines), 80, 'all is logged';
    like $lines[-1], qr/: Delivered: /, 'to the end';
};

# As Postfix has it (postfix-files), which is not how every system installs it.
sub set_gid_postlog {
    copy('/usr/sbin/postlog', "$folder/postlog") or die "copy: $!\n";
    chown 0, scalar getgrnam('postdrop'), "$folder/postlog"
        or die "chown: $!\n";
    chmod 02755, "$folder/postlog" or die "chmod: $!\n";
    return "$folder/postlog";
}

# postlog(1) believes no folder but the default one, as it has rights.
subtest 'Postfix\'s own log' => sub {
    skip_or_fail('no mount namespaces') if !Syslog::namespaces();
    skip_or_fail(PostfixInstance->missing);
    my $postfix = PostfixInstance->new;
    my $host = SmtpHost->new;
    my ($main, $postlog) = ($postfix->folder, set_gid_postlog());
    my $agent = Agent->new(
        user     => 'nobody',
        prefix   => [qw(unshare --mount --propagation private sh -c),
            "mount --bind $main /etc/postfix && "
            . "mount --bind $postlog /usr/sbin/postlog && exec \"\$@\"", 'sh'],
        routes   => 'example.com ' . $host->destination . "\n",
        settings => {log => 'postlog', 'syslog-name' => 'out/smtproute'},
    );
    chmod 0755, $main, $folder or die "chmod: $!\n";

    my @run = (message => $SMALL,
        environment => {MAIL_CONFIG => '/etc/postfix'});
    my $run = $agent->deliver(@run, queue_id => '4F1B');
    is $run->status, 0, 'exit status';
    like $run->output, qr/\A2\.0\.0 [^()]+\z/, 'no note';
    my ($first) = $postfix->wait_for(qr/: 4F1B: New SMTP DCID 1 /);
    my ($last) = $postfix->wait_for(qr/: 4F1B: Delivered: DCID 1 /);
    like $_, qr{^\w+ +\d+ [\d:]+ \S+ out/smtproute\[\d+\]: 4F1B: }, 'form'
        for $first, $last;
    $postfix->stop;
    $run = $agent->deliver(@run, queue_id => '4F1C');
    is $run->status, 0, 'without postlogd: exit status';
    like $run->output, qr/\A2\.0\.0 [^()]+ \(no log: postlog: .+\)\z/,
        'without postlogd: the note';
};

done_testing;
