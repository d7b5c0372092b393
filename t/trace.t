#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# smtproutectl trace: the story of a message, from logs of all forms.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use POSIX ();
use Test::More;

use Agent ();
use Checked qw(after namespaces);
use Ctl ();
use Fixture;
use PostfixInstance ();
use SmtpHost ();

my $agent = Agent->new(routes => "example.com [192.0.2.1]\n");
my $folder = new_folder('logs');
my $NOW = time;

sub trace {
    my ($environment, @arguments) = @_;

    return Ctl->run(conf => $agent->conf, arguments => ['trace', @arguments],
        environment => $environment);
}

sub document {
    my (@arguments) = @_;
    my $run = trace({}, '--json', @arguments);

    is $run->stderr, '', 'no complaint';
    return JSON::PP->new->ascii->decode($run->stdout);
}

# A line of the log, so many seconds ago.
sub line {
    my ($ago, $program, $text) = @_;

    return POSIX::strftime('%b %e %H:%M:%S', gmtime $NOW - $ago)
        . " gw postfix/$program\[123]: $text\n";
}

sub iso {
    my ($ago, $program, $text) = @_;

    return POSIX::strftime('%Y-%m-%dT%H:%M:%S.123456+00:00',
        gmtime $NOW - $ago) . " gw postfix/$program\[123]: $text\n";
}

sub log_file {
    my ($name, @lines) = @_;

    write_file("$folder/$name", join '', @lines);
    return "--log=$folder/$name";
}

# What happens in the log of a message that is deferred, then sent.
sub story {
    my ($write, $id, $ago) = @_;
    my $failure = 'mx1.example.com[192.0.2.1]:25: connect: Connection refused';

    return map { $write->($ago - $_->[0], $_->[1], "$id: $_->[2]") } (
        [0, 'smtpd', 'client=mail.example.org[192.0.2.7]'],
        [0, 'cleanup', 'message-id=<1@example.org>'],
        [1, 'qmgr', 'from=<a@example.org>, size=1234, nrcpt=2 (queue active)'],
        [1, 'smtproute', 'Connection Error: DCID 7 domain: example.com'],
        [2, 'pipe', "to=<b\@example.com>, relay=smtproute, delay=1, delays=0/0/0/1, dsn=4.4.1, status=deferred ($failure)"],
        [3, 'lmtp', 'to=<c@example.com>, orig_to=<d@example.com>, relay=gw[private/smtproute-lmtp], delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host said: 550 (no) way)'],
        [300, 'qmgr', 'from=<a@example.org>, size=1234, nrcpt=1 (queue active)'],
        [301, 'smtproute', 'Delivered: DCID 9 to RID [0] Response ok'],
        [301, 'pipe', 'to=<b@example.com>, relay=smtproute, delay=301, delays=300/0/0/1, dsn=2.0.0, status=sent (delivered via smtproute service (2.0.0 mx2))'],
        [301, 'qmgr', 'removed'],
    );
}

sub fates {
    my ($message) = @_;

    return [map { [@{$_}{qw(address status dsn relay reason tries)}] }
        @{ $message->{recipients} }];
}

my $FATES = [
    ['b@example.com', 'sent', '2.0.0', 'smtproute',
        'delivered via smtproute service (2.0.0 mx2)', 2],
    ['c@example.com', 'bounced', '5.1.1', 'gw[private/smtproute-lmtp]',
        'host said: 550 (no) way', 1],
];

subtest 'a story' => sub {
    my $log = log_file('mail.log', story(\&line, '4F1B', 3600),
        line(1, 'qmgr', '4F1BC: from=<x@example.org>, size=1, nrcpt=1 (queue active)'),
        line(1, 'smtpd', 'disconnect from x; 4F1B: removed'),
        "garbage 4F1B: 4F1B: x\n", ': 4F1B: x', "\n\n");
    my $run = trace({}, $log, '4F1B');
    is $run->status, 0, 'exit status' or diag $run->stderr;
    my $text = $run->stdout;
    my $time = qr/\d\d:\d\d:\d\d/;
    my $date = qr/20\d\d-\d\d-\d\d $time/;
    like $text, qr/\Acame in   $date  client=mail\.example\.org\[192\.0\.2\.7\]
message   <1\@example\.org>
sender    <a\@example\.org>, size=1234, nrcpt=2

attempt 1  $date
  $time  smtproute: Connection Error: DCID 7 domain: example\.com
  $time  b\@example\.com deferred 4\.4\.1 by smtproute: mx1\.example\.com\[192\.0\.2\.1\]:25: connect: Connection refused
  $time  c\@example\.com bounced 5\.1\.1 by gw\[private\/smtproute-lmtp\]: host said: 550 \(no\) way

attempt 2  $date
  $time  smtproute: Delivered: DCID 9 to RID \[0\] Response ok
  $time  b\@example\.com sent 2\.0\.0 by smtproute: delivered via smtproute service \(2\.0\.0 mx2\)

removed   $date

result    b\@example\.com  sent, $date, 2 tries
          c\@example\.com  bounced, $date, 1 try
\z/, 'the text';
    my $document = document($log, '4F1B');
    is @{ $document->{messages} }, 1, 'one message';
    is_deeply fates($document->{messages}[0]), $FATES, 'its recipients';
    is_deeply [@{ $document->{messages}[0] }{qw(attempts removed)}],
        [2, JSON::PP::true], 'and the rest';
    is $document->{messages}[0]{events}[0]{time},
        POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $NOW - 3600),
        'a time';
};

subtest 'rotated and packed' => sub {
    my @lines = story(\&iso, '3pJ4x21z9kzW', 3600);
    my @logs = (log_file('old.log', @lines[0 .. 3]));
    for my $row (['gzip', 'gz', 4], ['xz', 'xz', 5], ['bzip2', 'bz2', 6],
        ['zstd', 'zst', 7]) {
        my ($program, $suffix, $number) = @{$row};
        my $log = log_file("log.$number", $lines[$number]);
        my ($status) = capture($program, '--version');
        # Without it there is one packed file less.
        ok $status == 0 || !$ENV{CI}, "there is $program";
        if ($status == 0) {
            is((capture($program, '-q', "$folder/log.$number"))[0], 0, $program);
            unlink "$folder/log.$number";
            $log .= ".$suffix";
        }
        push @logs, $log;
    }
    push @logs, log_file('log.9', @lines[8, 9]);
    my $document = document(reverse(@logs), '3pJ4x21z9kzW');
    is_deeply fates($document->{messages}[0]), $FATES, 'a long queue id';
    is scalar @{ $document->{messages}[0]{events} }, 10, 'all its lines';

    write_file("$folder/bad.gz", 'this is no archive');
    my $run = trace({}, "--log=$folder/bad.gz", $logs[0], '3pJ4x21z9kzW');
    is $run->status, 2, 'no archive: exit status';
    like $run->stderr, qr/^smtproutectl: gzip: .*bad\.gz: /m, 'it says so';
    like $run->stdout, qr/^came in /m, 'and what the others have';
    $run = trace({}, "--log=$folder/none", '4F1B');
    is $run->status, 2, 'no file: exit status';
    like $run->stderr, qr/^smtproutectl: \Q$folder\E\/none: No such file/m,
        'it says so';
};

subtest 'several lives of an id' => sub {
    my $log = log_file('lives', story(\&line, '4F1B', 9000),
        story(\&line, '4F1B', 5000),
        line(100, 'pickup', '4F1B: uid=0 from=<root>'),
        line(99, 'qmgr', '4F1B: from=<root@gw>, size=9, nrcpt=1 (queue active)'));
    my $document = document($log, '4F1B');
    is_deeply [map { [scalar @{ $_->{events} }, $_->{attempts},
        $_->{removed} ? 1 : 0] } @{ $document->{messages} }],
        [[10, 2, 1], [10, 2, 1], [2, 1, 0]], 'told apart by "removed"';
    my $text = trace({}, $log, '4F1B')->stdout;
    like $text, qr/^4F1B, 3 of 3 messages with this id$/m, 'said so';
    like $text, qr/^came in .*  uid=0 from=<root>$/m, 'came in locally';
    like $text, qr/^waits     since .* \(\d+ (?:s|min)\), if it is still in the queue$/m,
        'it waits';
};

subtest 'a file of our own' => sub {
    my $log = log_file('postfix', grep { !/smtproute\[/ }
        story(\&line, '4F1B', 3600));
    my $own = log_file('a', grep { /smtproute\[/ }
        story(\&iso, '4F1B', 3600));
    my $document = document($own, $log, '4F1B');
    is_deeply [map { $_->{program} }
        @{ $document->{messages}[0]{events} }], [qw(smtpd cleanup qmgr
        smtproute pipe lmtp qmgr smtproute pipe qmgr)], 'put in by time'
        or diag explain $document;
};

subtest 'a hostile log' => sub {
    my $log = log_file('hostile',
        line(9, 'smtproute', "4F1B: \e[31mred\x{7f}\xff"),
        line(9, 'pipe', '4F1B: to=<"a>, relay=x, dsn=2, status=sent (y"@example.com>, relay=smtproute, delay=1, dsn=4.0.0, status=deferred (z)'),
        line(9, 'pipe', '4F1B: to=<>'), line(9, 'pipe', '4F1B: to='),
        line(9, 'qmgr', '4F1B: from=(queue active)'),
        line(9, 'qmgr', '4F1B: from='), line(9, 'x', '4F1B: '),
        line(9, '', '4F1B: y'), line(9, 'x y', '4F1B: y'),
        "Xxx 99 99:99:99 gw a: 4F1B: x\n", "Feb 31 00:00:00 gw a: 4F1B: x\n",
        "9999999999-99 gw a: 4F1B: x\n", "Jan  1 : 4F1B: x\n",
        line(9, 'x', '4F1B: ' . 'x' x 10_000),
        line(9, 'x', '4F1B: ' . 'y' x 100_000), "\0\n",
        (map { line(8, 'smtproute', "4F1B: line $_") } 1 .. 25_000));
    my $document = document($log, '4F1B');
    is $document->{left_out}, 5_009, 'a bound on the lines';
    my $run = trace({}, $log, '4F1B');
    is $run->status, 0, 'exit status';
    unlike $run->stdout, qr/[^\n -~]/, 'nothing but printable text';
    like $run->stdout, qr/^and 5009 more lines$/m, 'the bound is said';
};

subtest 'usage, and what is not there' => sub {
    my $log = log_file('empty', '');
    my $run = trace({}, $log, '4F1B');
    is $run->status, 1, 'exit status';
    is $run->stdout, "4F1B: no log has a line about it\n", 'it says so';
    is_deeply document($log, '4F1B')->{messages}, [], '--json';
    for my $id ('-x', '4F 1B', '', '4F1B/', 'x' x 65) {
        $run = trace({}, $log, '--', $id);
        is $run->status, 2, "'" . substr($id, 0, 9) . "': exit status";
        like $run->stderr, qr/^smtproutectl: bad queue id "/, 'it says so';
    }
    is trace({}, $log)->status, 2, 'no id';
};

subtest 'the journal' => sub {
    skip_or_fail('mount namespaces need root') if !namespaces();
    # Whatever logs this machine has.
    local $ENV{SMTPROUTE_WRAPPER} = after('mount -t tmpfs tmpfs /var/log');
    my $bin = new_folder('bin');
    write_file("$bin/journalctl", "#!/bin/sh\necho \"\$@\" >$bin/asked\n"
        . "cat <<'END'\n" . join('', story(\&iso, '4F1B', 99)) . "END\n");
    chmod 0755, "$bin/journalctl" or die "chmod: $!\n";
    my $run = trace({PATH => "$bin:/usr/bin:/bin",
        MAIL_CONFIG => '/nonexistent'}, '--json', '4F1B');
    is $run->status, 0, 'exit status' or diag $run->stderr;
    is_deeply fates(JSON::PP->new->decode($run->stdout)->{messages}[0]),
        $FATES, 'its story';
    like read_file("$bin/asked"), qr/ SYSLOG_FACILITY=2$/m, 'only mail';
};

subtest 'a real Postfix' => sub {
    skip_or_fail(PostfixInstance->missing);
    my $host = SmtpHost->new(
        per_connection => [{rcpt => '450 4.2.0 not now'}, {}]);
    my $real = Agent->new(
        user     => 'nobody',
        routes   => 'example.com ' . $host->destination . "\n",
    );
    my $postfix = PostfixInstance->new(agent => $real);
    my $id = $postfix->inject;
    $postfix->wait_for(qr/ $id: to=.* status=deferred /);
    $postfix->settled;
    my %option = (
        conf        => $real->conf,
        environment => {MAIL_CONFIG => $postfix->folder},
    );
    # Our log is a file of its own, and both are found.
    my $run = Ctl->run(%option, arguments => ['trace', $id]);
    is $run->status, 0, 'exit status' or diag $run->stderr;
    like $run->stdout, qr/^came in   .*  client=/m, 'came in';
    like $run->stdout, qr/^attempt 1 /m, 'an attempt';
    like $run->stdout, qr/^  \S+  smtproute: New SMTP DCID \d+ /m, 'our line';
    like $run->stdout, qr/^  \S+  user\@example\.com deferred 4\.2\.0 by smtproute: .* 450 4\.2\.0 not now /m,
        'what the host said';
    like $run->stdout, qr/^waits     since .*, in the queue "deferred"$/m,
        'waits';
    my ($date) = $run->stdout =~ /^next try  (\S+ \S+)$/m;
    cmp_ok $date // '', 'gt',
        POSIX::strftime('%Y-%m-%d %H:%M:%S', localtime), 'next try';
    $postfix->flush;
    $postfix->wait_for(qr/ $id: removed/);
    $run = Ctl->run(%option, arguments => ['trace', '--json', $id]);
    my $document = JSON::PP->new->decode($run->stdout);
    is_deeply [map { [@{$_}{qw(attempts removed)}] }
        @{ $document->{messages} }], [[2, JSON::PP::true]], 'sent and gone';
    is $document->{queue}, undef, 'no longer in the queue';
};

done_testing;
