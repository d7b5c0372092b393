#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Hosts with ways of their own: what [host] can say of them.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Ctl ();
use Failover qw($DELIVERY try_rows);
use Fixture;
use Sasl ();
use Trial ();

sub set {
    my (%settings) = @_;

    return (settings => {'host FIRST' => \%settings});
}

# A refusal that counts as 4xx here: the next host gets the message, and alone
# in its route the host makes the agent defer.
my @LIST = set('next-host-on' => '5.7.54, 550 5.4.5');

sub forgiven {
    my ($stage, $where, $saw, $reply) = @_;
    my ($dsn) = $reply =~ /^\d+ 5(\.\d+\.\d+)/;

    return ["forgiven: $reply at $where", {$stage => $reply}, 'next',
        "4$dsn FIRST: $reply (in reply to $where)", $saw, 'Delayed', @LIST];
}

my @WHERE = (
    ['mail', 'MAIL FROM', 'EHLO MAIL QUIT'],
    ['rcpt', 'RCPT TO', 'EHLO MAIL RCPT QUIT'],
    ['data', 'DATA', qr/^EHLO MAIL RCPT DATA QUIT$/],
    ['final', 'end of DATA', $DELIVERY],
);

try_rows(
    (map { my $where = $_;
        map { forgiven(@{$where}, $_) } '550 5.7.54 relay not allowed',
            '554 5.7.54 relay not allowed', '550 5.4.5 quota' } @WHERE),
    (map { my ($reply, $status) = @{$_};
        ["not forgiven: $reply", {rcpt => $reply}, $status,
            qr/^5\.\S+ FIRST: \Q$reply\E \(in reply to RCPT TO\)$/,
            'EHLO MAIL RCPT QUIT', 'Bounced', @LIST] }
        ['550 5.7.5 no', 77], ['554 5.4.5 quota', 69],
        ['550 5.1.1 no such user', 67], ['550 no code', 69]),
    ['forgiven: its SIZE', {keywords => ['SIZE 10']}, 'next',
        qr/^4\.3\.4 FIRST: message size \d+ exceeds .* limit of 10 \(SIZE\)$/,
        'EHLO QUIT', 'Delayed', set('next-host-on' => '552 5.3.4')],
);

# What is not to be used is not, whatever the host says.
my @ignored = (
    ['SIZE', {keywords => ['SIZE 10', '8BITMIME']}, 'SIZE',
        qr/^MAIL FROM:<[^>]*> BODY=8BITMIME$/],
    ['8BITMIME', {keywords => ['SIZE 0', '8BITMIME']}, '8bitmime',
        qr/^MAIL FROM:<[^>]*> SIZE=\d+$/],
    ['both', {keywords => ['size 10', '8bitmime', 'PIPELINING']},
        'SIZE, 8BITMIME,PIPELINING', qr/^MAIL FROM:<[^>]*>$/],
    ['STARTTLS', {keywords => ['STARTTLS'], starttls => '454 4.7.0 no'},
        'STARTTLS', qr/^MAIL FROM:<[^>]*>$/],
);

for my $row (@ignored) {
    my ($what, $script, $ignore, $mail) = @{$row};

    subtest "ehlo-ignore: $what" => sub {
        my $trial = Trial->new(hosts => {FIRST => $script}, route => 'FIRST',
            message => "Subject: \xe4\n\n", set('ehlo-ignore' => $ignore))->wait;

        is $trial->status, 0, 'delivered' or diag $trial->line;
        my ($connection) = $trial->host('FIRST')->connections;
        is_deeply [grep { /^STARTTLS/ } $connection->commands], [],
            'no STARTTLS';
        like +(grep { /^MAIL/ } $connection->commands)[0], $mail, 'MAIL';
    };
}

subtest 'helo-name' => sub {
    my $trial = Trial->new(
        hosts    => {FIRST => {mail => '452 4.3.1 full'}, SECOND => {}},
        route    => 'FIRST, SECOND/pri=1',
        settings => {'helo-name' => 'all.example',
            'host FIRST' => {'helo-name' => 'Out2.Example.COM'}},
    )->wait;

    is_deeply [map { ($trial->host($_)->connections)[0]->commands ? (
            grep { /^EHLO/ } ($trial->host($_)->connections)[0]->commands)[0]
            : '' } qw(FIRST SECOND)],
        ['EHLO out2.example.com', 'EHLO all.example'], 'each its own';
};

# Long lines, with dots where they may do harm, in memory and in a file.
my $LONG = 'x' x 997 . '.' . 'y' x 997 . 'z';
for my $row (['in memory', 1], ['in a file', 300]) {
    my ($where, $times) = @{$row};
    my $text = "Subject: long\n\n" . "$LONG\n.\n..$LONG\nshort\n" x $times;
    my $folded = "Subject: long\r\n\r\n" . join '', map { join '', map {
        "$_\r\n" } 'x' x 997 . '.', ' ' . 'y' x 997, ' z', '.',
        '..' . 'x' x 996, ' x.' . 'y' x 995, ' yyz', 'short' } 1 .. $times;

    subtest "line-limit: $where" => sub {
        my $trial = Trial->new(hosts => {FIRST => {}, SECOND => {}},
            routes => "example.com FIRST\nexample.net SECOND\n",
            set('line-limit' => 998), message => $text)->wait;

        is $trial->status, 0, 'delivered' or diag $trial->line;
        my ($connection) = $trial->host('FIRST')->connections;
        my ($message) = $connection->messages;
        ok $message->content eq $folded, 'each byte, folded';
        my $size = length $folded;
        is_deeply [grep { /^MAIL/ } $connection->commands],
            ["MAIL FROM:<sender\@example.org> SIZE=$size"], 'SIZE';
        my $run = $trial->agent->deliver(message => $text,
            recipients => ['user@example.net']);
        is $run->status, 0, 'another host';
        ok +($trial->host('SECOND')->messages)[0]->content
            eq $text =~ s/\n/\r\n/gr, 'gets it byte for byte';
    };
}

subtest 'line-limit: no room for the copy' => sub {
    my $trial = Trial->new(hosts => {FIRST => {}}, route => 'FIRST',
        settings => {'spool-directory' => '/nonexistent',
            'host FIRST' => {'line-limit' => 998}},
        message => "\n" . 'x' x 262_100)->wait;

    is $trial->status, 75, 'deferred';
    like $trial->line, qr{^4\.3\.0 FIRST: spool file in /nonexistent: No such},
        'the line';
    is_deeply [$trial->host('FIRST')->connections], [], 'nobody was asked';
};

subtest 'transcript' => sub {
    my $secret = 'open sesame, please';
    my $file = new_folder('secret') . '/password';
    write_file($file, "$secret\n");
    chmod 0600, $file or die "$file: $!\n";
    my %auth = Sasl::script(username => 'relay', password => $secret,
        mechanisms => ['LOGIN']);
    my $trial = Trial->new(
        hosts => {FIRST => {%auth, keywords => ['AUTH LOGIN', "X-$secret"],
            rcpt => "550-5.1.1 no such\n550 5.1.1 user"}},
        route    => 'FIRST/auth=ex',
        settings => {'auth-in-clear' => 'yes',
            'host FIRST' => {transcript => 'yes'},
            'auth ex'    => {username => 'relay', 'password-file' => $file}},
    )->wait;

    # Nobody waits for the reply to QUIT.
    is_deeply [map { s/^DCID 1 //r } grep { /^DCID 1 (?:>>>|<<< (?!221))/ }
            $trial->log], [split /\n/, <<'EOF_DIALOGUE'], 'the dialogue';
<<< 220 host.example ESMTP
>>> EHLO agent.example
<<< 250-host.example
<<< 250-AUTH LOGIN
<<< 250 X-*******************
>>> AUTH LOGIN
<<< 334 VXNlcm5hbWU6
>>> ***
<<< 334 UGFzc3dvcmQ6
>>> ***
<<< 235 2.7.0 welcome
>>> MAIL FROM:<sender@example.org>
<<< 250 2.1.0 ok
>>> RCPT TO:<user@example.com>
<<< 550-5.1.1 no such
<<< 550 5.1.1 user
>>> QUIT
EOF_DIALOGUE
    unlike join("\n", $trial->log), qr/$secret|@{[Sasl::encoded($secret)]}/,
        'nothing secret';
    my $quiet = Trial->new(hosts => {FIRST => {}}, route => 'FIRST')->wait;
    is scalar(grep { />>>|<<</ } $quiet->log), 0, 'not by default';
};

subtest 'transcript: AUTH PLAIN, and a content' => sub {
    my $file = new_folder('secret') . '/password';
    write_file($file, "open sesame, please\n");
    chmod 0600, $file or die "$file: $!\n";
    my $trial = Trial->new(
        hosts => {FIRST => {Sasl::script(username => 'relay',
            password => 'open sesame, please')}},
        route    => 'FIRST/auth=ex',
        settings => {'auth-in-clear' => 'yes',
            'host FIRST' => {transcript => 'yes'},
            'auth ex'    => {username => 'relay', 'password-file' => $file}},
        message  => "Subject: secret\n\n.\n",
    )->wait;

    is $trial->status, 0, 'delivered';
    my @said = grep { /^DCID 1 >>> (?:AUTH|\()/ } $trial->log;
    is_deeply \@said, ['DCID 1 >>> AUTH PLAIN ***',
        'DCID 1 >>> (content, 22 octets)'], 'what is said';
    unlike join("\n", $trial->log), qr/Subject/, 'no content';
};

subtest 'route shows them' => sub {
    my $trial = Trial->new(hosts => {FIRST => {}}, route => 'FIRST',
        set('next-host-on' => '5.7.54,550  5.4.5', 'ehlo-ignore' => 'size,dsn',
            'helo-name' => '[192.0.2.7]', 'line-limit' => '998',
            'transcript' => 'yes'));
    my $run = Ctl->run(conf => $trial->agent->conf,
        arguments => ['route', 'example.com']);

    like $run->stdout, qr/^\Q$_\E$/m, $_ for
        '    helo-name       [192.0.2.7]',
        '    ehlo-ignore     SIZE, DSN',
        '    next-host-on    5.7.54, 550 5.4.5',
        '    line-limit      998',
        '    transcript      yes: its dialogue is in the log';
};

done_testing;
