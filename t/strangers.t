#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Hosts that a recipient's domain names (USEDNS): what they may cost, and that
# this machine is not among them.
#
# All of it is in a network namespace, where 198.18.0.0/16 is local without
# being any interface's, but for 198.18.9.9; and /etc/hosts is the test's.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use IO::Select ();
use IO::Socket::IP ();
use Socket qw(SOCK_DGRAM);
use Test::More;

use Agent ();
use Ctl ();
use Dns ();
use Fixture;
use PostfixInstance ();
use SmtpHost ();
use Trial ();

my $HOSTS = "127.0.0.1 localhost\n198.18.1.9 inside.example\n";

if (!defined $ENV{SMTPROUTE_STRANGERS}) {
    skip_or_fail(Dns->missing);
    skip_or_fail('network namespaces need root') if $> != 0;
    my ($status) = capture(qw(unshare --net ip link set lo up));
    skip_or_fail('no network namespaces, or no ip(8)') if $status != 0;
    my $folder = new_folder('strangers');
    write_file("$folder/hosts", $HOSTS);
    $ENV{SMTPROUTE_STRANGERS} = 1;
    my $script = <<'EOF_SH';
ip link set lo up
ip address add 198.18.9.9/32 dev lo
ip route add local 198.18.0.0/16 dev lo
mount --bind "$0/hosts" /etc/hosts
exec "$@"
EOF_SH
    exit(system(qw(unshare --net --mount --propagation private sh -ec),
        $script, $folder, $^X, $0) == 0 ? 0 : 1);
}

my @MANY = map {
    my $mx = $_;
    ("many.example. MX $mx m$mx.many.example.",
        map { "m$mx.many.example. A 198.18.2$mx.$_" } 1 .. 20)
} 1 .. 3;
my @FAILING = (
    (map { "failing.example. MX $_ absent$_.failing.example." } 1 .. 5),
    (map { ("failing.example. MX 1$_ m$_.many.example.") } 1 .. 3),
);

# Domains that lead here.
my %OWN = (
    'localhost.own.example'   => ['MX 10 localhost.'],
    'name.own.example'        => ['MX 10 gateway.example.'],
    'loopback.own.example'    => ['A 127.0.0.1'],
    'loopback9.own.example'   => ['A 127.9.9.9'],
    'any.own.example'         => ['A 0.0.0.0'],
    'any6.own.example'        => ['AAAA ::'],
    'loopback6.own.example'   => ['AAAA ::1'],
    'mapped.own.example'      => ['AAAA ::ffff:127.0.0.1'],
    'mappedown.own.example'   => ['AAAA ::ffff:198.18.9.9'],
    'interface.own.example'   => ['A 198.18.9.9'],
    'nat.own.example'         => ['A 198.18.8.8'],
    'among.own.example'       => ['A 198.18.1.1', 'A 127.0.0.1'],
    'equal.own.example'       => ['MX 10 one.example.',
        'MX 10 interface.own.example.'],
    'better.own.example'      => ['MX 10 interface.own.example.',
        'MX 20 one.example.'],
);

my $dns = Dns->new(records => [
    @MANY, @FAILING,
    (map { ("busy.example. MX $_ b$_.busy.example.",
        "b$_.busy.example. A 198.18.1.1") } 1),
    'busy.example. MX 2 b2.busy.example.', 'b2.busy.example. A 198.18.1.2',
    'busy.example. MX 3 b3.busy.example.', 'b3.busy.example. A 198.18.1.3',
    'one.example. A 198.18.1.1',
    'backup.example. MX 10 one.example.',
    'backup.example. MX 20 gateway.example.',
    'backup.example. MX 20 b2.busy.example.',
    'backup.example. MX 30 b3.busy.example.',
    'mute.example. MX 1 m.mute.example.', 'm.mute.example. A 198.18.1.4',
    'mute.example. MX 2 one.example.',
    'slow.example. A 198.18.1.5',
    'rude.example. A 198.18.1.6',
    'good.example. A 198.18.1.7',
    'dead.example. MX 10 dead1.example.', 'dead1.example. A 198.18.7.7',
    'dead.example. MX 20 test.example.', 'test.example. A 127.0.0.1',
    'loop.example. MX 20 test.example.',
    map { my $name = $_; map { "$name. $_" } @{ $OWN{$name} } } sort keys %OWN,
]);

my %FULL = (mail => '452 4.3.1 full');
my $OWN = SmtpHost->new(address => '0.0.0.0', port => 25, down => 1);
my %hosts = (
    (map { ($_ => SmtpHost->new(address => "198.18.1.$_", port => 25, %FULL)) }
        1 .. 3),
    4 => SmtpHost->new(address => '198.18.1.4', port => 25,
        greeting => {then => 'silence'}),
    5 => SmtpHost->new(address => '198.18.1.5', port => 25,
        final => {delay => 6, reply => '250 2.0.0 Ok'}),
    6 => SmtpHost->new(address => '198.18.1.6', port => 25,
        greeting => \"-ERR secret\r\n"),
    7 => SmtpHost->new(address => '198.18.1.7', port => 25),
);

sub trial {
    my ($recipient, %settings) = @_;
    my $routes = delete $settings{routes} // "* USEDNS\n";

    return Trial->new(
        routes     => $routes,
        settings   => {
            'dns-servers'   => $dns->address,
            'helo-name'     => 'gateway.example',
            'own-addresses' => '198.18.8.8, 2001:db8::1',
            %settings,
        },
        recipients => [$recipient],
    )->wait;
}

# How many times the log tells of something.
sub count {
    my ($trial, $regex) = @_;

    return scalar grep { $_ =~ $regex } $trial->log;
}

my $B = qr/\[198\.18\.1\.\d\]:25: 452 4\.3\.1 full \(in reply to MAIL FROM\)/;

# A sentence, recipient's domain, settings, exit status, line.
my @rows = (
    ['hosts of strangers are reached at all', 'good.example', {}, 0,
        qr/^2\.0\.0 good\.example\[198\.18\.1\.7\]:25: 250 /],
    ['addresses are limited', 'many.example', {}, 75,
        qr/^4\.4\.1 (?:m1\.many\.example\[198\.18\.21\.\d+\]:25: connect: [^;]+; ){5}dns-address-limit reached, no other host was begun$/],
    ['to as many as the settings say', 'many.example',
        {'dns-address-limit' => 2}, 75,
        qr/^4\.4\.1 (?:m1[^;]+; ){2}dns-address-limit reached, /],
    ['sessions are limited', 'busy.example', {}, 75,
        qr/^4\.3\.1 b1\S+$B; b2\S+$B; dns-session-limit reached, no other /],
    ['to as many as the settings say', 'busy.example',
        {'dns-session-limit' => 1}, 75,
        qr/^4\.3\.1 b1\S+$B; dns-session-limit reached, no other /],
    ['what is no limit is not said to be one', 'busy.example',
        {'dns-session-limit' => 3}, 75, qr/^4\.3\.1 b1\S+$B; b2\S+$B; b3\S+$B$/],
    ['time is limited', 'mute.example', {'dns-time-limit' => '5s'}, 75,
        qr/^4\.4\.2 m\.mute\.example\[198\.18\.1\.4\]:25: greeting: [^;]+; dns-time-limit reached, /],
    ['but not that of the content', 'slow.example', {'dns-time-limit' => '5s'},
        0, qr/^2\.0\.0 slow\.example/],
    ['a route\'s hosts have no such limits', 'busy.example',
        {routes => "* busy.example\n", 'dns-session-limit' => 1}, 75,
        qr/^4\.3\.1 b1\S+$B; b2\S+$B; b3\S+$B$/],
    ['/etc/hosts does not count', 'inside.example', {}, 68,
        qr/^5\.1\.2 inside\.example: cannot resolve: no such name$/],
    ['but for a route it does', 'inside.example',
        {routes => "* [inside.example]:26\n"}, 75,
        qr/^4\.4\.1 inside\.example\[198\.18\.1\.9\]:26: connect: /],
    ['a backup MX tries what is better than itself', 'backup.example', {}, 75,
        qr/^4\.3\.1 one\.example$B$/],
    (map { ["it is this machine: $_", $_, {}, 69,
        qr/^5\.4\.6 mail for \Q$_\E loops back to this machine: \S.* is this machine$/] }
        sort keys %OWN),
    (map { ["it is this machine: $_", $_, {}, 69,
        qr/^5\.4\.6 mail for \S+ loops back to this machine: /] }
        '[127.0.0.1]', '[127.1.2.3]', '[0.0.0.0]', '[198.18.9.9]',
        '[198.18.8.8]', '[IPv6:::]', '[IPv6:::1]', '[IPv6:::ffff:127.0.0.1]'),
    ['a name in a route that leads here defers', 'x.example',
        {routes => "* loopback.own.example\n"}, 75,
        qr/^4\.3\.5 loopback\.own\.example:25: mail for loopback\.own\.example loops back to this machine: /],
    ['and the next host is tried', 'x.example',
        {routes => "* better.own.example, good.example/pri=1\n"}, 0,
        qr/^2\.0\.0 good\.example/],
    ['at another port it is another service', 'x.example',
        {routes => "* loopback.own.example:26\n"}, 75,
        qr/^4\.4\.1 loopback\.own\.example\[127\.0\.0\.1\]:26: connect: /],
    ['but an MX by name is this machine at any', 'x.example',
        {routes => "* name.own.example:26\n"}, 75, qr/^4\.3\.5 name\S+ mail for /],
    ['what a route writes in brackets is used', 'x.example',
        {routes => "* [loopback.own.example]\n"}, 75,
        qr/^4\.4\.1 loopback\.own\.example\[127\.0\.0\.1\]:25: connect: /],
    ['so is an address', 'x.example', {routes => "* 127.0.0.1\n"}, 75,
        qr/^4\.4\.1 127\.0\.0\.1\[127\.0\.0\.1\]:25: connect: /],
);

for my $row (@rows) {
    my ($sentence, $domain, $settings, $status, $line) = @{$row};
    my $trial = trial("user\@$domain", %{$settings});

    subtest $sentence => sub {
        is $trial->status, $status, 'exit status';
        like $trial->line, $line, 'line';
        is count($trial, qr/^New SMTP .* address (?:127\.|::|0\.0|198\.18\.[89])/),
            0, 'nobody went to this machine' if $status == 69;
    };
}

subtest 'ten failures are logged, the others counted' => sub {
    my $trial = trial('user@failing.example', 'dns-address-limit' => 20);

    is $trial->status, 75, 'exit status';
    is count($trial, qr/^Connection Error: /), 10, 'lines of failures';
    is count($trial, qr/^15 more failures of hosts of failing\.example are not logged$/),
        1, 'one line for the rest';
};

subtest 'what is no SMTP server is not quoted' => sub {
    my $trial = trial('user@rude.example');

    is $trial->line, '4.4.2 rude.example[198.18.1.6]:25: greeting: '
        . 'not an SMTP reply', 'the line';
    is count($trial, qr/-ERR secret/), 1, 'the log has it';
    $trial = trial('user@x.example', routes => "* rude.example\n");
    like $trial->line, qr/not an SMTP reply: -ERR secret$/, 'a route\'s host is';
};

subtest 'in smtproutectl hosts they are a number, unless asked for' => sub {
    my $agent = Agent->new(
        routes   => "* USEDNS\n",
        settings => {
            'dns-servers' => $dns->address,
            'helo-name'   => 'gateway.example',
        },
    );
    my %said = map { my $option = $_; $option => sub {
        return Ctl->run(conf => $agent->conf,
            arguments => ['hosts', $option eq '' ? () : $option])->stdout;
    } } '', '--all', '--openmetrics';

    is $agent->deliver(recipients => ['user@good.example'])->status, 0,
        'delivered';
    my $table = $said{''}->();
    like $table, qr/^And 1 host that only DNS has named: --all shows it\.$/m,
        'how many';
    unlike $table, qr/good\.example/, 'not which';
    like $said{'--all'}->(), qr/^good\.example/m, 'which';
    my $metrics = $said{'--openmetrics'}->();
    like $metrics, qr/^smtproute_other_hosts 1$/m, 'a metric';
    unlike $metrics, qr/good\.example/, 'no metrics of it';
    is $agent->deliver(recipients => ['user@busy.example'])->status, 75,
        'another one';
    like $said{''}->(), qr/^And 2 hosts .* shows them\.$/m, 'two';
};

@Counter::ISA = 'Fixture::Guarded';

sub Counter::stop {
    my ($self) = @_;

    end_child(delete $self->{pid}) if defined $self->{pid};
    return;
}

# Says that the domain has 20 exchangers, none of which exists; returns
# what stops it, its address, and a file with a byte for each question.
sub counting_dns {
    my $socket = IO::Socket::IP->new(LocalHost => '127.0.0.1',
        Type => SOCK_DGRAM) // die "DNS: $@\n";
    my $path = new_folder('questions') . '/count';

    my $exchangers = join '', map { my $name = pack 'n C/a* n', 10, "m$_",
        0xc00c; pack 'n n n N n/a*', 0xc00c, 15, 1, 60, $name } 1 .. 20;
    my $counter = guard(bless {}, 'Counter');
    $counter->{pid} = child(sub {
        while (defined(my $from = recv $socket, my $query, 512, 0)) {
            open my $file, '>>', $path or die "$path: $!\n";
            syswrite $file, '.';
            my $end = index($query, "\0", 12) + 5;
            my $mx = unpack('n', substr($query, $end - 4, 2)) == 15;
            send $socket, pack('a2 n5', $query, $mx ? 0x8180 : 0x8183, 1,
                $mx ? 20 : 0, 0, 0) . substr($query, 12, $end - 12)
                . ($mx ? $exchangers : ''), 0, $from;
        }
        return;
    });
    return ($counter, '127.0.0.1:' . $socket->sockport, $path);
}

subtest 'questions are limited' => sub {
    my ($counter, $address, $path) = counting_dns();

    my $trial = trial('user@zone.example', 'dns-servers' => $address);
    is $trial->status, 75, 'exit status';
    like $trial->line, qr/^4\.4\.3 m\d+\.zone\.example:25: cannot resolve: /,
        'line';
    is -s $path, 21, 'one for MX, two for each of ten hosts';
    $counter->stop;
};

subtest 'IPv4 only' => sub {
    my ($counter, $address, $path) = counting_dns();

    my $trial = trial('user@zone.example', 'dns-servers' => $address,
        'address-family' => 'ipv4');
    is -s $path, 11, 'nobody asks about AAAA';
    $counter->stop;
};

subtest 'this machine\'s own name is looked up once' => sub {
    my ($counter, $address, $path) = counting_dns();
    my $host = SmtpHost->new;
    my $agent = Agent->new(
        prefix   => [qw(unshare --uts sh -c), 'hostname gw && exec "$@"', 'sh'],
        routes   => '* ' . $host->destination . "\n",
        settings => {'dns-servers' => $address, 'helo-name' => ''},
    );

    mkdir $agent->var . '/state';
    is $agent->deliver->status, 0, 'delivered';
    my $asked = -s $path;
    cmp_ok $asked, '>', 0, 'DNS was asked';
    is $agent->deliver->status, 0, 'delivered';
    is -s $path, $asked, 'and not again';
    unlink $agent->var . '/state/own-name' or die "own-name: $!\n";
    is $agent->deliver->status, 0, 'delivered';
    cmp_ok -s $path, '>', $asked, 'but when that is forgotten';
    is scalar(grep { ($_->commands)[0] eq 'EHLO gw' } $host->connections), 3,
        'the short name';
    $counter->stop;
};

subtest 'a backup MX behind a real Postfix' => sub {
    skip_or_fail(PostfixInstance->missing);
    my $postfix = PostfixInstance->new(
        agent  => Agent->new(
            user     => 'nobody',
            routes   => "* USEDNS\n",
            settings => {
                'dns-servers' => $dns->address,
                'helo-name'   => 'test.example',
            },
        ),
        master => "127.0.0.1:25 inet n - n - - smtpd\n",
    );

    my $id = $postfix->inject(recipients => ['user@dead.example'], sender => '');
    my ($line) = $postfix->wait_for(qr/ $id: to=.* status=deferred /);
    like $line, qr/dead1\.example\[198\.18\.7\.7\]:25: connect: /, 'the primary';
    unlike $line, qr/127\.0\.0\.1/, 'and nobody else';
    $id = $postfix->inject(recipients => ['user@loop.example'], sender => '');
    ($line) = $postfix->wait_for(qr/ $id: to=.* status=bounced /);
    like $line, qr/dsn=5\.4\.6, .*mail for loop\.example loops back/, 'a loop';
    my @sessions = $postfix->maillog =~ /(smtpd\[\d+\]: connect from )/g;
    is scalar @sessions, 2, 'Postfix got each message once';
};

done_testing;
