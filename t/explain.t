#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# smtproutectl route: which key decides and why, the hosts with all that is
# known of them, and that deliveries do what it says.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent ();
use Ctl ();
use Dns ();
use Fixture;
use SmtpHost ();

# Its output, and what else came of it.
sub ask {
    my ($agent, @arguments) = @_;

    return Ctl->run(conf => $agent->conf, arguments => ['route', @arguments]);
}

sub order {
    my ($agent, $what) = @_;
    my $run = ask($agent, '-n', $what, 'user@example.com');

    return $run->stdout =~ /^ +\d+ (\S+)$/mg;
}

# What is said of one host: a line each.
sub about {
    my ($run, $host) = @_;
    my ($text) = $run->stdout =~ /^ +(?:\d+|-) \Q$host\E\n((?: {4}.*\n)*)/m;

    return $text // '';
}

# "[127.0.0.1]:25" in a route is "127.0.0.1:25" for people.
sub name_of {
    my ($host) = @_;

    return $host->address . ':' . $host->port;
}

my $map = Agent->new(routes => <<'EOF_ROUTES', settings => {
# comment
example.com        [192.0.2.1]
.example.com       [192.0.2.2]
.sub.example.com   [192.0.2.3]
ALL:               [192.0.2.4]
bücher.example     [192.0.2.5]
xn--bcher-kva.test [192.0.2.6]
[192.0.2.99]       [192.0.2.7]
[IPv6:2001:DB8::9] [192.0.2.8]
cluster            [192.0.2.9]
bad.example        [192.0.2.10]/pri=x
drop.example       /dev/null
dns.example        usedns
UPPER.example.     [192.0.2.11]
EOF_ROUTES
    'dns-servers' => '127.0.0.1:1', 'connect-timeout' => '1s',
});
my $routes = $map->routes;

# What is asked, the line of the map, the key, why, the host.
my @matches = (
    ['user@example.com', 2, 'example.com', 'the domain itself', '1'],
    ['example.com', 2, 'example.com', 'the domain itself', '1'],
    ['user@EXAMPLE.com.', 2, 'example.com', 'the domain itself', '1'],
    ['user@a.example.com', 3, '.example.com', 'a subdomain of it; .*', '2'],
    ['a.b.example.com', 3, '.example.com', 'a subdomain of it; .*', '2'],
    ['user@sub.example.com', 3, '.example.com', 'a subdomain of it; .*', '2'],
    ['a.sub.example.com', 4, '.sub.example.com', 'a subdomain .*', '3'],
    ['user@example.org', 5, 'ALL', 'the default, .*', '4'],
    ['user@xn--bcher-kva.example', 6, 'xn--bcher-kva.example',
        'the domain itself', '5'],
    ["user\@b\xc3\xbccher.example", 6, 'xn--bcher-kva.example',
        'the domain itself', '5'],
    ["b\xc3\xbccher.test", 7, 'xn--bcher-kva.test', 'the domain itself', '6'],
    ['user@[192.0.2.99]', 8, '\[192.0.2.99\]', 'the domain itself', '7'],
    ['user@[IPv6:2001:db8:0::9]', 9, '\[IPv6:2001:DB8::9\]',
        'the domain itself', '8'],
    ['user@[192.0.2.98]', 5, 'ALL', 'the default, .*', '4'],
    ['upper.EXAMPLE', 14, 'UPPER.example.', 'the domain itself', '11'],
    ['user@a@example.com', 2, 'example.com', 'the domain itself', '1'],
);

for my $row (@matches) {
    my ($address, $line, $key, $why, $host) = @{$row};

    my $run = ask($map, $address);
    subtest "matches: $address" => sub {
        is $run->status, 0, 'exit status';
        is $run->stderr, '', 'no complaint';
        like $run->stdout, qr/^route     $key, \Q$routes\E:$line$/m, 'where';
        like $run->stdout, qr/^matched   $why$/m, 'why';
        like $run->stdout, qr/^  1 192\.0\.2\.$host:25$/m, 'host';
        unlike $run->stdout, qr/[^\n -~]/, 'printable ASCII';
    };
}

# Arguments, exit status, stdout, stderr.
my @answers = (
    ['no -n: the domain is the nexthop', ['a@example.com'], 0,
        qr/^domain    example\.com\nnexthop   example\.com \(from .*\)\n/,
        qr/^$/],
    ['-n with the domain looks it up', ['-n', 'Example.COM', 'example.com'], 0,
        qr/^nexthop   example\.com \(in lower case, by flags=h of pipe\(8\)\)\n.*:2\nmatched   the domain itself$/m,
        qr/^$/],
    ['-n with a route in capitals, as it comes to the agent',
        ['-n', '[H.Example]/TLS=NONE/auth=M365', 'example.com'], 0,
        qr{^nexthop   \[h\.example\]/tls=none/auth=m365 \(in lower case, by flags=h of pipe\(8\)\)$}m,
        qr/^$/],
    ['-n with a name', ['-n', 'cluster', 'a@example.com'], 0,
        qr/^route     cluster, .*:10\nmatched   the nexthop is the name/m,
        qr/^$/],
    ['-n behind the address', ['a@example.com', '-n', 'cluster'], 0,
        qr/^route     cluster, /m, qr/^$/],
    ['-n with a route', ['-n', '[192.0.2.70]:26,[2001:db8::7]', 'a@b.example'],
        0, qr/^route\ \ \ \ \ inline\ route\n
            matched\ \ \ the\ nexthop\ is\ itself\ a\ route\n
            .*^\ \ \d\ 192\.0\.2\.70:26\n.*^\ \ \d\ \[2001:db8::7\]:25\n/msx,
        qr/^$/],
    ['-n with a name that is no key', ['-n', 'absent', 'a@example.com'], 1,
        qr/^no route named absent in \Q$routes\E; looked for: absent\n\z/,
        qr/^$/],
    ['-n with a route that does not parse', ['-n', '[192.0.2.1', 'example.com'],
        2, qr/^$/, qr/^smtproutectl: inline route:1:1: '\[' without end; /],
    ['-n alone with a name', ['-n', 'Cluster'], 0,
        qr/\Anexthop\ \ \ cluster\ \(in\ lower\ case,\ .*\)\n
            route\ \ \ \ \ cluster,\ \Q$routes\E:10\n
            matched\ \ \ the\ nexthop\ is\ the\ name\ of\ this\ route\n
            .*^\ \ 1\ 192\.0\.2\.9:25\n/msx, qr/^$/],
    ['-n alone with a route', ['-n', '[192.0.2.70]:26'], 0,
        qr/\Anexthop\ \ \ \[192\.0\.2\.70\]:26\n
            route\ \ \ \ \ inline\ route\n
            matched\ \ \ the\ nexthop\ is\ itself\ a\ route\n
            .*^\ \ 1\ 192\.0\.2\.70:26\n/msx, qr/^$/],
    ['-n alone with a domain that is a key', ['-n', 'example.com.'], 0,
        qr/^route     example\.com, .*:2\nmatched   the nexthop is the name/m,
        qr/^$/],
    ['-n alone with a domain that others\' mail is deferred for',
        ['-n', 'a.Example.com'], 1,
        qr/\Ano\ route\ named\ a\.example\.com\ in\ \Q$routes\E;\ looked\ for:
            \ a\.example\.com\nMail\ for\ a\.example\.com\ itself\ is\ looked\ up
            \ by\ its\ domain:\ smtproutectl\ route\ a\.example\.com\n\z/x, qr/^$/],
    ['-n alone with what is no domain', ['-n', 'no route'], 1,
        qr/\Ano route named no route in \Q$routes\E; looked for: no route\n\z/,
        qr/^$/],
    ['-n alone with nothing', ['-n', ''], 1,
        qr/\Ano route named  in \Q$routes\E; looked for: \n\z/, qr/^$/],
    ['-n alone with a literal that is a key, too', ['-n', '[192.0.2.99]'], 0,
        qr/^route     inline route\n.*^  1 192\.0\.2\.99:25$/ms, qr/^$/],
    ['-n alone with /dev/null', ['-n', 'drop.example'], 0,
        qr/^action    \/dev\/null: mail is accepted and dropped\n\z/m, qr/^$/],
    ['-n alone with USEDNS', ['-n', 'dns.example'], 0,
        qr/^action    USEDNS: to the hosts .* has for each recipient's domain\n\z/m,
        qr/^$/],
    ['-n alone with USEDNS itself', ['-n', 'usedns'], 1,
        qr/\Ano route named usedns /, qr/^$/],
    ['-n alone with a route that does not parse', ['-n', 'bad.example'], 2,
        qr/^$/, qr/^smtproutectl: \Q$routes\E:11:37: bad pri 'x'; /],
    ['-n with nothing behind it', ['-n'], 2, qr/^$/, qr/usage: /],
    ['-n and two addresses', ['-n', 'cluster', 'a.example', 'b.example'], 2,
        qr/^$/, qr/usage: /],
    ['a route that does not parse', ['bad.example'], 2, qr/^$/,
        qr/^smtproutectl: \Q$routes\E:11:37: bad pri 'x'; expected 0 to/],
    ['/dev/null', ['drop.example'], 0,
        qr/^action    \/dev\/null: mail is accepted and dropped\n\z/m, qr/^$/],
    ['USEDNS, and no DNS', ['dns.example'], 0,
        qr/^action\ \ \ \ USEDNS:\ to\ the\ hosts\ .*\ for\ dns\.example\n
            .*^\ \ 1\ dns\.example:25\n
            .*^\ \ \ \ address\ +dns\.example:\ cannot\ resolve:\ /msx, qr/^$/],
    ['no domain', ['user@'], 2, qr/^$/, qr/^smtproutectl: user\@: /],
    ['no domain at all', [''], 2, qr/^$/, qr/^smtproutectl: /],
    ['a domain that cannot be', ['user@a..b'], 2, qr/^$/,
        qr/^smtproutectl: user\@a\.\.b: .*empty label/],
    ['control characters', ["user\@a\e[31m"], 2, qr/^$/,
        qr/^smtproutectl: user\@a\?\[31m: /],
    ['no argument', [], 2, qr/^$/, qr/usage: smtproutectl .*route/],
    ['two arguments', ['a.example', 'b.example'], 2, qr/^$/, qr/usage: /],
    ['an unknown option', ['-x', 'a.example'], 2, qr/^$/, qr/usage: /],
);

for my $row (@answers) {
    my ($name, $arguments, $status, $stdout, $stderr) = @{$row};

    my $run = ask($map, @{$arguments});
    subtest $name => sub {
        is $run->status, $status, 'exit status';
        like $run->stdout, $stdout, 'output';
        like $run->stderr, $stderr, 'complaint';
    };
}

subtest 'no key fits' => sub {
    my $agent = Agent->new(routes => ".b.c.example [192.0.2.1]\n");
    my %looked_for = (
        'x@a.c.example'  => 'a.c.example, .c.example, .example, *',
        'x@example'        => 'example, *',
        'x@[192.0.2.9]'    => '[192.0.2.9], *',
        'b.c.example'      => 'b.c.example, .c.example, .example, *',
    );

    for my $address (sort keys %looked_for) {
        my $run = ask($agent, $address);
        is $run->status, 1, "$address: exit status";
        like $run->stdout,
            qr/^no route for .*; looked for: \Q$looked_for{$address}\E\n\z/,
            "$address: keys";
    }
    unlink $agent->routes or die $!;
    my $run = ask($agent, 'x@example');
    is $run->status, 2, 'no map: exit status';
    like $run->stderr, qr{/routes: No such file or directory$}, 'no map';
};

subtest 'what is set for a host' => sub {
    my $agent = Agent->new(
        routes => 'example.com [192.0.2.1]/weight=3/tls=encrypt, '
            . '[192.0.2.2]:26, [192.0.2.3]/pri=7/bind=127.0.0.9, '
            . "[2001:db8::4]:26/pri=8, [2001:db8::4]/pri=9\n",
        settings => {
            'tls'                   => 'none',
            'host 192.0.2.2'        => {tls => 'may', 'max-connections' => 4},
            'host [2001:db8::4]:26' => {tls => 'encrypt'},
        },
    );
    my $run = ask($agent, 'example.com');

    is $run->status, 0, 'exit status';
    is about($run, '192.0.2.1:25'), <<'EOF_HOST', 'the route\'s options';
    priority        0
    weight          3 (75 % of priority 0)
    address         192.0.2.1
    tls             encrypt
    auth            none
    health          up
EOF_HOST
    is about($run, '192.0.2.2:26'), <<'EOF_HOST', 'the host\'s settings';
    priority        0
    weight          1 (25 % of priority 0)
    address         192.0.2.2
    tls             may
    auth            none
    connections     0 of max-connections 4
    health          up
EOF_HOST
    is about($run, '192.0.2.3:25'), <<'EOF_HOST', 'the common settings';
    priority        7
    weight          1 (100 % of priority 7)
    address         192.0.2.3
    tls             none
    auth            none
    bind            127.0.0.9
    health          up
EOF_HOST
    is about($run, '[2001:db8::4]:26'), <<'EOF_HOST', 'its, of its port';
    priority        8
    weight          1 (100 % of priority 8)
    address         2001:db8::4
    tls             encrypt
    auth            none
    health          up
EOF_HOST
    like about($run, '[2001:db8::4]:25'), qr/^    tls {13}none$/m, 'alone';
};

# What is said of TLS and AUTH.
sub security {
    my ($run, $host) = @_;
    my ($text) = about($run, $host) =~ /^(    tls .*)    health /ms;

    return $text // '';
}

# Options of the route, settings, what is said; NAME stands for the host.
my $PASSWORD = 'open sesame, please';
my $file = new_folder('secret') . '/ex.password';
my %EX = ('auth ex' => {username => 'relay', 'password-file' => $file});
my $USER = "    auth            ex, user relay\n    password-file   $file\n";
my $NONE = "    auth            none\n";
write_file($file, "$PASSWORD\n");

my @security = (
    ['none', '/tls=none', {}, "    tls             none\n$NONE"],
    ['secure', '/tls=secure', {},
        "    tls             secure, name NAME\n$NONE"],
    ['wrapper', '/tls=wrapper', {},
        "    tls             wrapper, name NAME\n$NONE"],
    ['another name', '/tls=secure/tls-name=mail.example.net', {},
        '    tls             secure, name mail.example.net (tls-name)'
        . "\n$NONE"],
    ['another name in [host]', '/tls=secure',
        {'host NAME' => {'tls-name' => 'mail.example.net'}},
        '    tls             secure, name mail.example.net (tls-name)'
        . "\n$NONE"],
    ['authorities of our own', '', {
        'tls' => 'secure', 'tls-ca-file' => '/etc/ssl/partner.pem'},
        "    tls             secure, name NAME\n"
        . "    tls-ca-file     /etc/ssl/partner.pem\n$NONE"],
    ['which matter only where something is verified', '', {
        'tls' => 'encrypt', 'tls-ca-file' => '/etc/ssl/partner.pem'},
        "    tls             encrypt\n$NONE"],
    ['dane', '/tls=dane', {},
        '    tls             dane, by TLSA records; without any as encrypt'
        . "\n$NONE"],
    ['a profile', '/tls=secure/auth=ex', \%EX,
        "    tls             secure, name NAME\n$USER"],
    ['a profile in [host]', '/tls=encrypt',
        {%EX, 'host NAME' => {auth => 'ex'}},
        "    tls             encrypt\n$USER"],
    ['with a token', '/tls=encrypt/auth=o', {'auth o' => {
            'username' => "b\xc3\xa4r\@example.com",
            'token-file' => '/run/token'}},
        "    tls             encrypt\n    auth            o, user "
        . "bar\@example.com\n    token-file      /run/token\n"],
    ['with a password in the settings', '/tls=encrypt/auth=ex',
        {'auth ex' => {username => 'relay', password => $PASSWORD}},
        "    tls             encrypt\n    auth            ex, user relay\n"
        . "    password        in the settings\n"],
    ['a profile makes TLS required', '/auth=ex', \%EX,
        '    tls             encrypt, since AUTH needs it '
        . "(auth-in-clear = no)\n$USER"],
    ['unless it need not', '/auth=ex', {%EX, 'auth-in-clear' => 'yes'},
        "    tls             may\n$USER"
        . "                    also in clear text (auth-in-clear = yes)\n"],
    ['a profile, and no TLS', '/auth=ex/tls=none', \%EX,
        "    tls             none\n$USER                    never in clear "
        . "text (tls=none, auth-in-clear = no)\n"],
    ['a profile that is not there', '/auth=absent/tls=encrypt', \%EX,
        "    tls             encrypt\n    auth            absent, but the "
        . "settings have no [auth absent]\n"],
);

for my $row (@security) {
    my ($name, $options, $settings, $expected) = @{$row};
    my %settings = map { s/NAME/localhost/r => $settings->{$_} }
        keys %{$settings};
    my $agent = Agent->new(
        routes   => "example.com [localhost]$options\n",
        settings => {'dns-servers' => '127.0.0.1:1', %settings},
    );
    my $run = ask($agent, 'example.com');
    my $port = $options =~ /wrapper/ ? 465 : 25;

    subtest "security: $name" => sub {
        is $run->status, 0, 'exit status';
        is $run->stderr, '', 'no complaint';
        is security($run, "localhost:$port"),
            $expected =~ s/NAME/localhost/r, 'output';
        unlike $run->stdout, qr/\Q$PASSWORD\E/, 'no password';
        unlike $run->stdout =~ s{^(?!    ).*\n}{}gmr, qr/^.{80}/m, '80 columns'
            if $name !~ /password|profile|unless/;
    };
}

subtest 'security: addresses and mail exchangers' => sub {
    my $agent = Agent->new(
        routes => 'example.com [192.0.2.1]/tls=dane, [192.0.2.2]/tls=secure, '
            . "mx.invalid/tls=secure\n",
        settings => {'dns-servers' => '127.0.0.1:1', 'connect-timeout' => '1s'},
    );
    my $run = ask($agent, 'example.com');

    is security($run, '192.0.2.1:25'),
        "    tls             dane, as encrypt: an address has no TLSA "
        . "records\n$NONE", 'dane';
    is security($run, '192.0.2.2:25'),
        "    tls             secure, name 192.0.2.2\n$NONE", 'address';
    is security($run, 'mx.invalid:25'),
        "    tls             secure, name mx.invalid, or its MX host's\n$NONE",
        'mail exchangers';
};

# An agent for hosts in a group: refuse => 1: no host takes anything.
sub group {
    my ($hosts, @options) = @_;
    my $route = join ', ',
        map { $_->destination . (shift @options // '') } @{$hosts};

    return Agent->new(routes => "group $route\n");
}

subtest 'the next delivery takes what is first' => sub {
    my @hosts = map { SmtpHost->new } 1 .. 3;
    my $agent = group(\@hosts, '/weight=3', '/weight=2', '/weight=1');
    my %taken;

    for my $number (1 .. 12) {
        my ($first) = order($agent, 'group');
        my ($host) = $agent->deliver(nexthop => 'group')->output
            =~ /^2\.0\.0 \S+\[(\S+)\]:\d+: / or die;
        my ($port) = $agent->log_lines
            ? ($agent->log_lines)[-2] =~ / port (\d+)/ : ();
        is "$host:$port", $first, "delivery $number";
        $taken{$first}++;
    }
    is_deeply [map { $taken{name_of($_)} } @hosts], [6, 4, 2], 'by weight';
};

subtest 'and goes on in that order' => sub {
    my @hosts = map { SmtpHost->new(rcpt => '450 4.2.0 later') } 1 .. 4;
    my $agent = group(\@hosts, '/weight=2', '/weight=5', '', '/pri=1');
    my %orders;

    for my $number (1 .. 8) {
        my $said = join ' ', order($agent, 'group');
        my $output = $agent->deliver(nexthop => 'group')->output;
        my $done = join ' ', map { "127.0.0.1:$_" }
            $output =~ /\[127\.0\.0\.1\]:(\d+): 450 /g;
        is $done, $said, "delivery $number";
        $orders{$said}++;
    }
    cmp_ok scalar keys %orders, '>', 1, 'it is not always the same';
    is scalar(grep { !/ \Q@{[name_of($hosts[3])]}\E$/ } keys %orders), 0,
        'priority comes first';
};

subtest 'looking changes nothing' => sub {
    my @hosts = map { SmtpHost->new } 1 .. 2;
    my $agent = group(\@hosts);
    my $state = $agent->var . '/state';

    ask($agent, '-n', 'group', 'example.com');
    is_deeply [glob "$state/*"], [], 'no state is begun';
    $agent->deliver(nexthop => 'group');
    my $before = read_file("$state/hosts.mdb");
    my @first = order($agent, 'group');
    is_deeply [order($agent, 'group')], \@first, 'the same again';
    is read_file("$state/hosts.mdb"), $before, 'the state is the same';
    is scalar(map { $_->connections } @hosts), 1, 'nobody was contacted';
};

subtest 'hosts that are passed over' => sub {
    my %host = (
        full    => SmtpHost->new(greeting => 'silence'),
        down    => SmtpHost->new(down => 1),
        drained => SmtpHost->new,
        ordered => SmtpHost->new,
        good    => SmtpHost->new,
    );
    my %name = map { $_ => name_of($host{$_}) } keys %host;
    my $agent = Agent->new(
        routes => 'group ' . join(', ',
            $host{down}->destination,
            $host{drained}->destination . '/drain',
            $host{ordered}->destination,
            $host{good}->destination . '/pri=5') . "\n"
            . 'full ' . $host{full}->destination . "\n",
        settings => {
            "host $name{full}" => {'max-connections' => 1},
            'retry-min'        => '5m',
            'retry-max'        => '5m',
        },
    );
    my $ordered = Ctl->run(conf => $agent->conf,
        arguments => ['drain', $name{ordered}]);
    is $ordered->status, 0, 'drain' or diag $ordered->stderr;
    is_deeply [order($agent, 'group')], [@name{qw(down good)}],
        'before any delivery';

    is $agent->deliver(nexthop => 'group')->status, 0, 'a delivery';
    my $run = ask($agent, '-n', 'group', 'example.com');
    is_deeply [order($agent, 'group')], [$name{good}], 'one is left';
    like $run->stdout, qr/
        ^The\ next\ delivery\ tries,.*:\n
        \ \ 1\ \Q$name{good}\E\n.*
        ^It\ passes\ over:\n
        \ \ -\ \Q$name{down}\E\n.*
        ^\ \ -\ \Q$name{drained}\E\n.*
        ^\ \ -\ \Q$name{ordered}\E\n/msx, 'the others come behind';
    like about($run, $name{down}), qr/
        ^\ {4}health\ +down,\ next\ try\ in\ (?:[23]\d\d)\ s\n
        \ {4}last\ error\ +\d{4}-\d\d-\d\d\ \d\d:\d\d:\d\d\ \ connect:\ 
            Connection\ refused\n\z/mx, 'down';
    like about($run, $name{drained}), qr/^    drained +in the route map$/m,
        'drained in the map';
    like about($run, $name{ordered}), qr/^    drained +by command /m,
        'drained by command';

    my $stuck = $agent->start(nexthop => 'full');
    $host{full}->wait_for('greeting');
    $run = ask($agent, '-n', 'full', 'example.com');
    is $run->status, 0, 'exit status';
    like $run->stdout, qr/^The next delivery is deferred at once\. /m,
        'nobody can be had';
    like about($run, $name{full}),
        qr/^    connections +1 of max-connections 1: none free$/m, 'full';
    $stuck->kill('KILL');
    $stuck->wait;
    is_deeply [order($agent, 'full')], [$name{full}], 'no longer full';
};

subtest 'a host that is down, due, being probed and up' => sub {
    my $host = SmtpHost->new(down => 1, greeting => ['silence', undef]);
    my $agent = Agent->new(
        routes   => 'group ' . $host->destination . "\n",
        settings => {'retry-min' => '3s', 'retry-max' => '5m'},
    );
    my $health = sub {
        my ($health) = about(ask($agent, '-n', 'group', 'example.com'),
            name_of($host)) =~ /^    health +(.*)$/m;
        return $health;
    };

    is $health->(), 'up', 'unknown is up';
    $agent->deliver(nexthop => 'group');
    like $health->(), qr/^down, next try in \d+ s$/, 'down';
    is_deeply [order($agent, 'group')], [], 'not tried';
    ok wait_until('its time', sub {
        $health->() eq 'down, due: the next delivery probes it';
    }), 'due';
    is_deeply [order($agent, 'group')], [name_of($host)], 'tried';
    $host->start;
    my $probe = $agent->start(nexthop => 'group');
    $host->wait_for('greeting');
    is $health->(), 'down, being probed by a delivery', 'being probed';
    is_deeply [order($agent, 'group')], [], 'not tried meanwhile';
    $probe->kill('KILL');
    $probe->wait;
    like $health->(), qr/^down, due/, 'the prober is dead';
};

subtest 'names' => sub {
    skip_or_fail(Dns->missing);
    my $one = SmtpHost->new(address => '127.71.0.1');
    my $port = $one->port;
    my $dns = Dns->new(records => [
        'example.com. MX 20 mx2.example.com.',
        'example.com. MX 10 mx1.example.com.',
        'example.com. MX 30 absent.example.com.',
        'mx1.example.com. A 127.71.0.2',
        'mx2.example.com. A 127.71.0.1',
        'self.example. MX 5 self.example.',
        'self.example. A 192.0.2.3',
        'backup.example. MX 10 self.example.',
        'backup.example. MX 20 gateway.example.',
        'backup.example. MX 30 plain.example.',
        'loop.example. MX 0 loop.example.',
        'loop.example. A 127.0.0.1',
        'plain.example. A 192.0.2.4',
        'null.example. MX 0 .',
        'two.example. A 127.71.0.1',
        'two.example. A 127.71.0.2',
        'xn--bcher-kva.example. A 127.71.0.5',
    ]);
    my $agent = Agent->new(
        routes => <<"EOF_ROUTES",
mx         example.com:$port, [mx2.example.com]:$port/pri=1
self       self.example
backup     backup.example
loop       loop.example
plain      plain.example, [self.example]/pri=1
two        [two.example]:$port
idn        [b\xc3\xbccher.example]
family     [plain.example]/bind=2001:db8::1
.example   USEDNS
EOF_ROUTES
        settings => {
            'dns-servers' => $dns->address,
            'helo-name'   => 'gateway.example',
        },
    );
    my $places = sub {
        my ($name, $host) = @_;
        my $about = about(ask($agent, '-n', $name, 'a@x.org'), $host);

        my ($text) = $about =~ /^    weight .*\n((?:.*\n)*?)    tls /m;
        $text =~ s/^ {4}//mg;
        return $text;
    };

    is $places->('mx', "example.com:$port"), <<'EOF_PLACES', 'MX';
MX 10           mx1.example.com[127.71.0.2]
MX 20           mx2.example.com[127.71.0.1]
MX 30           absent.example.com: cannot resolve: no such name
EOF_PLACES
    is $places->('mx', "mx2.example.com:$port"), <<'EOF_PLACES', 'repeated';
address         mx2.example.com[127.71.0.1], not tried twice
EOF_PLACES
    is $places->('self', 'self.example:25'), <<'EOF_PLACES', 'its own MX';
MX 5            self.example[192.0.2.3]
EOF_PLACES
    is $places->('plain', 'plain.example:25'), <<'EOF_PLACES', 'no MX';
address         plain.example[192.0.2.4]
EOF_PLACES
    is $places->('plain', 'self.example:25'), <<'EOF_PLACES', 'in brackets';
address         self.example[192.0.2.3]
EOF_PLACES
    is $places->('idn', 'xn--bcher-kva.example:25'), <<'EOF_PLACES', 'IDN';
address         xn--bcher-kva.example[127.71.0.5]
EOF_PLACES
    is $places->('family', 'plain.example:25'), <<'EOF_PLACES', 'bind=';
address         plain.example: cannot resolve: no IPv6 address, and no other is used
EOF_PLACES
    is $places->('backup', 'backup.example:25'), <<'EOF_PLACES', 'a backup MX';
MX 10           self.example[192.0.2.3]
address         backup.example: cut off here: MX 20 gateway.example is this machine
EOF_PLACES
    is $places->('loop', 'loop.example:25'), <<'EOF_PLACES', 'a loop';
address         loop.example: mail for loop.example loops back to this machine: MX 0 loop.example is this machine
EOF_PLACES

    my $run = ask($agent, 'user@self.example');
    like $run->stdout, qr/^  1 self\.example:25\n.*^    MX 5 /ms, 'USEDNS';
    $run = ask($agent, 'user@null.example');
    is $run->status, 0, 'null MX: exit status';
    like $run->stdout,
        qr/^    address +null\.example: domain takes no mail \(null MX\)$/m,
        'null MX';

    # DNS shuffles, so it takes some deliveries until that one is tried.
    wait_until('a bad address', sub {
        $agent->deliver(nexthop => 'two');
        return grep { /IP: 127\.71\.0\.2 .* connect:/ } $agent->log_lines;
    });
    is $places->('two', "two.example:$port"), <<'EOF_PLACES', 'bad address';
address         two.example[127.71.0.1]
                two.example[127.71.0.2], failed lately: tried last
EOF_PLACES
};

subtest 'the state cannot be read' => sub {
    my @hosts = map { SmtpHost->new } 1 .. 2;
    my $agent = group(\@hosts, '/pri=1', '/pri=0');
    my $state = $agent->var . '/state/hosts.mdb';

    write_file($state, 'x' x 100_000);
    my $run = ask($agent, '-n', 'group', 'example.com');
    is $run->status, 2, 'exit status';
    like $run->stderr,
        qr/^smtproutectl: \Q$state\E: damaged; health and order are unknown$/,
        'complaint';
    like $run->stdout, qr/^By priority; equal ones are drawn by weight:$/m,
        'the order is said to be unknown';
    is_deeply [$run->stdout =~ /^ +\d+ (\S+)$/mg],
        [map { name_of($_) } reverse @hosts], 'the hosts are there';
    unlike $run->stdout, qr/health/, 'no health';
    is read_file($state), 'x' x 100_000, 'the file is left alone';
};

subtest 'users' => sub {
    plan skip_all => 'only root can be another user' if $> != 0;
    my $host = SmtpHost->new;
    my $agent = Agent->new(
        routes => 'group ' . $host->destination . "\n",
        user   => 'nobody',
    );
    my $state = $agent->var . '/state/hosts.mdb';
    my @arguments = (conf => $agent->conf,
        arguments => ['route', '-n', 'group', 'example.com']);

    is $agent->deliver(nexthop => 'group')->status, 0, 'a delivery';
    is((stat $state)[4], scalar getpwnam('nobody'), 'the agent\'s file');
    is(Ctl->run(@arguments)->status, 0, 'root');
    is((stat $state)[4], scalar getpwnam('nobody'), 'still the agent\'s');
    is(Ctl->run(@arguments, user => 'nobody')->status, 0, 'the agent');
    my $run = Ctl->run(@arguments, user => 'daemon');
    is $run->status, 2, 'somebody else: exit status';
    like $run->stderr, qr/hosts\.mdb: Permission denied; health and order are /,
        'somebody else: complaint';
    like $run->stdout, qr/^  1 127/m, 'somebody else: the route is explained';

    # Root sees what the agent would: not this.
    chmod 0600, $agent->routes or die $!;
    $run = Ctl->run(@arguments);
    is $run->status, 2, 'a map that the agent cannot read: exit status';
    like $run->stderr, qr{/routes: Permission denied$}, 'complaint';
};

done_testing;
