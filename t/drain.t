#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# smtproutectl drain, resume, retry and forget: what the next message makes of them,
# counted by the hosts, and what is said.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use Test::More;

use Agent;
use CrowdHost ();
use Ctl;
use Fixture;
use Herd qw(tally);
use SmtpHost;

my $EFFECT = 'This takes effect with the next message.';
my $MOVES = 'Mail that waits in the queue goes to other hosts when it is '
    . 'tried, at once after "postqueue -f".';
my $QUEUE = 'Mail that waits in the queue is tried at once after '
    . '"postqueue -f".';
my $UP = 'is up, as if it had not failed';

# Whoever is down stays so until the test's end.
my %LONG = ('retry-min' => '5m', 'retry-max' => '5m');

sub order {
    my ($agent, @arguments) = @_;

    return Ctl->run(conf => $agent->conf, arguments => [@arguments]);
}

# The order is carried out, and says these lines; routes may lose all hosts.
sub ordered {
    my ($agent, $arguments, @lines) = @_;
    my $run = order($agent, @{$arguments});

    is $run->status, 0, "@{$arguments}: exit status";
    is_deeply [$run->lines], \@lines, "@{$arguments}: says";
    my $bare = qr/warning: \S+ has no host left; its mail waits in the queue/;
    is $run->stderr =~ s/^smtproutectl: $bare\n//mgr, '',
        "@{$arguments}: does not complain";
    return;
}

sub label {
    my ($host) = @_;

    return $host->address . ':' . $host->port;
}

sub state_of {
    my ($agent, $label) = @_;
    my ($row) = @{ JSON::PP->new->decode(
        order($agent, 'hosts', '--json', $label)->stdout) };

    return $row->{state};
}

sub counts {
    my (@hosts) = @_;

    return [map { scalar(() = $_->connections) } @hosts];
}

subtest 'drain and resume' => sub {
    my @hosts = map { SmtpHost->new(digest => 1) } 1 .. 2;
    my ($first, $second) = map { label($_) } @hosts;
    my $agent = Agent->new(routes => 'example.com ' . join(', ',
        map { $_->destination } @hosts) . "\n");

    ordered($agent, ['drain', $first], "$first drained", $EFFECT, $MOVES);
    ok -e $agent->var . '/state/hosts.mdb', 'before any mail';
    is_deeply [map { $agent->deliver->status } 1 .. 4], [0, 0, 0, 0],
        'delivered';
    is_deeply counts(@hosts), [0, 4], 'by the other one';
    ordered($agent, ['drain', $first], "$first was drained already");
    ordered($agent, ['drain', $second, $first], "$second drained",
        "$first was drained already", $EFFECT, $MOVES);
    my $run = $agent->deliver;
    is $run->status, 75, 'all are drained: deferred';
    like $run->output, qr/^4\.3\.2 all hosts of the route are drained/,
        'and it says so';
    is_deeply counts(@hosts), [0, 4], 'nobody was contacted';
    is state_of($agent, $first), 'drained', 'hosts shows it';
    ordered($agent, ['resume', $first, $second], "$first resumed",
        "$second resumed", $EFFECT, $QUEUE);
    ordered($agent, ['resume', $first], "$first was not drained");
    is_deeply [map { $agent->deliver->status } 1 .. 4], [0, 0, 0, 0],
        'delivered';
    is_deeply counts(@hosts), [2, 6], 'by both';
};

subtest 'forget' => sub {
    my $up = SmtpHost->new;
    my $down = SmtpHost->new(down => 1);
    my ($first, $second) = map { label($_) } $up, $down;
    my $agent = Agent->new(settings => \%LONG, routes => join '',
        map { "$_\n" } 'a.example ' . $up->destination,
        'b.example ' . $down->destination, 'c.example ' . $down->destination);

    is order($agent, 'forget')->status, 2, 'all at once are not forgotten';
    ordered($agent, ['forget', $first], "$first is not remembered; the route "
        . 'map has it in 1 route');
    is $agent->deliver(recipients => ['user@a.example'])->status, 0, 'one';
    is $agent->deliver(recipients => ['user@b.example'])->status, 75, 'two';
    ordered($agent, ['drain', $first], "$first drained", $EFFECT, $MOVES);
    ordered($agent, ['forget', $first, $second],
        "$first is forgotten; it was drained; the route map has it in 1 route",
        "$second is forgotten; the route map has it in 2 routes", $EFFECT,
        $QUEUE);
    my ($one, $two) = map { JSON::PP->new->decode(order($agent, 'hosts',
        '--json', $_)->stdout)->[0] } $first, $second;
    is_deeply [@{$one}{qw(state seen deliveries)}], ['up', undef, 0],
        'nothing is left of one';
    is_deeply [@{$two}{qw(state last_error)}], ['up', undef], 'nor of two';
    is $agent->deliver(recipients => ['user@a.example'])->status, 0,
        'which gets mail again';
    my $run = order($agent, 'forget', 'mx.example.test');
    is $run->status, 1, 'who is not known: exit status';
    is $run->stderr, "smtproutectl: mx.example.test:25: neither the route map "
        . "nor the state has this host\n", 'who is not known: says so';
    $up->connections;
};

# As if no mail had come to the host for so many hours.
sub age_host {
    my ($agent, $label, $hours) = @_;
    my $path = $agent->var . '/state/hosts.mdb';
    my $state = read_file($path);
    my $then = pack 'q', (time - 3600 * $hours) * 1_000_000;
    my $count = 0;

    # LMDB has keys on their own as well, without a record behind them.
    $state =~ s{(host \Q$label\E\0)(.{8})}{
        my $recent = abs(time - unpack('q', $2) / 1_000_000) < 7 * 86400;
        $count += $recent;
        $1 . ($recent ? $then : $2);
    }gse;
    die "no $label\n" if !$count;
    open my $file, '+<:raw', $path or die "$path: $!\n";
    print {$file} $state;
    close $file or die "$path: $!\n";
    return;
}

subtest 'who leaves the map' => sub {
    my @hosts = (SmtpHost->new, SmtpHost->new(down => 1), SmtpHost->new);
    my ($up, $down, $stays) = map { label($_) } @hosts;
    my $agent = Agent->new(settings => \%LONG, routes => join '',
        map { chr(97 + $_) . '.example ' . $hosts[$_]->destination . "\n" }
        0 .. 2);
    my $shown = sub {
        return {map { /^(\S+:\d+) +(.*?) +(?:-|\d+\w+) /mg }
            order($agent, 'hosts')->stdout};
    };

    $agent->deliver(recipients => ["user\@$_.example"]) for qw(a b c);
    $agent->configure(routes => "c.example [127.0.0.1]:"
        . $stays =~ s/.*://r . "\n");
    like $shown->()->{$up}, qr/^up, not in map/, 'is marked';
    like $shown->()->{$down}, qr/^down, not in map/, 'down as well';
    like $shown->()->{$stays}, qr/^up(?!, not)/, 'and nobody else';
    age_host($agent, $_, 23) for $up, $down, $stays;
    is_deeply [sort keys %{ $shown->() }], [sort $up, $down, $stays],
        'for a day';
    my $copy = read_file($agent->routes);
    age_host($agent, $_, 25) for $up, $down, $stays;
    $agent->configure(routes => "c.example USEDNS\n");
    is_deeply [sort keys %{ $shown->() }], [sort $up, $down, $stays],
        'if the map has no hosts at all, nobody knows';
    $agent->configure(routes => $copy . "bad [\n");
    is_deeply [sort keys %{ $shown->() }], [sort $up, $down, $stays],
        'nor if it has faults';
    $agent->configure(routes => $copy);
    order($agent, 'drain', $down);
    age_host($agent, $down, 25);
    is_deeply [sort keys %{ $shown->() }], [sort $down, $stays],
        'after that it is gone, but not who is drained';
    is order($agent, 'hosts', $up)->status, 1, 'it is not remembered';
    order($agent, 'forget', $down);
    is_deeply [sort keys %{ $shown->() }], [$stays], 'until that is forgotten';
};

subtest 'retry' => sub {
    my @hosts = map { SmtpHost->new(digest => 1, down => 1) } 1 .. 2;
    my ($first, $second) = sort map { label($_) } @hosts;
    my $agent = Agent->new(
        settings => \%LONG,
        routes   => 'example.com ' . join(', ',
            map { $_->destination } @hosts) . "\n",
    );

    ordered($agent, ['retry'], 'no host is down');
    ordered($agent, ['retry', $first], "$first is not down");
    is $agent->deliver->status, 75, 'both refuse connections';
    $_->start for @hosts;
    is $agent->deliver->status, 75, 'both are down';
    is_deeply counts(@hosts), [0, 0], 'and not contacted';
    ordered($agent, ['retry', $first], "$first $UP", $EFFECT, $QUEUE);
    is $agent->deliver->status, 0, 'it is tried with the next message';
    my ($index) = grep { label($hosts[$_]) eq $first } 0, 1;
    is_deeply counts(@hosts[$index, 1 - $index]), [1, 0], 'and only it';
    ordered($agent, ['retry', $first, $second], "$first is not down",
        "$second $UP", $EFFECT, $QUEUE);
    is_deeply [map { $agent->deliver->status } 1 .. 2], [0, 0], 'delivered';
    is_deeply counts(@hosts[$index, 1 - $index]), [2, 1], 'by both';
    ordered($agent, ['retry'], 'no host is down');

    $_->stop for @hosts;
    is $agent->deliver->status, 75, 'both refuse connections again';
    ordered($agent, ['drain', $first], "$first drained", $EFFECT, $MOVES);
    ordered($agent, ['retry'], "$first $UP; but it is drained",
        "$second $UP", $EFFECT, $QUEUE);
};

# The host takes its time: who waits in the queue is tried at once, and nobody
# is told that somebody else has to succeed first.
subtest 'retry, while the host has not answered yet' => sub {
    my $host = CrowdHost->new(down => 1);
    my $agent = Agent->new(settings => \%LONG,
        routes => '* ' . $host->destination . "\n");
    my $herd = Herd->new(agent => $agent);

    is_deeply tally($herd->deliver(30, at_once => 10)), {75 => 30},
        'all are deferred';
    $host->start;
    $host->hold('greeting');
    ordered($agent, ['retry'], label($host) . " $UP", $EFFECT, $QUEUE);
    my @runs = $herd->start(30);
    $host->wait_held(30);
    $host->release;
    is_deeply tally($herd->finish(@runs)), {0 => 30}, 'all are delivered';
};

subtest 'what the map drains' => sub {
    my $agent = Agent->new(routes => <<'EOF_ROUTES');
a.example   192.0.2.1/drain, 192.0.2.2
b.example   192.0.2.2/drain
c.example   192.0.2.2
EOF_ROUTES
    my @rows = (
        ['drain', '192.0.2.1', 'drained; and the route map drains it, line 1',
            $EFFECT, $MOVES],
        ['drain', '192.0.2.1', 'was drained already; and the route map drains '
            . 'it, line 1'],
        ['resume', '192.0.2.1', 'resumed; but the route map drains it, line 1',
            $EFFECT, $QUEUE],
        ['resume', '192.0.2.1', 'was not drained; but the route map drains '
            . 'it, line 1'],
        ['retry', '192.0.2.1', 'is not down; but it is drained'],
        ['drain', '192.0.2.2', 'drained; and the route map drains it in some '
            . 'routes, line 2', $EFFECT, $MOVES],
        ['resume', '192.0.2.2', 'resumed; but the route map drains it in some '
            . 'routes, line 2', $EFFECT, $QUEUE],
        ['retry', '192.0.2.2', 'is not down'],
    );

    for my $row (@rows) {
        my ($command, $host, $says, @more) = @{$row};
        ordered($agent, [$command, $host], "$host:25 $says", @more);
    }
};

subtest 'which hosts' => sub {
    my $agent = Agent->new(routes => "a.example mx1.example.com, "
        . "[mx1.example.com]:2525, [2001:db8::1]\n");
    my $unknown = 'neither the route map nor the state has this host; a host '
        . 'goes by the name that its route has';

    ordered($agent, ['drain', 'MX1.example.com'], 'mx1.example.com:25 drained',
        'mx1.example.com:2525 drained', $EFFECT, $MOVES);
    ordered($agent, ['resume', '[mx1.example.com]:2525'],
        'mx1.example.com:2525 resumed', $EFFECT, $QUEUE);
    ordered($agent, ['drain', '2001:db8:0::1'], '[2001:db8::1]:25 drained',
        $EFFECT, $MOVES);
    is state_of($agent, '[2001:db8::1]:25'), 'drained', 'hosts shows it';

    for my $row (
        ['drain', 'mx2.example.com', 'mx2.example.com:25', 'drained', $EFFECT, $MOVES],
    ) {
        my ($command, $host, $label, $says, @more) = @{$row};
        my $run = order($agent, $command, $host);
        is $run->status, 0, "$command $host: exit status";
        is_deeply [$run->lines], ["$label $says", @more],
            "$command $host: is done";
        is $run->stderr, "smtproutectl: warning: $label: $unknown\n",
            "$command $host: with a warning";
    }
    ordered($agent, ['drain', 'mx2.example.com'],
        'mx2.example.com:25 was drained already');
    for my $row (
        ['resume', '192.0.2.9:26', '192.0.2.9:26'],
        ['retry', '[2001:db8::9]', '[2001:db8::9]:25'],
    ) {
        my ($command, $host, $label) = @{$row};
        my $run = order($agent, $command, $host, 'mx1.example.com:25');
        is $run->status, 1, "$command $host: exit status";
        like $run->stdout, qr/\Amx1\.example\.com:25 [^\n]+\n/,
            "$command $host: the other one is done";
        unlike $run->stdout, qr/\Q$label\E/, "$command $host: is not done";
        is $run->stderr, "smtproutectl: $label: neither the route map nor "
            . "the state has this host\n", "$command $host: complaint";
    }
};

subtest 'routes without a host left' => sub {
    my $agent = Agent->new(routes => <<'EOF_ROUTES');
a.example   192.0.2.1, 192.0.2.2/drain
b.example   192.0.2.1, 192.0.2.3
c.example   192.0.2.9/drain
d.example   USEDNS
EOF_ROUTES
    # Hosts to drain, keys without a host then.
    my @rows = (
        ['192.0.2.1', 'a.example'],
        ['192.0.2.9', 'c.example'],
        ['192.0.2.2', 'a.example'],
        ['192.0.2.3', 'b.example'],
    );
    for my $row (@rows) {
        my ($host, @keys) = @{$row};
        my $run = order($agent, 'drain', $host);
        is $run->status, 0, "$host: exit status";
        is_deeply [$run->complaints], [map { "smtproutectl: warning: $_ has "
            . 'no host left; its mail waits in the queue' } @keys],
            "$host: warnings";
    }
    is order($agent, 'resume', '192.0.2.3')->stderr, '', 'resume: none';
    $agent->configure(routes => join '', map { "k$_.example 192.0.2.7\n" }
        1 .. 8);
    my @said = order($agent, 'drain', '192.0.2.7')->complaints;
    is scalar(@said), 6, 'a handful of keys';
    is $said[5], 'smtproutectl: warning: and 3 more routes', 'and the rest';
};

subtest 'a route that is not in the map' => sub {
    my @hosts = map { SmtpHost->new(digest => 1) } 1 .. 2;
    my $agent = Agent->new;
    my $nexthop = join ',', map { $_->destination } @hosts;

    is order($agent, 'drain', label($hosts[0]))->status, 0, 'drained';
    is_deeply [map { $agent->deliver(nexthop => $nexthop)->status } 1 .. 2],
        [0, 0], 'an inline route';
    is_deeply counts(@hosts), [0, 2], 'heeds it';
};

subtest 'a map that cannot be read' => sub {
    my $agent = Agent->new(routes => "a.example [192.0.2.1\n");
    my $run = order($agent, 'drain', '192.0.2.1');

    is $run->status, 0, 'faults: exit status';
    is $run->stdout, "192.0.2.1:25 drained\n$EFFECT\n$MOVES\n", 'faults: is done';
    is $run->stderr, 'smtproutectl: ' . $agent->routes . ":1:11: '[' without "
        . "end; expected ']'\n", 'faults: the complaint';
    unlink $agent->routes;
    $run = order($agent, 'resume', '192.0.2.1');
    is $run->status, 0, 'none: exit status';
    is $run->stdout, "192.0.2.1:25 resumed\n$EFFECT\n$QUEUE\n", 'none: is done';
    is $run->stderr, 'smtproutectl: ' . $agent->routes
        . ": No such file or directory\n", 'none: the complaint';
};

subtest 'arguments at fault' => sub {
    my $agent = Agent->new(routes => "example.com [192.0.2.1]\n");
    my $usage = 'smtproutectl: usage: smtproutectl [-c conf]';

    # Arguments, what is complained of.
    my @rows = (
        [['drain'], "$usage drain host ..."],
        [['resume'], "$usage resume host ..."],
        [['drain', '--all'], "$usage drain host ..."],
        [['retry', '-x'], "$usage retry [host ...]"],
        [['drain', '192.0.2.1', '192.0.2.2/pri=1'],
            'smtproutectl: bad host "192.0.2.2/pri=1": expected NAME, '
                . 'NAME:PORT, [ADDRESS]:PORT or an address'],
        [['retry', '192.0.2.1:x'], 'smtproutectl: bad host "192.0.2.1:x": '
            . "bad port 'x'; expected 1 to 65535"],
    );

    for my $row (@rows) {
        my ($arguments, $complaint) = @{$row};
        my $run = order($agent, @{$arguments});
        is $run->status, 2, "@{$arguments}: exit status";
        is $run->stdout, '', "@{$arguments}: says nothing";
        is +($run->complaints)[-1], $complaint, "@{$arguments}: complaint";
    }
    ok !-e $agent->var . '/state/hosts.mdb', 'nothing was done';
    $agent->configure(conf => "[smtproute]\nnonsense = 1\n");
    is order($agent, 'drain', '192.0.2.1')->status, 2, 'settings: exit status';
};

subtest 'a state that is damaged' => sub {
    # LMDB may crash over it, and who is taken out of it there loses memory.
    local $ENV{ASAN_OPTIONS} = join ':', $ENV{ASAN_OPTIONS} // (),
        'detect_leaks=0';
    local $ENV{SMTPROUTE_WRAPPER};
    my %spoil = (
        'damaged' => sub { write_file($_[0], 'garbage' x 10_000) },
        'of another version' => sub {
            write_file($_[0],
                read_file($_[0]) =~ s/smtproute 5/smtproute 0/gr);
        },
    );
    my %cut = (%spoil, 'cut off' => sub {
        truncate $_[0], 5000 or die "$_[0]: $!\n";
    });

    for my $what (sort keys %cut) {
        my @hosts = map { SmtpHost->new(digest => 1) } 1 .. 2;
        my ($first) = map { label($_) } @hosts;
        my $agent = Agent->new(routes => 'example.com ' . join(', ',
            map { $_->destination } @hosts) . "\n");
        my $path = $agent->var . '/state/hosts.mdb';
        my $fault = exists $spoil{$what} ? $what : 'damaged';
        is $agent->deliver->status, 0, "$what: before, all is well";
        $cut{$what}->($path);

        my $run = order($agent, 'retry');
        is $run->status, 2, "$what: retry without hosts: exit status";
        is $run->stderr, "smtproutectl: $path: $fault\n",
            "$what: retry without hosts: complaint";
        $run = order($agent, 'drain', $first);
        is $run->status, 0, "$what: drain: exit status";
        is $run->stdout, "$first drained\n$EFFECT\n$MOVES\n", "$what: drain: is done";
        is $run->stderr, "smtproutectl: $path: $fault; drained hosts may have "
            . "to be drained again\n", "$what: drain: complaint";
        is state_of($agent, $first), 'drained', "$what: it is begun anew";
        my ($before) = @{ counts($hosts[0]) };
        is_deeply [map { $agent->deliver->status } 1 .. 2], [0, 0],
            "$what: delivered";
        is_deeply counts($hosts[0]), [$before], "$what: by the other one";
    }
};

subtest 'a state that cannot be had' => sub {
    my $agent = Agent->new(routes => "example.com [192.0.2.1]\n");
    my $folder = $agent->var . '/state';

    mkdir "$folder/hosts.mdb" or die "mkdir: $!\n";
    for my $command ('drain', 'resume', 'retry') {
        my $run = order($agent, $command, '192.0.2.1');
        is $run->status, 2, "a folder: $command: exit status";
        is $run->stdout, '', "a folder: $command: says nothing";
        like $run->stderr, qr{^smtproutectl: \Q$folder\E/hosts\.mdb: \w+},
            "a folder: $command: complaint";
    }
    rmdir "$folder/hosts.mdb";
    rmdir $folder or die "rmdir: $!\n";
    my $run = order($agent, 'drain', '192.0.2.1');
    is $run->status, 2, 'nowhere: exit status';
    like $run->stderr,
        qr{^smtproutectl: \Q$folder\E\S*: No such file or directory$},
        'nowhere: complaint';
};

subtest 'users' => sub {
    skip_or_fail('another user needs root') if $> != 0;
    my @hosts = map { SmtpHost->new(digest => 1) } 1 .. 2;
    my ($first, $second) = map { label($_) } @hosts;
    my $agent = Agent->new(
        user   => 'nobody',
        routes => 'example.com ' . join(', ', map { $_->destination } @hosts)
            . "\n",
    );
    my $path = $agent->var . '/state/hosts.mdb';
    my ($uid, $gid) = (getpwnam 'nobody')[2, 3];

    # A map that the agent reads by its group is root's to read as well.
    chmod 0600, $agent->routes;
    ordered($agent, ['drain', $first], "$first drained", $EFFECT, $MOVES);
    chmod 0644, $agent->routes;
    is_deeply [(stat $path)[4, 5]], [$uid, $gid],
        'root makes the file the agent\'s';
    is_deeply [map { $agent->deliver->status } 1 .. 2], [0, 0], 'delivered';
    is_deeply counts(@hosts), [0, 2], 'the agent could read it';
    my $run = order($agent, 'hosts', $second);
    is $run->status, 0, 'hosts by root: exit status';
    like $run->stdout, qr/^\Q$second\E +up +- +2 /m, 'and change it';
    $run = Ctl->run(conf => $agent->conf, user => 'nobody',
        arguments => ['resume', $first]);
    is $run->status, 0, 'the agent\'s user can do without root: exit status';
    is state_of($agent, $first), 'up', 'it has resumed';
    is((stat $path)[4], $uid, 'the file is still the agent\'s');

    my $roots = Agent->new(
        routes => 'example.com ' . $hosts[0]->destination . "\n");
    $path = $roots->var . '/state/hosts.mdb';
    for my $arguments (['drain', $first], ['resume', $first],
        ['retry', $first]) {
        $run = Ctl->run(conf => $roots->conf, user => 'nobody',
            arguments => $arguments);
        is $run->status, 2, "without rights: @{$arguments}: exit status";
        is $run->stdout, '', "without rights: @{$arguments}: says nothing";
        is $run->stderr, "smtproutectl: $path: Permission denied\n",
            "without rights: @{$arguments}: complaint";
    }
    ok !-e $path, 'and nothing was done';
    ordered($roots, ['drain', $first], "$first drained", $EFFECT, $MOVES);
    for my $arguments (['hosts'], ['hosts', '--json'], ['retry'],
        ['resume', $first]) {
        $run = Ctl->run(conf => $roots->conf, user => 'nobody',
            arguments => $arguments);
        is $run->status, 2, "no rights: @{$arguments}: exit status";
        is $run->stdout, '', "no rights: @{$arguments}: says nothing";
        is $run->stderr, "smtproutectl: $path: Permission denied\n",
            "no rights: @{$arguments}: complaint";
    }
    is state_of($roots, $first), 'drained', 'and nothing has changed';
};

done_testing;
