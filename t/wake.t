#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Behind a real Postfix: mail that was deferred on account of a host is tried
# as soon as the host is up, and no other.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent ();
use CrowdHost ();
use Ctl ();
use Fixture;
use PostfixInstance ();
use Syslog ();

skip_or_fail(PostfixInstance->missing);
skip_or_fail('mount namespaces are forbidden here')
    if !Syslog::namespaces();

sub postfix {
    my ($host, $settings, %main) = @_;
    my $lmtp = delete $main{lmtp};

    my $agent = Agent->new(
        user     => 'nobody',
        routes   => 'example.com ' . $host->destination . "\n",
        settings => {'retry-min' => '1h', 'retry-max' => '1h', %{$settings}},
    );
    my $postfix = PostfixInstance->new(
        agent   => $agent,
        flushes => 1,
        lmtp    => $lmtp,
        patient => 1,
        main    => \%main,
    );
    return ($postfix, $agent);
}

sub inject {
    my ($postfix, @users) = @_;

    return map { $postfix->inject(recipients => ["$_\@example.com"]) } @users;
}

sub wait_status {
    my ($postfix, $status, @ids) = @_;

    $postfix->wait_for(qr/ $_: to=.* status=$status /) for @ids;
    return;
}

sub retry {
    my ($agent) = @_;

    is(Ctl->run(conf => $agent->conf, arguments => ['retry'])->status, 0,
        'retry');
    return;
}

sub attempts {
    my ($postfix, $id) = @_;

    return scalar grep { / $id: to=.* status=/ } split /\n/,
        $postfix->maillog;
}

subtest 'what waits for a host is delivered when it is up' => sub {
    my $host = CrowdHost->new(down => 1);
    my ($postfix, $agent) = postfix($host, {});

    my @waiting = inject($postfix, 'a' .. 'e');
    wait_status($postfix, 'deferred', @waiting);
    $host->start;
    retry($agent);
    my ($first) = inject($postfix, 'f');
    wait_status($postfix, 'sent', $first, @waiting);
    is_deeply [sort $host->recipients], ['a' .. 'f'], 'each once';
    is scalar(grep { $_ != 2 } map { attempts($postfix, $_) } @waiting), 0,
        'by one more attempt each';
    my ($next) = inject($postfix, 'g');
    wait_status($postfix, 'sent', $next);
    is_deeply [$postfix->settled], [], 'nothing is left';
};

# Its deferral was at RCPT, before there was any content.
subtest 'the same over LMTP' => sub {
    my $host = CrowdHost->new(down => 1);
    my ($postfix, $agent) = postfix($host, {patience => 0}, lmtp => 1);

    my ($first) = inject($postfix, 'a');
    wait_status($postfix, 'deferred', $first);
    my ($early) = inject($postfix, 'b');
    my ($line) = $postfix->wait_for(qr/ $early: to=.* status=deferred /);
    like $line, qr/dsn=4\.4\.1, status=deferred \(host .* said: 450 4\.4\.1 all hosts of the route are down: .*\(in reply to RCPT TO command\)\)$/,
        'the log';
    $host->start;
    retry($agent);
    my ($next) = inject($postfix, 'c');
    wait_status($postfix, 'sent', $first, $early, $next);
    is_deeply [sort $host->recipients], ['a' .. 'c'], 'each once';
    $postfix->stop;
};

subtest 'what the host itself has put off is not' => sub {
    my $host = CrowdHost->new(reply => {rcpt => '450 4.2.0 greylisted'});
    my ($postfix, $agent) = postfix($host, {});

    my ($grey) = inject($postfix, 'grey');
    wait_status($postfix, 'deferred', $grey);
    $host->stop;
    my ($waiting) = inject($postfix, 'waiting');
    wait_status($postfix, 'deferred', $waiting);
    $host->reply('rcpt');
    $host->start;
    retry($agent);
    my ($first) = inject($postfix, 'first');
    wait_status($postfix, 'sent', $first, $waiting);
    my ($last) = inject($postfix, 'last');
    wait_status($postfix, 'sent', $last);
    is attempts($postfix, $grey), 1, 'it was tried once';
};

subtest 'a host that is resumed' => sub {
    my $host = CrowdHost->new;
    my ($postfix, $agent) = postfix($host, {});
    my ($name) = $host->destination =~ tr/[]//dr;
    my $order = sub {
        return $postfix->command(Ctl::_binary(),
            '-c', $agent->conf, $_[0], $name);
    };

    is +($order->('drain'))[0], 0, 'drained';
    my @waiting = inject($postfix, 'a' .. 'c');
    wait_status($postfix, 'deferred', @waiting);
    is +($order->('resume'))[0], 0, 'resumed';
    wait_status($postfix, 'sent', @waiting);
    is_deeply [sort $host->recipients], ['a' .. 'c'], 'each once';
};

subtest 'a host that is full' => sub {
    my $host = CrowdHost->new(hold => 'final');
    my ($postfix, $agent) = postfix($host, {'max-connections' => 1});

    my ($held) = inject($postfix, 'held');
    $host->wait_held(1);
    my @waiting = inject($postfix, 'a' .. 'c');
    wait_status($postfix, 'deferred', @waiting);
    $host->release;
    wait_status($postfix, 'sent', $held, @waiting);
    is_deeply [sort $host->recipients], ['a' .. 'c', 'held'], 'each once';
};

subtest 'by lmtp' => sub {
    my $host = CrowdHost->new(down => 1);
    my ($postfix, $agent) = postfix($host, {}, lmtp => 1);

    my @waiting = inject($postfix, 'a' .. 'e');
    wait_status($postfix, 'deferred', @waiting);
    $host->start;
    retry($agent);
    my ($first) = inject($postfix, 'f');
    wait_status($postfix, 'sent', $first, @waiting);
    is_deeply [sort $host->recipients], ['a' .. 'f'], 'each once';
};

# However slow the host is: nobody waits for the first success.
subtest 'one retry and one flush' => sub {
    my $host = CrowdHost->new(down => 1, takes => {greeting => 1});
    my ($postfix, $agent) = postfix($host, {wake => 'no'});

    my @waiting = inject($postfix, 'a' .. 'z');
    wait_status($postfix, 'deferred', @waiting);
    $host->start;
    retry($agent);
    $postfix->flush;
    wait_status($postfix, 'sent', @waiting);
    is scalar(grep { $_ != 2 } map { attempts($postfix, $_) } @waiting), 0,
        'by one more attempt each';
    is_deeply [$postfix->settled], [], 'nothing is left';
};

subtest 'where it is not wanted' => sub {
    my $host = CrowdHost->new(down => 1);
    my ($postfix, $agent) = postfix($host, {wake => 'no'});

    my ($waiting) = inject($postfix, 'waiting');
    wait_status($postfix, 'deferred', $waiting);
    $host->start;
    retry($agent);
    for my $user ('first', 'last') {
        my ($id) = inject($postfix, $user);
        wait_status($postfix, 'sent', $id);
    }
    is attempts($postfix, $waiting), 1, 'it was tried once';
};

subtest 'a Postfix that does not allow it' => sub {
    my $host = CrowdHost->new(down => 1);
    my ($postfix, $agent) =
        postfix($host, {}, authorized_flush_users => 'root');

    my @waiting = inject($postfix, 'a' .. 'c');
    wait_status($postfix, 'deferred', @waiting);
    $host->start;
    retry($agent);
    my ($first) = inject($postfix, 'first');
    wait_status($postfix, 'sent', $first);
    wait_until('the warning', sub {
        grep { /: warning: wake: postqueue -i \w+: exit status \d+; /a }
            $agent->log_lines;
    });
    pass 'it is told';
    my ($last) = inject($postfix, 'last');
    wait_status($postfix, 'sent', $last);
    is scalar(() = join("\n", $agent->log_lines) =~ /warning: wake: /g), 1,
        'once';
};

done_testing;
