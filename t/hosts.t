#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# smtproutectl hosts: what it shows after deliveries to real hosts, in all its
# forms.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use POSIX ();
use Test::More;

use Agent;
use Ctl ();
use Fixture;
use HostsTable;
use SmtpHost;

my $HEAD = qr/^HOST +STATE +FOR SENT DEFER BOUNCE FAIL CONN +TIME$/;

subtest 'nothing is known' => sub {
    my $agent = Agent->new(routes => "a.example USEDNS\nb.example /dev/null\n");
    my %said = (
        ''              => "No host is known: neither the route map nor the "
            . "state has one.\n",
        '--json'        => "[\n]\n",
    );

    for my $form (sort keys %said) {
        my $run = hosts($agent, $form || ());
        is $run->status, 0, "$form: exit status";
        is $run->stdout, $said{$form}, "$form: stdout";
        is $run->stderr, '', "$form: stderr";
    }
    my $run = hosts($agent, '--openmetrics');
    is $run->status, 0, '--openmetrics: exit status';
    is scalar(grep { !/^# (?:TYPE|UNIT|HELP) / } $run->lines), 8,
        '--openmetrics: no samples of hosts';
    like $run->stdout, qr/\n# EOF\n\z/, '--openmetrics: its end';
};

subtest 'hosts of the map that no mail has tried' => sub {
    my $agent = Agent->new(routes => <<'EOF_ROUTES');
a.example   mx1.example.com, [mx1.example.com]:2525/drain, [2001:db8::1]/pri=1
b.example   MX1.example.com., [192.0.2.1]/tls=wrapper, 192.0.2.2/drain
c.example   192.0.2.2:25/drain, 192.0.2.3/drain
d.example   192.0.2.3
EOF_ROUTES
    my $run = hosts($agent);

    is $run->status, 0, 'exit status';
    is $run->stderr, '', 'stderr';
    is_deeply [$run->lines], [
        'HOST                  STATE            FOR SENT DEFER BOUNCE FAIL CONN TIME',
        '192.0.2.2:25          drained in map     -    0     0      0    0    0    -',
        'mx1.example.com:2525  drained in map     -    0     0      0    0    0    -',
        '192.0.2.1:465         up, never tried    -    0     0      0    0    0    -',
        '192.0.2.3:25          up, part drained   -    0     0      0    0    0    -',
        '[2001:db8::1]:25      up, never tried    -    0     0      0    0    0    -',
        'mx1.example.com:25    up, never tried    -    0     0      0    0    0    -',
        '',
        '4 of 6 hosts up, 0 down, 2 drained; 0 connections now',
    ], 'the table';
    my $rows = json(hosts($agent, '--json'));
    is_deeply [map { "$_->{host} $_->{port} $_->{state} $_->{routes} "
            . $_->{drained_routes} } @{$rows}], [
        '192.0.2.1 465 up 1 0',
        '192.0.2.2 25 drained 2 2',
        '192.0.2.3 25 up 2 1',
        '2001:db8::1 25 up 1 0',
        'mx1.example.com 25 up 2 0',
        'mx1.example.com 2525 drained 1 1',
    ], '--json';
    is grep({ defined $_->{seen} } @{$rows}), 0, '--json: none was seen';
    my $metrics = hosts($agent, '--openmetrics')->stdout;
    is sample($metrics, 'up', '[2001:db8::1]:25'), 1, '--openmetrics: up';
    is sample($metrics, 'drained', '[192.0.2.2]:25'), 1,
        '--openmetrics: drained';
    is sample($metrics, 'drained', '[192.0.2.3]:25'), 0,
        '--openmetrics: not drained everywhere';
    ok !-e $agent->var . '/state/hosts.mdb', 'looking leaves nothing behind';
};

subtest 'which hosts' => sub {
    my $agent = Agent->new(routes =>
        "a.example mx1.example.com, [mx1.example.com]:2525, [2001:db8::1]\n");
    my ($one, $two, $six) =
        ('mx1.example.com:25', 'mx1.example.com:2525', '[2001:db8::1]:25');
    my $forms = 'expected NAME, NAME:PORT, [ADDRESS]:PORT or an address';

    # Arguments; exit status; hosts shown; what is complained of.
    my @rows = (
        [['mx1.example.com'], 0, [$one, $two]],
        [['MX1.Example.COM.'], 0, [$one, $two]],
        [['[mx1.example.com]'], 0, [$one, $two]],
        [['mx1.example.com:2525'], 0, [$two]],
        [['[mx1.example.com]:25'], 0, [$one]],
        [['2001:db8::1'], 0, [$six]],
        [['2001:DB8:0::1', $one], 0, [$six, $one]],
        [['[2001:db8::1]'], 0, [$six]],
        [['[IPv6:2001:db8::1]:25'], 0, [$six]],
        [[$two, 'mx1.example.com'], 0, [$one, $two]],
        [['a.example'], 0, [$six, $one, $two]],
        [['A.Example.', '[a.example]'], 0, [$six, $one, $two]],
        [['a.example:25'], 1, [],
            'a.example:25: neither the route map nor the state has this '
                . 'host'],
        [['mx1.example.com:26'], 1, [],
            'mx1.example.com:26: neither the route map nor the state has '
                . 'this host'],
        [['mx2.example.com', $six], 1, [$six],
            'mx2.example.com: neither the route map nor the state has this '
                . 'host'],
        [[''], 2, [], "bad host \"\": $forms"],
        [['a b'], 2, [], "bad host \"a b\": $forms"],
        [['USEDNS'], 2, [], "bad host \"USEDNS\": $forms"],
        [['/dev/null'], 2, [], "bad host \"/dev/null\": $forms"],
        [['a/drain'], 2, [], "bad host \"a/drain\": $forms"],
        [['a,b'], 2, [], "bad host \"a,b\": $forms"],
        [["a\n#b"], 2, [], "bad host \"a #b\": $forms"],
        [['a:0'], 2, [], 'bad host "a:0": bad port \'0\'; expected 1 to '
            . '65535'],
        [['[2001:db8::1'], 2, [], 'bad host "[2001:db8::1": \'[\' without '
            . 'end; expected \']\''],
        [["a\xff"], 2, [], 'bad host "a?": stray byte; expected UTF-8 without '
            . 'NUL'],
        [['x' x 10_000], 2, [], qr/^bad host "x{77}\.\.\.": bad host 'x+/],
    );
    for my $row (@rows) {
        my ($arguments, $status, $shown, $complaint) = @{$row};
        my $name = substr "@{$arguments}", 0, 40;
        my $run = hosts($agent, @{$arguments});
        is $run->status, $status, "$name: exit status";
        is_deeply [map { /^(\S*:\d+) / } $run->lines], $shown, "$name: shown";
        my $said = $run->stderr =~ s/^smtproutectl: (.*)\n\z/$1/r;
        ref $complaint ? like($said, $complaint, "$name: complaint")
            : is($said, $complaint // '', "$name: complaint");
    }
    my $run = hosts($agent, '--json', 'mx2.example.com');
    is $run->status, 1, 'JSON of no host: exit status';
    is_deeply json($run), [], 'JSON of no host';
};

subtest 'what deliveries leave' => sub {
    my $refusing = SmtpHost->new(down => 1);
    my $serving = SmtpHost->new(per_connection => [
        {},
        {rcpt => '450 4.2.0 later'},
        {rcpt => '550 5.1.1 no such user'},
        {greeting => '421 4.3.2 "closing" \\o/'},
    ]);
    my $agent = Agent->new(
        settings => \%LONG,
        routes   => sprintf("example.com %s, %s/pri=10\n",
            map { $_->destination } $refusing, $serving),
    );
    my $before = time;
    is_deeply [map { $agent->deliver->status } 1 .. 3], [0, 75, 67],
        'delivered, deferred, bounced';

    my $run = hosts($agent);
    is $run->status, 0, 'exit status';
    is $run->stderr, '', 'stderr';
    my @lines = $run->lines;
    like shift @lines, $HEAD, 'the head';
    like line($run, label($refusing)), qr/^down [4-6] min more +\d+s +0 +0 +0 +1 +0 +-$/,
        'who refuses connections is down';
    like line($run, label($serving)), qr/^up +- +1 +1 +1 +0 +3 +(?:<1ms|[\d.]+m?s)$/,
        'the other one is up, and its counters';
    is scalar(grep { /\bERROR\b|\033/ } @lines), 0, 'no colours';
    like $run->stdout, qr/^\n
        Last[ ]errors:\n
        \Q${\label($refusing)}\E,[ ]\d+[ ](?:s|min)[ ]ago\n
        [ ]{4}connect:[ ]Connection[ ]refused\n\z/mx, 'the last error';

    my %row = map { $_->{port} => $_ } @{ json(hosts($agent, '--json')) };
    my ($down, $up) = map { $row{ $_->port } } $refusing, $serving;
    is_deeply [@{$down}{qw(host port state)}],
        ['127.0.0.1', $refusing->port, 'down'],
        '--json: the host that is down';
    ok $down->{next_try_in} > 200 && $down->{next_try_in} <= 360,
        '--json: until when';
    is_deeply [@{$up}{qw(host port state up drained probed next_try_in
        down_since)}], ['127.0.0.1', $serving->port, 'up', JSON::PP::true,
        JSON::PP::false, JSON::PP::false, undef, undef],
        '--json: the host that is up';
    is_deeply [@{$up}{qw(deliveries deferrals bounces connections)}],
        [1, 1, 1, 3], '--json: its counters';
    is_deeply [@{$up}{qw(last_failure last_error connected max_connections)}],
        [undef, undef, 0, undef], '--json: what it has not';
    is $down->{last_error}, 'connect: Connection refused',
        '--json: the last error';
    is_deeply [map { $down->{failures}{$_} } qw(resolve connect greeting)],
        [0, 1, 0], '--json: failures';
    for my $time (map { $down->{$_} } qw(seen down_since last_failure)) {
        my @time = $time =~ /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$/;
        my ($now, $then) = map { POSIX::strftime('%FT%TZ', gmtime $_) }
            time, $before;
        ok @time && $time ge $then && $time le $now, "--json: a time, $time";
    }
    is $up->{connect_time}{count}, 3, '--json: connections were timed';
    is $up->{total_time}{count}, 3, '--json: sessions were timed';
    cmp_ok $up->{total_time}{sum}, '>', $up->{connect_time}{sum},
        '--json: which take longer';
    is_deeply $down->{total_time}, {count => 0, sum => 0, recent => undef},
        '--json: none';

    my $metrics = hosts($agent, '--openmetrics')->stdout;
    my %expected = (
        up                  => [0, 1],
        drained             => [0, 0],
        routes              => [1, 1],
        down_since_timestamp_seconds => [qr/^\d{10}\.\d{6}$/, undef],
        deliveries_total    => [0, 1],
        deferrals_total     => [0, 1],
        bounces_total       => [0, 1],
        connections_total   => [0, 3],
        next_try_seconds    => [qr/^[23]\d\d\.\d{6}$/, undef],
        last_success_timestamp_seconds => [undef, qr/^\d{10}\.\d{6}$/],
        last_failure_timestamp_seconds => [qr/^\d{10}\.\d{6}$/, undef],
        connect_time_seconds_count => [0, 3],
        total_time_seconds_sum     => ['0.000000', qr/^\d+\.\d{6}$/],
        connected           => [0, 0],
        waiting             => [0, 0],
        suspect             => [0, 0],
        max_connections     => [undef, undef],
        learned_connections => [undef, undef],
    );
    for my $name (sort keys %expected) {
        for my $i (0, 1) {
            my $host = ($refusing, $serving)[$i];
            my $value = sample($metrics, $name, $host->destination);
            my $expected = $expected{$name}[$i];
            ref $expected ? like($value, $expected, "--openmetrics: $name")
                : is($value, $expected, "--openmetrics: $name");
        }
    }
    is sample($metrics, 'failures_total', $refusing->destination,
        ',stage="connect"'), 1, '--openmetrics: failures by stage';

    like $metrics, qr/^smtproute_${_}_usable 1$/m, "--openmetrics: the $_"
        for qw(state map log);
    like $metrics, qr/^smtproute_waiting_messages 0$/m,
        '--openmetrics: nothing waits for hosts';

    is $agent->deliver->status, 75, 'now both are down';
    $metrics = hosts($agent, '--openmetrics')->stdout;
    like $metrics, qr/^smtproute_waiting_messages 1$/m,
        '--openmetrics: a message does';
    like $metrics, qr/^smtproute_waiting_oldest_age_seconds \d+$/m,
        '--openmetrics: for how long';
    like $metrics, qr/^smtproute_woken_messages_total 0$/m,
        '--openmetrics: nothing was woken';
    $run = hosts($agent, label($serving));
    like $run->stdout, qr{^    421 4\.3\.2 "closing" \\o/ \(in greeting\)$}m,
        'its error';
    my ($row) = @{ json(hosts($agent, '--json', label($serving))) };
    is $row->{last_error}, '421 4.3.2 "closing" \\o/ (in greeting)',
        '--json: its error';
    is $row->{failures}{greeting}, 1, '--json: where it failed';
    $serving->connections;
};

subtest 'worst first' => sub {
    my @down = map { SmtpHost->new(down => 1) } 1, 2;
    my $agent = Agent->new(settings => {%LONG, patience => 0}, routes => join '',
        map { "$_\n" } 'a.example mx10.example.test, mx9.example.test',
        'b.example ' . $down[0]->destination,
        'c.example ' . $down[1]->destination . ', x.test/drain/pri=9',
        'd.example USEDNS', '* mx2.example.test');
    my @labels = sort { $a cmp $b } map { label($_) } @down;

    is hosts($agent, '--down')->stdout, "No host is down.\n", '--down: none';
    is_deeply json(hosts($agent, '--down', '--json')), [], '--down --json: none';
    is $agent->deliver(recipients => ["user\@$_.example"])->status, 75,
        "$_: down" for qw(b c);
    my $run = hosts($agent);
    is_deeply [map { /^(\S+:\d+) /gm } $run->stdout =~ /\A(.*?)\n\n/s],
        [@labels, 'x.test:25', map { "mx$_.example.test:25" } 2, 9, 10],
        'down, drained, up; numbers as numbers';
    like $run->stdout, qr/^3 of 6 hosts up, 2 down, 1 drained; 0 connections now$/m,
        'the summary';
    is_deeply [map { /^(\S+:\d+) /gm } hosts($agent, '--down')->stdout
        =~ /\A(.*?)\n\n/s], \@labels, '--down';
    is_deeply [map { "$_->{host}:$_->{port}" } @{ json(hosts($agent, '--json',
        '--down')) }], \@labels, '--down --json';
    is_deeply [map { /^(\S+:\d+) /gm } hosts($agent, 'c.example', 'b.example',
        '--down')->stdout =~ /\A(.*?)\n\n/s], \@labels, 'of two domains';
    is_deeply [map { /^(\S+:\d+) /gm } hosts($agent, 'e.example')->stdout],
        ['mx2.example.test:25'], 'a domain that * is for';
    $run = hosts($agent, 'd.example');
    is $run->status, 1, 'USEDNS names none: exit status';
    like $run->stderr, qr/^smtproutectl: d\.example:25: neither |^smtproutectl: d\.example: neither /,
        'USEDNS names none';
    is hosts($agent, '--down', '--check')->status, 2, '--down is for no check';
};

subtest 'what is wrong in general' => sub {
    my $metric = sub {
        my ($name, %agent) = @_;
        my $agent = Agent->new(%agent);
        my ($value) = hosts($agent, '--openmetrics')->stdout
            =~ /^smtproute_${name}_usable (\d)$/m;
        return $value;
    };
    my $file = new_folder('log') . '/file';
    symlink '/dev/null', "$file.link" or die "$file.link: $!\n";
    my $map = "example.com [192.0.2.1]\n";

    is $metric->('map', routes => $map), 1, 'a map';
    is $metric->('map', routes => $map . "x [\n"), 0, 'a map with a fault';
    for my $row ([$file, 1, 'that may be made'], ["$file/x", 0, 'in no folder'],
        ["$file.link", 0, 'that is a link'], ['/dev', 0, 'that is a folder']) {
        my ($path, $value, $name) = @{$row};
        is $metric->('log', routes => $map,
            settings => {log => "file:$path"}), $value, "a log $name";
    }
    is $metric->('log', routes => $map, settings => {log => 'postlog'}), 1,
        'Postfix\'s own log';
};

subtest 'while mail is under way' => sub {
    my $host = SmtpHost->new(per_connection => [
        {greeting => '421 4.3.2 closing'},
        {greeting => 'silence'},
    ]);
    my $other = SmtpHost->new(per_connection => [{}, {mail => 'silence'}]);
    my $agent = Agent->new(
        settings => {%LONG, 'retry-min' => '1s', 'max-connections' => 2},
        routes   => sprintf("a.example %s\nb.example %s\n",
            $host->destination, $other->destination),
    );
    my %to = map { $_ => [recipients => ["user\@$_.example"]] } qw(a b);

    is $agent->deliver(@{ $to{a} })->status, 75, 'one is down';
    is $agent->deliver(@{ $to{b} })->status, 0, 'one is up';
    ok wait_until('its time', sub {
        line(hosts($agent), label($host)) =~ /^down, due now +\d+s +0 /;
    }), 'down, due now';
    my @runs = map { $agent->start(@{ $to{$_} }) } qw(a b);
    $host->wait_for('greeting', 2);
    $other->wait_for('mail', 2);
    my $run = hosts($agent);
    like line($run, label($host)), qr/^down, trying now +\d+s +0 /, 'being probed';
    like line($run, label($other)), qr{^up, 1/2 busy +- +1 }, 'being used';
    my %row = map { $_->{port} => $_ } @{ json(hosts($agent, '--json')) };
    is $row{$host->port}{probed}, JSON::PP::true, '--json: probed';
    is $row{$host->port}{next_try_in}, 0, '--json: no time to wait';
    is_deeply [@{ $row{$other->port} }{qw(connected max_connections)}],
        [1, 2], '--json: connected';
    my $metrics = hosts($agent, '--openmetrics')->stdout;
    is sample($metrics, 'connected', $other->destination), 1,
        '--openmetrics: connected';
    is sample($metrics, 'max_connections', $other->destination), 2,
        '--openmetrics: max_connections';
    $run = Ctl->run(conf => $agent->conf,
        arguments => ['drain', label($other)]);
    is $run->status, 0, 'drain';
    like line(hosts($agent), label($other)), qr/^drained, 1 open +- +1 /,
        'not idle yet';
    $_->kill('KILL') for @runs;
    $_->wait for @runs;
    $run = hosts($agent);
    like line($run, label($host)), qr/^down, due now /, 'its prober is killed';
    like line($run, label($other)), qr/^drained +- /, 'and its user';
};

subtest 'OpenMetrics as Prometheus reads it' => sub {
    skip_or_fail('python3-prometheus-client is not installed') if !has_lint();
    my $down = SmtpHost->new(down => 1);
    my $up = SmtpHost->new;
    my $agent = Agent->new(
        settings => {%LONG, 'max-connections' => 2},
        routes   => sprintf("example.com %s, %s/pri=10, [::1]:1/drain\n",
            map { $_->destination } $down, $up),
    );

    my @forms = ('--metrics', '--openmetrics');
    is lint_metrics($_, hosts($agent, $_)->stdout), undef,
        "$_: before any mail" for @forms;
    is $agent->deliver->status, 0, 'delivered';
    my ($plain, $open) = map { hosts($agent, $_)->stdout } @forms;
    is lint_metrics($forms[0], $plain), undef, "$forms[0]: after";
    is lint_metrics($forms[1], $open), undef, "$forms[1]: after";
    isnt lint_metrics($forms[1], $open =~ s/# EOF\n//r), undef,
        'no end would be noticed';
    isnt lint_metrics($forms[0], $plain =~ s/^# HELP \S+bounces.*\n//mr),
        undef, 'no help would be noticed';
    is join("\n", samples($plain)), join("\n", samples($open)),
        'the same samples';
    is lint_metrics($_, hosts(Agent->new, $_)->stdout), undef,
        "$_: without any host" for @forms;
};

subtest 'arguments and settings at fault' => sub {
    my $agent = Agent->new(routes => "example.com [192.0.2.1]\n");
    my $usage = 'usage: smtproutectl [-c conf] hosts [--all] [--down] '
        . '[--check | --json | --metrics | --openmetrics '
        . '| --watch[=seconds]] [host | domain ...]';
    my $seconds = 'bad number of seconds in --watch; expected 1 to 3600';
    my @rows = (
        [['--verbose'], qr/^.*'?--verbose'?\n/],
        [['-j'], qr/^.*'j'\n/],
        [['--json=yes'], qr/^.*--json.*\n/],
        [['--json', '--openmetrics'], ''],
        [['--metrics', '--openmetrics'], ''],
        [['--json', '--watch'], ''],
        (map { [["--watch=$_"], "smtproutectl: $seconds\n"] }
            '', 0, 3601, '0.5', '-1', '1s', '99999999999999999999'),
    );

    for my $row (@rows) {
        my ($arguments, $before) = @{$row};
        my $run = hosts($agent, @{$arguments});
        is $run->status, 2, "@{$arguments}: exit status";
        is $run->stdout, '', "@{$arguments}: stdout";
        like $run->stderr, qr/\A(?:$before)smtproutectl: \Q$usage\E\n\z/,
            "@{$arguments}: stderr";
    }
    $agent->configure(conf => "[smtproute]\nnonsense = 1\n");
    my $run = hosts($agent);
    is $run->status, 2, 'settings: exit status';
    like $run->stderr, qr/^smtproutectl: \S+:2: unknown key "nonsense"/,
        'settings: stderr';
};

done_testing;
