#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# balance = leastconn: hosts that hold sessions get no more; and that routes may
# differ in how they choose and wait.  (t/unit/hosts/balance-test has shares.)

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent ();
use CrowdHost ();
use Fixture;
use Herd;

sub hosts {
    return map { CrowdHost->new } 1 .. $_[0];
}

sub route {
    return join ', ', map { $_->destination } @_;
}

# One session is held at A; how the others are shared out.
sub shares_beside_one {
    my ($settings, $key) = @_;
    my @hosts = hosts(2);
    my $agent = Agent->new(
        routes   => "$key " . route(@hosts) . "\n",
        settings => {patience => 0, %{$settings}},
    );
    my $herd = Herd->new(agent => $agent);

    $_->hold('final') for @hosts;
    $herd->start(1);
    my ($busy) = wait_until('one is held', sub {
        (grep { $_->held } @hosts)[0]
    });
    my ($idle) = grep { $_ != $busy } @hosts;
    $idle->release;
    my @runs = $herd->start(10) if !%{$settings};
    if (%{$settings}) {
        is_deeply tally($herd->deliver(10)), {0 => 10}, 'ten are delivered';
    } else {
        $busy->wait_held(6);
    }
    my @shares = ($busy->held - 1, scalar(() = $idle->recipients));
    $busy->release;
    $herd->finish;
    return @shares;
}

subtest 'by turns' => sub {
    my ($busy) = shares_beside_one({}, '*');

    is $busy, 5, 'the one that holds a session gets its half';
};

subtest 'by sessions' => sub {
    is_deeply [shares_beside_one({balance => 'leastconn'}, '*')], [0, 10],
        'all go to the idle one';
};

subtest 'for one route' => sub {
    is_deeply [shares_beside_one(
        {'route example.com' => {balance => 'leastconn'}}, 'Example.COM')],
        [0, 10], 'all go to the idle one';
};

subtest 'routes that wait or not' => sub {
    my ($host) = hosts(1);
    my $agent = Agent->new(
        routes => join('', map { "$_ " . $host->destination . "\n" }
                qw(patient.example .impatient.example)),
        settings => {
            'max-connections'          => 1,
            patience                   => '1m',
            'route .impatient.example' => {patience => 0},
        },
    );
    my $herd = Herd->new(agent => $agent);

    $host->hold('final');
    $herd->start(1, domains => ['patient.example']);
    $host->wait_held(1);
    my ($run) = $herd->deliver(1, domains => ['a.impatient.example']);
    like $run->output, qr/^4\.4\.5 all hosts of the route are at their max-/,
        'one does not wait';
    my ($waiting) = $herd->start(1, domains => ['patient.example']);
    $host->release;
    $herd->finish;
    is $waiting->status, 0, 'the other does';
};

done_testing;
