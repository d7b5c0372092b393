#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# How the test library runs the agent, for itself and behind Postfix: what it
# says about a run must be true before anything can be concluded from it.

use strict;
use warnings;

use FindBin ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Agent;
use Fixture;
use PostfixInstance;
use SmtpHost;
use Syslog;

delete @ENV{qw(SMTPROUTE SMTPROUTE_WRAPPER)};

# Stands for the agent: Perl that says what it was given.
sub stand_in {
    my ($code) = @_;

    my $path = new_folder('stand-in') . '/agent';
    write_file($path, "#!$^X\nuse strict;\nuse Fcntl;\n\$| = 1;\n$code");
    chmod 0755, $path or die "$path: $!\n";
    return $path;
}

subtest 'the agent is run as pipe(8) runs it' => sub {
    my $agent = Agent->new(settings => {
            'connect-timeout' => '2s', 'host a' => {tls => 'none'}},
        routes => "example.com a\n", binary => stand_in(<<'EOF_PERL'));
my $input = do { local $/; <STDIN> };
print "@ARGV\n", join(' ', sort keys %ENV), "\n$input";
print STDERR getpgrp == $$ ? 'own' : 'shared', "\n";
print fcntl(STDOUT, F_GETFL, 0) & O_NONBLOCK ? 'non-blocking' : 'blocking';
open my $status, '<', '/proc/self/status' or die;
my ($ignored) = map { /^SigIgn:\s*(\S+)/ } <$status>;
print "\n", hex($ignored) & 1 << 12 ? 'PIPE' : '';
print ' ', hex($ignored) & 1 << 24 ? 'XFSZ' : '', "\n";
exit 75;
EOF_PERL
    my $run = $agent->deliver(sender => '', recipients => ['a@b', 'c@d'],
        nexthop => 'n', message => "m\n", environment => {EXTRA => 1});

    is $run->status, 75, 'exit status';
    is $run->signal, 0, 'no signal';
    is $run->output, <<"EOF_TEXT", 'output';
-c @{[$agent->conf]} -q 4F1B -f  -n n -- a\@b c\@d
EXTRA LANG MAIL_CONFIG PATH TZ
m
own
non-blocking
PIPE XFSZ
EOF_TEXT
    like read_file($agent->conf), qr/^connect-timeout = 2s$/m, 'a setting';
    like read_file($agent->conf), qr/^\[host a\]\ntls = none$/m, 'a group';
    is read_file($agent->routes), "example.com a\n", 'routes';
};

subtest 'runs of the agent' => sub {
    my $agent = Agent->new(binary => stand_in(<<'EOF_PERL'));
my ($what) = @ARGV[2 .. $#ARGV];
my $folder = $ENV{MAIL_CONFIG};
if ($what eq 'log') {
    open my $log, '>>', "$folder/var/log" or die;
    print {$log} "line $$\n";
} elsif ($what eq 'signal') {
    kill 'KILL', $$;
} elsif ($what eq 'report') {
    open my $report, '>>', "$folder/reports/sanitizer.1" or die;
    print {$report} "ERROR: heap-use-after-free\n";
} elsif ($what eq 'hang') {
    sleep 1000;
} elsif ($what eq 'count') {
    my $length = 0;
    $length += length while <STDIN>;
    print $length;
}
EOF_PERL

    my @runs = map { $agent->deliver(arguments => ['log']) } 1, 2;
    is_deeply [map { $_->log_lines } @runs], [map { 'line ' . $_->pid } @runs],
        'the log of each run';
    my $run = $agent->deliver(arguments => ['signal']);
    is $run->status, undef, 'no status';
    is $run->signal, 9, 'a signal';
    $run = $agent->deliver(arguments => ['count'], message => "x\n" x 1e6);
    is $run->output, 2e6, 'a large message';
    $run = $agent->deliver(arguments => ['count'], message => sub {
        my ($pipe) = @_;
        print {$pipe} "part\n";
    });
    is $run->output, 5, 'a message of its own making';
    $run = $agent->start(arguments => ['hang']);
    $run->kill('TERM');
    is $run->wait->signal, 15, 'killed by the test';
    ok !eval {
        local $Fixture::PATIENCE = 0.2;
        $agent->deliver(arguments => ['hang']);
    }, 'a run that hangs dies';
    like $@, qr/ran for more than/, 'and says so';
    ok !eval { $agent->deliver(arguments => ['report']) },
        'a sanitizer that complains dies';
    like $@, qr/heap-use-after-free/, 'with its report';
};

subtest 'a wrapper, and another user' => sub {
    skip_or_fail('another user needs root') if $> != 0;
    my $agent = Agent->new(user => 'nobody', binary => stand_in(<<'EOF_PERL'));
open my $file, '>', "$ENV{MAIL_CONFIG}/var/state/x" or die;
print scalar getpwuid $>, " $) $ENV{SMTPROUTE_REPORTS} $ENV{WRAPPED}";
EOF_PERL
    local $ENV{SMTPROUTE_WRAPPER} = 'env WRAPPED=1';
    my $gid = (getpwnam 'nobody')[3];

    is $agent->deliver->output, "nobody $gid " . $agent->reports . ' 1',
        'user, groups and wrapper';
};

subtest 'a private Postfix' => sub {
    skip_or_fail(PostfixInstance->missing);
    my $host = SmtpHost->new(rcpt => sub {
        my ($line) = @_;
        return '550 5.1.1 unknown' if $line =~ /<bounce/;
        return '450 4.2.0 busy' if $line =~ /<defer/;
        return;
    });
    my $postfix = PostfixInstance->new(relay => $host);

    my $id = $postfix->inject(message => "Subject: x\n\n.dot\n\xff\n",
        mail_options => 'BODY=8BITMIME');
    $postfix->wait_for(qr/ $id: to=<user\@example.com>.* status=sent/);
    $id = $postfix->inject(recipients => ['bounce@example.com']);
    $postfix->wait_for(qr/ $id: .* status=bounced/);
    $postfix->wait_for(qr/: to=<sender\@example.org>.* status=sent/);
    $id = $postfix->inject(recipients => ['defer@example.com']);
    $postfix->wait_for(qr/ $id: .* status=deferred/);
    $postfix->flush;
    $postfix->wait_for(qr/ $id: .* status=deferred/, 2);
    my @queue = $postfix->settled;
    is scalar @queue, 1, 'one message in the queue';
    is $queue[0]{queue_id}, $id, 'the deferred one';
    $postfix->reload;
    my ($status) = $postfix->command('postsuper', '-d', $id);
    is $status, 0, 'postsuper';
    is_deeply [$postfix->queue], [], 'the queue is empty';
    $postfix->stop;

    my ($message, $bounce) = $host->messages;
    like $message->content, qr/\r\n\r\n\.dot\r\n\xff\r\n\z/, 'content';
    is $bounce->sender, '', 'the bounce has a null sender';
    like $bounce->content, qr/unknown/, 'the bounce says why';
};

subtest 'a private Postfix runs the agent' => sub {
    skip_or_fail(PostfixInstance->missing);
    skip_or_fail(Syslog->missing);
    my $syslog = Syslog->new;
    my $postfix = PostfixInstance->new(
        syslog => $syslog,
        agent  => Agent->new(
            user   => 'nobody',
            routes => "example.com [a]\n",
            binary => stand_in(<<'EOF_PERL'),
while (<STDIN>) {}
system '/usr/bin/logger', '-p', 'mail.info', '-t', 'agent', $ARGV[3];
print "4.3.2 @ARGV[4 .. $#ARGV] ", scalar getpwuid $>;
exit 75;
EOF_PERL
        ),
    );

    my $id = $postfix->inject(recipients => ['user@example.com'], sender => '');
    my ($line) = $postfix->wait_for(qr/ $id: to=.* relay=smtproute,/);
    my $said = '-f  -n example.com -- user@example.com nobody';
    like $line, qr/dsn=4\.3\.2, status=deferred \(\Q$said\E\)/,
        'arguments and user';
    is scalar(grep { $_ eq "mail.info agent: $id" } $syslog->lines), 1,
        "the agent's own line in syslog";
    is_deeply [$postfix->command(qw(postconf -h myhostname))],
        [0, "test.example\n"], 'postconf';
};

subtest 'a sanitizer complains about the agent that Postfix runs' => sub {
    skip_or_fail(PostfixInstance->missing);
    my $postfix = PostfixInstance->new(agent => Agent->new(
        user   => 'nobody',
        routes => "example.com [a]\n",
        binary => stand_in(<<'EOF_PERL')));
# __asan_init tells that this has a sanitizer.
my ($path) = $ENV{ASAN_OPTIONS} =~ /log_path=([^:]+)/;
open my $report, '>', "$path.$$" or die;
print {$report} "ERROR: heap-use-after-free\n";
exit 75;
EOF_PERL

    my $id = $postfix->inject;
    $postfix->wait_for(qr/ $id: .* status=deferred/);
    ok !eval { $postfix->stop; 1 }, 'stopping it dies';
    like $@, qr/heap-use-after-free/, 'with the report';
};

done_testing;
