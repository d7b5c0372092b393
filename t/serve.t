#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# smtproutectl serve: one request of HTTP on standard input, whatever is asked,
# by whom, and in what state of things; what it answers, and what it does not.

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
use WebServer;

my %LONG = ('retry-min' => '5m', 'retry-max' => '5m');
my @PATHS = qw(/ /metrics /hosts.json /healthz);
my $HOST = "Host: localhost\r\n";

sub ask {
    my ($agent, $request) = @_;

    return Ctl->run(conf => $agent->conf, arguments => ['serve'],
        input => $request);
}

sub get {
    my ($agent, $path, $method) = @_;

    return ask($agent, ($method // 'GET') . " $path HTTP/1.1\r\n$HOST\r\n");
}

# Status, fields and body.
sub parts {
    my ($run) = @_;
    my ($head, $body) = split /\r\n\r\n/, $run->stdout, 2;
    my ($line, @fields) = split /\r\n/, $head // '';
    my ($status) = ($line // '') =~ m{^HTTP/1\.1 (\d{3}) [A-Z]};

    return ($status, {map { /^([^:]+): (.*)/ } @fields}, $body);
}

sub body {
    return (parts(get(@_)))[2];
}

sub status {
    return (parts(ask(@_)))[0];
}

# But for what time does to them.
sub steady {
    my ($text) = @_;

    $text =~ s/^(\S+_(?:next_try|oldest_age)_seconds\S* ).*/$1/mg;
    $text =~ s/"next_try_in":[\d.]+/"next_try_in":0/g;
    return $text;
}

my $plain = Agent->new(routes => "example.com [192.0.2.1]\n");

subtest 'requests' => sub {
    my $long = 'x' x (8192 - length "GET / HTTP/1.1\r\n${HOST}X: \r\n\r\n");
    my @rows = (
        ["GET / HTTP/1.1\r\n$HOST\r\n", 200],
        ["GET / HTTP/1.0\r\n\r\n", 200],
        ["GET / HTTP/1.1\n${HOST}\n", 200, 'line ends without CR'],
        ["\r\nGET / HTTP/1.1\r\n$HOST\r\n", 200, 'an empty line before it'],
        ["GET / HTTP/1.1\r\nhOST:\r\n\r\n", 200, 'an empty Host'],
        ["GET / HTTP/1.9\r\n$HOST\r\n", 200],
        ["GET /?a=/x HTTP/1.1\r\n$HOST\r\n", 200, 'a query'],
        ["GET http://a.example/ HTTP/1.1\r\n$HOST\r\n", 200, 'absolute form'],
        ["GET HTTP://a.example HTTP/1.1\r\n$HOST\r\n", 200],
        ["GET http://a.example?x=/nothing HTTP/1.1\r\n$HOST\r\n", 200],
        ["GET / HTTP/1.1\r\n$HOST\r\nbehind it", 200],
        ["GET / HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc", 200,
            'a body'],
        ["GET / HTTP/1.1\r\n${HOST}X: $long\r\n\r\n", 200, 'just 8 KB'],
        ["GET / HTTP/1.1\r\n${HOST}X: x$long\r\n\r\n", 431, 'a byte more'],
        ['GET /' . 'a' x 9000 . " HTTP/1.1\r\n$HOST\r\n", 431],
        ["\r\n" x 5000, 431, 'nothing but line ends'],
        (map { ["GET $_ HTTP/1.1\r\n$HOST\r\n", 404] } '/x', '//', '/metrics/',
            '/METRICS', '/%6detrics', '/./metrics', '/../etc/passwd',
            '/hosts.json%00', 'http://a.example/x', '/metrics#x',
            "/\xff\xfe", '/<script>'),
        ["HEAD /x HTTP/1.1\r\n$HOST\r\n", 404],
        (map { ["$_ / HTTP/1.1\r\n$HOST\r\n", 405] } qw(POST PUT DELETE OPTIONS
            TRACE get GETT)),
        ["OPTIONS * HTTP/1.1\r\n$HOST\r\n", 405],
        ["CONNECT a.example:25 HTTP/1.1\r\n$HOST\r\n", 405],
        ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
        ["GET / HTTP/0.9\r\n\r\n", 505],
        (map { [$_, 400] } "GET /\r\n\r\n", "GET  / HTTP/1.1\r\n$HOST\r\n",
            "GET / HTTP/1.1 \r\n$HOST\r\n", " GET / HTTP/1.1\r\n$HOST\r\n",
            "GET / HTTP/11\r\n$HOST\r\n", "GET / http/1.1\r\n$HOST\r\n",
            "GET / HTTP/1.x\r\n$HOST\r\n", "GET x HTTP/1.1\r\n$HOST\r\n",
            "GET ftp://a.example/ HTTP/1.1\r\n$HOST\r\n",
            "G\x{e4}T / HTTP/1.1\r\n$HOST\r\n", "GET\t/ HTTP/1.1\r\n$HOST\r\n",
            "GET /\t HTTP/1.1\r\n$HOST\r\n",
            "\x16\x03\x01\x02\n\n", "EHLO example.com\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n$HOST$HOST\r\n",
            "GET / HTTP/1.1\r\n$HOST folded\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
            "GET / HTTP/1.1\r\n${HOST}nonsense\r\n\r\n",
            "GET / HTTP/1.1\r\n$HOST: x\r\n\r\n",
            "GET / HTTP/1.1\r\n${HOST}X: a\rb\r\n\r\n",
            "GET / HTTP/1.1\r\n${HOST}X: a\0b\r\n\r\n",
            "\0GET / HTTP/1.1\r\n$HOST\r\n", "GET /\x7f HTTP/1.1\r\n$HOST\r\n",
            'GET / HTTP/1.1', "GET / HTTP/1.1\r\n$HOST"),
    );

    for my $row (@rows) {
        my ($request, $expected, $name) = @{$row};
        $name //= substr($request, 0, 40) =~ s/[^ -~]/?/gr;
        my $run = ask($plain, $request);
        my ($status, $fields, $body) = parts($run);
        is $run->status, 0, "$name: exit status";
        is $run->stderr, '', "$name: stderr";
        is $status, $expected, "$name: $expected";
        is $fields->{Allow}, $expected == 405 ? 'GET, HEAD' : undef,
            "$name: Allow";
        $body //= '';
        like $body, qr/\A\Q$expected\E [A-Z][A-Za-z ]+\n\z/, "$name: the body"
            if $expected != 200 && $request !~ /^HEAD/;
    }
    my $run = ask($plain, '');
    is $run->status, 0, 'nothing: exit status';
    is $run->stdout . $run->stderr, '', 'nothing: nothing is said';
};

subtest 'what the fields are' => sub {
    for my $path (@PATHS, '/x') {
        my ($status, $fields, $body) = parts(get($plain, $path));
        my ($head_status, $head, $none) = parts(get($plain, $path, 'HEAD'));

        is $head_status, $status, "$path: HEAD has the same status";
        is $none, '', "$path: HEAD has no body";
        is $fields->{'Content-Length'}, length $body, "$path: length";
        # The page has the second that it was made in.
        delete @{$_}{qw(Date Content-Length)} for $fields, $head;
        is_deeply $head, $fields, "$path: HEAD has the same fields";
        is $fields->{'Cache-Control'}, 'no-store', "$path: not to be stored";
        is $fields->{Connection}, 'close', "$path: one request";
        is $fields->{'X-Content-Type-Options'}, 'nosniff', "$path: nosniff";
        is $fields->{'X-Frame-Options'}, 'DENY', "$path: no frames";
        is $fields->{'Referrer-Policy'}, 'no-referrer', "$path: no referrer";
        like $fields->{'Content-Security-Policy'},
            qr/^default-src 'none'; .*frame-ancestors 'none'/, "$path: policy";
        unlike $fields->{'Content-Security-Policy'}, qr/unsafe|\*|https?:/,
            "$path: nothing unsafe";
    }
    my %types = (
        '/'           => 'text/html; charset=utf-8',
        '/metrics'    => 'application/openmetrics-text; version=1.0.0; '
            . 'charset=utf-8',
        '/hosts.json' => 'application/json',
        '/healthz'    => 'text/plain; charset=utf-8',
        '/x'          => 'text/plain; charset=utf-8',
    );
    is((parts(get($plain, $_)))[1]{'Content-Type'}, $types{$_}, "$_: type")
        for sort keys %types;
    like((parts(get($plain, '/')))[1]{Date},
        qr/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/, 'the date');
};

subtest 'the same as "hosts" says' => sub {
    my $up = SmtpHost->new;
    my $dead = kept_port('127.0.0.1');
    my $agent = Agent->new(settings => \%LONG, routes => sprintf(
        "example.com %s\nb.example [127.0.0.1]:%u\n", $up->destination, $dead));

    is $agent->deliver->status, 0, 'one is delivered';
    is $agent->deliver(recipients => ['user@b.example'])->status, 75,
        'one is deferred';
    my %same = ('/metrics' => '--openmetrics', '/hosts.json' => '--json',
        '/healthz' => '--check');
    for my $path (sort keys %same) {
        my $run = Ctl->run(conf => $agent->conf,
            arguments => ['hosts', $same{$path}]);
        my ($status, undef, $body) = parts(get($agent, $path));
        is $status, 200, "$path: 200";
        is steady($body), steady($run->stdout), "$path: hosts $same{$path}";
    }
    like body($agent, '/healthz'), qr/^SMTPROUTE WARNING - 1 of 2 hosts down: /,
        'one is down: a warning';
    my $page = body($agent, '/');
    like $page, qr{<title>1 of 2 hosts down: 127\.0\.0\.1:$dead - }, 'the title';
    like $page, qr/>127\.0\.0\.1:$dead<.*>127\.0\.0\.1:${\$up->port}</s,
        'what is down is first';
    like $page, qr/down [4-6] min more/, 'until when';
    like $page, qr/down since <time datetime="[^"]+">\d\d:\d\d<.time>/,
        'since when';
    like $page, qr/connect: Connection refused/, 'the last error';
    like $page, qr/aria-label="Last 24 hours: sent 1"/, 'what was sent';
    like $page, qr/aria-label="Last 24 hours: failures 1"/, 'and what failed';
    like $page, qr/1 route has no host left that takes mail/, 'which routes';
    like $page, qr/>b\.example<.*no host takes its mail.*>example\.com</s,
        'the one that is lost is first';
    like $page, qr/1 message waits in the queue for a host/, 'what waits';
    like $page, qr/>1<div class="small faint">the oldest for /, 'for which';
    $up->connections;

    $agent->configure(routes => "b.example [127.0.0.1]:$dead\n");
    $agent->forget;
    $agent->deliver(recipients => ['user@b.example']);
    my ($status, undef, $body) = parts(get($agent, '/healthz'));
    is $status, 503, 'all are down: 503';
    like $body, qr/^SMTPROUTE CRITICAL - 1 of 1 hosts down: /, 'and says so';
};

subtest 'rates' => sub {
    my $host = SmtpHost->new;
    my $agent = Agent->new(routes => 'example.com ' . $host->destination
        . "/rate=1:1h\n", settings => {patience => 0});

    is $agent->deliver->status, 0, 'one is delivered';
    is $agent->deliver->status, 75, 'the next one has to wait';
    my $page = body($agent, '/');
    like $page, qr/at its rate</, 'the state';
    like $page, qr/>rate 1 of 1 in 1h, free in (?:1 h|\d+ min)</,
        'what is used, and when there is more';
};

subtest 'nothing is known' => sub {
    my $agent = Agent->new(routes => '');

    is((parts(get($agent, $_)))[0], 200, "$_: 200") for @PATHS;
    like body($agent, '/'), qr{<title>No host is known yet - }, 'the page';
    is_deeply(JSON::PP::decode_json(body($agent, '/hosts.json')), [], 'JSON');
    ok !-e $agent->var . '/state/hosts.mdb', 'looking leaves nothing behind';
};

subtest 'hostile text' => sub {
    my $evil = q{421 <script>alert("x")</script> & 'a' <!-- };
    my $host = SmtpHost->new(per_connection => [{greeting => $evil}]);
    my $agent = Agent->new(settings => \%LONG, routes => sprintf(
        "example.com %s\n<b>\"x\"&'y' %s\n\xe2\x80\xae<i> %s\n",
        ($host->destination) x 3));

    is $agent->deliver->status, 75, 'the host is down';
    my $page = body($agent, '/');
    unlike $page, qr/<script|<b>|<i>|<!--/, 'no element is anybody else\'s';
    like $page, qr/421 &lt;script&gt;alert\(&quot;x&quot;\)&lt;\/script&gt; /,
        'the error';
    unlike $page, qr/[^\n -~]/, 'nothing but printable ASCII';
    my %open;
    $open{$1} += $2 eq '' ? 1 : 0 while $page =~ m{<(\w+)[^>]*?(/?)>}g;
    $open{$1}-- while $page =~ m{</(\w+)>}g;
    delete @open{qw(meta link br)};
    is_deeply [grep { $open{$_} } sort keys %open], [],
        'what is opened is closed';
    $host->connections;
};

subtest 'trouble' => sub {
    my $agent = Agent->new(routes => "example.com [192.0.2.1]\nbad [\n");

    my $page = body($agent, '/');
    like $page, qr/routes:2:\d+: /, 'a fault of the map is on the page';
    like $page, qr/192\.0\.2\.1:25/, 'and the hosts that can be read';
    like body($agent, '/healthz'), qr/^SMTPROUTE WARNING .*map has faults/,
        'health: a warning';

    my $state = $agent->var . '/state';
    mkdir $state;
    write_file("$state/hosts.mdb", 'nothing that LMDB knows' x 1000);
    chmod 0600, "$state/hosts.mdb";
    chown((stat $state)[4, 5], "$state/hosts.mdb");
    like body($agent, '/'), qr/The state of hosts cannot be read: [^<]*damaged/,
        'a state that cannot be read is on the page';
    like body($agent, '/metrics'), qr/^smtproute_state_usable 0$/m,
        'and in the metrics';
    for my $path ('/hosts.json', '/healthz') {
        my ($status, $fields, $body) = parts(get($agent, $path));
        is $status, 503, "$path: 503";
        like $fields->{'Content-Type'}, qr/^text\/plain/, "$path: text";
        like $body, qr/^smtproutectl: \S+hosts\.mdb: damaged\n$/, "$path: why";
    }

    $agent->configure(conf => "[smtproute]\nnonsense = <1>\n");
    for my $path (@PATHS) {
        my $run = get($agent, $path);
        my ($status, $fields, $body) = parts($run);
        is $status, 503, "settings at fault: $path: 503";
        like $body, qr/^smtproutectl: \S+:2: unknown key "nonsense"/,
            "settings at fault: $path: why";
        like $fields->{'Content-Type'}, qr/^text\/plain/,
            "settings at fault: $path: text";
        is $run->stderr, '', "settings at fault: $path: stderr";
        is $run->status, 0, "settings at fault: $path: exit status";
    }
};

subtest 'large' => sub {
    my $agent = Agent->new(routes => join '', map {
        "r$_.example [mx$_.example.net]\n" } 1 .. 2500);
    my $page = body($agent, '/');

    like $page, qr/>mx9\.example\.net:25<.*>mx10\.example\.net:25</s,
        'numbers sort as numbers';
    is scalar(() = $page =~ /class="state /g), 200, '200 hosts are shown';
    like $page, qr/And 2300 more hosts/, 'the others are counted';
    like $page, qr/And 2300 more routes/, 'and routes';
    cmp_ok length $page, '<', 1_000_000, 'the page is not';
    unlike $page, qr/no host left/, 'none of them is lost';
    # The last ones are beyond the routes that are told apart.
    $agent->configure(routes => join '', map {
        "r$_.example [mx$_.example.net]" . ($_ % 1000 < 3 ? '/drain' : '')
            . ($_ == 2002 ? ', [mx1.example.net]' : '') . "\n" } 1 .. 2500);
    like body($agent, '/'), qr/\b7 routes have no host left/,
        'those left out are looked at, too';
    $agent->configure(routes => join '', map {
        "r$_.example [mx.example.net]\n" } 1 .. 100_001);
    $page = body($agent, '/');
    like $page, qr/>r1\.example<br>.*and 99996 more</,
        'of a very large map the beginning';
    like $page, qr/the first 100000 routes were looked at/, 'and it says so';
};

subtest 'arguments' => sub {
    for my $arguments (['x'], ['--port=80'], ['-v']) {
        my $run = Ctl->run(conf => $plain->conf,
            arguments => ['serve', @{$arguments}],
            input => "GET / HTTP/1.0\r\n\r\n");
        is $run->status, 2, "@{$arguments}: exit status";
        is $run->stdout, '', "@{$arguments}: no answer";
        like $run->stderr, qr/usage: smtproutectl \[-c conf\] serve\n\z/,
            "@{$arguments}: usage";
    }
};

subtest 'over a connection' => sub {
    my $server = WebServer->new($plain);

    is $server->get($_)->{status}, 200, "$_: 200" for @PATHS;
    is $server->get('/metrics', {headers => {'X-Much' => 'x' x 60_000}})
        ->{status}, 431, 'a head that is too long is answered, not reset';
    like $server->talk("GET /healthz HTTP/1.0\r\n\r\n" . 'x' x 200_000),
        qr/\r\n\r\nSMTPROUTE OK/, 'and a body that nobody wants';
    my $leaving = $server->connect;
    print {$leaving} "GET / HTTP/1.1\r\n$HOST\r\n";
    close $leaving;
    my $mute = $server->connect;
    my $slow = $server->connect;
    print {$slow} "GET / HTTP/1.1\r\n";
    my @many = map { $server->connect } 1 .. 20;
    print {$_} "GET /healthz HTTP/1.0\r\n\r\n" for @many;
    is scalar(grep { join('', <$_>) =~ /\r\n\r\nSMTPROUTE OK/ } @many), 20,
        'many at once';
    for my $waiting ($slow, $mute) {
        like join('', <$waiting>), qr{\AHTTP/1\.1 408 },
            'who sends nothing is told when the time is over';
    }
};

subtest 'who does not take the answer' => sub {
    for my $output ('/dev/full', '/dev/null') {
        my $run = Ctl->run(conf => $plain->conf, arguments => ['serve'],
            output => $output, input => "GET / HTTP/1.0\r\n\r\n");
        is $run->status, 0, "$output: exit status";
        is $run->stderr, '', "$output: stderr";
    }
};

done_testing;
