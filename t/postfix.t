#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The agent behind a real Postfix: pipe(8) runs it as an unprivileged user,
# qmgr(8) retries, bounce(8) tells the sender.

use strict;
use warnings;

use Test::More;

use Agent;
use Fixture;
use PostfixInstance;
use SmtpHost;

my $FULL = '452 4.3.1 Insufficient system resources';
my $PFLOGSUMM = '/usr/sbin/pflogsumm';

skip_or_fail(PostfixInstance->missing);

# The agent's routes, and where bounces go.
my $sink = SmtpHost->new;

sub postfix {
    my ($routes, %option) = @_;

    my $agent = Agent->new(user => 'nobody', routes => $routes);
    return PostfixInstance->new(agent => $agent, relay => $sink, %option);
}

# What Postfix says became of one recipient.
sub fate {
    my ($postfix, $id, $recipient, $count) = @_;
    my @lines = $postfix->wait_for(
        qr/ $id: to=<\Q$recipient\E>, .*status=/, $count // 1);

    return $lines[-1] =~ s/.*?(dsn=)/$1/r;
}

subtest 'the second host takes what the first has no room for' => sub {
    my $first = SmtpHost->new(mail => $FULL);
    my $second = SmtpHost->new;
    my $postfix = postfix('example.com ' . $first->destination . ', '
        . $second->destination . "/pri=10\n");
    my $id = $postfix->inject(message => "Subject: x\n\n.dot\n\xff\n");

    like fate($postfix, $id, 'user@example.com'),
        qr/^dsn=2\.0\.0,\ status=sent\ \(delivered\ via\ smtproute\ service
           \ \(2\.0\.0\ 127\.0\.0\.1\[127\.0\.0\.1\]:\d+:\ 250\ /x,
        'the maillog names the host that took it, and its words';
    $postfix->wait_for(qr/ $id: removed/);
    my ($message) = $second->messages;
    like $message->content, qr/\r\nSubject: x\r\n.*\r\n\r\n\.dot\r\n\xff\r\n\z/s,
        'as it was sent';
    is $message->sender, 'sender@example.org', 'the sender';
    is_deeply [map { s/ .*//r } map { $_->commands } $first->connections],
        [qw(EHLO MAIL RCPT DATA QUIT)], 'the first was asked, once';
    is scalar($first->messages), 0, 'and got no content';

    my @log = map { s/.*\]: //r } split /\n/, read_file($postfix->{agent}->log);
    my ($a, $b) = map { $_->port } $first, $second;
    like $log[0], qr/^$id: New SMTP DCID \d+ interface 127\.0\.0\.1 address 127\.0\.0\.1 port $a$/;
    like $log[1], qr/^$id: Delayed: DCID \d+ to RID \[0\] - 4\.3\.1 - .*\('452', \['4\.3\.1 Insufficient system resources'\]\)$/;
    like $log[2], qr/^$id: host 127\.0\.0\.1:$a is down until /;
    like $log[3], qr/^$id: New SMTP DCID \d+ interface 127\.0\.0\.1 address 127\.0\.0\.1 port $b$/;
    like $log[4], qr/^$id: Delivered: DCID \d+ to RID \[0\] Response 2\./;
    is scalar(@log), 5, 'and no more lines';
};

subtest 'all hosts defer: it waits in the queue until one recovers' => sub {
    my $first = SmtpHost->new(mail => $FULL);
    my $second = SmtpHost->new(
        per_connection => [{rcpt => '450 4.2.1 later'}, {}]);
    my $postfix = postfix('example.com ' . $first->destination . ', '
        . $second->destination . "/pri=10\n");
    my $id = $postfix->inject;

    like fate($postfix, $id, 'user@example.com'),
        qr/^dsn=4\.2\.1,\ status=deferred\ \(127\.0\.0\.1\[127\.0\.0\.1\]:\d+:
           \ 452\ 4\.3\.1\ Insufficient\ system\ resources
           \ \(in\ reply\ to\ MAIL\ FROM\);
           \ 127\.0\.0\.1\[127\.0\.0\.1\]:\d+:\ 450\ 4\.2\.1\ later
           \ \(in\ reply\ to\ RCPT\ TO\)/x,
        'the maillog names both hosts, the stage and why';
    my @queue = $postfix->settled;
    is_deeply [map { "$_->{queue_id} $_->{queue_name}" } @queue],
        ["$id deferred"], 'it is in the deferred queue';
    like $queue[0]{recipients}[0]{delay_reason}, qr/Insufficient.*later/,
        'which shows the reason';

    $postfix->flush;
    like fate($postfix, $id, 'user@example.com', 2),
        qr/^dsn=2\.\S+, status=sent /, 'the flush delivers it';
    $postfix->wait_for(qr/ $id: removed/);
    is scalar($second->messages), 1, 'once';
};

subtest 'a 5xx bounces to the sender' => sub {
    my $first = SmtpHost->new(rcpt => '550 5.1.1 no such user');
    my $second = SmtpHost->new;
    my $postfix = postfix('example.com ' . $first->destination . ', '
        . $second->destination . "/pri=10\n");
    my $id = $postfix->inject;

    like fate($postfix, $id, 'user@example.com'),
        qr/^dsn=5\.1\.1, status=bounced \(127\.0\.0\.1\[127\.0\.0\.1\]:\d+: 550 5\.1\.1 no such user \(in reply to RCPT TO\)/;
    $postfix->wait_for(qr/: to=<sender\@example.org>.* status=sent/);
    my ($bounce) = grep { $_->content =~ /$id/ } $sink->messages;
    is $bounce->sender, '', 'the bounce has the null sender';
    like $bounce->content, qr/550 5\.1\.1 no such user/, 'and the reason';
    is scalar($second->connections), 0, 'no other host was asked';
};

subtest 'the null sender stays null, and its 5xx bounces to nobody' => sub {
    my $host = SmtpHost->new(
        per_connection => [{}, {rcpt => '550 5.1.1 no such user'}]);
    my $postfix = postfix('example.com ' . $host->destination . "\n");

    my $id = $postfix->inject(sender => '');
    like fate($postfix, $id, 'user@example.com'), qr/status=sent/;
    is_deeply [map { $_->sender } $host->messages], [''], 'MAIL FROM:<>';
    $id = $postfix->inject(sender => '');
    like fate($postfix, $id, 'user@example.com'), qr/status=bounced/;
    $postfix->wait_for(qr/ $id: removed/);
    unlike $postfix->maillog, qr/ $id: sender non-delivery/, 'no bounce';
};

subtest '50 recipients, each on its own' => sub {
    my $host = SmtpHost->new;
    my $bad = SmtpHost->new(rcpt => sub {
        return $_[0] =~ /bad/ ? '550 5.1.1 no such user' : undef;
    });
    my $postfix = postfix('.example ' . $host->destination . "\n"
        . 'example.com ' . $bad->destination . "\n");
    my @good = map { "user$_\@example.com" } 1 .. 24;
    my @other = map { "user$_\@sub$_.example" } 1 .. 25;
    my $id = $postfix->inject(
        recipients => [@good, @other, 'bad@example.com']);

    $postfix->wait_for(qr/ $id: removed/);
    is scalar($postfix->wait_for(qr/ $id: .*status=sent/, 49)), 49, '49 sent';
    like fate($postfix, $id, 'bad@example.com'), qr/^dsn=5\.1\.1, status=bounced/;
    is_deeply [sort map { @{ $_->{recipients} } } $host->messages, $bad->messages],
        [sort @good, @other], 'each host got its recipients, once each';
};

subtest 'recipients in one call that are answered differently' => sub {
    my $host = SmtpHost->new(rcpt => sub {
        return $_[0] =~ /bad/ ? '550 5.1.1 no such user' : undef;
    });
    my $master = <<'END';
together unix - n n - 50 pipe
  flags=hq user=nobody null_sender= argv=AGENT -c CONF
    -q ${queue_id} -f ${sender} -n ${nexthop} -- ${recipient}
END
    my $agent = Agent->new(user => 'nobody',
        routes => 'example.com ' . $host->destination . "\n");
    my $postfix = PostfixInstance->new(agent => $agent, relay => $sink,
        stopped => 1,
        main => {transport_maps => 'static:{together:}'});
    my $path = $postfix->folder . '/master.cf';
    $master =~ s/AGENT/$postfix->smtproute/e;
    $master =~ s/CONF/$agent->conf/e;
    write_file($path, read_file($path) . $master);
    $postfix->start;

    my $id = $postfix->inject(recipients => [qw(a@example.com b@example.com)]);
    like fate($postfix, $id, 'a@example.com'), qr/status=sent/;
    like fate($postfix, $id, 'b@example.com'), qr/status=sent/;
    is_deeply [map { scalar @{ $_->{recipients} } } $host->messages], [2],
        'all accepted: one transaction';
    $id = $postfix->inject(recipients => [qw(a@example.com bad@example.com)]);
    for my $recipient (qw(a@example.com bad@example.com)) {
        like fate($postfix, $id, $recipient),
            qr/^dsn=4\.3\.5, status=deferred \(.*smtproute_destination_recipient_limit = 1/,
            "mixed: $recipient waits";
    }
    is scalar($host->messages), 1, 'and nothing more was sent';
};

subtest 'a transport entry that is the route, or names it' => sub {
    my $host = SmtpHost->new;
    my $there = $host->destination;
    my $postfix = postfix("cluster $there\n",
        main => {transport_maps => "inline:{ {example.com=smtproute:$there/pri=0,$there/pri=10}"
            . ' {example.org=smtproute:cluster} {example.net=smtproute:none} }'});

    for my $domain (qw(example.com example.org)) {
        my $id = $postfix->inject(recipients => ["user\@$domain"]);
        like fate($postfix, $id, "user\@$domain"), qr/status=sent/, $domain;
    }
    my $id = $postfix->inject(recipients => ['user@example.net']);
    like fate($postfix, $id, 'user@example.net'),
        qr/^dsn=4\.4\.4, status=deferred \(no route named none in /;
};

subtest 'trouble of ours defers, however large the message' => sub {
    my $host = SmtpHost->new(digest => 1);
    my $routes = "example.com $host->{destination}\n";
    my $postfix = postfix($routes);
    my $agent = $postfix->{agent};
    my $message = "Subject: large\n\n" . ('x' x 63 . "\n") x 50_000;

    $agent->configure(conf => "[smtproute]\nrouts = /nowhere\n");
    my $id = $postfix->inject(message => $message);
    like fate($postfix, $id, 'user@example.com'),
        qr/^dsn=4\.3\.5, status=deferred \(\S+smtproute\.conf:2: /,
        'a misspelt key: file and line are in the maillog';
    $agent->configure(settings => {}, routes => "example.com [127.0.0.1\n");
    $postfix->flush;
    like fate($postfix, $id, 'user@example.com', 2),
        qr/^dsn=4\.3\.5, status=deferred \(\S+routes:1:\d+: /,
        'a broken route: file, line and column';
    unlink $agent->routes;
    $postfix->flush;
    like fate($postfix, $id, 'user@example.com', 3),
        qr/^dsn=4\.3\.5, status=deferred \(\S+routes: No such file/,
        'no map: its name';
    $agent->configure(routes => $routes);
    $postfix->flush;
    like fate($postfix, $id, 'user@example.com', 4), qr/status=sent/,
        'mended: it is delivered';
    unlike $postfix->maillog, qr/status=bounced/, 'and nothing bounced';
};

subtest 'log analysers count each message once' => sub {
    skip_or_fail(-x $PFLOGSUMM ? undef : 'pflogsumm is not installed');
    my $first = SmtpHost->new(mail => $FULL);
    my $second = SmtpHost->new(rcpt => sub {
        return $_[0] =~ /bad/ ? '550 5.1.1 no such user'
            : $_[0] =~ /later/ ? '450 4.2.1 later' : undef;
    });
    my $postfix = postfix('example.com ' . $first->destination . ', '
        . $second->destination . "/pri=10\n");
    for my $name (qw(user bad later)) {
        my $id = $postfix->inject(sender => '',
            recipients => ["$name\@example.com"]);
        fate($postfix, $id, "$name\@example.com");
    }
    my $log = $postfix->folder . '/all';
    write_file($log, $postfix->maillog . read_file($postfix->{agent}->log));
    my ($status, $report) = capture($PFLOGSUMM, $log);
    is $status, 0, 'pflogsumm reads it';
    like $report, qr/^\s+$$_[0]\s+$$_[1]\b/m, "$$_[0] $$_[1]"
        for [1, 'delivered'], [1, 'deferred'], [1, 'bounced'];
};

done_testing;
