#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# smtproutectl hosts --check: the line and the exit status that a monitoring
# system takes, and that what contrib/monitoring asks for is there.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use Test::More;

use Agent;
use Ctl;
use Fixture;
use SmtpHost;

my $FOLDER = "$FindBin::Bin/../contrib/monitoring";
my %LONG = ('retry-min' => '5m', 'retry-max' => '5m');

# One figure: a label, a number with its unit, and what it may be.
my $FIGURE = qr/[a-z]+=\d+c?(?:;\d*){0,4}/;

sub check {
    my ($agent, @hosts) = @_;

    return Ctl->run(conf => $agent->conf,
        arguments => ['hosts', '--check', @hosts]);
}

sub is_check {
    my ($run, $status, $said, $name) = @_;

    is $run->status, $status, "$name: exit status";
    like $run->stdout, qr/\ASMTPROUTE \Q$said\E(?:\||$)/m, "$name: the line";
    like $run->stdout, qr/\A[^|\n]+\|$FIGURE(?: $FIGURE)*\n\z/,
        "$name: its figures" if $status < 3;
    return;
}

subtest 'hosts up, down and drained' => sub {
    my @hosts = map { SmtpHost->new } 1, 2;
    my $dead = kept_port('127.0.0.1');
    my $agent = Agent->new(
        settings => \%LONG,
        routes => 'example.com ' . $hosts[0]->destination . "\n"
            . 'b.example ' . $hosts[1]->destination . "\n"
            . "c.example [127.0.0.1]:$dead\n",
    );
    is_check(check($agent), 0, 'OK - 0 of 3 hosts down', 'all up');
    $agent->deliver(recipients => ['user@c.example']);
    $agent->deliver;
    is_check(check($agent), 1, "WARNING - 1 of 3 hosts down: 127.0.0.1:$dead",
        'one down');
    like check($agent)->stdout, qr/\|down=1;0;;0;3 .* sent=1c /, 'figures';
    is_check(check($agent, "127.0.0.1:$dead"), 2,
        "CRITICAL - 1 of 1 hosts down: 127.0.0.1:$dead", 'one route');
    is_check(check($agent, $hosts[0]->destination), 0,
        'OK - 0 of 1 hosts down', 'another one');
    Ctl->run(conf => $agent->conf, arguments => ['drain', map {
        $_->destination } @hosts]);
    is_check(check($agent), 2, "CRITICAL - 1 of 3 hosts down: 127.0.0.1:$dead",
        'what could get mail is down');
    Ctl->run(conf => $agent->conf, arguments => ['drain', "127.0.0.1:$dead"]);
    is_check(check($agent), 0, 'OK - 0 of 3 hosts down', 'all drained');
};

subtest 'many down' => sub {
    my @dead = map { reserve_port('127.0.0.1') } 1 .. 7;
    my $agent = Agent->new(settings => \%LONG, routes => 'example.com '
        . join(', ', map { '[127.0.0.1]:' . $_->sockport } @dead) . "\n");
    $agent->deliver;
    my $run = check($agent);
    is $run->status, 2, 'exit status';
    like $run->stdout,
        qr/\ASMTPROUTE CRITICAL - 7 of 7 hosts down: (?:127\.0\.0\.1:\d+, ){5}\.\.\.\|/,
        'five are named';
};

subtest 'no answer' => sub {
    my $agent = Agent->new(routes => "example.com [192.0.2.1]\n");
    my $unknown = 'UNKNOWN - "smtproutectl hosts" says why';

    is_check(check($agent, 'mx.example.org'), 3, $unknown, 'an unknown host');
    write_file($agent->routes, "example.com [192.0.2.1\n");
    is_check(check($agent), 1,
        'WARNING - 0 of 0 hosts down; the route map has faults', 'a fault');
    write_file($agent->conf, "[smtproute]\nno-such = 1\n");
    is_check(check($agent), 3, $unknown, 'settings');
};

subtest 'by a monitoring group' => sub {
    my $gid = (getpwnam 'daemon')[3];
    plan skip_all => 'only root can be another user' if $> != 0;
    my $host = SmtpHost->new;
    my $agent = Agent->new(user => 'nobody',
        routes => 'example.com ' . $host->destination . "\n");
    my $state = $agent->var . '/state';
    my $run = sub {
        return Ctl->run(conf => $agent->conf, user => 'daemon',
            arguments => ['hosts', @_]);
    };

    is $agent->deliver->status, 0, 'delivered';
    chmod 0755, $agent->var;
    chmod 0700, $state or die "$state: $!\n";
    is $run->('--check')->status, 3, 'others are kept out';
    chown -1, $gid, $state, "$state/hosts.mdb" or die "$state: $!\n";
    chmod 02750, $state or die "$state: $!\n";
    is_check($run->('--check'), 0, 'OK - 0 of 1 hosts down', 'the group');
    like $run->('--openmetrics')->stdout, qr/^smtproute_state_usable 1$/m,
        'the group: metrics';
    is $run->()->stderr, '', 'the group: no complaint';
    $agent->forget;
    is $agent->deliver->status, 0, 'the state is begun anew';
    is((stat "$state/hosts.mdb")[5], $gid, 'and stays the group\'s');
    is_check($run->('--check'), 0, 'OK - 0 of 1 hosts down', 'the group again');
    chmod 0550, $state or die "$state: $!\n";
    is_check($run->('--check'), 1, 'WARNING - 0 of 1 hosts down; nothing new is '
        . 'remembered of hosts', 'a folder that the agent cannot write to');
    chmod 0770, $state or die "$state: $!\n";
    chmod 0660, "$state/hosts.mdb" or die "$state: $!\n";
    is $run->('--check')->status, 3, 'a state that the group can write';
    $host->connections;
};

# All metrics that there are.
sub metrics {
    my $host = SmtpHost->new;
    my $agent = Agent->new(settings => {'max-connections' => 2}, routes =>
        'example.com [127.0.0.1]:' . kept_port('127.0.0.1')
        . '/pri=0, ' . $host->destination . "/pri=1\n");
    $agent->deliver;
    my $run = Ctl->run(conf => $agent->conf,
        arguments => ['hosts', '--metrics']);
    return $run->stdout;
}

my $text = metrics();
my %metrics = map { $_ => 1 } $text =~ /^(smtproute_\w+)/mg;
for my $file ('prometheus.yml', 'grafana.json') {
    my %asked = map { $_ => 1 } read_file("$FOLDER/$file") =~
        /\b(smtproute_[a-z]\w+)/g;
    cmp_ok scalar(keys %asked), '>', 4, "$file asks for metrics";
    is_deeply [grep { !$metrics{$_} } sort keys %asked], [],
        "$file: all of them exist";
}
ok eval { JSON::PP->new->decode(read_file("$FOLDER/grafana.json")) },
    'grafana.json is JSON';
subtest 'promtool' => sub {
    my ($status) = capture('promtool', '--version');
    skip_or_fail($status ? 'no promtool(1)' : undef);
    my $file = new_folder('metrics') . '/metrics';
    write_file($file, $text);

    ($status, my $said) = capture('promtool', 'check', 'rules',
        "$FOLDER/prometheus.yml");
    is $status, 0, 'alert rules' or diag $said;
    ($status, $said) = capture('sh', '-c', "promtool check metrics <$file");
    is $status, 0, 'metrics' or diag $said;
};

done_testing;
