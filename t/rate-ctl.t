#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What smtproutectl says of rates: hosts, route and check.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent ();
use CrowdHost ();
use Ctl ();
use Fixture;

sub ctl {
    my ($agent, @arguments) = @_;

    return Ctl->run(conf => $agent->conf, arguments => \@arguments);
}

my @hosts = map { CrowdHost->new } 1, 2;
my ($one, $two) = map { $_->destination } @hosts;
my ($first, $second) = map { '127\.0\.0\.1:' . $_->port } @hosts;
my $agent = Agent->new(
    routes   => "* $one/rate=2:1h+100:1d, $two/pri=5\n",
    settings => {patience => 0, 'rate-recipients' => '50:1h'},
);

sub row {
    return Ctl->host($agent, $hosts[0]);
}

subtest 'nothing has been counted' => sub {
    my $table = ctl($agent, 'hosts')->stdout;
    like $table, qr/^$first,\ 0\ of\ 2\ in\ 1h,\ 0\ of\ 100\ in\ 1d,
        \ 0\ of\ 50\ recipients\ in\ 1h$/mx, 'hosts';
    like $table, qr/^Rates:\n(?:$first|$second), /m, 'under a head';
    like ctl($agent, 'route', 'a@example.com')->stdout,
        qr/^    rate {12}0 of 2 in 1h, 0 of 100 in 1d, 0 of 50 rec/m, 'route';
};

subtest 'at its rate' => sub {
    is $agent->deliver->status, 0, 'delivered' for 1 .. 3;
    my $table = ctl($agent, 'hosts')->stdout;
    like $table, qr/^$first +at its rate /m, 'hosts';
    like $table, qr/^$first,\ 2\ of\ 2\ in\ 1h,\ 2\ of\ 100\ in\ 1d,
        \ 2\ of\ 50\ recipients\ in\ 1h,\ free\ in\ \d+\ min$/mx, 'and used';
    like $table, qr/^$second, 1 of 50 recipients in 1h$/m, 'the other';
    my $route = ctl($agent, 'route', 'a@example.com')->stdout;
    like $route, qr/^  1 $second\n/m, 'route: the other one is tried';
    like $route, qr/^    rate {12}2 of 2 in 1h, .*\n {20}at its rate, free in \d+ s$/m,
        'and why';
};

subtest 'for machines' => sub {
    my $row = row();
    ok $row->{at_rate}, '--json: at_rate';
    cmp_ok $row->{rate_free_in}, '>', 3000, 'rate_free_in';
    is_deeply $row->{rates}, [
        {unit => 'transactions', span => 3600, count => 2, used => 2, left => 0},
        {unit => 'transactions', span => 86400, count => 100, used => 2,
            left => 98},
        {unit => 'recipients', span => 3600, count => 50, used => 2,
            left => 48},
    ], 'rates';
    for my $option ('--metrics', '--openmetrics') {
        my $text = ctl($agent, 'hosts', $option)->stdout;
        my $labels = 'host="127\.0\.0\.1",port="' . $hosts[0]->port . '"';
        like $text, qr/^smtproute_host_rate_limit\{$labels,
            unit="transactions",span="86400"\}\ 100$/mx, "$option: limit";
        like $text, qr/^smtproute_host_rate_used\{$labels,
            unit="recipients",span="3600"\}\ 2$/mx, "$option: used";
    }
};

subtest 'a restart of all that runs' => sub {
    my $port = $hosts[1]->port;

    like $agent->deliver->output, qr/^2\.0\.0 .*:$port: 250 /,
        'it still counts';
};

# Routes, and what check finds in them.
my @contradictions = (
    ['a rate that its own longer one is less than',
        'a [192.0.2.1]/rate=30:1m+20:1h', qr/:1:3: warning: rate 30:1m of /],
    ['why', 'a [192.0.2.1]/rate=30:1m+20:1h',
        qr/ is never reached, since no more than 20 go in 1h;/],
    ['a rate of recipients that is less', 'a [192.0.2.1]/rate=30:1m/'
        . 'rate-recipients=20:1m', qr/than 20 recipients go in 1m;/],
    ['two rates of one host',
        "a [192.0.2.1]/rate=30:1m\nb [192.0.2.1]/rate=31:1m",
        qr/:2:3: warning: 192\.0\.2\.1:25 has rate=31:1m.* here and rate=30:1m/],
);
my @sound = (
    ['more in a longer time', 'a [192.0.2.1]/rate=30:1m+31:1h'],
    ['as many recipients', 'a [192.0.2.1]/rate=30:1m/rate-recipients=30:1m'],
    ['the same for one host in two routes',
        "a [192.0.2.1]/rate=30:1m\nb [192.0.2.1]/rate=30:60s"],
    ['fewer connections than the rate',
        'a [192.0.2.1]/rate=3000:1s', {'max-connections' => 1}],
);

sub findings {
    my ($routes, $settings) = @_;
    my $agent =
        Agent->new(routes => "$routes\n", settings => $settings // {});
    my $run = Ctl->run(conf => $agent->conf, arguments =>
        ['check', '--no-dns', '--routes', $agent->routes]);

    return join "\n", grep { / rate/ } split /\n/, $run->stdout;
}

subtest 'check' => sub {
    for my $row (@contradictions) {
        my ($says, $routes, $expected) = @{$row};
        like findings($routes), $expected, $says;
    }
    for my $row (@sound) {
        my ($says, $routes, $settings) = @{$row};
        is findings($routes, $settings), '', $says;
    }
};

# The manual's, as they stand there.
subtest 'recipes' => sub {
    my ($text) = read_file(($ENV{top_srcdir} // '.') . '/man/smtproute.8')
        =~ /^\.Ss With providers that count\n(.*?)^\.Sh /ms;
    my @recipes = ($text // '') =~ /^\.Bd -literal.*?\n(.*?)^\.Ed/msg;

    cmp_ok scalar(@recipes), '>=', 6, 'the manual has recipes';
    for my $recipe (@recipes) {
        my %file;
        my $path;
        for my $line (split /^/, $recipe) {
            if ($line =~ m{^# /etc/smtproute/(\S+)$}) {
                $path = $1;
            } else {
                $file{$path} .= $line;
            }
        }
        my $agent = Agent->new(
            routes => $file{routes} // "* [192.0.2.1]\n",
            conf   => $file{'smtproute.conf'} // '',
        );
        my $run = Ctl->run(conf => $agent->conf, arguments =>
            ['check', '--no-dns', '--routes', $agent->routes]);
        my @faults = grep { /error|expected/ && !/bind address/ }
            split /\n/, $run->stdout . $run->stderr;
        is_deeply \@faults, [], (split /\n/, $recipe)[1];
    }
};

done_testing;
