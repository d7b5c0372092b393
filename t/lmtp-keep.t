#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Connections that the LMTP face keeps from one message to the next: used, not
# used, and found dead, which no message notices.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use MIME::Base64 qw(decode_base64);
use Test::More;

use Agent;
use Fixture;
use Lmtp;
use Shim;
use SmtpHost;
use TestCa;

my $OK = qr/^250 2\.0\.0 /;

sub agent_for {
    my ($host, %settings) = @_;

    return Agent->new(
        routes   => 'example.com ' . $host->destination . "\n",
        settings => {tls => 'none', %settings},
        environment => unhurried());
}

# Delivers so many messages over one LMTP connection; the replies.
sub send_messages {
    my ($agent, $count, %option) = @_;
    my $lmtp = Lmtp->begin(agent => $agent);

    my @replies = map { $lmtp->deliver(message => "Subject: $_\n\n$_\n") }
        1 .. $count;
    is $lmtp->end, 0, 'exit status';
    return @replies;
}

for my $keywords (['8BITMIME', 'SIZE'], ['PIPELINING', '8BITMIME', 'SIZE']) {
    subtest "one connection, @{$keywords}" => sub {
        my $host = SmtpHost->new(keywords => $keywords);
        my @replies = send_messages(agent_for($host), 20);

        is scalar(grep { $_ =~ $OK } @replies), 20, 'all are delivered';
        my @connections = $host->connections;
        is scalar(@connections), 1, 'over one';
        is scalar(grep { /^EHLO/ } $connections[0]->commands), 1, 'one EHLO';
        is $connections[0]->end, 'quit', 'which ends with QUIT';
        is_deeply [map { $_->content } $host->messages],
            [map { "Subject: $_\r\n\r\n$_\r\n" } 1 .. 20], 'byte for byte';
        done_testing;
    };
}

subtest 'max-messages' => sub {
    my $host = SmtpHost->new;
    my $agent = agent_for($host, 'max-messages' => 5);
    my @replies = send_messages($agent, 12);

    is scalar(grep { $_ =~ $OK } @replies), 12, 'all are delivered';
    is_deeply [map { scalar(my @m = $_->messages) } $host->connections],
        [5, 5, 2], 'five over each';
    is_deeply [map { / New SMTP DCID (\d+) / ? $1 : () } $agent->log_lines],
        [1, 2, 3], 'and each message has the number of its connection';
    is_deeply [map { /: Delivered: DCID (\d+) / ? $1 : () } $agent->log_lines],
        [(1) x 5, (2) x 5, (3) x 2], 'which is drawn for none in vain';
    done_testing;
};

subtest 'after a refusal' => sub {
    my $host = SmtpHost->new(
        per_connection => [{rcpt => '550 5.1.1 no'}, {}]);
    my @replies = send_messages(agent_for($host), 3);

    is scalar(grep { $_ =~ $OK } @replies), 2, 'two are delivered';
    is_deeply [map { scalar(my @m = $_->messages) } $host->connections],
        [0, 2], 'it is not kept';
    done_testing;
};

# At what point of the second message the first connection is found dead.
for my $row (
    ['closed behind the final reply', final =>
        {reply => '250 2.0.0 ok', then => 'close'}],
    ['reset behind the final reply', final =>
        {reply => '250 2.0.0 ok', then => 'reset'}],
    ['something behind the final reply', final =>
        \"250 2.0.0 ok\r\n421 4.4.2 bye\r\n"],
    ['closed at MAIL', mail => [undef, 'close']],
    ['reset at MAIL', mail => [undef, 'reset']],
    ['421 at MAIL', mail => [undef, {reply => '421 4.4.2 idle for too long',
        then => 'close'}]],
    ['closed at RCPT', rcpt => [undef, 'close']],
    ['closed at DATA', data => [undef, 'close']],
) {
    my ($says, $stage, $script) = @{$row};
    for my $keywords (['8BITMIME'], ['PIPELINING']) {
        subtest "$says, @{$keywords}" => sub {
            my $host = SmtpHost->new(keywords => $keywords,
                per_connection => [{$stage => $script}, {}]);
            my $agent = agent_for($host);
            my @replies = send_messages($agent, 4);

            is scalar(grep { $_ =~ $OK } @replies), 4, 'all are delivered';
            is scalar(my @m = $host->messages), 4, 'once';
            is scalar(my @c = $host->connections), 2, 'over two connections';
            is scalar(grep { / is down / } $agent->log_lines), 0,
                'the host is up';
            done_testing;
        };
    }
}

subtest 'lost after the dot' => sub {
    my $host = SmtpHost->new(
        per_connection => [{final => [undef, 'close']}, {}]);
    my @replies = send_messages(agent_for($host), 2);

    like $replies[0], $OK, 'the first';
    like $replies[1], qr/^451 4\.4\.2 .*may have accepted it/,
        'the second waits';
    is scalar(my @connections = $host->connections), 1, 'no other was tried';
    done_testing;
};

subtest 'idle' => sub {
    my $host = SmtpHost->new;
    my $lmtp = Lmtp->begin(agent => Agent->new(settings => {tls => 'none'},
        routes => 'example.com ' . $host->destination . "\n"));

    like +($lmtp->deliver)[0], $OK, 'the first';
    wait_until('the end of the connection', sub { $host->finished });
    is +($host->finished)[0]->end, 'quit', 'with QUIT, after a while';
    like +($lmtp->deliver)[0], $OK, 'the second';
    is $lmtp->end, 0, 'exit status';
    is scalar(my @connections = $host->connections), 2, 'over another one';
    done_testing;
};

subtest 'settings that change' => sub {
    my $host = SmtpHost->new;
    my $agent = agent_for($host);
    my $lmtp = Lmtp->begin(agent => $agent);

    like +($lmtp->deliver)[0], $OK, 'before';
    $agent->configure(settings => {tls => 'none', 'helo-name' => 'x.example'});
    like +($lmtp->deliver)[0], $OK, 'after';
    is $lmtp->end, 0, 'exit status';
    is_deeply [map { ($_->commands)[0] } $host->connections],
        ['EHLO agent.example', 'EHLO x.example'], 'each has its own';
    done_testing;
};

for my $pipelining ([], ['PIPELINING']) {
    subtest "what MAIL says is of the message @{$pipelining}" => sub {
        my $host = SmtpHost->new(
            keywords => ['8BITMIME', 'SIZE', @{$pipelining}]);
        my $lmtp = Lmtp->begin(agent => agent_for($host));
        my @messages = ("a\n", "\303\274\n", "abc\n");

        like +($lmtp->deliver(message => $_))[0], $OK, 'delivered'
            for @messages;
        is $lmtp->end, 0, 'exit status';
        is_deeply [map { s/^\S+ \S+ //r } grep { /^MAIL/ }
            map { $_->commands } $host->connections],
            ['SIZE=3', 'SIZE=4 BODY=8BITMIME', 'SIZE=5'], 'SIZE and BODY';
        done_testing;
    };
}

# Over TLS, with a login: EHLO, STARTTLS and AUTH once; and anew when the
# secret is another one.
subtest 'TLS and AUTH' => sub {
    my $ca = TestCa->new;
    my $host = SmtpHost->new(
        keywords     => ['STARTTLS', 'PIPELINING'],
        keywords_tls => ['AUTH PLAIN', 'PIPELINING'],
        auth         => '235 2.7.0 ok',
        tls => {certificate => $ca->certificate(names => ['first.example'])});
    my $secret = new_folder('secret') . '/password';
    my $write = sub {
        write_file("$secret.new", "$_[0]\n");
        chmod 0600, "$secret.new" or die "$secret.new: $!\n";
        rename "$secret.new", $secret or die "$secret: $!\n";
    };

    $write->('before');
    my $agent = Agent->new(
        routes   => 'example.com ' . $host->destination
            . "/tls=secure/tls-name=first.example/auth=ex\n",
        settings => {'tls-ca-file' => $ca->file,
            'auth ex' => {username => 'relay', 'password-file' => $secret}},
        environment => unhurried());
    my $lmtp = Lmtp->begin(agent => $agent);
    my $send = sub {
        like +($lmtp->deliver)[0], $OK, "message $_" for 1 .. $_[0];
    };
    $send->(3);
    $write->('after');
    $send->(3);
    is $lmtp->end, 0, 'exit status';
    my @connections = $host->connections;
    is_deeply [map { scalar(my @m = $_->messages) } @connections], [3, 3],
        'one connection for each password';
    is_deeply [map { [map { s/ .*//r } $_->commands] } @connections],
        [(['EHLO', 'STARTTLS', 'EHLO', 'AUTH',
            ('MAIL', 'RCPT', 'DATA') x 3, 'QUIT']) x 2], 'with one login';
    is_deeply [map { decode_base64(s/^AUTH PLAIN //r) }
        grep { /^AUTH/ } map { $_->commands } @connections],
        ["\0relay\0before", "\0relay\0after"], 'each with its own';
    is scalar(grep { $_->tls } map { $_->messages } @connections), 6,
        'all within TLS';
    done_testing;
};

subtest 'two hosts' => sub {
    my @hosts = (SmtpHost->new, SmtpHost->new);
    my $agent = Agent->new(settings => {tls => 'none'}, routes =>
        'example.com ' . join(', ', map { $_->destination } @hosts) . "\n",
        environment => unhurried());
    my @replies = send_messages($agent, 10);

    is scalar(grep { $_ =~ $OK } @replies), 10, 'all are delivered';
    is_deeply [map { scalar(my @c = $_->connections) } @hosts], [1, 1],
        'each has one connection';
    is_deeply [map { scalar(my @m = $_->messages) } @hosts], [5, 5],
        'and half of the messages';
    done_testing;
};

done_testing;
