#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# smtproutectl check: a configuration without fault, and what is said of one
# that differs from it in one place.

use strict;
use warnings;

use Test::More;

use Checked;
use Ctl;
use Dns;
use Fixture;

# A program that neither ends nor says anything; it has the time of the other
# tests to be given up.
my $stubborn = new_folder('bin');
write_file("$stubborn/postconf", <<"EOF_SHELL");
#! /bin/sh
exec >/dev/null 2>&1
echo \$\$ >$stubborn/pid
sleep 300
EOF_SHELL
chmod 0755, "$stubborn/postconf" or die "chmod: $!\n";
my $hanging_folder = configuration();
my $hanging = Ctl->start(
    conf        => "$hanging_folder/smtproute.conf",
    arguments   => ['check'],
    environment => {MAIL_CONFIG => $hanging_folder, PATH => "$stubborn:/usr/bin:/bin"},
);

subtest 'nothing is wrong' => sub {
    my $dir = configuration();
    my $run = check($dir);
    finds('clean', $run, $dir);
    like $run->stdout, qr/^no faults found: 2 routes, 2 hosts$/m, 'counts';
};

subtest 'settings' => sub {
    my $dir = configuration(
        conf => "[smtproute]\nroutes = DIR/routes\ntls = maybe\nnonsense\n"
            . "state-directory = DIR/state\nspool-directory = DIR/state\n"
            . "log = file:DIR/state/maillog\nhelo-name = gw1.example.com\n"
            . "[host a b]\nbind = c\n");
    my $run = check($dir);
    my @lines = said($run);
    like $lines[0], qr/^$dir\/smtproute\.conf:3: bad value "maybe" of tls; expected /;
    like $lines[1], qr/^$dir\/smtproute\.conf:4: .*nonsense.*; expected \[group\]/;
    like $lines[2], qr/^$dir\/smtproute\.conf:9: bad host in \[host a b\]; expected /;
    like $lines[3], qr/^$dir\/smtproute\.conf:10: bad value "c" of bind; expected /;
    is $lines[4], '4 errors', 'every fault, and no other';
    is $run->status, 2, 'status';

    table(
        ['a byte order mark', conf => ['[smtproute]', "\xef\xbb\xbf[smtproute]"],
            "DIR/smtproute.conf:1: warning: begins with a byte order mark, which is left out; expected none: sed -i '1s/^...//' DIR/smtproute.conf"],
        ['a name for EHLO without a dot', conf => ['gw1.example.com', 'gw1'],
            'DIR/smtproute.conf: warning: the name for EHLO is gw1, without a dot, which many hosts refuse; expected helo-name = a full name'],
        ['an address for EHLO', conf => ['gw1.example.com', '[192.0.2.1]']],
        ['[host] as routes write it', conf => ['[smtproute]', <<'EOF_CONF']],
[host 127.0.0.1]
bind = 127.0.0.1
[host 127.0.0.2:25]
bind = 127.0.0.1
[smtproute]
EOF_CONF
        ['[host] of nobody', conf => ['[smtproute]', <<'EOF_CONF'],
[host mx1.exmaple.com]
tls = secure
[host 127.0.0.1:26]
tls = secure
[host [2001:db8::1]:26]
tls = secure
[host [127.0.0.1]]
tls = secure
[route Example.COM]
balance = leastconn
[route example.org]
balance = leastconn
[smtproute]
EOF_CONF
            'DIR/smtproute.conf:1: warning: no route has the host of [host mx1.exmaple.com]; expected a host as the routes write it, or no such group',
            'DIR/smtproute.conf:3: warning: no route has the host of [host 127.0.0.1:26]; expected a host as the routes write it, or no such group',
            'DIR/smtproute.conf:5: warning: no route has the host of [host [2001:db8::1]:26]; expected a host as the routes write it, or no such group',
            'DIR/smtproute.conf:11: warning: no route has the key of [route example.org]; expected a key of the route map, or no such group'],
        ['routes at fault are not read', conf => ['routes = DIR/', 'routes = '],
            'DIR/smtproute.conf:2: bad value "routes" of routes; expected an absolute path'],
        ['an indexed map', conf => ['= DIR/routes', '= lmdb:DIR/routes'],
            'DIR/routes.lmdb: No such file or directory',
            'main.cf: transport_maps: warning: reads texthash:DIR/routes; expected lmdb:DIR/routes, where smtproute has its routes'],
    );
    $dir = configuration();
    unlink "$dir/smtproute.conf" or die "unlink: $!\n";
    finds('no settings', check($dir), $dir,
        'DIR/smtproute.conf: No such file or directory');
};

my $OPTIONS = 'expected pri, weight, tls, auth, bind, tls-name, rate, rate-recipients, drain, verify or lmtp';
my $HEAD = 'begins with a blank before any entry and is nothing, for Postfix neither; expected the key in the first column';
my $AGAIN = 'and Postfix refuses a texthash table that has a key twice (451 Temporary lookup failure)';

subtest 'the route map' => sub {
    table(
        ['every fault of every entry',
            routes => "a.example [127.0.0.1]/x, [127.0.0.2],\n# a, b\n"
                . "  [127.0.0.3]/pri=x,, [127.0.0.4\n*\n",
            "DIR/routes:1:23: bad option 'x'; $OPTIONS",
            "DIR/routes:3:19: bad pri 'x'; expected 0 to 65535",
            'DIR/routes:3:21: no destination; expected name, [name], IPv4 address or [IPv6 address]',
            "DIR/routes:3:23: '[' without end; expected ']'",
            'DIR/routes:4:2: no destination; expected name, [name], IPv4 address or [IPv6 address]'],
        ['every fault of one destination',
            routes => "a [127.0.0.1]:25x/pri=x/tls=maybe/wieght=3, [127.0.0.2]\n"
                . "b /dev/nul/x\n",
            "DIR/routes:1:15: bad port '25x'; expected 1 to 65535",
            "DIR/routes:1:23: bad pri 'x'; expected 0 to 65535",
            "DIR/routes:1:29: bad tls 'maybe'; expected none, may, encrypt, secure, dane or wrapper",
            "DIR/routes:1:35: bad option 'wieght'; $OPTIONS",
            "DIR/routes:2:3: bad host ''; expected name, [name], IPv4 address or [IPv6 address]"],
        ['a byte order mark', routes => "\xef\xbb\xbfexample.com [127.0.0.1]\n",
            "DIR/routes:1:1: warning: begins with a byte order mark, which Postfix's own lookup takes for a part of 'example.com'; expected none: sed -i '1s/^...//' DIR/routes"],
        ['the first line begins with a blank',
            routes => "# x\n  # y\n\n example.com [127.0.0.1]\nexample.net [127.0.0.2]\n",
            "DIR/routes:4:1: warning: $HEAD"],
        ['every line begins with a blank',
            routes => "\texample.com [127.0.0.1]\n\texample.net [127.0.0.2]\n",
            "DIR/routes:1:1: warning: $HEAD"],
        ['port 465 without wrapper', routes => "a [127.0.0.1]:465/tls=secure\n",
            'DIR/routes:1:3: warning: port 465 without tls=wrapper, where hosts say nothing before TLS begins and each try takes greeting-timeout; expected tls=wrapper'],
        ['wrapper at its port', routes => "a [127.0.0.1]/tls=wrapper, [127.0.0.2]:465/tls=wrapper\n"],
        ['wrapper where hosts begin without TLS',
            routes => "a [127.0.0.1]:25/tls=wrapper, [127.0.0.2]:587/tls=wrapper\n",
            'DIR/routes:1:3: warning: tls=wrapper at port 25, where hosts begin without TLS; expected port 465, or tls=secure',
            'DIR/routes:1:31: warning: tls=wrapper at port 587, where hosts begin without TLS; expected port 465, or tls=secure'],
        ['what may be an address and a port', routes => "a ::1:2526/pri=1, 2001:db8::1:25\n",
            'DIR/routes:1:3: warning: ::1:2526 is an address and has no port; expected [::1]:2526, if that was meant, or else [::1:2526]',
            'DIR/routes:1:19: warning: 2001:db8::1:25 is an address and has no port; expected [2001:db8::1]:25, if that was meant, or else [2001:db8::1:25]'],
        ['what is an address', routes => "a ::1, 2001:db8::25, [::1:2526], 2001:db8::1:c5, [::1]:2526, 1:2:3:4:5:6:7:25\n"],
        ['a key twice', routes => "a [127.0.0.1]\nb [127.0.0.1]\nA [127.0.0.2]\n",
            "DIR/routes:3:1: warning: key 'A' again; expected once: line 1 counts, $AGAIN"],
        ['a key in two spellings', routes => "a.example [127.0.0.1]\nA.example. [127.0.0.2]\n",
            "DIR/routes:2:1: warning: Postfix's own lookup does not find 'A.example.'; expected no final dot",
            "DIR/routes:2:1: warning: key 'A.example.' is the same as that of line 1; expected once: line 1 counts"],
        ['letters and their A-labels, with one route',
            routes => "b\xc3\xbccher.example [127.0.0.1]\nxn--bcher-kva.example  [127.0.0.1]\n"],
        ['letters and their A-labels, with two',
            routes => "b\xc3\xbccher.example [127.0.0.1]\nxn--bcher-kva.example [127.0.0.2]\n",
            "DIR/routes:2:1: warning: key 'xn--bcher-kva.example' is the same as that of line 1; expected once: line 1 counts"],
        ['a colon', routes => "example.com: [127.0.0.1]\n",
            "DIR/routes:1:1: warning: Postfix's own lookup does not find 'example.com:'; expected 'example.com' without the colon"],
        ['ALL', routes => "all [127.0.0.1]\n",
            "DIR/routes:1:1: warning: Postfix's own lookup does not know 'all'; expected '*'"],
        ['ALL: alone', routes => "ALL:\n",
            "DIR/routes:1:1: warning: Postfix's own lookup does not know 'ALL:'; expected '*' and a value, as USEDNS"],
        ['a key without a value hides no other', routes => "a\na [127.0.0.1]\n",
            'DIR/routes:1:2: no destination; expected name, [name], IPv4 address or [IPv6 address]'],
        ['an address for a key', routes => "user\@example.com [127.0.0.1]\n",
            "DIR/routes:1:1: warning: no mail is looked up by key 'user\@example.com'; expected domain, .domain, [address], * or a route's name"],
        ['a very long key', routes => 'k' x 300 . " [127.0.0.1]\n",
            "DIR/routes:1:1: warning: key '" . 'k' x 61 . "...' is longer than any domain; expected at most 254 bytes"],
        ['a NUL byte in a key', routes => "a\0b [127.0.0.1]\n",
            'DIR/routes:1:1: warning: NUL byte in a key; expected text'],
        ['keys that are none of these',
            routes => ".example [127.0.0.1]\n[192.0.2.1] USEDNS\n"
                . "[IPv6:2001:db8::1] /dev/null\ncluster_1 [127.0.0.1]\n"],
        ['all hosts drained', routes => "a [127.0.0.1]/drain,[127.0.0.2]/drain\n",
            'DIR/routes:1:1: warning: every host is drained; expected one to send mail to, which waits in the queue meanwhile'],
        ['a foreign address to bind to',
            routes => "a [127.0.0.1],\n  [127.0.0.2]/bind=203.0.113.7\nb [127.0.0.1]/bind=203.0.113.7\n",
            'DIR/routes:2:3: warning: bind address 203.0.113.7: Cannot assign requested address; expected an address of this machine'],
        ['the same in the settings',
            conf => ['[smtproute]', "[host 127.0.0.2]\nbind = 203.0.113.7\n[smtproute]"],
            'DIR/routes:1:36: warning: bind address 203.0.113.7: Cannot assign requested address; expected an address of this machine'],
    );
    my $dir = configuration();
    unlink "$dir/routes" or die "unlink: $!\n";
    finds('no map', check($dir), $dir,
        'DIR/routes: No such file or directory');
};

subtest 'names of hosts' => sub {
    skip_or_fail(Dns->missing);
    my $dns = Dns->new(
        records => [
            'good.example. A 127.0.0.1',
            'mail.example. MX 10 none.example.',
            'mail.example. MX 20 good.example.',
            'lost.example. MX 10 none.example.',
            'null.example. MX 0 .',
        ],
        zones => {'broken.example.' => 'servfail'},
    );
    my $dir = configuration(
        conf => ['[smtproute]', "[smtproute]\ndns-servers = " . $dns->address],
        routes => "a [good.example], good.example, mail.example, [none.example],\n"
            . "  lost.example/pri=7\nb null.example, [none.example]:26, [broken.example]\n"
            . "c USEDNS\n");
    my $run = check($dir);
    my @lines = said($run);
    like $lines[0], qr{^$dir/routes:1:47: warning: none\.example: cannot resolve: .*; expected an address$};
    like $lines[1], qr{^$dir/routes:2:3: warning: lost\.example: its MX none\.example: cannot resolve: .*; expected an address$};
    like $lines[2], qr{^$dir/routes:3:3: warning: null\.example: domain takes no mail \(null MX\); expected an address$};
    like $lines[3], qr{^$dir/routes:3:36: warning: \[?broken\.example\]?: cannot resolve: .*; expected an address$};
    is $lines[4], '4 warnings', 'each name once, and only these';
    is $run->status, 1, 'status';
};

subtest 'routes that lead back to this Postfix' => sub {
    skip_or_fail(Dns->missing);
    my $dns = Dns->new(
        records => [
            'gw.example. A 127.0.0.1',
            'far.example. A 192.0.2.1',
            'both.example. MX 10 far.example.',
            'both.example. MX 10 gw.example.',
            'second.example. MX 10 far.example.',
            'second.example. MX 20 gw.example.',
        ]);
    my $master = sub { ['pickup    unix', "$_[0]\npickup    unix"] };
    my $warning = sub {
        my ($place, $host, $port, $service) = @_;

        return "DIR/routes:$place: warning: $host at port $port is this "
            . "Postfix itself (master.cf: $service/inet); expected another "
            . 'host, or mail goes round in a circle';
    };
    my @rows = (
        ['an address', 'smtp inet n - n - - smtpd',
            "a [127.0.0.1], 127.0.0.1:25\nb [192.0.2.1], [127.0.0.1]:26\n", '',
            $warning->('1:3', '127.0.0.1', 25, 'smtp')],
        ['postscreen, IPv6', '25 inet n - n - 1 postscreen', "a [::1]\n", '',
            $warning->('1:3', '::1', 25, '25')],
        ['a name, with and without MX', 'smtp inet n - n - - smtpd',
            "a [gw.example], gw.example:26\nb gw.example, both.example\n", '',
            $warning->('1:3', 'gw.example', 25, 'smtp'),
            $warning->('2:3', 'gw.example', 25, 'smtp'),
            $warning->('2:15', 'both.example', 25, 'smtp')],
        ['this machine is the second exchanger', 'smtp inet n - n - - smtpd',
            "a second.example\n", ''],
        ['another port of it', '127.0.0.1:10025 inet n - n - - smtpd',
            "a gw.example:10025, [127.0.0.2]:10025, [127.0.0.1]\n", '',
            $warning->('1:3', 'gw.example', 10025, '127.0.0.1:10025')],
        ['no address before the colon', ':26 inet n - n - - smtpd',
            "a [127.0.0.1]:26, [127.0.0.1]\n", '',
            $warning->('1:3', '127.0.0.1', 26, ':26')],
        ['an address in brackets', '[::1]:10025 inet n - n - - smtpd',
            "a [::1]:10025, [127.0.0.1]:10025\n", '',
            $warning->('1:3', '::1', 10025, '[::1]:10025')],
        ['inet_interfaces', 'smtp inet n - n - - smtpd',
            "a [127.0.0.1], [127.0.0.2]\n", 'inet_interfaces = 127.0.0.1',
            $warning->('1:3', '127.0.0.1', 25, 'smtp')],
        ['the loopback interface', 'smtp inet n - n - - smtpd',
            "a [127.0.0.1], [192.0.2.7]\n", 'inet_interfaces = loopback-only',
            $warning->('1:3', '127.0.0.1', 25, 'smtp')],
        ['own-addresses', 'smtp inet n - n - - smtpd', "a [192.0.2.7]\n", '',
            $warning->('1:3', '192.0.2.7', 25, 'smtp')],
        ['another service has the port', 'smtp inet n - n - - qmqpd',
            "a [127.0.0.1]\n", ''],
    );
    for my $row (@rows) {
        my ($says, $service, $routes, $main, @lines) = @{$row};
        my $dir = configuration(
            conf => ['[smtproute]', "[smtproute]\nown-addresses = 192.0.2.7\ndns-servers = " . $dns->address],
            routes => $routes,
            master => $master->($service),
            main => ['mydestination', "$main\nmydestination"]);
        finds($says, check($dir), $dir, @lines);
    }
};

subtest 'master.cf' => sub {
    table(
        ['no service', master => "pickup unix n - n 60 1 pickup\n",
            'master.cf: no service runs smtproute; expected one: smtproutectl postfix --apply adds it'],
        ['the name in another service', master => ['pipe', 'pipe -v'],],
        ['another program', master => ['/smtproute -c', '/smtpruote -c'],
            'master.cf: no service runs smtproute; expected one: smtproutectl postfix --apply adds it'],
        ['no h', master => ['flags=hq', 'flags=q'],
            "$SERVICE: warning: flags has no h; expected flags=hq"],
        ['no flags', master => ['flags=hq ', ''],
            "$SERVICE: warning: flags has no h; expected flags=hq",
            "$SERVICE: warning: flags has no q, so that local parts are not quoted; expected flags=hq"],
        ['flags that change the content', master => ['flags=hq', 'flags=FDhq'],
            "$SERVICE: flag F prepends a line to the content; expected flags=hq",
            "$SERVICE: warning: flag D prepends Delivered-To to the content; expected flags=hq"],
        ['final delivery', master => ['flags=hq', 'flags=hqX'],
            "$SERVICE: warning: flag X reports mail as delivered that is relayed; expected flags=hq"],
        ['a flag that is none', master => ['flags=hq', 'flags=hqZ'],
            "$SERVICE: flags=hqZ has one that pipe(8) does not know; expected flags=hq"],
        ['no null_sender', master => [' null_sender=', ''],
            "$SERVICE: warning: bounces come from MAILER-DAEMON; expected null_sender= with nothing behind it"],
        ['a null sender that is one', master => ['null_sender=', 'null_sender=x@example.com'],
            "$SERVICE: null_sender=x\@example.com gives bounces a sender; expected null_sender= with nothing behind it"],
        ['no user', master => ['user=nobody ', ''],
            "$SERVICE: no user=; expected user=smtproute, without which pipe(8) refuses"],
        ['root', master => ['user=nobody', 'user=root'],
            "$SERVICE: user is root; expected user=smtproute, since pipe(8) refuses root"],
        ['a user that is none', master => ['user=nobody', 'user=no-such-user'],
            "$SERVICE: user no-such-user does not exist; expected one: useradd --system --home-dir / --shell /usr/sbin/nologin no-such-user"],
        ['a group that is none', master => ['user=nobody', 'user=nobody:no-such-group'],
            "$SERVICE: group no-such-group does not exist; expected one, or user=nobody"],
        ['chroot by default', master => ['unix  -  n  n', 'unix  -  n  -']],
        ['chroot', master => ['unix  -  n  n', 'unix  -  n  y'],
            "$SERVICE: chroot is y; expected n, since the program and its files are outside"],
        ['unprivileged', master => ['unix  -  n  n', 'unix  -  -  n'],
            "$SERVICE: unpriv is not n; expected n, since pipe(8) has to become the user"],
        ['not private', master => ['unix  -  n  n', 'unix  n  n  n'],
            "$SERVICE: private is n; expected -, since qmgr(8) looks nowhere else"],
        ['no process limit', master => ['50  pipe', '-  pipe'],
            "$SERVICE: warning: process limit is -; expected a number as 50, which bounds what one dead route can hold"],
        ['a macro that pipe does not know', master => ['-n ${nexthop}', '-n ${nexthop} -q ${queueid}'],
            "$SERVICE: pipe(8) does not know \${queueid} and defers all mail; expected \${queue_id}, \${sender}, \${nexthop} and \${recipient}",
            "$SERVICE: warning: argv has no queue id for the log; expected -q \${queue_id}"],
        ['other forms of macros', master => ['${sender} -n ${nexthop} -- ${recipient}', '$sender -n $(nexthop) -- $recipient']],
        ['no queue id', master => [' -q ${queue_id}', ''],
            "$SERVICE: warning: argv has no queue id for the log; expected -q \${queue_id}"],
        ['no sender', master => ['-f ${sender} ', ''],
            "$SERVICE: argv has no sender, or not as a word of its own; expected -f \${sender}"],
        ['the sender in one word', master => ['-f ${sender}', '-f${sender}'],
            "$SERVICE: argv has no sender, or not as a word of its own; expected -f \${sender}"],
        ['no nexthop', master => ['-n ${nexthop} ', ''],
            "$SERVICE: warning: argv has no nexthop, so that a transport table cannot name routes; expected -n \${nexthop}"],
        ['a part of the recipient', master => ['${recipient}', '${user}'],
            "$SERVICE: argv does not end in the recipient; expected -- \${recipient}"],
        ['no recipient', master => ['-- ${recipient}', '--'],
            "$SERVICE: argv does not end in the recipient; expected -- \${recipient}"],
        ['something after the recipient', master => ['${recipient}', '${recipient} x'],
            "$SERVICE: argv does not end in the recipient; expected -- \${recipient}"],
        ['no --', master => ['-- ${recipient}', '${recipient}'],
            "$SERVICE: warning: a recipient that begins with - is taken for an option; expected -- \${recipient}"],
        ['a face that is not for pipe', master => ['argv=DIR/smtproute', 'argv=DIR/smtproute -L'],
            "$SERVICE: argv has an option that is not for pipe(8); expected -c, -q, -f and -n"],
        ['no program', master => ['argv=DIR/smtproute', 'argv=DIR/no/smtproute'],
            "$SERVICE: DIR/no/smtproute is not there or not a program; expected the whole path of smtproute"],
        ['other settings', master => ['-c DIR/smtproute.conf', '-c DIR/other.conf'],
            "$SERVICE: warning: reads DIR/other.conf; expected -c DIR/smtproute.conf, the settings checked here"],
    );
};

subtest 'main.cf' => sub {
    table(
        ['no recipient limit', main => ['smtproute_destination_recipient_limit = 1', ''],
            'main.cf: smtproute_destination_recipient_limit: is 50; expected 1, since pipe(8) takes one result for all recipients of a call'],
        ['less time than smtproute takes', main => ['smtproute_', "smtproute_time_limit = 929s\nsmtproute_"],
            'main.cf: smtproute_time_limit: is 929 s; expected at least 930 s, since time-limit is 900 s and pipe(8) kills and bounces'],
        ['just enough', main => ['smtproute_', "command_time_limit = 930\nsmtproute_"]],
        ['less time by default', main => ['smtproute_', "command_time_limit = 15m\nsmtproute_"],
            'main.cf: smtproute_time_limit: is 900 s; expected at least 930 s, since time-limit is 900 s and pipe(8) kills and bounces'],
        ['less time in master.cf', master => ['pipe', 'pipe -o smtproute_time_limit=100'],
            'main.cf: smtproute_time_limit: is 100 s; expected at least 930 s, since time-limit is 900 s and pipe(8) kills and bounces'],
        ['less time, and smtproute knows',
            conf => ['[smtproute]', "[smtproute]\ntime-limit = 5s"]],
        ['no transport_maps', main => ['transport_maps', '# transport_maps'],
            'main.cf: transport_maps: warning: leads no mail to smtproute; expected pipemap:{texthash:DIR/routes, static:{smtproute:}}'],
        ['another map', main => ['texthash:DIR/routes', 'texthash:DIR/other'],
            'main.cf: transport_maps: warning: reads texthash:DIR/other; expected DIR/routes, where smtproute has its routes'],
        ['other maps before it', main => ['pipemap', 'inline:{a=b:}, pipemap']],
        ['another map takes the mail', main => ['pipemap', 'inline:{example.com=smtp:[192.0.2.1]}, pipemap'],
            'main.cf: transport_maps: warning: example.com goes to smtp:[192.0.2.1] by inline:{example.com=smtp:[192.0.2.1]}, before smtproute; expected one of the two entries'],
        ['another map behind ours', main => ['static:{smtproute:}}', 'static:{smtproute:}}, inline:{example.com=smtp:[192.0.2.1]}']],
        ['a map before it that cannot say', main => ['pipemap', 'texthash:DIR/none, pipemap']],
        ['a map that cannot be read', main => ['pipemap:{texthash:DIR/routes, static:{smtproute:}}', 'unix:DIR/none']],
        ['by a parameter', main => ['pipemap:{texthash:DIR/routes, static:{smtproute:}}', "\$lead\nlead = pipemap:{texthash:DIR/routes, static:smtproute:}"]],
        ['an inline route', main => ['pipemap:{texthash:DIR/routes, static:{smtproute:}}', 'inline:{{example.com=smtproute:[a]:25,[b]}}']],
        ['a table that leads there', main => ['pipemap:{texthash:DIR/routes, static:{smtproute:}}', 'inline:{x=y} texthash:DIR/routes'],
            'main.cf: transport_maps: warning: leads no mail to smtproute; expected pipemap:{texthash:DIR/routes, static:{smtproute:}}'],
        ['the default transport', main => ['transport_maps = pipemap:{texthash:DIR/routes, static:{smtproute:}}', 'default_transport = smtproute:']],
        ['the mail system\'s owner', main => ['smtproute_', "mail_owner = nobody\nsmtproute_"],
            "$SERVICE: user is nobody, the owner of the mail system, whom pipe(8) refuses; expected user=smtproute"],
        ['a service of another name',
            master => ['smtproute unix', 'relays unix'],
            'main.cf: relays_destination_recipient_limit: is 50; expected 1, since pipe(8) takes one result for all recipients of a call',
            'main.cf: transport_maps: warning: leads no mail to relays; expected pipemap:{texthash:DIR/routes, static:{relays:}}'],
    );
    my $dir = configuration(main => ['pipemap:{texthash:DIR/routes, static:{smtproute:}}', 'texthash:DIR/transport']);
    write_file("$dir/transport", "example.com smtproute:cluster\n");
    finds('a table that names the service', check($dir), $dir);
    write_file("$dir/transport", "example.com smtproute:exchange\n");
    write_file("$dir/routes", "exchange [127.0.0.1]\n");
    finds('a table that names a route', check($dir), $dir);
    $dir = configuration(main => ['pipemap:{texthash:DIR/routes, static:{smtproute:}}', 'unix:DIR/none']);
    like check($dir)->stdout, qr/^main\.cf: transport_maps: note: unix:$dir\/none cannot be read here; nothing else in it leads mail to smtproute$/m,
        'a map that cannot be read has a note';
    $dir = configuration(main => ['3.6', '0'], master => ['unix  -  n  n', 'unix  -  n  -']);
    finds('chroot by the default of old', check($dir), $dir,
        "$SERVICE: chroot is -, which is y with compatibility_level 0; expected n, since the program and its files are outside");
};

subtest 'files' => sub {
    my $dir = configuration();
    chmod 0664, "$dir/smtproute.conf" or die "chmod: $!\n";
    chmod 0646, "$dir/routes" or die "chmod: $!\n";
    my $where = ', or others lead mail and credentials where they like';
    finds('others write them', check($dir), $dir,
        "DIR/smtproute.conf: DIR/smtproute.conf: mode 0664 lets others change it; expected no write access for group and others$where",
        "DIR/routes: DIR/routes: mode 0646 lets others change it; expected no write access for group and others$where");

    if ($> == 0) {
        $dir = configuration();
        my $parent = new_folder('parent');
        rename "$dir/routes", "$parent/routes" or die "rename: $!\n";
        symlink "$parent/routes", "$dir/routes" or die "symlink: $!\n";
        finds('a link to a safe place', check($dir), $dir);
        chmod 0777, $parent or die "chmod: $!\n";
        finds('a folder on the way that others write', check($dir), $dir,
            "DIR/routes: $parent: mode 0777 lets others change it; expected no write access for group and others$where");
        chmod 01777, $parent or die "chmod: $!\n";
        finds('a folder as /tmp', check($dir), $dir);
        chown scalar getpwnam('daemon'), -1, "$parent/routes" or die "chown: $!\n";
        my ($daemon, $nobody) = map { scalar getpwnam $_ } qw(daemon nobody);
        finds('another owner', check($dir), $dir,
            "DIR/routes: $parent/routes: owned by user $daemon; expected root or user $nobody$where");
        chown $nobody, -1, "$parent/routes" or die "chown: $!\n";
        finds('the agent\'s own', check($dir), $dir);
    }

    $dir = configuration();
    rmdir "$dir/state" or die "rmdir: $!\n";
    finds('no folders', check($dir), $dir,
        'DIR/state/maillog: warning: is in no folder; expected one, without which there is no log',
        'DIR/state: warning: No such file or directory; expected a folder, without which nothing is remembered of hosts',
        'DIR/state: No such file or directory; expected a folder, without which large messages wait in the queue');

    skip_or_fail($> == 0 ? undef : 'other users\' access needs root');
    $dir = configuration(conf => ['DIR/state/maillog', 'DIR/log']);
    chmod 0600, "$dir/$_" or die "chmod: $!\n" for qw(smtproute.conf routes);
    chmod 0700, "$dir/smtproute" or die "chmod: $!\n";
    chown 0, 0, "$dir/state" or die "chown: $!\n";
    my $no = 'user nobody cannot';
    finds('the agent\'s user gets at nothing', check($dir), $dir,
        "DIR/smtproute: $no run it; expected access for this user",
        "DIR/smtproute.conf: $no read it; expected access for this user, who has no supplementary groups",
        "DIR/routes: $no read it; expected access for this user, who has no supplementary groups",
        "DIR/log: warning: $no write it; expected access for this user, without which there is no log",
        "DIR/state: warning: $no write there; expected access for this user, without which nothing is remembered of hosts",
        "DIR/state: $no write there; expected access for this user, without which large messages wait in the queue");

    $dir = configuration();
    write_file("$dir/state/hosts.mdb", '');
    chmod 0600, "$dir/state/hosts.mdb" or die "chmod: $!\n";
    finds('the state is root\'s', check($dir), $dir,
        "DIR/state/hosts.mdb: warning: $no write it; expected access for this user, without which nothing is remembered of hosts");

    $dir = configuration();
    my $run = check($dir, user => 'daemon');
    like $run->stdout, qr/: note: what user nobody can read and write is not checked; /,
        'who is not root cannot ask for others';
    finds('nor for himself', $run, $dir);
    chmod 0700, "$dir/state" or die "chmod: $!\n";
    finds('whatever he sees', check($dir, user => 'daemon'), $dir);
};

subtest 'surroundings' => sub {
    my $dir = configuration();
    for my $path ('/usr/bin:/bin', '', undef) {
        finds('a PATH of ' . ($path // 'nothing'),
            check($dir, environment => {PATH => $path}), $dir);
    }
    if (namespaces()) {
        my $bin = new_folder('bin');
        write_file("$bin/none", '');
        local $ENV{SMTPROUTE_WRAPPER} =
            after("mount --bind $bin/none $POSTCONF");
        finds('no Postfix', check($dir), $dir,
            'postconf: warning: not found in PATH; expected Postfix, whose configuration is not checked');
    }
    # A stranger's program in the folder that root happens to stand in.
    my $here = new_folder('here');
    for my $name (qw(postconf postmap test)) {
        write_file("$here/$name", "#! /bin/sh\ntouch $here/ran\n");
        chmod 0755, "$here/$name" or die "chmod: $!\n";
    }
    for my $path (undef, '.', ':/usr/bin', '/bin::') {
        finds('programs here, and a PATH of ' . ($path // 'nothing'),
            check($dir, folder => $here, environment => {PATH => $path}), $dir);
        ok !-e "$here/ran", 'are not run';
        unlink "$here/ran";
    }
    unlink "$dir/main.cf" or die "unlink: $!\n";
    my $run = check($dir);
    like $run->stdout, qr/^postconf: fatal: open $dir\/main\.cf: No such file/m,
        'a Postfix without main.cf';
    is $run->status, 2, 'is an error';

    $run = Ctl->run(conf => "$dir/smtproute.conf",
        arguments => ['check', '--x']);
    is $run->status, 2, 'no such option';
    like $run->stderr, qr/usage: smtproutectl \[-c conf\] check \[--json\] \[--no-dns\] \[--routes=map\] \[domain \.\.\.\]$/m,
        'says so';
    is $run->stdout, '', 'and nothing is checked';
};

subtest 'a large map' => sub {
    my $text = join '', map { "d$_.example [127.0.0.1]:$_, h$_.invalid/drain\n" } 1 .. 300;
    my $dir = configuration(routes => $text,
        conf => ['[smtproute]', "[smtproute]\ndns-servers = 127.0.0.1:9\nconnect-timeout = 1s"]);
    my $run = check($dir);
    my @lines = said($run);
    like $lines[0], qr{^$dir/routes:1:\d+: warning: h1\.invalid: cannot resolve: };
    is $run->status, 1, 'ends, whatever DNS says';
};

subtest 'a program that does not end' => sub {
    finds('is given up', $hanging->wait, $hanging_folder,
        'postconf: takes too long');
    my $pid = read_file("$stubborn/pid") + 0;
    ok !kill(0, $pid), 'and ended';
};

done_testing;
