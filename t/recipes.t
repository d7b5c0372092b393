#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The recipes of smtproute_routes(5), as it has them but for names and paths,
# in a Postfix.  That for PostgreSQL is in t/pgsql.t.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use IO::Socket::IP ();
use IO::Socket::UNIX ();
use Test::More;

use Agent ();
use Fixture;
use PostfixInstance ();
use SmtpHost ();

my $top = $ENV{top_srcdir} // '.';

skip_or_fail(PostfixInstance->missing);

# The page's examples without mdoc's marks.
my $examples = do {
    my ($text) = read_file("$top/man/smtproute_routes.5")
        =~ /^\.Sh EXAMPLES\n(.*?)^\.Sh /ms;
    $text =~ s/^\.Dl //mg;
    $text =~ s/\\e/\\/g;
    $text =~ s/\\&//g;
    $text;
};

# A line, or lines up to an empty one or the end, that the page has.
sub recipe {
    my ($begins) = @_;
    my ($text) = $examples =~ /^(\Q$begins\E.*?)(?:\n\n|\n\.)/ms;

    ok defined $text, "the manual has $begins" or die;
    return "$text\n";
}

# Its text with these changes, each of which has to be one.
sub adapted {
    my ($text, @changes) = @_;

    while (my ($from, $to) = splice @changes, 0, 2) {
        $text =~ s/\Q$from\E/$to/g or die "no $from in: $text";
    }
    return $text;
}

# "parameter = value", the value on as many lines as it has.
sub setting {
    my ($text) = @_;
    my ($name, $value) = $text =~ /^(\w+) =\s*(.*?)\s*\z/s or die $text;

    return ($name => $value =~ s/\s+/ /gr);
}

my %hosts = map { $_ => SmtpHost->new } qw(A B);
my $folder = new_folder('tables');

sub gateway {
    my ($routes, %main) = @_;
    my $agent = Agent->new(user => 'nobody', routes => $routes);

    return PostfixInstance->new(agent => $agent, main => \%main);
}

sub reaches {
    my ($gateway, $host, %message) = @_;
    my $name = join ' ', map { ref $_ ? @{$_} : $_ } values %message;
    my $before = $hosts{$host}->messages;
    my $id = eval { $gateway->inject(%message) }
        // die $@, $gateway->maillog;
    my ($line) = $gateway->wait_for(qr/ $id: to=.* status=/);

    like $line, qr/relay=smtproute,.*status=sent /, "$name: Postfix";
    is scalar($hosts{$host}->messages), $before + 1, "$name: host $host";
    return;
}

# What has no transport is what the instance has no relay for.
sub has_none {
    my ($gateway, %message) = @_;

    my $queued = eval { $gateway->inject(%message) };
    if (defined $queued) {
        my ($line) = $gateway->wait_for(qr/ $queued: to=.* status=/);
        unlike $line, qr/relay=smtproute/, 'nothing else';
    }
    else {
        like $@, qr/the test has no relay/, 'nothing else';
    }
    return;
}

# Serves one connection after the other: what @answer gives for each request,
# that @read takes from the handle.
sub serve {
    my ($socket, $read, $answer) = @_;

    return child(sub {
        local $SIG{PIPE} = 'IGNORE';
        while (my $client = $socket->accept) {
            next if fork;
            $client->autoflush(1);
            while (defined(my $request = $read->($client))) {
                print {$client} $answer->($request);
            }
            POSIX::_exit(0);
        }
    });
}

sub netstring {
    my ($client) = @_;

    local $/ = ':';
    my $length = <$client> // return;
    my $text = '';
    $length =~ tr/0-9//cd;
    read($client, $text, $length) or return;
    getc $client;
    return $text;
}

subtest 'memcached' => sub {
    my $socket = listen_on('127.0.0.1');
    my %has = ('route:example.com' => 'smtproute:' . $hosts{A}->destination);
    my $pid = serve($socket, sub { readline $_[0] }, sub {
        my ($key) = $_[0] =~ /^get (\S+)/;
        my $value = $has{ $key // '' } // return "END\r\n";
        return sprintf "VALUE %s 0 %d\r\n%s\r\nEND\r\n", $key, length $value,
            $value;
    });
    write_file("$folder/memcache.cf", adapted(recipe('memcache ='),
        'cache.example.com:11211', '127.0.0.1:' . $socket->sockport));
    my $gateway = gateway('',
        transport_maps => "memcache:$folder/memcache.cf");
    reaches($gateway, 'A', recipients => ['user@example.com']);
    $gateway->stop;
    end_child($pid);
};

subtest 'a program of your own' => sub {
    my $path = "$folder/routes.sock";
    my $socket = IO::Socket::UNIX->new(Local => $path, Listen => 5)
        // die "$path: $!\n";
    chmod 0777, $path or die "$path: $!\n";
    my $pid = serve($socket, \&netstring, sub {
        my $answer = $_[0] eq 'routes user@example.com'
            ? 'OK smtproute:' . $hosts{B}->destination : 'NOTFOUND ';
        return sprintf '%d:%s,', length $answer, $answer;
    });
    my $gateway = gateway('', setting(adapted(
        recipe('transport_maps = socketmap:'), '/run/routes.sock', $path)));
    reaches($gateway, 'B', recipients => ['user@example.com']);
    $gateway->stop;
    end_child($pid);
};

subtest 'a pattern' => sub {
    my ($table) = recipe('# /etc/postfix/routes.regexp');
    write_file("$folder/routes.regexp", adapted($table,
        '[mx1]:25', $hosts{A}->destination, '[mx2]:25', '[127.0.0.1]:9/pri=9'));
    my ($maps) = recipe('# main.cf
transport_maps = regexp:') =~ /^(transport_maps.*)/m;
    my $gateway = gateway('', setting(adapted($maps,
        '/etc/postfix/routes.regexp', "$folder/routes.regexp")));
    reaches($gateway, 'A', recipients => ['user@branch7.example']);
    reaches($gateway, 'A', recipients => ['user@a.b.branch12.example']);
    has_none($gateway, recipients => ['branch1.example@a.example']);
};

subtest 'by the sender' => sub {
    my ($table) = recipe('# /etc/postfix/senders');
    my $routes = recipe('# /etc/smtproute/routes
smarthost-one');
    my ($maps) = recipe('# main.cf
sender_dependent_default_transport_maps =');

    write_file("$folder/senders", $table);
    my $gateway = gateway(
        adapted($routes,
            '[smtp.provider.example]:587/auth=one', $hosts{A}->destination,
            '[192.0.2.10]', $hosts{B}->destination,
            '[192.0.2.11]', '[127.0.0.1]:9'),
        transport_maps => '',
        setting(adapted($maps =~ s/^#.*\n//r,
            '/etc/postfix/senders', "$folder/senders")));
    reaches($gateway, 'A', sender => 'any@one.example');
    reaches($gateway, 'B', sender => 'boss@two.example');
    has_none($gateway, sender => 'other@two.example');
};

# Has Postfix this type of table?
my $types = do {
    my $none = new_folder('main');
    write_file("$none/main.cf", "compatibility_level = 3.6\n");
    (capture('/usr/sbin/postconf', '-c', $none, '-m'))[1];
};

sub need {
    my ($type, @programs) = @_;

    skip_or_fail("Postfix has no $type tables here")
        if $types !~ /^\Q$type\E$/m;
    for my $program (@programs) {
        skip_or_fail("no $program")
            if !grep { -x "$_/$program" } qw(/usr/sbin /usr/bin);
    }
    return;
}

# A folder of a user's who is not root.
sub their_folder {
    my ($name, $user) = @_;
    my $path = new_folder($name);

    chown +(getpwnam $user)[2, 3], $path or die "$path: $!\n";
    return $path;
}

sub as {
    my ($user, @command) = @_;
    my $group = getgrgid +(getpwnam $user)[3];

    return ('setpriv', "--reuid=$user", "--regid=$group", '--clear-groups',
        '--', @command);
}

sub done {
    my ($status, $output) = @_;

    die $output if $status != 0;
    return $output;
}

subtest 'MariaDB' => sub {
    need('mysql', qw(mariadbd mariadb-install-db mariadb));
    my $place = their_folder('maria', 'nobody');
    my $socket = "$place/socket";
    my @options = ('--no-defaults', "--datadir=$place/data",
        "--tmpdir=$place");
    my @client = ('mariadb', '--no-defaults', '-S', $socket, '-u', 'root');

    done(capture('env', '-C', $place, as('nobody', 'mariadb-install-db',
        @options, '--auth-root-authentication-method=normal',
        '--skip-test-db')));
    my $pid = daemon($place, as('nobody', '/usr/sbin/mariadbd', @options,
        "--socket=$socket", '--skip-networking', "--pid-file=$place/pid"));
    wait_until('MariaDB answers', sub {
        (capture(@client, '-e', 'SELECT 1'))[0] == 0;
    });
    done(capture(@client, '-e', 'CREATE DATABASE mail; '
        . 'CREATE TABLE mail.routes (`key` VARCHAR(255) PRIMARY KEY, '
        . 'destinations TEXT NOT NULL); '
        . "INSERT INTO mail.routes VALUES ('example.com', '"
        . $hosts{A}->destination . ",[127.0.0.1]:9/pri=9'); "
        . "CREATE USER smtproute_reader IDENTIFIED BY 'change-me'; "
        . 'GRANT SELECT ON mail.routes TO smtproute_reader'));
    my $table = adapted(recipe('hosts = db1.example.com'),
        'db1.example.com db2.example.com', "unix:$socket");
    write_file("$folder/mysql.cf", $table =~ s/^query.*//msr
        . recipe('query = SELECT CONCAT'));
    my $gateway = gateway('',
        transport_maps => "proxy:mysql:$folder/mysql.cf");
    reaches($gateway, 'A', recipients => ['user@example.com']);
    $gateway->stop;
    end_child($pid);
};

subtest 'LDAP' => sub {
    need('ldap', qw(slapd slapadd));
    my $place = their_folder('ldap', 'openldap');
    my $port = kept_port('127.0.0.1');
    my $base = 'dc=example,dc=com';

    mkdir "$place/data" or die $!;
    chown +(getpwnam 'openldap')[2, 3], "$place/data" or die $!;
    write_file("$place/conf", <<"END");
include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile $place/pid
database mdb
suffix $base
directory $place/data
END
    write_file("$place/ldif", <<"END");
dn: $base
objectClass: organization
objectClass: dcObject
o: example
dc: example

dn: ou=routes,$base
objectClass: organizationalUnit
ou: routes

dn: cn=example.com,ou=routes,$base
objectClass: organizationalRole
cn: example.com
description: ${\$hosts{B}->destination},[127.0.0.1]:9/pri=9
END
    done(capture(as('openldap', '/usr/sbin/slapadd', '-f', "$place/conf",
        '-l', "$place/ldif")));
    my $pid = daemon($place, as('openldap', '/usr/sbin/slapd', '-d', '0', '-f',
        "$place/conf", '-h', "ldap://127.0.0.1:$port"));
    wait_until('slapd listens', sub {
        IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port);
    });
    write_file("$folder/ldap.cf", adapted(recipe('server_host ='),
        'ldap.example.com', "127.0.0.1:$port"));
    my $gateway = gateway('',
        transport_maps => "proxy:ldap:$folder/ldap.cf");
    reaches($gateway, 'B', recipients => ['user@example.com']);
    $gateway->stop;
    end_child($pid);
};

done_testing;
