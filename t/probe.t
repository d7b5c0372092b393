#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# smtproutectl probe: what it says of hosts that behave in all kinds of ways,
# what these see of it, and that it leaves no trace.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent ();
use BlackHole ();
use Ctl ();
use Dns ();
use Fixture;
use SmtpHost ();

my @FULL = qw(EHLO MAIL RSET QUIT);
my $MS = qr/ +\d+\.\d ms/;

# For hosts that are silent; a dialogue on a busy machine comes before that.
my %SHORT = map { ("$_-timeout" => '5s') } qw(connect greeting command);

sub probe {
    my ($agent, @arguments) = @_;

    return Ctl->run(conf => $agent->conf, arguments => ['probe', @arguments]);
}

# What the host saw: the verbs of each connection.
sub saw {
    my ($host) = @_;

    return map { join ' ', map { /^(\S*)/ } $_->commands } $host->connections;
}

my $LONG = 'x' x 300;
my @GOOD = ('connect', 'greeting 220 host.example ESMTP',
    'EHLO 250 host.example', 'PIPELINING, 8BITMIME, SIZE 0, ENHANCEDSTATUSCODES',
    'STARTTLS not offered',
    'MAIL 250 2.1.0 ok', 'RSET 250 2.0.0 ok', 'QUIT 221 2.0.0 bye');

# A name, the host, exit status, the last lines of its block, what it saw, and
# settings.
my @rows = (
    ['a good host', {}, 0, [@GOOD, 'result works'], "@FULL"],
    ['no keywords', {keywords => []}, 0,
        [@GOOD[0 .. 2, 4 .. 7], 'result works'], "@FULL"],
    ['HELO for EHLO', {ehlo => '502 5.5.1 what?'}, 0,
        ['EHLO 502 5.5.1 what?', 'HELO 250 host.example', @GOOD[4 .. 7],
            'result works'], 'EHLO HELO MAIL RSET QUIT'],
    ['neither EHLO nor HELO', {ehlo => '500 what?', helo => '550 go away'}, 1,
        ['EHLO 500 what?', 'HELO 550 go away', $GOOD[7],
            'result does not work: HELO: 550 go away'], 'EHLO HELO QUIT'],
    ['EHLO refused', {ehlo => '554 5.7.1 not you'}, 1,
        ['EHLO 554 5.7.1 not you', $GOOD[7],
            'result does not work: EHLO: 554 5.7.1 not you'], 'EHLO QUIT'],
    ['greeting 5xx', {greeting => '554 no mail here'}, 1,
        ['connect', 'greeting 554 no mail here', $GOOD[7],
            'result does not work: greeting: 554 no mail here'], 'QUIT'],
    ['greeting 4xx', {greeting => '450 busy'}, 1,
        ['greeting 450 busy', $GOOD[7],
            'result does not work: greeting: 450 busy'], 'QUIT'],
    ['greeting 421', {greeting => {reply => '421 full', then => 'close'}}, 1,
        ['greeting 421 full', 'result does not work: greeting: 421 full'], ''],
    ['greeting of several lines', {greeting => "220-host\n220-is\n220 here"}, 0,
        ['connect', 'greeting 220 host', @GOOD[2 .. 7], 'result works'],
        "@FULL"],
    ['MAIL 4xx', {mail => '452 4.3.1 disk full'}, 1,
        ['MAIL 452 4.3.1 disk full', $GOOD[7],
            'result does not work: MAIL: 452 4.3.1 disk full'],
        'EHLO MAIL QUIT'],
    ['MAIL 5xx', {mail => '550 5.7.1 no null senders'}, 1,
        ['MAIL 550 5.7.1 no null senders', $GOOD[7],
            'result does not work: MAIL: 550 5.7.1 no null senders'],
        'EHLO MAIL QUIT'],
    ['MAIL 354', {mail => '354 go on'}, 1,
        ['MAIL 354 go on', $GOOD[7],
            'result does not work: MAIL: 354 go on'], 'EHLO MAIL QUIT'],
    ['RSET is unknown', {rset => '502 5.5.1 no'}, 0,
        [$GOOD[5], 'RSET 502 5.5.1 no', $GOOD[7], 'result works'], "@FULL"],
    ['RSET 421', {rset => {reply => '421 4.3.2 bye', then => 'close'}}, 1,
        ['RSET 421 4.3.2 bye', 'result does not work: RSET: 421 4.3.2 bye'],
        'EHLO MAIL RSET'],
    ['closes at RSET', {rset => 'close'}, 1,
        ['RSET connection lost', 'result does not work: RSET: connection lost'],
        'EHLO MAIL RSET'],
    ['closes at QUIT', {quit => 'close'}, 0,
        ['RSET 250 2.0.0 ok', 'QUIT connection lost', 'result works'],
        "@FULL"],
    ['closes at once', {greeting => 'close'}, 1,
        ['connect', qr/^greeting connection lost/,
            qr/^result does not work: greeting: connection lost/], ''],
    ['resets at EHLO', {ehlo => 'reset'}, 1,
        [qr/^EHLO connection lost/,
            qr/^result does not work: EHLO: connection lost/], 'EHLO'],
    ['another protocol', {greeting => \"SSH-2.0-x\r\n"}, 1,
        ['greeting not an SMTP reply: SSH-2.0-x',
            'result does not work: greeting: not an SMTP reply: SSH-2.0-x'],
        ''],
    ['bytes of all kinds', {greeting => \"220 \e[31m\0\xff\x{7}red\r\n"}, 0,
        ['connect', 'greeting 220 ?[31m???red', @GOOD[2 .. 7], 'result works'],
        "@FULL"],
    ['keywords of all kinds', {keywords => ["\e]0;x\a", $LONG]}, 0,
        [$GOOD[2], qr/^\?\]0;x\?,$/, qr/^x{57}\.\.\.$/, @GOOD[4 .. 7],
            'result works'], "@FULL"],
    ['many keywords', {keywords => [map { "X$_" } 1 .. 500]}, 0,
        [qr/ X100, \.\.\.$/, @GOOD[4 .. 7], 'result works'], "@FULL"],
    ['a long line', {mail => "250 $LONG"}, 0,
        [qr/^MAIL 250 x{193}\.\.\.$/, @GOOD[6, 7], 'result works'], "@FULL"],
    ['an endless line', {greeting => \('x' x 100_000)}, 1,
        ['greeting reply longer than 65536 bytes',
            qr/^result does not work: greeting: reply longer than/], ''],
    ['an endless reply', {ehlo => \("250-x\r\n" x 20_000)}, 1,
        ['EHLO reply longer than 65536 bytes', qr/^result does not work: EHLO/],
        'EHLO'],
    ['different codes', {ehlo => \"250-a\r\n550 b\r\n"}, 1,
        [qr/^EHLO reply lines with different codes/,
            qr/^result does not work: EHLO: /], 'EHLO'],
    ['answers twice', {ehlo => "250 a\n250 b"}, 1,
        ['EHLO 250 a', $GOOD[4], 'MAIL reply out of turn: 250 b',
            'result does not work: MAIL: reply out of turn: 250 b'], 'EHLO'],
    ['says half a reply more', {ehlo => \"250 a\r\n250"}, 1,
        ['EHLO 250 a', $GOOD[4], 'MAIL reply out of turn',
            'result does not work: MAIL: reply out of turn'], 'EHLO'],
    ['silent at once', {greeting => 'silence'}, 1,
        ['connect', 'greeting timed out after 5 s',
            'result does not work: greeting: timed out after 5 s'], '', %SHORT],
    ['silent at MAIL', {mail => 'silence'}, 1,
        ['MAIL timed out after 5 s',
            'result does not work: MAIL: timed out after 5 s'],
        'EHLO MAIL', %SHORT],
    ['deaf', {ehlo => 'deaf'}, 1,
        ['EHLO timed out after 5 s', qr/^result does not work: EHLO: /],
        'EHLO', %SHORT],
    ['drips', {greeting => {reply => '220 ' . 'x' x 100, drip => 0.1}}, 1,
        ['greeting timed out after 5 s', qr/^result does not work: greeting/],
        '', %SHORT],
    ['refuses connections', {down => 1}, 1,
        ['connect Connection refused',
            'result does not work: connect: Connection refused'], undef],
    ['a source address that is not ours', {}, 1,
        ['connect bind=192.0.2.1: Cannot assign requested address',
            qr/^result does not work: connect: bind=192\.0\.2\.1: /], undef,
        route => '/bind=192.0.2.1'],
);

# One agent for each, all at once.
my $BATCH = 10;
while (my @batch = splice @rows, 0, $BATCH) {
    my @started = map { start_row(@{$_}) } @batch;
    for my $row (@batch) {
        my $started = shift @started;
        subtest $row->[0] => sub { check_row($started, @{$row}) };
    }
}

sub start_row {
    my (undef, $script, undef, undef, undef, %settings) = @_;
    my $option = delete $settings{route} // '';

    # Two replies in one write: LF inside an SmtpHost's text makes two lines.
    my %script = %{$script};
    if (($script{ehlo} // '') =~ /^(250 \w+)\n(250 \w+)$/) {
        $script{ehlo} = \"$1\r\n$2\r\n";
    }
    my $host = SmtpHost->new(%script);
    my $agent = Agent->new(
        routes   => 'example.com ' . $host->destination . "$option\n",
        settings => \%settings,
    );
    return [$host, Ctl->start(conf => $agent->conf,
        arguments => ['probe', 'example.com'])];
}

sub check_row {
    my ($started, undef, undef, $status, $lines, $saw) = @_;
    my ($host, $run) = @{$started};

    $run->wait;
    my @got = $run->stages;
    is $run->status, $status, 'exit status';
    is $run->stderr, '', 'no complaint';
    my @last = splice @got, -@{$lines};
    for my $line (@{$lines}) {
        my $got = shift @last // '(nothing)';
        ref $line ? like $got, $line : is $got, $line;
    }
    is scalar @got, 0, 'nothing before that'
        if !ref $lines->[0] && $lines->[0] eq 'connect';
    is_deeply [saw($host)], [defined $saw ? $saw : ()], 'what the host saw'
        if defined $saw || !$host->{script}{down};
    unlike $run->stdout, qr/[^\n -~]/, 'printable ASCII';
    return;
}

subtest 'what exactly it says' => sub {
    my $host = SmtpHost->new;
    my $agent = Agent->new(
        routes => 'example.com ' . $host->destination . "/bind=127.0.0.7\n");
    my $run = probe($agent, 'example.com');
    my ($connection) = $host->connections;

    like $run->stdout, qr/\A
        route\ {5}example\.com,\ \S+\/routes:1\ \(the\ domain\ itself\)\n
        \n
        host\ {6}127\.0\.0\.1:\d+,\ priority\ 0,\ up\n
        127\.0\.0\.1\[127\.0\.0\.1\]:\d+\n
        \ {4}connect\ \ $MS\n
        \ {4}greeting\ $MS\ \ 220\ host\.example\ ESMTP\n
        \ {4}EHLO\ {5}$MS\ \ 250\ host\.example\n
        \ {27}PIPELINING,\ 8BITMIME,\ SIZE\ 0,\ ENHANCEDSTATUSCODES\n
        \ {4}STARTTLS\ {15}not\ offered\n
        \ {4}MAIL\ {5}$MS\ \ 250\ 2\.1\.0\ ok\n
        \ {4}RSET\ {5}$MS\ \ 250\ 2\.0\.0\ ok\n
        \ {4}QUIT\ {5}$MS\ \ 221\ 2\.0\.0\ bye\n
        \ {4}result\ {4}works\n
        \n
        result\ {4}1\ of\ 1\ addresses\ works\n\z/x, 'output';
    is_deeply [$connection->commands],
        ['EHLO agent.example', 'MAIL FROM:<>', 'RSET', 'QUIT'], 'commands';
    is $connection->end, 'quit', 'it waits for the answer to QUIT';
    is $connection->peer, '127.0.0.7', 'from the address of bind=';
};

# Colours are for terminals.
subtest 'colours' => sub {
    my $host = SmtpHost->new;
    my $agent = Agent->new(routes => 'a.example ' . $host->destination . "\n");
    my $tool = ($ENV{SMTPROUTECTL}
        // ($ENV{top_builddir} // '.') . '/src/smtproutectl');
    skip_or_fail('script(1) is not installed') if !-x '/usr/bin/script';
    local $ENV{TERM} = 'xterm';
    delete local $ENV{NO_COLOR};
    my (undef, $output) = capture('/usr/bin/script', '-qec',
        "$tool -c @{[$agent->conf]} probe a.example", '/dev/null');
    like $output, qr/result    \e\[32mworks\e\[m/, 'on a terminal';
};

subtest 'many hosts' => sub {
    skip_or_fail(BlackHole->missing);
    my $hole = BlackHole->new;
    my %host = (
        good    => SmtpHost->new,
        bad     => SmtpHost->new(mail => '451 4.3.0 no'),
        drained => SmtpHost->new,
        ordered => SmtpHost->new,
        down    => SmtpHost->new(down => 1),
    );
    my $agent = Agent->new(
        routes => 'all ' . join(', ',
            $hole->destination . '/pri=9', $host{bad}->destination,
            $host{drained}->destination . '/pri=5/drain',
            $host{ordered}->destination . '/pri=6',
            $host{good}->destination . '/pri=7',
            $host{down}->destination . '/pri=1') . "\n"
            . 'none ' . $host{bad}->destination . ', ' . $hole->destination
            . "\n",
        settings => {%SHORT, 'retry-min' => '5m', 'retry-max' => '5m'},
    );
    my $state = $agent->var . '/state/hosts.mdb';
    Ctl->run(conf => $agent->conf, arguments => ['drain',
        $host{ordered}->address . ':' . $host{ordered}->port]);
    is $agent->deliver(nexthop => 'all')->status, 0, 'a delivery';
    my $before = read_file($state);
    my @log = $agent->log_lines;

    $host{down}->start;
    my @seen = map { scalar $_->connections } @host{qw(good drained ordered)};
    my $run = probe($agent, 'all');
    is $run->status, 0, 'exit status: one works';
    is $run->stderr, '', 'no complaint';
    my @hosts = $run->stdout =~ /^host      (\S+, .*)$/mg;
    my @expected = (
        [bad => 'priority 0, down, next try in \d+ s'],
        [down => 'priority 1, down, next try in \d+ s'],
        [drained => 'priority 5, up, drained in the route map'],
        [ordered => 'priority 6, up, drained by command \(.*\)'],
        [good => 'priority 7, up'],
    );
    for my $row (@expected) {
        my ($name, $what) = @{$row};
        my $port = $host{$name}->port;
        like shift @hosts, qr/^127\.0\.0\.1:$port, $what$/, $name;
    }
    like shift @hosts, qr/^127\.0\.0\.1:@{[$hole->port]}, priority 9, up$/,
        'the black hole';
    like $run->stdout, qr/^    connect $MS  timed out after 5 s$/m,
        'it does not hang';
    my @results = $run->stdout =~ /^    result    (works|does not work)/mg;
    is_deeply \@results, ['does not work', ('works') x 4, 'does not work'],
        'drained and down hosts are probed as well';
    like $run->stdout, qr/^result    4 of 6 addresses work$/m, 'sum';
    for my $name (qw(good drained ordered)) {
        is scalar($host{$name}->connections), 1 + shift @seen,
            "$name: one connection";
    }
    is read_file($state), $before, 'the state is the same';
    is_deeply [$agent->log_lines], \@log, 'nothing is logged';

    $run = probe($agent, 'none');
    is $run->status, 1, 'exit status: none works';
    like $run->stdout, qr/^result    0 of 2 addresses work$/m, 'sum';
    is probe($agent, '--all', 'all')->status, 1, 'not all of them do';
};

subtest 'what the argument is' => sub {
    my $host = SmtpHost->new(address => '127.0.0.1');
    my $destination = $host->destination;
    my ($port) = $host->port;
    my $agent = Agent->new(
        routes => <<"EOF_ROUTES",
named          $destination
.example.com   $destination
b\xc3\xbccher.example $destination
drop.example   /dev/null
bad.example    [x
EOF_ROUTES
        settings => {
            'dns-servers'    => '127.0.0.1:1', %SHORT,
            'host 127.0.0.1' => {bind => '127.0.0.8'},
            'host localhost' => {bind => '127.0.0.8'},
        },
    );
    my $works = qr/^    result    works$/m;
    my $given = qr/^route     none: a host was given$/m;

    # Exit status, stdout, stderr.
    my %arguments = (
        'named'              => [0, qr/^route     named, .*$works/ms],
        'a.example.com'      => [0, qr/\(a subdomain of it; .*$works/ms],
        "b\xc3\xbccher.example" => [0,
            qr/^route     xn--bcher-kva\.example, .*$works/ms],
        "xn--bcher-kva.example" => [0, qr/^route     xn--.*$works/ms],
        $destination         => [0, qr/$given.*$works/ms],
        "127.0.0.1:$port"    => [0, qr/$given.*$works/ms],
        "localhost:$port"    => [1,
            qr/$given.*^localhost:$port\n.*: cannot resolve: no DNS /ms],
        "[localhost]:$port"  => [0,
            qr/$given.*^localhost\[127\.0\.0\.1\]:$port\n.*$works/ms],
        "[::1]:$port,$destination" => [0,
            qr/$given.*^host      \[::1\]:.*$works/ms],
        "$destination/tls=secure" => [1, qr/STARTTLS: not offered, but required \(tls=secure\)/],
        '127.0.0.1'          => [1, qr/$given.*^host      127\.0\.0\.1:25,/ms],
        '::1'                => [1, qr/$given.*^host      \[::1\]:25,/ms],
        'x.absent.example'   => [1, qr/
            ^route\ {5}none,\ so\ x\.absent\.example\ is\ taken\ for\ a\ host\n
            .*^host\ {6}x\.absent\.example:25,.*
            ^x\.absent\.example:25\n
            \ {4}result\ {4}does\ not\ work:\ cannot\ resolve:.*
            ^result\ {4}no\ address\ found$/msx],
        'drop.example'       => [1,
            qr/^result    no host: mail is dropped \(\/dev\/null\)$/m],
        'bad.example'        => [2, qr/^$/,
            qr/^smtproutectl: \S+\/routes:5:16: '\[' without end/],
        '[x'                 => [2, qr/^route     none/,
            qr/^smtproutectl: argument:1:1: '\[' without end; expected '\]'$/],
        'a..b'               => [2, qr/^$/,
            qr/^smtproutectl: a\.\.b: neither domain nor host: empty label$/],
        "a\e.b"              => [2, qr/^$/, qr/^smtproutectl: a\?\.b: /],
    );

    for my $argument (sort keys %arguments) {
        my ($status, $stdout, $stderr) = @{ $arguments{$argument} };
        my $run = probe($agent, $argument);
        is $run->status, $status, "$argument: exit status";
        like $run->stdout, $stdout, "$argument: output";
        like $run->stderr, $stderr // qr/^$/, "$argument: complaint";
    }
    my @peers = map { $_->peer } $host->connections;
    is_deeply \@peers, [('127.0.0.8') x @peers], 'with the host\'s settings';
    is probe($agent, '--all', $destination)->status, 0,
        'all of one that works';
    is probe($agent, '--all', "$destination, unknown.invalid")->status,
        1, 'and of one more that has no address';
    is probe($agent)->status, 2, 'no argument';
    is probe($agent, 'a', 'b')->status, 2, 'two arguments';
    is probe($agent, '-x', 'a')->status, 2, 'an unknown option';
    $agent->configure(routes => "* $destination\n");
    like probe($agent, 'any.example')->stdout,
        qr/^route     \*, \S+:1 \(the default, .*$works/ms, 'the default route';
};

subtest 'names' => sub {
    skip_or_fail(Dns->missing);
    my $host = SmtpHost->new(address => '0.0.0.0');
    my $port = $host->port;
    my $dns = Dns->new(records => [
        'example.com. MX 20 mx2.example.com.',
        'example.com. MX 10 mx1.example.com.',
        'example.com. MX 30 absent.example.com.',
        'mx1.example.com. A 127.71.0.1',
        'mx1.example.com. A 127.71.0.2',
        'mx2.example.com. A 127.71.0.3',
        'null.example. MX 0 .',
    ]);
    my $agent = Agent->new(
        routes   => "example.com example.com:$port\n* USEDNS\n",
        settings => {'dns-servers' => $dns->address},
    );
    my $run = probe($agent, 'example.com');

    is $run->status, 0, 'exit status';
    my @blocks = $run->stdout =~ /^(\S+):$port$/mg;
    is_deeply [sort @blocks[0, 1]],
        ['mx1.example.com[127.71.0.1]', 'mx1.example.com[127.71.0.2]'],
        'all addresses of the first exchanger';
    is_deeply [@blocks[2 .. $#blocks]],
        ['mx2.example.com[127.71.0.3]', 'absent.example.com'],
        'then the others';
    like $run->stdout, qr/
        ^absent\.example\.com:$port\n
        \ {4}result\ {4}does\ not\ work:\ cannot\ resolve:\ no\ such\ name\n
        \n
        result\ {4}3\ of\ 3\ addresses\ work\n\z/mx, 'what has no address';
    is_deeply [saw($host)], [("@FULL") x 3], 'what the host saw';

    $run = probe($agent, 'null.example');
    is $run->status, 1, 'USEDNS, null MX: exit status';
    like $run->stdout, qr/: domain takes no mail \(null MX\)$/m, 'null MX';
};

subtest 'our own name' => sub {
    my $host = SmtpHost->new;
    my $agent = Agent->new(
        routes   => 'example.com ' . $host->destination . "\n",
        settings => {'helo-name' => '', 'dns-servers' => '127.0.0.1:1'},
    );

    is probe($agent, 'example.com')->status, 0, 'exit status';
    my ($connection) = $host->connections;
    like +($connection->commands)[0], qr/^EHLO [a-z0-9][a-z0-9.-]*$/,
        'without helo-name the machine\'s';
};

subtest 'the state cannot be read' => sub {
    my $host = SmtpHost->new;
    my $agent = Agent->new(
        routes => 'example.com ' . $host->destination . "\n");

    write_file($agent->var . '/state/hosts.mdb', 'x' x 10_000);
    my $run = probe($agent, 'example.com');
    is $run->status, 0, 'exit status';
    like $run->stderr, qr/hosts\.mdb: damaged; health is unknown$/, 'complaint';
    like $run->stdout, qr/^host      127\.0\.0\.1:\d+, priority 0$/m,
        'nothing is said of health';
};

done_testing;
