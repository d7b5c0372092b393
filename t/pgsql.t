#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Two gateways whose routes are rows in one database, as contrib/pgsql has it.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent ();
use Ctl ();
use Fixture;
use PgServer ();
use PostfixInstance ();
use SmtpHost ();

my $top = $ENV{top_srcdir} // '.';

skip_or_fail(PostfixInstance->missing // PgServer->missing);
delete $ENV{MAIL_CONFIG};
my $types = (capture('/usr/sbin/postconf', '-c', new_folder('none'), '-m'))[1];
my $none = new_folder('main');
write_file("$none/main.cf", "compatibility_level = 3.6\n");
(undef, $types) = capture('/usr/sbin/postconf', '-c', $none, '-m');
skip_or_fail($types =~ /^pgsql$/m
    ? undef : 'Postfix has no pgsql maps here (postfix-pgsql)');

my $server = PgServer->new;
$server->sql(read_file("$top/contrib/pgsql/schema.sql"));

# contrib's file, but for where the database is.
my $table = new_folder('table') . '/routes.cf';
my $text = read_file("$top/contrib/pgsql/routes.cf");
$text =~ s/^hosts = .*/'hosts = unix:' . $server->socket/me;
$text =~ s/^dbname = .*/dbname = postgres/m;
write_file($table, $text);

my %hosts = map { $_ => SmtpHost->new } qw(A B);
my @gateways = map { gateway() } 1, 2;

# What is in its own map is a route that rows can name.
sub gateway {
    my $agent = Agent->new(
        user   => 'nobody',
        routes => 'cluster ' . $hosts{B}->destination . "\n",
    );

    return PostfixInstance->new(
        agent => $agent,
        main  => {transport_maps => "proxy:pgsql:$table"},
    );
}

sub route {
    my ($key, $destinations) = @_;

    $server->sql("INSERT INTO routes VALUES ('$key', '$destinations') "
        . 'ON CONFLICT (key) DO UPDATE '
        . 'SET destinations = excluded.destinations');
    return;
}

# A message for somebody new, since qmgr(8) remembers for half a minute where
# the last recipient's mail went; what the log says of it.
my $count = 0;

sub send_to {
    my ($gateway, $domain) = @_;
    my $id = $gateway->inject(
        recipients => ['user' . ++$count . "\@$domain"]);
    my ($line) = $gateway->wait_for(qr/ $id: to=.* status=/);

    return $line;
}

sub reaches {
    my ($domain, $host, $name) = @_;
    my $address = $hosts{$host}->destination =~ s/.*://r;

    for my $gateway (@gateways) {
        my $before = $hosts{$host}->messages;
        like send_to($gateway, $domain), qr/status=sent .*:$address: 250 /,
            "$name: Postfix";
        is scalar($hosts{$host}->messages), $before + 1, "$name: host $host";
    }
    return;
}

subtest 'a row is a route' => sub {
    route('example.com', $hosts{A}->destination . '/pri=0,[127.0.0.1]:9/pri=9');
    reaches('example.com', 'A', 'the domain');
    route('.example.com', $hosts{B}->destination);
    reaches('sub.example.com', 'B', 'a subdomain');
    route('named.example', 'cluster');
    reaches('named.example', 'B', 'the name of a route');
};

subtest 'a changed row takes effect with the next message' => sub {
    route('example.com', $hosts{B}->destination);
    reaches('example.com', 'B', 'changed');
    route('example.com', '/dev/null');
    like send_to($_, 'example.com'), qr/status=sent \(.*dropped/, 'again'
        for @gateways;
    route('example.com', $hosts{A}->destination . '/weight=x');
    like send_to($_, 'example.com'),
        qr/dsn=4\.3\.5, status=deferred .*inline route:1:\d+: bad weight 'x'/,
        'a fault defers' for @gateways;
    route('example.com', $hosts{A}->destination);
    reaches('example.com', 'A', 'when it is mended');
    $_->flush for @gateways;
    for my $gateway (@gateways) {
        my ($id) = ($gateway->wait_for(qr/bad weight/))[0]
            =~ /: (\w+): to=/;
        $gateway->wait_for(qr/ $id: to=.*status=sent .*queued as/);
    }
    pass 'and what waited goes out';
};

subtest 'the schema keeps out what no lookup finds' => sub {
    for my $row (['Example.com', '[mx]'], ['a b', '[mx]'], ['x.y', 'USEDNS'],
        ['x.y', '[a], [b]'], ['x.y', '']) {
        ok !eval { route(@{$row}); 1 }, "@{$row}";
    }
    ok !eval {
        $server->sql("SET ROLE smtproute_reader; DELETE FROM routes"); 1
    }, 'its reader only reads';
};

subtest 'the database is down' => sub {
    my ($gateway) = @gateways;

    # A port where nobody listens.
    my $port = kept_port('127.0.0.1');
    route('later.example', "[127.0.0.1]:$port");
    my @ids = map { $gateway->inject(recipients => ["u$_\@later.example"]) }
        1 .. 5;
    $gateway->wait_for(qr/ $_: to=.*status=deferred/) for @ids;
    $server->stop;
    my $before = $hosts{A}->messages;
    $gateway->flush;
    $gateway->wait_for(qr/ $_: to=.*status=deferred/, 2) for @ids;
    ok !eval { $gateway->inject(recipients => ['x@later.example']); 1 },
        'clients are told';
    like $@, qr/451 4\.3\.0 /, 'to come again';
    is scalar($gateway->queue), @ids, 'nothing is lost';
    $server->start;
    route('later.example', $hosts{A}->destination);
    # Postfix asks a database that was down again after a minute, or anew.
    # Mail that it is still busy with begins anew, too.
    $gateway->reload;
    $gateway->command('postqueue', '-f');
    $gateway->wait_for(qr/ $_: to=.*status=sent/) for @ids;
    is scalar($hosts{A}->messages), $before + @ids, 'and nothing twice';
};

# What an administrator sees of such routes.
subtest 'the tool asks the tables, too' => sub {
    my ($gateway) = @gateways;
    my $conf = $gateway->{agent}->conf;
    my $where = "proxy:pgsql:$table";
    my $ctl = sub {
        return Ctl->run(conf => $conf, arguments => [@_],
            environment => {MAIL_CONFIG => $gateway->folder});
    };

    route('tool.example', '[127.0.0.1]:25/pri=0,[127.0.0.1]:26/Pri=5,x:y');
    my $run = $ctl->('check', '--no-dns', 'tool.example');
    is_deeply [grep { /^proxy:/ } $run->lines], [
        "$where: key tool.example: column 45: bad port 'y'; expected 1 to 65535",
        ], 'check: faults of a row, as flags=h leaves it';
    route('tool.example', '[127.0.0.1]:25/pri=0');
    $run = $ctl->('route', 'user@sub.TOOL.example');
    is $run->stdout =~ /^table /m ? 1 : 0, 0, 'route: a row of another domain';
    $run = $ctl->('route', 'user@tool.example');
    like $run->stdout, qr/^nexthop   \Q[127.0.0.1]:25\E\/pri=0$/m,
        'route: the nexthop';
    like $run->stdout, qr/^table     \Q$where\E, key tool\.example$/m,
        'route: whose row it is';
    like $run->stdout, qr/^matched   the nexthop is itself a route$/m,
        'route: what it is';
    my (undef, $answer) = $gateway->command('postmap', '-q', 'tool.example',
        $where);
    $run = $ctl->('route', '-n', $answer =~ s/^smtproute:|\n//gr,
        'user@tool.example');
    like $run->stdout, qr/^matched   the nexthop is itself a route$/m,
        'route -n: the same by hand';
    route('tool.example', 'nowhere');
    $run = $ctl->('check', '--no-dns', 'tool.example');
    like $run->stdout,
        qr/^\Q$where\E: key tool\.example: no route named nowhere in /m,
        'check: a name that no route has';
    $run = $ctl->('check', '--no-dns', 'other.example');
    like $run->stdout,
        qr/^other\.example: note: transport_maps names no route for it/m,
        'check: no row';
    $server->stop;
    $run = $ctl->('check', '--no-dns', 'tool.example');
    like $run->stdout, qr/^tool\.example: /m, 'check: no database';
    is $run->status, 2, 'check: is an error';
    $run = $ctl->('route', 'tool.example');
    like $run->stderr, qr/^smtproutectl: warning: transport_maps cannot be asked/,
        'route: no database';
};

done_testing;
