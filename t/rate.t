#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Destination controls: no host gets more in any span of time than its rate
# allows, as the host counts it, and the rest goes to the next.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use List::Util qw(sum);
use Test::More;

use Agent ();
use CrowdHost ();
use Dns ();
use Fixture;
use Herd;
use Lmtp ();
use Shim;

my $FREE = qr/at its rate, free in \d+ s/;

sub agent {
    my ($route, %settings) = @_;

    return Agent->new(
        routes   => "* $route\n",
        settings => {patience => 0, %settings},
    );
}

skip_or_fail(Dns->missing);

sub recipients {
    return map { "$_\@example.com" } @_;
}

subtest 'thirty at once, some killed, and a second host' => sub {
    my @hosts = map { CrowdHost->new(delay => 0.05) } 1, 2;
    my $agent = agent($hosts[0]->destination . '/rate=20:6s+50:20s, '
            . $hosts[1]->destination . '/pri=10');
    my $herd = Herd->new(agent => $agent);
    my (@runs, @killed);

    for my $round (1 .. 12) {
        push @runs, my @new = $herd->start(30);
        push @killed, @new[0 .. 2];
        $herd->kill(@new[0 .. 2]);
        $herd->finish(@new[3 .. 29]);
    }
    my %killed = map { $_->number => 1 } @killed;
    is_deeply tally(grep { !$killed{ $_->number } } @runs), {0 => 324},
        'all but those that were killed are delivered';
    my @shares = shares(@hosts);
    note "shares are @shares";
    cmp_ok $hosts[0]->slide('mail', 6), '<=', 20, 'never more in 6 s';
    cmp_ok $hosts[0]->slide('mail', 20), '<=', 50, 'nor in 20 s';
    cmp_ok $shares[0], '>=', 15, 'the first host has what it may have';
    cmp_ok $shares[1], '>=', 100, 'and the second one the rest';
};

subtest 'a short time is waited for' => sub {
    my $host = CrowdHost->new;
    my $agent = agent($host->destination . '/rate=5:2s', patience => '1m');
    my $herd = Herd->new(agent => $agent);

    is_deeply tally($herd->deliver(20, at_once => 4)), {0 => 20},
        'all are delivered';
    cmp_ok $host->slide('mail', 2), '<=', 5, 'never more than the rate';
};

# Who comes early waits before MAIL, so that nothing is lost of the rate.
subtest 'a host that is slow to greet' => sub {
    my $host = CrowdHost->new(takes => {greeting => 0.3});
    my $agent = agent($host->destination . '/rate=5:1s',
        patience => '1m', waiting => 100);
    my $herd = Herd->new(agent => $agent);

    is_deeply tally($herd->deliver(40, at_once => 15)), {0 => 40},
        'all are delivered';
    cmp_ok $host->slide('mail', 1), '<=', 5, 'never more than the rate';
    is scalar($host->times('mail')), 40, 'nobody comes twice';
};

subtest 'no more than have a place are connected' => sub {
    my $host = CrowdHost->new(takes => {greeting => 0.5});
    my $agent = agent($host->destination . '/rate=3:1h');
    my $herd = Herd->new(agent => $agent);

    $herd->deliver(1);
    $host->hold('greeting');
    $herd->start(30);
    $host->wait_held(2);
    wait_until('the end of the others', sub {
        return $herd->finished(0.01) >= 29;
    });
    is $host->connections, 3, 'two beside the first';
    $host->release;
    is_deeply tally($herd->finished, $herd->finish), {0 => 3, 75 => 28},
        'these are delivered';
};

# One that is on its way to a host, and held there at its greeting.
sub on_the_way {
    my ($agent, $host, $herd) = @_;

    $host->hold('greeting');
    my ($run) = $herd->start(1, domains => ['rated.example']);
    $host->wait_held(1);
    return $run;
}

subtest 'who is killed before MAIL does not count' => sub {
    my $host = CrowdHost->new;
    my $agent = agent($host->destination . '/rate=1:1h');
    my $herd = Herd->new(agent => $agent);

    $herd->kill(on_the_way($agent, $host, $herd));
    $host->release;
    is $agent->deliver->status, 0, 'there is room for the next one';
    like $agent->deliver->output, $FREE, 'and for no other';
};

# Another route has no rate for the host, but what it sends counts.
subtest 'no room any more when it comes to MAIL' => sub {
    my @hosts = map { CrowdHost->new } 1, 2;
    my $agent = Agent->new(
        settings => {patience => 0},
        routes   => 'rated.example ' . $hosts[0]->destination
            . '/rate=1:1h, ' . $hosts[1]->destination . "/pri=10\n"
            . 'other.example ' . $hosts[0]->destination . "\n",
    );
    my $herd = Herd->new(agent => $agent);

    my $run = on_the_way($agent, $hosts[0], $herd);
    kill 'STOP', $run->pid;
    $hosts[0]->release;
    is_deeply tally($herd->deliver(1, domains => ['other.example'])),
        {0 => 1}, 'it is taken by another one';
    kill 'CONT', $run->pid;
    $herd->finish;
    my $port = $hosts[1]->port;
    like $run->output, qr/^2\.0\.0 \S+\[127\.0\.0\.1\]:$port: 250 /,
        'the next host has it';
    is scalar($hosts[0]->times('mail')), 1, 'the first did not see MAIL';
    is scalar($hosts[0]->times('quit')), 2, 'but QUIT';
    is_deeply tally($herd->deliver(1, domains => ['other.example'])),
        {0 => 1}, 'and is not down';
    is_deeply [shares(@hosts)], [2, 1], 'each has come once';
};

subtest 'what the line says' => sub {
    my $host = CrowdHost->new;
    my $agent = agent($host->destination, rate => '2:1h');
    my $name = '127\.0\.0\.1:' . $host->port;

    is $agent->deliver->status, 0, 'there is room' for 1, 2;
    my $run = $agent->deliver;
    is $run->status, 75, 'there is none';
    like $run->output, qr/^4\.4\.5\ all\ hosts\ of\ the\ route\ are\ at
        \ their\ rate;\ $name:\ $FREE$/x, 'the line';
    is $host->connections, 2, 'the host was not contacted';
};

subtest 'which rate it is' => sub {
    my @hosts = map { CrowdHost->new } 1 .. 4;
    my $n = 0;
    my $agent = agent(
        join(', ', map { $hosts[$_]->destination . "/pri=$_"
                . ('', '/rate=1:1h', '', '')[$_] } 0 .. 3),
        rate                             => '3:1h',
        'host 127.0.0.1:' . $hosts[1]->port => {rate => '5:1h'},
        'host 127.0.0.1:' . $hosts[2]->port => {rate => '2:1h, 4:1d'},
        'host 127.0.0.1:' . $hosts[3]->port => {rate => 'none'},
    );
    my $herd = Herd->new(agent => $agent);

    is_deeply tally($herd->deliver(12)), {0 => 12}, 'all are delivered';
    is_deeply [shares(@hosts)], [3, 1, 2, 6],
        'the default, the route, the host, and none';
};

subtest 'a host that refuses MAIL' => sub {
    my $host = CrowdHost->new(reply => {mail => '450 4.7.1 later'});
    my $agent = agent($host->destination, rate => '2:1h');

    like $agent->deliver->output, qr/ 450 4\.7\.1 later /, 'it is asked'
        for 1, 2;
    like $agent->deliver->output, $FREE, 'that has counted';
    is scalar($host->times('mail')), 2, 'it has seen no more';
};

# Behind its other address is the same host.
subtest 'a host with two addresses, at its rate after the first' => sub {
    my $host = CrowdHost->new(reply => {mail => '450 4.7.1 later'});
    my $other = CrowdHost->new(address => '127.0.0.2', port => $host->port,
        reply => {mail => '450 4.7.1 later'});
    my $dns = Dns->new(records =>
        [map { "mx.example.test. A $_" } '127.0.0.1', '127.0.0.2']);
    my $agent = agent('[mx.example.test]:' . $host->port . '/rate=1:30s',
        patience => '1m', 'dns-servers' => $dns->address);

    my $run = $agent->deliver;
    like $run->output, qr/ 450 4\.7\.1 later /, 'deferred by the first';
    is $host->connections + $other->connections, 1,
        'it is not tried again and again';
};

subtest 'a host that refuses connections' => sub {
    my $host = CrowdHost->new(down => 1);
    my $agent = agent($host->destination, rate => '1:1h',
        'retry-min' => '1s', patience => '30s');

    is $agent->deliver->status, 75, 'deferred';
    $host->start;
    is $agent->deliver->status, 0, 'nothing has counted, and it is probed';
    like $agent->deliver->output, $FREE, 'the probe has';
};

subtest 'recipients, over LMTP' => sub {
    my @hosts = map { CrowdHost->new } 1, 2;
    my $agent = agent($hosts[0]->destination . '/rate-recipients=3:1h, '
            . $hosts[1]->destination . '/pri=10/rate-recipients=4:1h');
    my $lmtp = Lmtp->begin(agent => $agent);

    my @replies = $lmtp->deliver(sender => 's@example.org',
        recipients => [recipients(1 .. 9)], message => "test\n");
    is_deeply [map { substr $_, 0, 3 } @replies],
        [(250) x 7, 451, 451], 'as many as both hosts take';
    like $replies[8], qr/^451 4\.4\.5 .*: $FREE; .*: $FREE$/, 'and why';
    is_deeply [map { scalar(() = $_->times('rcpt')) } @hosts], [3, 4],
        'these recipients';
    is_deeply [map { scalar(() = $_->times('mail')) } @hosts], [1, 1],
        'in a transaction each';
    is $lmtp->end, 0, 'end';
};

subtest 'the rest of a window, over LMTP' => sub {
    my $host = CrowdHost->new;
    my $agent = agent($host->destination . '/rate-recipients=4:2s',
        patience => '1m');
    my $lmtp = Lmtp->begin(agent => $agent);

    my @replies = $lmtp->deliver(sender => 's@example.org',
        recipients => [recipients(1 .. 10)], message => "test\n");
    is_deeply [map { substr $_, 0, 3 } @replies], [(250) x 10],
        'all are delivered';
    cmp_ok $host->slide('rcpt', 2), '<=', 4, 'never more than the rate';
    is scalar($host->times('rcpt')), 10, 'each once';
    is $lmtp->end, 0, 'end';
};

subtest 'who was deferred does not come again' => sub {
    my $host = CrowdHost->new(reply => {
        rcpt => '450 4.2.0 later',
        data => '554 5.5.1 no recipients',
    });
    my $agent = agent($host->destination . '/rate-recipients=2:2s',
        patience => '1m');
    my $lmtp = Lmtp->begin(agent => $agent);

    my @replies = $lmtp->deliver(sender => 's@example.org',
        recipients => [recipients(1 .. 5)], message => "test\n");
    is_deeply [grep { !/ 450 4\.2\.0 later / } @replies], [],
        'each has its reply';
    is scalar($host->times('rcpt')), 5, 'each was there once';
    is $lmtp->end, 0, 'end';
};

subtest 'kept connections' => sub {
    my $host = CrowdHost->new;
    my $agent = Agent->new(
        routes      => '* ' . $host->destination . "\n",
        settings    => {patience => 0, rate => '3:1h'},
        environment => unhurried(),
    );
    my $lmtp = Lmtp->begin(agent => $agent);

    my @replies = map { $lmtp->deliver(sender => 's@example.org',
        recipients => [recipients($_)], message => "test\n") } 1 .. 5;
    is_deeply [map { substr $_, 0, 3 } @replies], [250, 250, 250, 451, 451],
        'three messages';
    is $host->connections, 1, 'on one connection';
    is $lmtp->end, 0, 'end';
};

subtest 'several recipients in one call of pipe(8)' => sub {
    my $host = CrowdHost->new;
    my $agent = agent($host->destination, 'rate-recipients' => '5:1h');

    is $agent->deliver(recipients => [recipients(1 .. 4)])->status, 0,
        'fewer than the rate';
    like $agent->deliver(recipients => [recipients(1, 2)])->output, $FREE,
        'all or none';
    is $agent->deliver(recipients => [recipients(1)])->status, 0,
        'there is room for one';
    like $agent->deliver(recipients => [recipients(1 .. 6)])->output,
        qr/: takes fewer recipients at a time \(rate-recipients\)$/,
        'more than it ever takes';
};

done_testing;
