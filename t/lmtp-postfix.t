#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The LMTP face behind a real Postfix: what its log and queue say, and that
# nothing is lost, whatever is killed.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent;
use Ctl;
use Dns;
use Fixture;
use PostfixInstance;
use SmtpHost;

skip_or_fail(PostfixInstance->missing);

sub postfix_for {
    my ($agent, %main) = @_;

    return PostfixInstance->new(agent => $agent, lmtp => 1, main => \%main);
}

sub agent_for {
    my ($routes, %settings) = @_;

    return Agent->new(user => 'nobody', routes => $routes,
        settings => {tls => 'none', %settings});
}

subtest 'three fates' => sub {
    my $host = SmtpHost->new(rcpt => sub {
        return '550 5.1.1 no such user' if $_[0] =~ /two/;
        return '450 4.2.0 wait' if $_[0] =~ /three/;
        return undef;
    });
    my $agent = agent_for('example.com ' . $host->destination . "\n");
    my $postfix = postfix_for($agent);
    my $id = $postfix->inject(
        recipients => [map { "$_\@example.com" } qw(one two three)]);
    my @lines = $postfix->wait_for(qr/ $id: to=<.*status=/, 3);
    my %line = map { /to=<(\w+)@/ ? ($1 => $_) : () } @lines;

    like $line{one}, qr/dsn=2\.0\.0, status=sent \(250 2\.0\.0 \S+: 250 /,
        'delivered';
    like $line{two}, qr/dsn=5\.1\.1, status=bounced \(.* 550 5\.1\.1 \S+: 550 5\.1\.1 no such user/,
        'bounced';
    like $line{three}, qr/dsn=4\.2\.0, status=deferred \(.* 451 4\.2\.0 \S+: 450 4\.2\.0 wait/,
        'deferred';
    is scalar(grep { / $id: Delivered: DCID/ } $agent->log_lines), 1,
        'the log has the queue id, by XFORWARD';
    is_deeply [map { $_->recipients } $host->messages], ['one@example.com'],
        'one copy';
    is_deeply [map { map { $_->{address} } @{ $_->{recipients} } }
        grep { $_->{queue_id} eq $id } $postfix->settled],
        ['three@example.com'], 'who waits';
    $postfix->stop;
    done_testing;
};

# Without the content: the drained host's, and the domain that is not there.
subtest 'three fates at RCPT' => sub {
    plan skip_all => Dns->missing if Dns->missing;
    my $host = SmtpHost->new;
    my $dns = Dns->new(records => []);
    my $agent = agent_for('example.com ' . $host->destination
        . "\nexample.net " . $host->destination . "/drain\n* USEDNS\n",
        'dns-servers' => $dns->address);
    my $postfix = postfix_for($agent);
    my $id = $postfix->inject(recipients => [map { "user\@$_" }
        qw(example.com example.net no.example)]);
    my @lines = $postfix->wait_for(qr/ $id: to=<.*status=/, 3);
    my %line = map { /to=<user@([\w.]+)>/ ? ($1 => $_) : () } @lines;

    like $line{'example.com'}, qr/dsn=2\.0\.0, status=sent /, 'delivered';
    like $line{'example.net'}, qr/dsn=4\.3\.2, status=deferred \(.* 450 4\.3\.2 all hosts of the route are drained \(in reply to RCPT TO command\)/,
        'deferred';
    like $line{'no.example'}, qr/dsn=5\.1\.2, status=bounced \(.* 550 5\.1\.2 no\.example: cannot resolve: no such name \(in reply to RCPT TO command\)/,
        'bounced';
    is_deeply [map { $_->recipients } $host->messages], ['user@example.com'],
        'one copy';
    $postfix->stop;
    done_testing;
};

subtest '500 recipients, five routes' => sub {
    my @hosts = map { SmtpHost->new } 1 .. 5;
    my $agent = agent_for(join '', map { "d$_.example "
        . $hosts[$_]->destination . "\n" } 0 .. 4);
    my $postfix = postfix_for($agent, lmtp_destination_recipient_limit => 500,
        smtpd_recipient_limit => 1000);
    my @recipients = map { "u$_\@d" . $_ % 5 . '.example' } 1 .. 500;
    my $id = $postfix->inject(recipients => \@recipients);

    $postfix->wait_for(qr/ $id: to=<.*status=sent/, 500);
    $postfix->wait_for(qr/ $id: removed/);
    is_deeply [sort map { map { $_->recipients } $_->messages } @hosts],
        [sort @recipients], 'each has it once';
    is_deeply [map { scalar(my @m = $_->messages) } @hosts], [(1) x 5],
        'one copy for a route';
    $postfix->stop;
    done_testing;
};

subtest 'connection cache' => sub {
    my $host = SmtpHost->new;
    my $agent = agent_for('example.com ' . $host->destination . "\n");
    my $postfix = postfix_for($agent);
    my $order = sub {
        is(Ctl->run(conf => $agent->conf, arguments => [$_[0],
            $host->destination =~ tr/[]//dr])->status, 0, $_[0]);
    };

    # qmgr(8) asks for it while mail goes out without a pause, so all of it has
    # to be there.
    $order->('drain');
    my @ids = map { $postfix->inject } 1 .. 20;
    $postfix->wait_for(qr/ status=deferred/, 20);
    $order->('resume');
    $postfix->flush;
    $postfix->wait_for(qr/ status=sent/, 20);
    $postfix->stop;
    is scalar(my @messages = $host->messages), 20, 'all are delivered, once';
    my @connections = $host->connections;
    cmp_ok scalar(@connections), '<', 20, 'over fewer connections';
    done_testing;
};

# Who tells the sender of success: Postfix, or with dsn = yes the host.
for my $row (
    ['no', ['DSN'], 1, ''],
    ['yes', ['DSN'], 0, ' NOTIFY=SUCCESS ORCPT=rfc822;user@example.com'],
    ['yes', [], 0, ''],
) {
    my ($dsn, $keywords, $notices, $parameters) = @{$row};
    subtest "NOTIFY=SUCCESS, dsn = $dsn, host has @{$keywords}" => sub {
        my $host = SmtpHost->new(keywords => $keywords);
        my $sender = SmtpHost->new;
        my $agent = agent_for('example.com ' . $host->destination . "\n"
            . 'example.org ' . $sender->destination . "\n", dsn => $dsn);
        my $postfix = postfix_for($agent);
        my $id = $postfix->inject(rcpt_options => 'NOTIFY=SUCCESS');

        $postfix->wait_for(qr/ $id: removed/);
        if ($notices) {
            my ($line) = $postfix->wait_for(
                qr/ $id: sender delivery status notification: /);
            my ($notice) = $line =~ /: (\w+)$/;
            $postfix->wait_for(qr/ $notice: removed/);
        }
        my ($command) = grep { /^RCPT/ } map { $_->commands }
            $host->connections;
        is join(' ', sort split / /, $command),
            join(' ', sort split / /, "RCPT TO:<user\@example.com>$parameters"),
            'the host';
        is_deeply [map { $_->recipients } $sender->messages],
            [('sender@example.org') x $notices], 'notices of Postfix\'s';
        is scalar(grep { /DSN not offered/ } $agent->log_lines),
            $dsn eq 'yes' && !@{$keywords} ? 1 : 0, 'the log';
        $postfix->stop;
        done_testing;
    };
}

subtest 'SMTPUTF8' => sub {
    my @hosts = map { SmtpHost->new(keywords => $_) } ['8BITMIME'],
        ['8BITMIME', 'SMTPUTF8'];
    my $n = 0;
    my $agent = agent_for('example.com ' . join(', ',
        map { $_->destination . '/pri=' . $n++ } @hosts)
        . "\nexample.net " . $hosts[0]->destination . "\n");
    my $postfix = postfix_for($agent, smtputf8_enable => 'yes');
    my %id = map { $_ => $postfix->inject(mail_options => 'SMTPUTF8',
        recipients => ["j\xc3\xbc\@$_"]) } qw(example.com example.net);
    my ($sent) = $postfix->wait_for(qr/ $id{'example.com'}: to=<.*status=/);
    my ($bounced) = $postfix->wait_for(qr/ $id{'example.net'}: to=<.*status=/);

    like $sent, qr/ status=sent /, 'delivered';
    is_deeply [map { $_->recipients } $hosts[1]->messages],
        ["j\xc3\xbc\@example.com"], 'at the host that has it';
    like $bounced, qr/dsn=5\.6\.7, status=bounced .*SMTPUTF8 is needed/,
        'bounced where none has';
    $postfix->stop;
    done_testing;
};

# The agents, by their command line; nothing else is ours to kill.
sub agents {
    my ($postfix) = @_;
    my $program = $postfix->smtproute;
    my @pids;

    for my $path (glob '/proc/[0-9]*/cmdline') {
        my $line = eval { read_file($path) } // next;
        push @pids, $path =~ m{/proc/(\d+)/} if $line =~ /^\Q$program\E\0-L\0/;
    }
    return @pids;
}

# What qmgr(8) finds "still being delivered" it puts back into incoming, where it
# looks again for new mail, or when it is told to.
sub wait_removed {
    my ($postfix, $count) = @_;

    eval {
        wait_until('all mail to be delivered', sub {
            return 1 if $count <= (() = $postfix->maillog =~ /: removed$/mg);
            sleep 1;
            $postfix->command('postqueue', '-f');
            return 0;
        });
    } or die $@, $postfix->maillog;
    return;
}

subtest 'killed' => sub {
    my $host = SmtpHost->new(digest => 0);
    my $agent = agent_for('example.com ' . $host->destination . "\n");
    my $postfix = postfix_for($agent, minimal_backoff_time => '1s',
        maximal_backoff_time => '1s', queue_run_delay => '1s',
        qmgr_message_active_limit => 1000, lmtp_connection_cache_on_demand =>
        'yes', transport_retry_time => '1s');
    my $count = $ENV{SOAK_KILLED} // 200;
    my $kills = 0;
    my @subjects = map { "number $_" } 1 .. $count;

    for my $subject (@subjects) {
        $postfix->inject(message => "Subject: $subject\n\nx\n");
        for my $pid (agents($postfix)) {
            $kills += kill 'KILL', $pid if rand() < 0.1;
        }
    }
    local $Fixture::PATIENCE = $Fixture::PATIENCE + $count / 4;
    wait_removed($postfix, $count);
    $postfix->stop;
    my %seen;
    $seen{$_}++ for map { $_->content =~ /^Subject: (.*)\r$/m }
        $host->messages;
    is_deeply [sort keys %seen], [sort @subjects], 'nothing is lost';
    my $twice = grep { $_ > 1 } values %seen;
    note "$kills agents killed, $twice messages came twice";
    cmp_ok $twice, '<=', $kills, 'twice only what was under way';
    done_testing;
};

# Two hosts, of which one or the other is away for a while.
subtest 'hosts restarted under load' => sub {
    my @hosts = (SmtpHost->new(digest => 0), SmtpHost->new(digest => 0));
    my $agent = agent_for('example.com '
        . join(', ', map { $_->destination } @hosts) . "\n",
        'retry-min' => '1s', 'retry-max' => '1s', patience => '10s');
    my $postfix = postfix_for($agent, minimal_backoff_time => '1s',
        maximal_backoff_time => '1s', queue_run_delay => '1s');
    my $count = $ENV{SOAK_KILLED} // 200;
    my @subjects = map { "number $_" } 1 .. $count;

    for my $number (0 .. $count - 1) {
        my $host = $hosts[$number / 20 % 2];
        $host->stop if $number % 20 == 5;
        $host->start if $number % 20 == 15;
        $postfix->inject(message => "Subject: $subjects[$number]\n\nx\n");
    }
    local $Fixture::PATIENCE = $Fixture::PATIENCE + $count / 4;
    wait_removed($postfix, $count);
    $postfix->stop;
    my %seen;
    $seen{$_}++ for map { $_->content =~ /^Subject: (.*)\r$/m }
        grep { $_->accepted } map { $_->messages } @hosts;
    is_deeply [sort keys %seen], [sort @subjects], 'nothing is lost';
    my $bounced = grep { / status=bounced / } split /\n/, $postfix->maillog;
    is $bounced, 0, 'nothing comes back';
    my $unsure = grep { /may have accepted it/ } split /\n/,
        $postfix->maillog;
    my $twice = grep { $_ > 1 } values %seen;
    note "$unsure deferred as unsure, $twice came twice";
    cmp_ok $twice, '<=', $unsure, 'twice only what was unsure';
    done_testing;
};

done_testing;
