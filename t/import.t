#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# smtproutectl import: what becomes of every line of a file, how its format is
# guessed, and exit statuses.  The route map as a whole: t/imported.t.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Ctl ();
use Fixture qw(new_folder read_file write_file);

my $folder = new_folder('import');

# The file is called "in".
sub import_text {
    my ($text, @options) = @_;

    write_file("$folder/in", $text);
    return Ctl->run(folder => $folder,
        arguments => ['import', @options, 'in']);
}

# A row is what stands in the file; then the line in the route map, or why
# there is none and what is said about it; neither for what is no entry.
# LINE stands for its line, LINE+1 for the one below.
sub read_as {
    my ($format, @rows) = @_;
    my (@said, @complaints);
    my $line = 1;

    for my $row (@rows) {
        my ($text, $out, $complaint) = @{$row};
        push @said, [$text, defined $complaint
            ? "# in:$line: left out: $out" : $out] if defined $out;
        if (defined $complaint) {
            $complaint =~ s{LINE(\+\d)?}{$line + ($1 // 0)}e;
            push @complaints, [$text, $complaint];
        }
        $line += ($text =~ tr/\n//) + 1;
    }
    my $run = import_text(join("\n", map { $_->[0] } @rows) . "\n",
        "--format=$format");
    my ($head, @lines) = $run->lines;
    # What takes the place of passwords has a test of its own.
    my ($behind) = grep { $lines[$_] eq '#' } 0 .. $#lines;
    splice @lines, $behind if defined $behind;
    s/ {2,}/ / for grep { !/^#/ } @lines;
    subtest "format $format" => sub {
        is $run->status, 1, 'exit status';
        is $head, "# in, format $format", 'the first line';
        compare('written', \@said, \@lines);
        compare('reported', \@complaints, [$run->complaints]);
    };
    return;
}

sub compare {
    my ($what, $expected, $got) = @_;

    for my $row (@{$expected}) {
        my ($text, $line) = @{$row};
        $line = "smtproutectl: $line" if $what eq 'reported';
        is shift @{$got}, $line,
            "$what: " . substr $text =~ s/\n/\\n/gr, 0, 60;
    }
    is_deeply $got, [], "nothing else is $what";
    return;
}

my $BAD_HOST = "bad host; expected name, [name], IPv4 address or "
    . '[IPv6 address]';

# ---- esa ----

my $ESA_KEY = 'expected domain, .domain, [address] or ALL';

read_as('esa',
    ['  before.example: mx1', 'blanks before the first entry',
        'in:LINE:1: blanks before the first entry; expected its key'],
    ['# comment'],
    ['  # and one behind blanks'],
    [''],
    ['example.com: mx1.example.com:25/pri=0, mx2.example.com/pri=10',
        'example.com mx1.example.com:25/pri=0, mx2.example.com/pri=10'],
    ['Example.ORG. mx1.example.com', 'example.org mx1.example.com'],
    ['example.net:mx1.example.com', 'example.net mx1.example.com'],
    [".example.com [mx1],[mx2]:2525\n# comment\n ,\n  mx3/pri=1",
        '.example.com [mx1], [mx2]:2525, mx3/pri=1'],
    ['a.example: [10.1.1.1]/pri=10, 10.1.1.2, [2001:db8::1]:25',
        'a.example [10.1.1.1]/pri=10, 10.1.1.2, [2001:db8::1]:25'],
    ['[192.0.2.1]: 10.1.1.1', '[192.0.2.1] 10.1.1.1'],
    ['[IPv6:2001:DB8::1]: 10.1.1.1', '[ipv6:2001:db8::1] 10.1.1.1'],
    ['dns.example: usedns', 'dns.example USEDNS'],
    ['null.example: /dev/null', 'null.example /dev/null'],
    ["b\xc3\xbccher.example: mx1", "b\xc3\xbccher.example mx1"],
    [".B\xc3\x9cCHER.Example.: mx1", ".b\xc3\xbccher.example mx1"],
    ["xn--bcher-kva.example: mx2", 'xn--bcher-kva.example: key given twice',
        'in:LINE: xn--bcher-kva.example: key given twice; the one in line '
        . '17 counts'],
    ['all: ', '* USEDNS'],
    ["crlf.example: mx1, mx2\r", 'crlf.example mx1, mx2'],
    ['empty.example:', 'empty.example: bad route',
        'in:LINE:15: no destination; expected name, [name], IPv4 address or '
        . '[IPv6 address]'],
    ["option.example: mx1,\n  mx2/prio=3", 'option.example: bad route',
        'in:LINE+1:7: bad option \'prio\'; expected pri, weight, tls, auth, '
        . 'bind, tls-name, rate, rate-recipients, drain, verify or lmtp'],
    ['EXAMPLE.com mx9', 'example.com: key given twice',
        'in:LINE: example.com: key given twice; the one in line 5 counts'],
    ['empty.example: mx1', 'empty.example: key given twice',
        'in:LINE: empty.example: key given twice; the one in line 22 counts'],
    ['*.example mx1', 'bad key', "in:LINE:1: bad key; $ESA_KEY"],
    ["nul\0.example mx1", 'bad key', "in:LINE:1: bad key; $ESA_KEY"],
    ["latin\xfc.example mx1", 'bad key', "in:LINE:1: bad key; $ESA_KEY"],
    [': mx1', 'bad key', "in:LINE:1: bad key; $ESA_KEY"],
);

# ---- qmail ----

my $QMAIL_KEY = 'expected domain, .domain or nothing before the colon';
my $MORE = 'there is more than relay and port, such as a user and password; '
    . 'see auth= in smtproute_routes(5)';

sub more_than_relay {
    my ($key, $value) = @_;

    return ["$key:$value", "$key: $MORE",
        "in:LINE: $key: cannot be said here: $MORE"];
}

read_as('qmail',
    ['# comment'],
    [" \t"],
    ['twice.example:mx1', 'twice.example: key given twice',
        'in:LINE: twice.example: key given twice; the one in line 4 counts'],
    ['Twice.Example:mx2', 'twice.example [mx2]'],
    ['example.com:mx1.example.net', 'example.com [mx1.example.net]'],
    ['example.org:mx1.example.net:2525', 'example.org [mx1.example.net]:2525'],
    ['.example.com:10.1.1.1', '.example.com [10.1.1.1]'],
    ['a.example:[10.1.1.1]:26', 'a.example [10.1.1.1]:26'],
    ['b.example:[2001:DB8::1]', 'b.example [2001:db8::1]'],
    ['[192.0.2.1]:mx1', '[192.0.2.1] [mx1]'],
    ["blanks.example:mx1 \t", 'blanks.example [mx1]'],
    ["crlf.example:mx1:25\r", 'crlf.example [mx1]:25'],
    ['dns.example:', 'dns.example USEDNS'],
    [':relay.example.net:2525', '* [relay.example.net]:2525'],
    more_than_relay('auth1.example', 'mx1:587 user s3cret'),
    more_than_relay('auth2.example', 'mx1 user s3cret'),
    more_than_relay('auth3.example', 'mx1;587|user|s3cret'),
    more_than_relay('auth4.example', 'mx1:587:user:s3cret'),
    more_than_relay('auth5.example', '[10.1.1.1]:587|user|s3cret'),
    more_than_relay('auth6.example', ' s3cret'),
    ['port1.example:mx1:s3cret', 'port1.example: bad port',
        'in:LINE:19: bad port; expected 1 to 65535'],
    ['port2.example:mx1:65536', 'port2.example: bad port',
        'in:LINE:19: bad port; expected 1 to 65535'],
    ['port3.example:mx1:', 'port3.example: bad port',
        'in:LINE:19: bad port; expected 1 to 65535'],
    map({ ["$_->[0]:$_->[1]", "$_->[0]: bad relay",
        'in:LINE:16: bad relay; expected host name or address right behind '
        . 'the colon'] }
        ['relay1.example', ':26'], ['relay2.example', '[mx1'],
        ['relay3.example', '!s3cret'], ['relay4.example', '[]'],
        ['relay5.example', 'mx1/pri=3'], ['relay6.example', '1.2.3']),
    ['all:mx1', 'all: this key would stand for everything else',
        'in:LINE: all: cannot be said here: this key would stand for '
        . 'everything else'],
    ['s3cret', 'no colon', 'in:LINE:1: no colon; expected domain:relay'],
    map({ [$_, 'bad key', "in:LINE:1: bad key; $QMAIL_KEY"] }
        '*:mx1', ' lead.example:mx1', 'final.example.:mx1', '.:mx1',
        "nul\0.example:mx1", 's3 cret:'),
);

subtest 'qmail: user and password' => sub {
    my $run = import_text(<<'EOF_QMAIL', '--format=qmail');
a.example:mx1:587 user s3cret
b.example:mx2;user@example.com;s3cret
:[10.1.1.1]:465|user|s3cret
d.example:mx1:587:user:s3cret
e.example:mx1:587 s3cret
f.example:mx1:587 s3cret more s3cret
g.example:mx1:s3cret:s3cret:s3cret
h.example:mx1:587  s3cret
EOF_QMAIL
    my $profile = sub {
        my ($line, $user, $key, $relay) = @_;

        return '#', '# smtproute.conf:', "# [auth line$line]",
            "# username = $user",
            "# password-file = /etc/smtproute/line$line.password", '# routes:',
            "# $key $relay/auth=line$line";
    };
    is $run->status, 2, 'no routes';
    is $run->stdout, '', 'then nothing is written';

    write_file("$folder/more", read_file("$folder/in") . "i.example:mx3\n");
    $run = Ctl->run(folder => $folder,
        arguments => ['import', '--format=qmail', 'more']);
    my @lines = map { s/ {2,}/ /r } $run->lines;
    is $run->status, 1, 'exit status';
    is_deeply [@lines[9 .. $#lines]], ['i.example [mx3]',
        $profile->(1, 'user', 'a.example', '[mx1]:587'),
        $profile->(2, 'user@example.com', 'b.example', '[mx2]'),
        $profile->(3, 'user', '*', '[10.1.1.1]:465'),
        $profile->(4, 'user', 'd.example', '[mx1]:587')], 'behind the routes';
    unlike $run->stdout . $run->stderr, qr/s3cret/, 'and no password';
};

subtest 'qmail: a password is never shown' => sub {
    for my $option ('--format=qmail', '--format=esa', '--format=transport',
        '--format=mailertable') {
        my $run = import_text(":mx1:587 user s3cret\na.example:mx1\n",
            $option);

        unlike $run->stdout . $run->stderr, qr/s3cret/, $option;
    }
};

# ---- mailertable ----

my $MAILERS = 'a mailer other than smtp, esmtp, smtp8, dsmtp and relay';

sub unsaid {
    my ($text, $why) = @_;
    my ($key) = split ' ', $text;

    return [$text, "$key: $why", "in:LINE: $key: cannot be said here: $why"];
}

read_as('mailertable',
    ['# comment'],
    ["\t "],
    ["example.com\tesmtp:[a],[b]:[c]",
        'example.com [a]/pri=0, [b]/pri=0, [c]/pri=10'],
    ['example.org smtp:a.example:b.example:c.example',
        'example.org a.example/pri=0, b.example/pri=10, c.example/pri=20'],
    ['.example.com relay:[IPv6:2001:db8::1]:10.1.1.1',
        '.example.com [IPv6:2001:db8::1]/pri=0, 10.1.1.1/pri=10'],
    ['Upper.Example SMTP8:A.example', 'upper.example A.example'],
    ["crlf.example dsmtp:[a] \r", 'crlf.example [a]'],
    ['[192.0.2.1] smtp:[a]', '[192.0.2.1] [a]'],
    ['discard.example discard:anything at all', 'discard.example /dev/null'],
    [".\tesmtp:[last.example]", '* [last.example]'],
    unsaid('error.example error:5.7.1:550 no such host',
        'mail would be refused'),
    unsaid('local.example local:fred', $MAILERS),
    unsaid('uucp.example uucp-new:fred', $MAILERS),
    unsaid('port.example smtp:[a]:2525',
        'a number is no port in a mailertable, but a host'),
    unsaid('user.example smtp:fred@a', 'the recipient would become another'),
    unsaid('.part.example smtp:%1.example.net',
        'the host depends on the recipient\'s domain'),
    unsaid('many.example smtp:a' . ':a' x 1000,
        'a route has at most 1000 hosts'),
    ['comma.example smtp:[a], [b]', 'comma.example: blank in the list',
        'in:LINE:24: blank in the list; expected hosts with only \':\' or '
        . '\',\' between them'],
    ['none.example [a]', 'none.example: no mailer',
        'in:LINE:14: no mailer; expected mailer:host'],
    ['nothing.example', 'nothing.example: no mailer',
        'in:LINE:16: no mailer; expected mailer:host'],
    ['empty.example smtp:', 'empty.example: no host',
        'in:LINE:20: no host; expected host or [host] behind every \':\' '
        . 'and \',\''],
    ['hole.example smtp:a::b', 'hole.example: no host',
        'in:LINE:21: no host; expected host or [host] behind every \':\' '
        . 'and \',\''],
    ['option.example smtp:a/pri=3', 'option.example: bad host',
        "in:LINE:21: $BAD_HOST"],
    ['keyword.example smtp:USEDNS', 'keyword.example: bad host',
        "in:LINE:22: $BAD_HOST"],
    ['host.example smtp:[a b]', 'host.example: blank in the list',
        'in:LINE:19: blank in the list; expected hosts with only \':\' or '
        . '\',\' between them'],
    ['open.example smtp:[a', 'open.example: bad route',
        'in:LINE:19: \'[\' without end; expected \']\''],
    ['example.com smtp:[z]', 'example.com: key given twice',
        'in:LINE: example.com: key given twice; the one in line 3 counts'],
    [' lead.example smtp:[a]', 'blanks before the key',
        'in:LINE:1: blanks before the key; expected none'],
    map({ ["$_ smtp:[a]", 'bad key', 'in:LINE:1: bad key; '
        . 'expected domain, .domain, [address] or a lone dot'] }
        '*', 'user@example.com', 'final.example.'),
);

# ---- transport ----

my $TRANSPORT_KEY = 'expected domain, .domain, [address] or *';

read_as('transport',
    [" before.example smtp:[a]", 'blanks before the first entry',
        'in:LINE:1: blanks before the first entry; expected its key'],
    ['# comment'],
    ['example.com smtp:[mx1.example.net]:25',
        'example.com [mx1.example.net]:25'],
    ["example.org relay:[a]:25, [b]:2525\n# comment\n  # and\n  c d",
        'example.org [a]:25/pri=0, [b]:2525/pri=10, c/pri=20, d/pri=30'],
    ["next.example\n smtp:[a],[b]", 'next.example [a]/pri=0, [b]/pri=10'],
    ['.Example.com smtp:mx.example', '.example.com mx.example'],
    ['own1.example smtp:', 'own1.example USEDNS'],
    ['own2.example relay', 'own2.example USEDNS'],
    ['gate.example :[gate]', 'gate.example [gate]'],
    ['service1.example smtp:[a]:submission', 'service1.example [a]:587'],
    ['service2.example smtp:a:smtp', 'service2.example a:25'],
    ['inet.example smtp:inet:[ipv6:2001:db8::1]:26',
        'inet.example [ipv6:2001:db8::1]:26'],
    ["crlf.example smtp:[a]\r", 'crlf.example [a]'],
    ['discard.example discard:silently', 'discard.example /dev/null'],
    ['[192.0.2.1] smtp:[a]', '[192.0.2.1] [a]'],
    ['* smtp:[fallback.example]', '* [fallback.example]'],
    unsaid('same.example :',
        '"no change" depends on other settings of Postfix'),
    unsaid('error.example error:5.1.1 no such host', 'mail would be refused'),
    unsaid('retry.example retry:later', 'mail would be kept in the queue'),
    unsaid('local.example local:', 'mail would stay on this machine'),
    unsaid('virtual.example virtual:', 'mail would stay on this machine'),
    unsaid('lmtp.example lmtp:unix:private/x', 'the host speaks LMTP'),
    unsaid('other.example slow:[a]', 'a transport other than smtp and relay'),
    unsaid('unix.example smtp:unix:private/x', 'the host is a local socket'),
    unsaid('many.example smtp:a' . ',a' x 1000,
        'a route has at most 1000 hosts'),
    ['service.example smtp:[a]:nonsense', 'service.example: bad route',
        'in:LINE:26: bad port \'nonsense\'; expected 1 to 65535'],
    ["second.example smtp:[a],\n  b:0", 'second.example: bad route',
        'in:LINE+1:5: bad port \'0\'; expected 1 to 65535'],
    ['option.example smtp:[a]/pri=3', 'option.example: bad host',
        "in:LINE:21: $BAD_HOST"],
    ['keyword.example smtp:USEDNS', 'keyword.example: bad host',
        "in:LINE:22: $BAD_HOST"],
    ['value.example', 'value.example: no value',
        'in:LINE:14: no value; expected transport:nexthop'],
    ["nul.example smtp:[a\0]", 'nul.example: stray NUL',
        'in:LINE:18: stray NUL; expected host'],
    ['EXAMPLE.COM smtp:[z]', 'example.com: key given twice',
        'in:LINE: example.com: key given twice; the one in line 3 counts'],
    ['user@example.com smtp:[a]', 'single address',
        'in:LINE:1: single address; expected domain, since routes are by '
        . 'domain'],
    ['@example.com smtp:[a]', '@domain, as tables by address have it',
        'in:LINE:1: @domain, as tables by address have it; expected domain, '
        . 'since routes are by domain'],
    map({ ["$_ smtp:[a]", 'pattern of a regexp or pcre table',
        'in:LINE:1: pattern of a regexp or pcre table; expected domain, '
        . 'since routes are by domain'] }
        '/regexp/', '/^.*@example\.com$/', '!/@example/'),
    map({ ["$_ smtp:[a]", 'bad key', "in:LINE:1: bad key; $TRANSPORT_KEY"] }
        'colon.example:', 'final.example.', '.'),
);

# ---- the guess ----

my @guesses = (
    ['ESA, colon and blank', 'esa', "a.example: mx1\nb.example: mx2\n"],
    ['ESA, blank alone', 'esa', "a.example mx1\n"],
    ['ESA, no blank but pri', 'esa', "a.example:mx1\nb.example:mx1/pri=3\n"],
    ['ESA, ALL:', 'esa', "a.example:mx1\nALL:\n"],
    ['a route map', 'esa', "a.example mx1\n* USEDNS\n"],
    ['qmail', 'qmail', "a.example:mx1\nb.example:10.1.1.1\nc.example:\n"],
    ['qmail, default alone', 'qmail', ":relay.example\n"],
    ['qmail, with passwords', 'qmail', ":relay.example:587 user s3cret\na:b\n"],
    ['mailertable, esmtp', 'mailertable', "a smtp:[x]\nb esmtp:[x]\n"],
    ['mailertable, list', 'mailertable', "a smtp:[x]:[y]\n"],
    ['mailertable, list of names', 'mailertable', "a smtp:x.test:y.test\n"],
    ['mailertable, dot', 'mailertable', "a smtp:[x]\n. smtp:[x]\n"],
    ['transport, port', 'transport', "a smtp:[x]\nb smtp:[x]:25\n"],
    ['transport, service', 'transport', "a smtp:[x]:submission\n"],
    ['transport, list', 'transport', "a smtp:[x], [y]\n"],
    ['transport, *', 'transport', "a smtp:[x]\n* smtp:[x]\n"],
    ['transport, address', 'transport', "a smtp:[x]\nu\@b smtp:[x]\n"],
    ['means the same in both', 'transport', "a smtp:[x]\nb relay:y\n"],
    ['an odd line among good ones', 'esa', "a: mx1\nb: mx2\n%%%\n"],
    ['signs of two formats', undef, "a esmtp:[x]\nb smtp:[x]:25\n"],
    ['most lines are nonsense', undef, "a: mx1\n%%%\n%%%\n%%%\n"],
    ['a password file', undef, "[mx1]:587 user:s3cret\n"],
    ['the ESA\'s or qmail\'s', undef,
        "corp.test:mx1.corp.test\nb.test:mx2.corp.test\nALL:smart\n"],
    ['prose', undef, "This is no table of routes at all.\n"],
    ['nothing', undef, ''],
    ['comments', undef, "# a.example: mx1\n"],
);

for my $guess (@guesses) {
    my ($name, $format, $text) = @{$guess};
    my $run = import_text($text);

    like $run->stderr, defined $format
        ? qr/^smtproutectl: in: taken for the format $format$/m
        : qr/^smtproutectl: in: cannot tell its format; say it with --/,
        "guess: $name";
    ok defined $format ? $run->status < 2 : $run->status == 2,
        "guess: $name: exit status";
    unlike $run->stderr, qr/s3cret/, "guess: $name: no password";
}

# ---- exit status and usage ----

my $USAGE = qr/^smtproutectl: usage: .* import \[--format=/m;
my @calls = (
    ['all can be said', ['in'], 0, qr/taken for the format esa\n\z/],
    ['format given', ['--format=esa', 'in'], 0, qr/\A\z/],
    ['format in a word of its own', ['--format', 'esa', 'in'], 0, qr/\A\z/],
    ['nothing can be said', ['--format=mailertable', 'in'], 2,
        qr/^smtproutectl: in: no routes in it$/m],
    ['unknown format', ['--format=exim', 'in'], 2,
        qr/unknown format "exim"; expected esa, esa-controls, qmail, mailertable or tr/],
    ['no such file', ['absent'], 2, qr/: absent: No such file or directory$/],
    ['a folder', ['.'], 2, qr/: \.: Is a directory$/],
    ['a device', ['/dev/zero'], 2, qr/: not a regular file$/],
    ['no file', [], 2, $USAGE],
    ['two files', ['in', 'in'], 2, $USAGE],
    ['unknown option', ['--from=esa', 'in'], 2, $USAGE],
);

write_file("$folder/in", "example.com: mx1\n");
for my $call (@calls) {
    my ($name, $arguments, $status, $stderr) = @{$call};
    my $run = Ctl->run(folder => $folder,
        arguments => ['import', @{$arguments}]);

    is $run->status, $status, "$name: exit status";
    like $run->stderr, $stderr, "$name: stderr";
    is $run->stdout ne '', $status < 2, "$name: stdout";
}

subtest 'standard input' => sub {
    my $run = Ctl->run(input => "a.example:mx1\n%%%\n",
        arguments => ['import', '--format=qmail', '-']);

    is $run->status, 1, 'exit status';
    like $run->stdout, qr/^a\.example +\[mx1\]$/m, 'the route';
    is $run->stderr, "smtproutectl: stdin:2:1: no colon; expected "
        . "domain:relay\n", 'the report';
};

is(Ctl->run(folder => $folder, arguments => ['import', 'in'],
    output => '/dev/full')->status, 2, 'stdout is full: exit status');

subtest 'the file\'s name stays on its line' => sub {
    write_file("$folder/a\nb \e[1m", "a: mx1\n");
    my $run = Ctl->run(folder => $folder,
        arguments => ['import', "a\nb \e[1m"]);

    is $run->status, 0, 'exit status';
    is(($run->lines)[0], '# a b ?[1m, format esa', 'the first line');
};

# A file as "destconfig" exports it.
my $CONTROLS = <<'EOF_CONTROLS';
# Destination Controls
[DEFAULT]
ip_sort_pref = PREFER_V6
max_host_concurrency = 500
max_messages_per_connection = 50
recipient_minutes = 60
recipient_limit = 0
limit_type = host
limit_apply = system
bounce_validation = off
table_tls = off
bounce_profile = Default
send_tls_req_alert = 0

[Partner.Example]
recipient_limit = 1000
recipient_minutes = 30
max_host_concurrency = 20
limit_type = 1
table_tls = require_verify

[.example.org]
max_host_concurrency = 5

[other.example]
table_tls = ON_VERIFY
max_messages_per_connection = 5000
colour = blue
what is this
EOF_CONTROLS

my $SETTINGS = <<'EOF_SETTINGS';
# in, format esa-controls, for smtproute.conf

[smtproute]
address-family = prefer-ipv6
max-connections = 500
max-messages = 50
tls = none
# in:12: left out: DEFAULT: cannot be said here: bounce_profile: Postfix's queue does the retrying

[host partner.example]
max-connections = 20
# in:19: left out: Partner.Example: cannot be said here: limit_type: limits are for a host here, not for each of its addresses
tls = secure
rate-recipients = 1000:30m

# in:22: left out: .example.org: cannot be said here: a group is for one host

[host other.example]
# in:26: left out: other.example: cannot be said here: table_tls: no such level of TLS here
# in:27: left out: other.example: cannot be said here: max_messages_per_connection: expected 1 to 1000
# in:28: left out: other.example: cannot be said here: colour: unknown, or without a match here
# in:29: left out: no line of Destination Controls; expected [domain] or key = value
EOF_SETTINGS

subtest 'Destination Controls' => sub {
    my $run = import_text($CONTROLS, '--format=esa-controls');

    is $run->status, 1, 'exit status';
    is $run->stdout, $SETTINGS, 'settings';
    is_deeply [map { s/^.*?(?=in:)//r } $run->complaints],
        [map { s/^# | left out:(?= )//gr } grep { /left out/ }
            split /\n/, $SETTINGS], 'reported';
    is import_text($CONTROLS)->stdout, $SETTINGS, 'guessed';
    $run = import_text("nothing\n", '--format=esa-controls');
    is $run->status, 2, 'a file without any: exit status';
    write_file("$folder/conf", $SETTINGS);
    $run = Ctl->run(conf => "$folder/conf", folder => $folder,
        arguments => ['check', '--no-dns', '--routes', 'none']);
    unlike $run->stdout . $run->stderr, qr/smtproute\.conf:\d|\bconf:\d+: /,
        'the settings are settings';
};

done_testing;
