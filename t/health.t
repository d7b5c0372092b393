#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Which trouble makes a host one that is down, who finds out whether it is up
# again, and who passes it over meanwhile: counted by the hosts.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes qw(CLOCK_MONOTONIC clock_gettime);

use Agent ();
use BlackHole ();
use CrowdHost ();
use Dns ();
use Failover ();
use Fixture;
use Herd;
use SmtpHost ();

# Where nothing is to be tried again.
my %FOREVER = ('retry-min' => '1h', 'retry-max' => '1h');

# Who takes what the first host does not.
my $OTHER = CrowdHost->new;

# Rows at work at the same time.
my $BATCH = 12;

sub agent {
    my ($route, %settings) = @_;

    return Agent->new(
        routes   => "* $route\n",
        settings => {%FOREVER, %settings},
    );
}

# A first host, and who delivers to it, else to another one.
sub herd {
    my ($options, %settings) = @_;
    my $first = CrowdHost->new(%{$options});
    my $agent = agent($first->destination . ', ' . $OTHER->destination
            . '/pri=5', %settings);

    return (Herd->new(agent => $agent), $first);
}

sub log_of {
    my ($herd, $pattern) = @_;

    return grep { $_ =~ $pattern } $herd->{agent}->log_lines;
}

sub running {
    my (@runs) = @_;

    return grep { !defined $_->signal } @runs;
}

#
# What each reply means, for the host.
#

my @STAGES = qw(greeting ehlo helo mail rcpt data final);

# How a host gets as far as HELO.
sub at {
    my ($stage, $how) = @_;

    return {$stage eq 'helo' ? (ehlo => '502 what') : (), $stage => $how};
}

# Scripts that show trouble of the host's own, at any stage.
my @down = (
    (map { at($_, '421 4.3.2 closing') } @STAGES),
    (map { at($_, 'close') } @STAGES),
    (map { at($_, 'silence') } @STAGES),
    (map { at($_, 'hello') } @STAGES),
    (map { at($_, '214 2.0.0 help') } grep { $_ ne 'final' } @STAGES),
    {greeting => '450 4.3.2 busy'},
    {greeting => '554 5.7.1 go away'},
    {ehlo => '450 4.7.1 slow down'},
    {ehlo => '550 5.7.1 go away'},
    {ehlo => '503 5.5.1 what'},
    at(helo => '450 4.7.1 slow down'),
    at(helo => '550 5.7.1 go away'),
    (map { {mail => $_} }
        '452 4.3.1 full', '451 4.3.0 later', '450 4.3.2 not now',
        '530 5.7.0 authenticate', '535 5.7.8 who are you'),
    {mail => \('250-' . 'x' x 80_000)},
    {content => {after => 0, then => 'close'}},
    {rcpt => ['250 2.1.5 ok', '421 4.3.2 closing'], both => 1},
);

# Scripts that show trouble of this message's or recipient's, or none.
my @up = (
    {},
    {ehlo => '502 5.5.2 what'},
    {ehlo => '500 what'},
    (map { {mail => $_} }
        '450 4.2.0 later', '450 later', '451 4.7.1 greylisted',
        '452 4.5.3 too much', '550 5.1.8 bad sender', '552 5.3.4 too big',
        '553 5.3.0 no'),
    (map { {rcpt => $_} }
        '450 4.2.1 later', '451 4.3.0 later', '452 4.3.1 full',
        '451 4.7.1 greylisted', '452 4.5.3 too many',
        '550 5.1.1 no such user', '554 5.7.1 Relay access denied',
        '552 5.2.2 mailbox full'),
    (map { {data => $_} }
        '451 4.3.0 later', '452 4.3.1 full', '554 5.5.1 no'),
    (map { {final => $_} }
        '451 4.3.0 later', '452 4.3.1 full', '554 5.7.1 spam',
        '552 5.3.4 too big'),
    {keywords => ['SIZE 3']},
    {quit => 'silence'},
    {quit => 'reset'},
    {rcpt => ['250 2.1.5 ok', '450 4.2.0 later'], both => 1},
    {rcpt => ['550 5.1.1 no such user', '250 2.1.5 ok'], both => 1},
    {rcpt => ['550 5.1.1 no such user', '450 4.2.0 later'], both => 1},
    {rcpt => ['250 2.1.5 ok', '452 4.5.3 too many'], both => 1},
);

# Two messages for one host with such a script, one after the other; does the
# second one go there?  both: they are for two recipients.
sub start_row {
    my ($script) = @_;
    my %script = %{$script};
    my $both = delete $script{both};

    my $host = SmtpHost->new(digest => 1, %script);
    # The other host takes whatever time it needs, and nobody waits for QUIT.
    my $silent = grep { $_ ne 'quit' && $script{$_} eq 'silence' } keys %script;
    my $name = $host->destination =~ tr/[]//dr;
    my $agent = agent($host->destination . ', ' . $OTHER->destination
            . '/pri=5', $silent ? ("host $name" => {map { ("$_-timeout", '1s') }
                qw(greeting command data final)}) : ());
    return {
        host  => $host,
        agent => $agent,
        given => {recipients =>
                ['a@example.com', $both ? 'b@example.com' : ()]},
    };
}

sub check_scripts {
    my ($expected, $words, @scripts) = @_;

    while (my @batch = splice @scripts, 0, $BATCH) {
        my @rows = map { start_row($_) } @batch;
        my @runs;
        for (1, 2) {
            @runs = map { $_->{agent}->start(%{ $_->{given} }) } @rows;
            $_->wait for @runs;
        }
        for my $row (@rows) {
            my $script = shift @batch;
            my $second = shift @runs;
            my $seen = () = $row->{host}->connections;
            $seen .= ', then status ' . $second->status if $seen == 1;
            is $seen, $expected, Failover::describe($script) . ": $words";
        }
    }
    return;
}

check_scripts('1, then status 0', 'it is down', @down);
check_scripts(2, 'it is not down', @up);

subtest 'refused' => sub {
    my ($herd, $first) = herd({down => 1});

    $herd->deliver(1);
    $first->start;
    is_deeply tally($herd->deliver(3)), {0 => 3}, 'all are delivered';
    is $first->connections, 0, 'it is down';
};

subtest 'no address' => sub {
    skip_or_fail(Dns->missing);
    my $none = Dns->new;
    my $found = Dns->new(records => ['first.example. A 127.0.0.1']);
    my $first = CrowdHost->new;
    my $port = $first->port;
    my $agent = agent("[first.example]:$port, " . $OTHER->destination
        . '/pri=5', 'dns-servers' => $none->address);

    is $agent->deliver->status, 0, 'delivered';
    $agent->configure(
        settings => {%FOREVER, 'dns-servers' => $found->address});
    is $agent->deliver->status, 0, 'when it has an address: delivered';
    is $first->connections, 0, 'it is down';
    $agent->configure(settings => {%FOREVER,
        'dns-servers' => $found->address, 'state-directory' => $agent->var});
    $agent->deliver;
    is $first->connections, 1, 'forgotten, it is not';
};

# What is missing here is not the host's trouble: another route has it.
for my $required (qw(auth=absent tls=none/auth=absent)) {
    subtest "$required, which is not in the settings" => sub {
        my $first = CrowdHost->new;
        my $agent = agent($first->destination . "/$required, "
            . $OTHER->destination . '/pri=5');

        is $agent->deliver->status, 0, 'delivered';
        is $first->connections, 0, 'by the other host';
        $agent->configure(routes => '* ' . $first->destination . ', '
            . $OTHER->destination . "/pri=5\n");
        is $agent->deliver->status, 0, 'delivered';
        is $first->connections, 1, 'by the first, which is not down';
    };
}

subtest 'twenty refusals at once' => sub {
    my ($herd, $first) =
        herd({reply => {rcpt => '550 5.1.1 no such user'}});

    is_deeply tally($herd->deliver(20, at_once => 20)), {67 => 20},
        'bounced';
    $herd->deliver(1);
    is $first->connections, 21, 'it is not down';
};

#
# Who is down is passed over.
#

subtest 'a host that swallows connections' => sub {
    skip_or_fail(BlackHole->missing);
    my $hole = BlackHole->new;
    my $route = $hole->destination . ', ' . $OTHER->destination . '/pri=5';
    my $agent = agent($route, 'connect-timeout' => '1s');

    is $agent->deliver->status, 0, 'delivered';
    like join("\n", $agent->log_lines), qr/connect: timed out after 1 s/,
        'after waiting for it';
    $hole->accepted;
    my $herd = Herd->new(agent => $agent);
    is_deeply tally($herd->deliver(20, at_once => 5)), {0 => 20},
        'and twenty more';
    is $hole->accepted, 0, 'for which nobody has asked it';
    agent($route, 'greeting-timeout' => '1s')->deliver;
    is $hole->accepted, 1, 'as somebody else does';
};

subtest 'all are down' => sub {
    my @hosts = map { CrowdHost->new(down => 1) } 1, 2;
    my ($a, $b) = map { $_->destination } @hosts;
    my $herd = Herd->new(agent => agent("$a, $b/pri=5"));

    my ($run) = $herd->deliver(1);
    is $run->status, 75, 'the first message is deferred';
    is scalar(() = $run->output =~ /Connection refused/g), 2,
        'by both hosts';
    $_->start for @hosts;
    my @runs = $herd->deliver(20, at_once => 20);
    is_deeply tally(@runs), {75 => 20}, 'so are others';
    is_deeply [map { $_->connections } @hosts], [0, 0],
        'but the hosts are not asked';
    my $refused = 'connect: Connection refused';
    s/[][]//g for $a, $b;
    is $runs[0]->output =~ s/\d+ s$/N s/r,
        "4.4.1 all hosts of the route are down: $a: $refused; $b: $refused; "
        . 'next try in N s', 'the line';
    my ($wait) = $runs[0]->output =~ /(\d+) s$/;
    cmp_ok $wait, '<=', 3600 + 3600 / 5, 'not more than the jitter later';
    cmp_ok $wait, '>', 3600 - 120, 'nor sooner';
};

subtest 'routes share what they know of a host' => sub {
    my $first = CrowdHost->new(reply => {greeting => '421 4.3.2 closing'});
    my $twin = CrowdHost->new;
    my ($f, $t, $o) = map { $_->destination } $first, $twin, $OTHER;
    my $agent = Agent->new(
        routes => "example.com $f, $o/pri=5\n"
            . "example.org $t, $f/pri=3, $o/pri=5\n"
            . "example.net $f/weight=7, $o/weight=3/pri=8\n",
        settings => \%FOREVER,
    );

    $agent->deliver(recipients => ['a@example.com']);
    $agent->deliver(recipients => ["b\@$_"]) for qw(example.org example.net);
    $agent->deliver(nexthop => "$f, $o/pri=5");
    is $first->connections, 1, 'none of the others contacts it';
    is_deeply [$twin->recipients], ['b'], 'another port is another host';
};

#
# One process finds out whether it is up again.
#

subtest 'one probe at a time' => sub {
    my ($herd, $first) = herd({down => 1}, 'retry-min' => '1s');

    $herd->deliver(1);
    $first->start;
    $first->hold('greeting');
    my $probe = $herd->prober($first);
    is_deeply tally($herd->deliver(20, at_once => 20)), {0 => 20},
        'while it is probed, others are delivered';
    is $first->connections, 1, 'without it';

    $herd->kill($probe);
    $first->wait_closed;
    my @runs = $herd->start(20);
    $first->wait_held(1);
    wait_until('the others', sub { $herd->finished; running(@runs) == 1 });
    is $first->connections, 2, 'its prober killed, it has one other';
    my ($other) = running(@runs);
    $herd->deliver(5);
    is $first->connections, 2, 'and no third';

    $first->release;
    $herd->finish;
    is_deeply [$first->recipients], [$other->number], 'which delivers';
    $herd->deliver(5, at_once => 5);
    is $first->connections, 7, 'and from then on all do';
    is scalar(log_of($herd, qr/ is down until /)), 1, 'log: down, once';
    is scalar(log_of($herd, qr/ is up, after \d+ s$/)), 1, 'log: up, once';
};

subtest 'one probe of a host that is alone' => sub {
    my $first = CrowdHost->new(down => 1);
    my $herd = Herd->new(
        agent => agent($first->destination, 'retry-min' => '1s'));

    $herd->deliver(1);
    $first->start;
    $first->hold('mail');
    my $probe = $herd->prober($first);
    my @runs = $herd->deliver(5, at_once => 5);
    is_deeply tally(@runs), {75 => 5}, 'others are deferred';
    like $runs[0]->output, qr/^4\.4\.1 all hosts .*; being probed$/,
        'the line';
    is $first->connections, 1, 'without asking it';
    $first->release;
    $herd->finish($probe);
    is $probe->status, 0, 'the probe is delivered';
    is_deeply tally($herd->deliver(2)), {0 => 2}, 'and so are others';
};

subtest 'a probe that gets as far as MAIL finds it up' => sub {
    my ($herd, $first) = herd({down => 1}, 'retry-min' => '1s');

    $herd->deliver(1);
    $first->start;
    $first->hold('final');
    my $probe = $herd->prober($first);
    my @runs = $herd->start(3);
    $first->wait_held(4);
    is $first->connections, 4, 'while it goes on, others go there too';
    is scalar(log_of($herd, qr/ is up, after \d+ s$/)), 1, 'log: up, once';
    $first->release;
    $herd->finish($probe, @runs);
    is_deeply tally($probe, @runs), {0 => 4}, 'all are delivered';
    is scalar(() = $first->recipients), 4, 'there';
};

subtest 'a probe that a recipient stops finds it up' => sub {
    my ($herd, $first) = herd({down => 1}, 'retry-min' => '1s');

    $herd->deliver(1);
    $first->start;
    $first->reply(rcpt => '550 5.1.1 no such user');
    $first->hold('rcpt');
    my $probe = $herd->prober($first);
    $first->release;
    $herd->finish($probe);
    is $probe->status, 67, 'it bounces';
    $first->reply('rcpt');
    my ($next) = $herd->deliver(1);
    is_deeply [$first->recipients], [$next->number], 'the next is delivered';
};

# It may use its host's time-outs for connecting, greeting and one command.
subtest 'a probe that has been stopped is not waited for' => sub {
    my ($herd, $first) = herd({down => 1}, 'retry-min' => '1s',
        map { ("$_-timeout", '1s') } qw(connect greeting command));

    $herd->deliver(1);
    $first->start;
    $first->hold('greeting');
    my $stopped = $herd->prober($first);
    kill 'STOP', $stopped->pid;
    my $probe = $herd->prober($first);
    is $first->connections, 2, 'another one takes over';
    $first->release;
    $herd->finish($probe);
    is_deeply [$first->recipients], [$probe->number], 'and delivers';
    kill 'CONT', $stopped->pid;
    is_deeply tally($herd->finish($stopped)), {0 => 1},
        'so does the first one, somewhere';
} if $ENV{SMTPROUTE_SOAK};

subtest 'who is up again takes its turns' => sub {
    my %hosts = map { $_ => CrowdHost->new(down => $_ eq 'A') } qw(A B C);
    my $route = join ', ', map { $hosts{$_}->destination } sort keys %hosts;
    my $herd = Herd->new(agent => agent($route, 'retry-min' => '1s'));

    $herd->deliver(4);
    my $before = () = order(%hosts);
    $hosts{A}->start;
    $hosts{A}->hold('greeting');
    my $probe = $herd->prober($hosts{A});
    $hosts{A}->release;
    $herd->finish($probe);
    my $first = $probe->number;
    is +(order(%hosts))[$first - 1], 'A', 'the probe is delivered';
    $herd->deliver(9);
    my @then = (order(%hosts))[$first .. $first + 8];
    my @rounds = map { join '', sort @then[3 * $_ .. 3 * $_ + 2] } 0 .. 2;
    is_deeply \@rounds, [('ABC') x 3], 'each three in a row use all'
        or diag "@then";
};

subtest 'who began before may find it up too' => sub {
    my ($herd, $first) = herd({hold => 'mail'});

    my ($early) = $herd->start(1);
    $first->wait_held(1);
    $first->reply(greeting => '421 4.3.2 closing');
    $herd->deliver(2);
    is $first->connections, 2, 'another one has found it down';
    $first->reply('greeting');
    $first->release;
    $herd->finish($early);
    my ($next) = $herd->deliver(1);
    is_deeply [$first->recipients], [$early->number, $next->number],
        'the next goes there';
};

subtest 'twenty failures at once are one' => sub {
    my ($herd, $first) = herd({hold => 'greeting'}, 'retry-min' => '1s');

    my @runs = $herd->start(20);
    $first->wait_held(20);
    $first->reply(greeting => '421 4.3.2 closing');
    $first->release;
    $herd->finish(@runs);
    is_deeply tally(@runs), {0 => 20}, 'all are delivered elsewhere';
    is $first->connections, 20, 'all have tried it';
    is scalar(log_of($herd, qr/ is down until /)), 1, 'log: down, once';

    $first->reply('greeting');
    $first->hold('greeting');
    my $probe = $herd->prober($first);
    is scalar(log_of($herd, qr/ is down until /)), 1, 'soon it is probed';
    $first->release;
    $herd->finish($probe);
    my ($line) = log_of($herd, qr/ is up, /);
    my $name = $first->destination =~ tr/[]//dr;
    like $line, qr/: \d+: host \Q$name\E is up, after \d+ s$/, 'log: up';
    ($line) = log_of($herd, qr/ is down /);
    like $line,
        qr/:\ \d+:\ host\ \Q$name\E\ is\ down\ until
           \ \d{4}-\d\d-\d\d\ \d\d:\d\d:\d\d$/x, 'log: down';
};

# Jitter only adds: however slow all this is, so many contacts take so long.
subtest 'the longer it is down, the less it is asked' => sub {
    my ($herd, $first) = herd({reply => {greeting => '421 4.3.2 closing'}},
        'retry-min' => '1s', 'retry-max' => '4s');
    my @waits = (1, 2, $ENV{SMTPROUTE_SOAK} ? (4, 4, 4) : ());
    my $least = 0;
    $least += $_ for @waits;

    my $begun = clock_gettime(CLOCK_MONOTONIC);
    wait_until('its contacts', sub {
        $herd->deliver(1);
        return $first->connections > @waits;
    });
    my $span = clock_gettime(CLOCK_MONOTONIC) - $begun;
    cmp_ok $span, '>=', $least, 1 + @waits . " contacts in $least s or more";
    is scalar(log_of($herd, qr/ is down until /)), 1 + @waits,
        'log: down, each time';
    is scalar(log_of($herd, qr/ is up/)), 0, 'log: never up';
};

#
# Addresses of one host.
#

# Two hosts with one name, "[both.example]:PORT", and what knows that name.
sub addresses {
    my (%option) = @_;
    my ($one, $two);

    # The port may be in use at the other address.
    for (1 .. 20) {
        $one = CrowdHost->new(%option, address => '127.72.0.1');
        $two = eval {
            CrowdHost->new(%option, address => '127.72.0.2',
                port => $one->port);
        };
        last if $two;
    }
    my $dns = Dns->new(records =>
        [map { "both.example. A $_" } $one->address, $two->address]);
    return ($dns, '[both.example]:' . $one->port, $one, $two);
}

subtest 'a bad address is tried after the good one' => sub {
    skip_or_fail(Dns->missing);
    my ($dns, $route, @hosts) = addresses();
    my $agent = agent($route, 'dns-servers' => $dns->address);
    my $herd = Herd->new(agent => $agent);

    # Whichever comes first.
    $herd->deliver(1);
    my ($bad, $good) = $hosts[0]->connections ? @hosts : reverse @hosts;
    $bad->reply(greeting => '554 5.3.0 go away');
    my $before = $bad->connections;
    wait_until('the bad one', sub {
        $herd->deliver(1);
        return $bad->connections > $before;
    });
    my $taken = () = $good->recipients;
    is_deeply tally($herd->deliver(8)), {0 => 8}, 'all are delivered';
    is scalar(() = $good->recipients), $taken + 8, 'by the good one';
    is $bad->connections, $before + 1, 'the bad one is not asked again';
    is scalar(log_of($herd, qr/ is down /)), 0, 'log: the host is not down';

    $bad->reply('greeting');
    $good->reply(greeting => '554 5.3.0 go away');
    is_deeply tally($herd->deliver(1)), {0 => 1}, 'the good one fails';
    is $bad->connections, $before + 2, 'and the bad one is asked after it';
};

subtest 'all addresses are bad' => sub {
    skip_or_fail(Dns->missing);
    my ($dns, $route, @hosts) =
        addresses(reply => {greeting => '554 5.3.0 go away'});
    my $agent = agent("$route, " . $OTHER->destination . '/pri=5',
        'dns-servers' => $dns->address);
    my $herd = Herd->new(agent => $agent);

    is_deeply tally($herd->deliver(4)), {0 => 4}, 'others deliver';
    is_deeply [map { $_->connections } @hosts], [1, 1],
        'each address is asked once';
    my $name = $route =~ tr/[]//dr;
    is scalar(log_of($herd, qr/: host \Q$name\E is down until /)), 1,
        'log: the host is down';
};

done_testing;
