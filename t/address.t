#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Addresses, queue ids and next hops as hostile as a command line can hold:
# right on the wire, or refused with nobody contacted; never a command, header
# or log line more.  (NUL does not fit into a command line.)

use strict;
use warnings;

use FindBin ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Agent;
use SmtpHost;

my $host = SmtpHost->new(keywords => ['8BITMIME']);
my $agent = Agent->new(routes => '* ' . $host->destination . "\n");

my $MESSAGE = "Subject: test\n\ntest\n";
my $STAMP = qr/\w{3} [ \d]\d \d\d:\d\d:\d\d \S+ postfix\/smtproute\[\d+\]/;

# Refusals: exit status, and how the line begins.
my $SYNTAX = [67, '5.1.3'];
my $UTF8 = [65, '5.6.7'];

# Three labels and a dot after each are 192 bytes.
my $LABELS = join '', ('a' x 63 . '.') x 3;

# What the command line says, and what stands between < and >, or a refusal.
my @ADDRESSES = (
    ['an ordinary address', 'user@example.com', 'user@example.com'],
    ['capitals', 'User@Example.COM', 'User@Example.COM'],
    ['every mark of an atom', '!#$%&\'*+-/=?^_`{|}~@example.com',
        '!#$%&\'*+-/=?^_`{|}~@example.com'],
    ['a domain of one label', 'user@localhost', 'user@localhost'],
    ['an underscore in the domain', 'user@a_b.example', 'user@a_b.example'],
    ['a blank', 'a b@example.com', '"a b"@example.com'],
    ['a blank at the beginning', ' a@example.com', '" a"@example.com'],
    ['a blank before the at sign', 'a @example.com', '"a "@example.com'],
    ['a quote', 'a"b@example.com', '"a\"b"@example.com'],
    ['a backslash', 'a\b@example.com', '"a\\\\b"@example.com'],
    ['a backslash before the at sign', 'a\@example.com',
        '"a\\\\"@example.com'],
    ['a quoted-string', '"a b"@example.com', '"a b"@example.com'],
    ['a quoted-string with quoted pairs', '"\"\\\\\>"@example.com',
        '"\"\\\\\>"@example.com'],
    ['an empty quoted-string', '""@example.com', '""@example.com'],
    ['a quoted-string that does not end', '"a@example.com',
        '"\"a"@example.com'],
    ['a quoted-string that ends too soon', '"a"><b"@example.com',
        '"\"a\"><b\""@example.com'],
    ['a quoted-string whose end is quoted', '"a\"@example.com',
        '"\"a\\\\\""@example.com'],
    ['angle brackets', 'a><b@example.com', '"a><b"@example.com'],
    ['the end of the path and a parameter', 'a> NOTIFY=NEVER <b@example.com',
        '"a> NOTIFY=NEVER <b"@example.com'],
    ['the end of another path', 'a@example.net> b@example.com',
        '"a@example.net> b"@example.com'],
    ['angle brackets around it', '<user@example.com>', $SYNTAX],
    ['a parameter behind it', 'user@example.com> SIZE=1', $SYNTAX],
    ['a blank behind it', 'user@example.com ', $SYNTAX],
    ['a comma behind it', 'user@example.com,b@example.com',
        '"user@example.com,b"@example.com'],
    ['a semicolon in the domain', 'user@example.com;b', $SYNTAX],
    ['two at signs', 'a@b@example.com', '"a@b"@example.com'],
    ['a source route', '@a.example,@b.example:user@example.com',
        '"@a.example,@b.example:user"@example.com'],
    ['a source route in angle brackets', '<@a.example:user@example.com>',
        $SYNTAX],
    ['a route by percent sign', 'user%example.net@example.com',
        'user%example.net@example.com'],
    ['a route by exclamation mark', 'a!b!user@example.com',
        'a!b!user@example.com'],
    ['printf directives', '%s%n%d%99999999s%%@example.com',
        '%s%n%d%99999999s%%@example.com'],
    ['printf directives in the domain', 'user@%s%n', $SYNTAX],
    ['a macro of Postfix', '${sender}@example.com', '${sender}@example.com'],
    ['a shell command', '$(id)`id`;id@example.com',
        '"$(id)`id`;id"@example.com'],
    ['a leading hyphen', '-f@example.com', '-f@example.com'],
    ['two leading hyphens', '--@example.com', '--@example.com'],
    ['a leading hyphen in the domain', 'user@-a.example', $SYNTAX],
    ['a leading dot', '.a@example.com', '".a"@example.com'],
    ['a dot at the end of the local part', 'a.@example.com',
        '"a."@example.com'],
    ['two dots', 'a..b@example.com', '"a..b"@example.com'],
    ['a trailing dot', 'user@example.com.', 'user@example.com'],
    ['two trailing dots', 'user@example.com..', $SYNTAX],
    ['two dots in the domain', 'user@example..com', $SYNTAX],
    ['a leading dot in the domain', 'user@.example.com', $SYNTAX],
    ['no at sign', 'user', $SYNTAX],
    ['no local part', '@example.com', $SYNTAX],
    ['no domain', 'user@', $SYNTAX],
    ['an at sign alone', '@', $SYNTAX],
    ['a blank alone', ' ', $SYNTAX],
    ['CR LF and a command', "a\r\nRSET\r\n\@example.com", $SYNTAX],
    ['CR LF and a command in a quoted-string', "\"a\r\nRSET\"\@example.com",
        $SYNTAX],
    ['CR LF and a command in the domain', "user\@example.com>\r\nDATA",
        $SYNTAX],
    ['LF', "a\nb\@example.com", $SYNTAX],
    ['LF at the end', "user\@example.com\n", $SYNTAX],
    ['CR', "a\rb\@example.com", $SYNTAX],
    ['CR at the end', "user\@example.com\r", $SYNTAX],
    ['LF at the beginning', "\nuser\@example.com", $SYNTAX],
    ['a tab', "a\tb\@example.com", $SYNTAX],
    ['an escape sequence', "\e[2Ja\@example.com", $SYNTAX],
    ['DEL', "a\x7f\@example.com", $SYNTAX],
    ['a control character of 8 bits', "a\x85\@example.com", $SYNTAX],
    ['a line separator in the domain', "user\@a\xe2\x80\xa8b.example",
        $SYNTAX],
    ['ISO 8859-1 in the local part', "\xfc\@example.com", $SYNTAX],
    ['ISO 8859-1 in the domain', "user\@b\xfccher.example", $SYNTAX],
    ['UTF-8 in the local part', "\xc3\xbc\@example.com", $UTF8],
    ['UTF-8 in a quoted-string', "\"\xc3\xbc\"\@example.com", $UTF8],
    ['UTF-8 on both sides', "\xc3\xbc\@\xc3\xbc.example", $UTF8],
    ['UTF-8 cut short', "\xc3\@example.com", $SYNTAX],
    ['an IDN domain', "user\@b\xc3\xbccher.example",
        'user@xn--bcher-kva.example'],
    ['an IDN domain in capitals', "user\@B\xc3\x9cCHER.example",
        'user@xn--bcher-kva.example'],
    ['an IDN domain with a trailing dot', "user\@b\xc3\xbccher.example.",
        'user@xn--bcher-kva.example'],
    ['an A-label', 'user@xn--bcher-kva.example', 'user@xn--bcher-kva.example'],
    ['an IPv4 literal', 'user@[192.0.2.1]', 'user@[192.0.2.1]'],
    ['an IPv6 literal', 'user@[IPv6:2001:db8::1]', 'user@[IPv6:2001:db8::1]'],
    ['no address in brackets', 'user@[example.com]', $SYNTAX],
    ['a command in brackets', "user\@[192.0.2.1]>\r\nDATA", $SYNTAX],
    ['a blank in brackets', 'user@[192.0.2.1 ]', $SYNTAX],
    ['a scope in brackets', 'user@[IPv6:fe80::1%lo]', $SYNTAX],
    ['a literal that does not end', 'user@[192.0.2.1', $SYNTAX],
    ['an address without brackets', 'user@192.0.2.1', $SYNTAX],
    ['320 bytes', 'a' x 66 . "\@$LABELS" . 'a' x 53 . '.example',
        'a' x 66 . "\@$LABELS" . 'a' x 53 . '.example'],
    ['320 bytes, most of them before the at sign', 'a' x 308 . '@example.com',
        'a' x 308 . '@example.com'],
    ['320 bytes that need quotes', '"' x 308 . '@example.com',
        '"' . '\"' x 308 . '"@example.com'],
    ['a domain of 253 bytes', "user\@$LABELS" . 'a' x 61,
        "user\@$LABELS" . 'a' x 61],
    ['a domain of 254 bytes', "user\@$LABELS" . 'a' x 62, $SYNTAX],
    ['a label of 64 bytes', 'user@' . 'a' x 64 . '.example', $SYNTAX],
    ['900 bytes', 'a' x 888 . '@example.com', 'a' x 888 . '@example.com'],
    ['901 bytes', 'a' x 889 . '@example.com', $SYNTAX],
    ['900 bytes that need quotes', ' ' . 'a' x 887 . '@example.com', $SYNTAX],
    ['3,000 bytes', 'a' x 2988 . '@example.com', $SYNTAX],
    ['3,000 bytes of domain', 'user@' . 'aaaa.' x 599, $SYNTAX],
    ['3,000 quotes', '"' x 3000 . '@example.com', $SYNTAX],
    ['100,000 bytes', 'a' x 99_988 . '@example.com', $SYNTAX],
);

# What a recipient may not be, but a sender: it is passed on as it comes, where
# nothing in it can end the command.
my %ODD = (
    (map { ($_ => $_) } qw(user user@ user@-a.example user@example.com..
        user@example..com user@.example.com user@[example.com]
        user@[IPv6:fe80::1%lo] user@[192.0.2.1 user@192.0.2.1),
        'user@example.com;b',
        'user@%s%n',
        "user\@$LABELS" . 'a' x 62, 'user@' . 'a' x 64 . '.example'),
    '@example.com' => '""@example.com',
    '@'            => '""@',
    ' '            => '" "',
);

# What only a sender may be.
my @SENDERS = (
    ['nothing', '', ''],
    ['MAILER-DAEMON', 'MAILER-DAEMON', ''],
    ['angle brackets alone', '<>', ''],
    ['mailer-daemon', 'mailer-daemon', ''],
    ['MAILER-DAEMON with a domain', 'MAILER-DAEMON@example.com',
        'MAILER-DAEMON@example.com'],
    ['MAILER-DAEMON and a command', "MAILER-DAEMON\r\nDATA", $SYNTAX],
);
my @RECIPIENTS = (
    ['nothing', '', $SYNTAX],
    ['MAILER-DAEMON', 'MAILER-DAEMON', $SYNTAX],
    ['angle brackets alone', '<>', $SYNTAX],
    ['postmaster without a domain', 'postmaster', $SYNTAX],
);

# All log lines of a run have the one shape that $texts says.
sub logged {
    my ($run, $id, @texts) = @_;
    my @lines = $run->log_lines;

    is scalar(@lines), scalar(@texts), 'as many log lines as there must be';
    for my $i (0 .. $#texts) {
        like $lines[$i], qr/^$STAMP: \Q$id\E: $texts[$i]$/, 'a log line';
        unlike $lines[$i], qr/[^ -~]/, 'printable';
    }
    return;
}

my @DELIVERED = (
    qr/New SMTP DCID \d+ interface 127\.0\.0\.1 address 127\.0\.0\.1 port \d+/,
    qr/Delivered: DCID \d+ to RID \[0\] Response 2\.0\.0 Ok: queued as [\d.]+/,
);

sub is_refused {
    my ($run, $refusal, $connected) = @_;
    my ($status, $code) = @{$refusal};

    is $run->status, $status, 'exit status';
    like $run->output, qr/\A\Q$code\E (?:sender|recipient) address: [ -~]+\z/,
        'verdict';
    is scalar(() = $host->connections), $connected, 'nobody contacted';
    logged($run, '4F1B');
    return;
}

sub is_delivered {
    my ($run, $sender, @recipients) = @_;

    is $run->status, 0, 'exit status';
    like $run->output, qr/\A2\.0\.0 127[ -~]+\z/, 'verdict';
    my ($connection) = ($host->connections)[-1];
    is_deeply [$connection->commands], ['EHLO agent.example',
        "MAIL FROM:<$sender>", map({ "RCPT TO:<$_>" } @recipients),
        'DATA', 'QUIT'], 'commands';
    my ($message) = $connection->messages;
    is $message->content, $MESSAGE =~ s/\n/\r\n/gr, 'content';
    return;
}

# As a sender or as the recipient.
sub try_address {
    my ($role, $address, $expected) = @_;
    my %envelope = (sender => 'sender@example.org',
        recipient => 'user@example.com', $role => $address);
    my $connected = () = $host->connections;

    my $run = $agent->deliver(message => $MESSAGE,
        sender => $envelope{sender}, recipients => [$envelope{recipient}]);
    return is_refused($run, $expected, $connected) if ref $expected;
    $envelope{$role} = $expected;
    is_delivered($run, @envelope{qw(sender recipient)});
    logged($run, '4F1B', @DELIVERED);
    return;
}

for my $role (qw(sender recipient)) {
    for my $row (@ADDRESSES, $role eq 'sender' ? @SENDERS : @RECIPIENTS) {
        my ($says, $address, $expected) = @{$row};
        $expected = $ODD{$address} // $expected if $role eq 'sender';
        subtest "$role: $says" => sub {
            try_address($role, $address, $expected);
        };
    }
}

# The line for a host that refuses connections has the recipient's domain.
subtest 'a connection error says the domain and no more' => sub {
    my $down = SmtpHost->new(down => 1);

    for my $row (grep { !ref $_->[2] } @ADDRESSES) {
        my ($domain) = lc($row->[2]) =~ /@([^@]+)$/;
        $agent->forget;
        my $run = $agent->deliver(recipients => [$row->[1]],
            nexthop => $down->destination);
        is $run->status, 75, $row->[0];
        logged($run, '4F1B', qr/Connection\ Error:\ DCID\ \d+
            \ domain:\ \Q$domain\E\ IP:\ 127\.0\.0\.1\ port:\ \d+
            \ details:\ connect:\ [ -~]+\ interface:\ -
            \ reason:\ network\ error/x,
            qr/host\ \S+\ is\ down\ until\ [\d :-]+/x);
    }
};


subtest 'an address in a refusal' => sub {
    my $echo = SmtpHost->new(
        rcpt => sub { "550 5.1.1 $_[0]: unknown user" });
    my $run = $agent->deliver(recipients => ['%s%n) to=<a>@example.com'],
        nexthop => $echo->destination);

    is $run->status, 67, 'bounced';
    like $run->output, qr/\A5\.1\.1 [ -~]*"%s%n\) to=<a>"[ -~]*\z/, 'verdict';
    is scalar(() = $run->log_lines), 2, 'log lines';
};

my @MANY = map { "user$_\@example.com" } 1 .. 500;

for my $keywords ([], ['PIPELINING']) {
    my $offer = "@{$keywords}" || 'no PIPELINING';
    subtest "500 recipients, $offer" => sub {
        my $large = SmtpHost->new(keywords => $keywords);
        my $run = $agent->deliver(recipients => \@MANY,
            nexthop => $large->destination);

        is $run->status, 0, 'delivered';
        my ($connection) = $large->connections;
        is_deeply [$connection->commands], ['EHLO agent.example',
            'MAIL FROM:<sender@example.org>', map({ "RCPT TO:<$_>" } @MANY),
            'DATA', 'QUIT'], 'commands';
        my @messages = $connection->messages;
        is scalar(@messages), 1, 'one message';
        is_deeply [$messages[0]->recipients], \@MANY, 'recipients';
        logged($run, '4F1B', $DELIVERED[0], map {
            qr/Delivered: DCID \d+ to RID \[$_\] Response 2\.0\.0 [ -~]+/
        } 0 .. 499);
    };
}

# Recipients of one call, and the verdict's beginning: nothing is sent.
my @MIXED = (
    ['one that cannot be used among 500', [@MANY[0 .. 250], "a\n\@b", @MANY],
        75, '4.3.5'],
    ['one that needs SMTPUTF8', ["\xc3\xbc\@example.com", @MANY[0 .. 1]],
        75, '4.3.5'],
    ['an empty one', ['', 'user@example.com'], 75, '4.3.5'],
    ['none that can be used', ['a', "\xc3\xbc\@example.com", ''],
        67, '5.1.3'],
);

for my $row (@MIXED) {
    my ($says, $recipients, $status, $code) = @{$row};
    subtest "several recipients: $says" => sub {
        my $connected = () = $host->connections;
        my $run = $agent->deliver(recipients => $recipients);

        is $run->status, $status, 'exit status';
        like $run->output, qr/\A\Q$code\E [ -~]+\z/, 'verdict';
        is scalar(() = $host->connections), $connected, 'nobody contacted';
        logged($run, '4F1B');
    };
}

subtest 'several recipients: the same one twice' => sub {
    my @twice = ('user@example.com') x 2;
    my $run = $agent->deliver(recipients => \@twice, message => $MESSAGE);

    is_delivered($run, 'sender@example.org', @twice);
};

# What the log makes of it.
my @QUEUE_IDS = (
    ['a long one of Postfix', '4Nk2Ww6JwFz9rxN', '4Nk2Ww6JwFz9rxN'],
    ['nothing', '', 'NOQUEUE'],
    ['marks that are kept', 'a-b_c.d', 'a-b_c.d'],
    ['a leading hyphen', '-q', '-q'],
    ['a blank', 'a b', 'a?b'],
    ['a line end and a false record',
        "A\nJan  1 00:00:00 h postfix/smtp[1]: B: to=<a>, status=sent",
        'A?Jan??1?00?00?00?h?postfix?smtp?1???B??to??a???status?sent'],
    ['CR and LF', "A\r\nB", 'A??B'],
    ['a colon', 'A: to', 'A??to'],
    ['printf directives', '%s%n%99999s', '?s?n?99999s'],
    ['slashes', '../../etc/passwd', '..?..?etc?passwd'],
    ['an escape sequence', "\e[2J", '??2J'],
    ['UTF-8', "\xc3\xbc", '??'],
    ['bytes that are not UTF-8', "\xff\xfe", '??'],
    ['64 bytes', 'a' x 64, 'a' x 64],
    ['3,000 bytes', 'a' x 3000, 'a' x 64],
);

for my $row (@QUEUE_IDS) {
    my ($says, $id, $logged) = @{$row};
    subtest "queue id: $says" => sub {
        my $run = $agent->deliver(queue_id => $id, message => $MESSAGE);
        is_delivered($run, 'sender@example.org', 'user@example.com');
        logged($run, $logged, @DELIVERED);
    };
}

# None of these is a route, so the message waits.
my @NEXTHOPS = (
    ['nothing', ''],
    ['a blank', ' '],
    ['a name that the map does not have', 'exchange-cluster'],
    ['a domain that only * would match', 'example.net'],
    ['a leading hyphen', '-f'],
    ['printf directives', '%s%n%99999s'],
    ['printf directives in a route', '%s%n:25'],
    ['a line end and a command', "exchange\r\nDATA"],
    ['a line end in a route', "[127.0.0.1]:25\nDATA,"],
    ['a false log record', "a:\nB: to=<a>, status=sent"],
    ['brackets', '[]'],
    ['an open bracket', '['],
    ['a slash', '/'],
    ['a comma', ','],
    ['a path', '/etc/passwd'],
    ['a path upwards', '../../../etc/passwd'],
    ['a file', '<etc>'],
    ['a port too large', '[127.0.0.1]:65536'],
    ['an option that there is not', '[127.0.0.1]/colour=red'],
    ['an address that is none', '[127.0.0.256]:25'],
    ['a quote', 'ex"ch\'ange\\'],
    ['an escape sequence', "\e[2J:"],
    ['UTF-8', "\xc3\xbc:"],
    ['bytes that are not UTF-8', "\xff\xfe"],
    ['bytes that are not UTF-8 in a route', "[\xff\xfe]:25"],
    ['3,000 bytes', 'a' x 3000],
    ['3,000 bytes of route', 'a' x 3000 . ':25'],
    ['100,000 brackets', '[' x 100_000],
);

for my $row (@NEXTHOPS) {
    my ($says, $nexthop) = @{$row};
    subtest "next hop: $says" => sub {
        my $connected = () = $host->connections;
        my $run = $agent->deliver(nexthop => $nexthop);
        my @lines = $run->log_lines;

        is $run->status, 75, 'deferred';
        like $run->output, qr/\A4\.\d\.\d [ -~]{1,3995}\z/, 'verdict';
        is scalar(() = $host->connections), $connected, 'nobody contacted';
        cmp_ok scalar(@lines), '<=', 1, 'no more than one log line';
        like $_, qr/^$STAMP: 4F1B: [ -~]+$/, 'a log line' for @lines;
    };
}

done_testing;
