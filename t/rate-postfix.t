#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Rates behind a real Postfix: a queue that is far more than a host may have
# goes to the next one, and what has no other waits no longer than it must.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent ();
use CrowdHost ();
use Ctl ();
use Fixture;
use Herd;
use PostfixInstance ();
use Syslog ();

skip_or_fail(PostfixInstance->missing);
skip_or_fail('mount namespaces are forbidden here')
    if !Syslog::namespaces();

sub postfix {
    my ($route, $settings) = @_;

    my $agent = Agent->new(
        user     => 'nobody',
        routes   => "example.com $route\n",
        settings => $settings,
    );
    my $postfix = PostfixInstance->new(
        agent   => $agent,
        flushes => 1,
        patient => 1,
    );
    return ($postfix, $agent);
}

sub inject {
    my ($postfix, @users) = @_;

    return map { $postfix->inject(recipients => ["$_\@example.com"]) } @users;
}

subtest 'a queue of 500, and 100 a minute' => sub {
    my @hosts = map { CrowdHost->new } 1, 2;
    my ($postfix) = postfix($hosts[0]->destination . '/rate=100:1m, '
            . $hosts[1]->destination . '/pri=10', {patience => 0});

    inject($postfix, 1 .. 500);
    $postfix->wait_for(qr/ status=sent /, 500);
    unlike $postfix->maillog, qr/ status=deferred /, 'nothing is deferred';
    is_deeply [$postfix->settled], [], 'nothing is left';
    my @shares = shares(@hosts);
    note "shares are @shares";
    is $shares[0] + $shares[1], 500, 'each has arrived once';
    cmp_ok $hosts[0]->slide('mail', 60), '<=', 100,
        'the first host was never above its rate';
    cmp_ok $shares[0], '>=', 95, 'and had what it may have';
};

subtest 'what waits for a rate is woken' => sub {
    my $host = CrowdHost->new;
    my ($postfix, $agent) =
        postfix($host->destination . '/rate=3:5s', {patience => 0});

    inject($postfix, 1 .. 9);
    $postfix->wait_for(qr/ status=deferred \(all hosts of the route are at their rate;/);
    ok wait_until('the last one is sent', sub {
        my ($status) = $postfix->command(Ctl::_binary(), '-c', $agent->conf,
            'queue');
        return $status != 0 || !$postfix->queue;
    }), 'whoever looks at the queue has it tried';
    is_deeply [sort $host->recipients], [1 .. 9], 'each once';
    cmp_ok $host->slide('mail', 5), '<=', 3, 'never more than the rate';
};

done_testing;
