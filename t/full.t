#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Hosts that take so many sessions and no more, and hosts that have something
# against a sender: neither is down.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use Test::More;

use Agent ();
use CrowdHost ();
use Ctl ();
use Fixture;
use Herd;

my %FOREVER = ('retry-min' => '1h', 'retry-max' => '1h');

sub agent {
    my ($route, %settings) = @_;

    return Agent->new(
        routes   => "* $route\n",
        settings => {%FOREVER, %settings},
    );
}

sub log_of {
    my ($agent, $pattern) = @_;

    return scalar grep { $_ =~ $pattern } $agent->log_lines;
}

# What smtproutectl says of a host that is alone.
sub row {
    my ($agent) = @_;

    return (Ctl->hosts($agent))[0];
}

sub table {
    my ($agent) = @_;

    return Ctl->run(conf => $agent->conf, arguments => ['hosts'])->stdout;
}

subtest 'a burst on one host' => sub {
    my $host = CrowdHost->new(limit => 5, takes => {final => 0.1});
    my $agent = agent($host->destination, patience => '30s');
    my $herd = Herd->new(agent => $agent);

    is_deeply tally($herd->deliver(40, at_once => 40)), {0 => 40},
        'all are delivered';
    cmp_ok $host->most, '<=', 5, 'never more than it takes';
    is log_of($agent, qr/ is down until /), 0, 'log: it is not down';
    cmp_ok log_of($agent, qr/ is full: it takes \d+ sessions? at a time$/),
        '>=', 1, 'log: it is full';
};

subtest 'a burst on two hosts' => sub {
    my @hosts = map { CrowdHost->new(limit => 4, takes => {final => 0.1}) } 1, 2;
    my $agent = agent(join(', ', map { $_->destination } @hosts),
        patience => '30s');
    my $herd = Herd->new(agent => $agent);

    is_deeply tally($herd->deliver(60, at_once => 30)), {0 => 60},
        'all are delivered';
    is log_of($agent, qr/ is down until /), 0, 'log: none is down';
};

# As Exim: the session is over, but its process is not yet.
subtest 'sessions that end later there than here' => sub {
    my $host = CrowdHost->new(limit => 4, lingers => 0.3,
        takes => {final => 0.1});
    my $agent = agent($host->destination, patience => '50s',
        'max-connections' => 3, 'retry-min' => '1s', waiting => 60);
    my $herd = Herd->new(agent => $agent);

    is_deeply tally($herd->deliver(60, at_once => 40)), {0 => 60},
        'all are delivered';
    cmp_ok $host->connections, '>', 60, 'though some were refused';
};

subtest 'who does not wait learns of it' => sub {
    my $host = CrowdHost->new(limit => 3, hold => 'mail');
    my $agent = agent($host->destination);
    my $herd = Herd->new(agent => $agent);

    my @held = $herd->start(3);
    $host->wait_held(3);
    my ($refused) = $herd->deliver(1);
    like $refused->output, qr/^4\.3\.2 .* 421 4\.3\.2 too many sessions/,
        'the fourth is refused';
    is log_of($agent, qr/ is full: it takes 3 sessions at a time$/), 1,
        'log: full, once';
    is_deeply tally($herd->deliver(4)), {75 => 4}, 'others are deferred';
    is $host->connections, 4, 'without asking the host';
    my $row = row($agent);
    is_deeply [@{$row}{qw(state connected learned_connections full)}],
        ['up', 3, 3, JSON::PP::true], 'smtproutectl hosts --json: full';
    like table($agent), qr{ full, 3/3 }, 'and its table';
    $herd->kill($held[0]);
    my ($heir) = $herd->start(1);
    $host->wait_held(3);
    is $host->connections, 5, 'who comes after one that ends is connected';
    $host->release;
    is_deeply tally($herd->finish(@held[1, 2], $heir)), {0 => 3},
        'all that were held are delivered';
    like table($agent), qr/ up, takes \d /, 'that is shown while it is idle';
};

subtest 'without sessions of ours it is down' => sub {
    my $host = CrowdHost->new(limit => 0);
    my $agent = agent($host->destination, patience => '30s');
    my $herd = Herd->new(agent => $agent);

    is_deeply tally($herd->deliver(2)), {75 => 2}, 'deferred';
    is $host->connections, 1, 'the second without asking';
    is log_of($agent, qr/ is down until /), 1, 'log: it is down';
};

subtest 'a host that is suspect' => sub {
    my $host = CrowdHost->new(reply => {mail => '421 4.7.0 not you'});
    my $agent = agent($host->destination, 'retry-min' => '1s');

    for my $n (1, 2) {
        is $agent->deliver(sender => 'a@example.org')->status, 75,
            "one sender is deferred: $n";
    }
    is $host->connections, 2, 'by the host';
    is log_of($agent, qr/ is suspect: /), 1, 'log: it is suspect, once';
    is row($agent)->{suspect}, JSON::PP::true, 'smtproutectl hosts --json';
    like table($agent), qr/ up, suspect /, 'and its table';
    $host->reply('mail');
    is $agent->deliver(sender => 'b@example.org')->status, 0,
        'another sender is delivered';
    $host->reply(mail => '421 4.7.0 not you');
    $agent->deliver(sender => "$_\@example.org") for qw(b c);
    is log_of($agent, qr/ is down until /), 1,
        'two senders in a row: it is down';
};

# When the host's time has come, and again as long after that, the senders
# that brought it down do not ask it.
subtest 'who brought it down does not probe' => sub {
    my $host = CrowdHost->new(reply => {rcpt => '421 4.7.0 not you'});
    my $agent = agent($host->destination, 'retry-min' => '1s');

    $agent->deliver(sender => "$_\@example.org") for qw(a b);
    $host->reply('rcpt');
    my $c = wait_until('a probe', sub {
        my $run = $agent->deliver(sender => 'c@example.org');
        return $run->status == 0 && $run;
    });
    ok $c, 'another sender does';
    is $agent->deliver(sender => 'a@example.org')->status, 0,
        'and then all are delivered';

    $host->reply(rcpt => '421 4.7.0 not you');
    $agent->deliver(sender => "$_\@example.org") for qw(a b);
    $host->reply('rcpt');
    ok wait_until('a probe', sub {
        $agent->deliver(sender => 'a@example.org')->status == 0
    }), 'where there is nobody else they do in the end';
};

done_testing;
