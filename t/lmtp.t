#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The LMTP face, as lmtp(8) has it from spawn(8): the dialogue, and a verdict
# for each recipient.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent;
use Fixture;
use Lmtp;
use SmtpHost;

my $NO = '550 5.1.1 no such user';

sub hosts {
    my (@scripts) = @_;
    my $name = 'a';

    return map { SmtpHost->new(name => $name++ . '.example', %{$_}) }
        @scripts;
}

sub agent_for {
    my ($route, %settings) = @_;

    return Agent->new(routes => $route, settings => {tls => 'none',
        %settings});
}

# An agent with one route, in order of priority.
sub agent_with {
    my @hosts = @_;
    my $n = 0;

    return agent_for('example.com '
        . join(', ', map { $_->destination . '/pri=' . $n++ } @hosts) . "\n");
}

# What the hosts saw, in short.
sub saw {
    return map { [map { s/ .*//r } map { $_->commands } $_->connections] } @_;
}

subtest 'dialogue' => sub {
    my ($host) = hosts({});
    my $agent = agent_with($host);
    my $lmtp = Lmtp->new(agent => $agent);

    is $lmtp->greeting, '220 smtproute LMTP', 'greeting';
    like $lmtp->lhlo, qr/^250-smtproute\n.*^250 /ms, 'LHLO';
    for my $row (
        ['HELO x',          '500 5.5.1 this is LMTP: say LHLO'],
        ['FOO',             '500 5.5.2 unknown command'],
        ["N\0OP",           '500 5.5.2 unknown command'],
        ['NOOP',            '250 2.0.0 ok'],
        ['VRFY user',       '252 2.0.0 try RCPT'],
        ['RSET',            '250 2.0.0 ok'],
        ['DATA',            '503 5.5.1 say MAIL first'],
        ['RCPT TO:<user@example.com>', '503 5.5.1 say MAIL first'],
        ['x' x 5000,        '500 5.5.2 line too long'],
        ['MAIL FROM:<s@example.org> FOO=1', '555 5.5.4 unknown parameter'],
        ['MAIL FROM:<s@example.org> SIZE=1000 BODY=8BITMIME',
            '250 2.1.0 ok'],
        ['MAIL FROM:<s@example.org>', '503 5.5.1 nested MAIL'],
        ['DATA',            '503 5.5.1 no valid recipients'],
        ['RCPT TO:<user>',  "550 5.1.3 recipient address: no '\@'"],
        ['RCPT TO:<user@example.net>', qr/^451 4\.3\.5 .*example\.net/],
        ['RCPT TO:<user@example.com>', '250 2.1.5 ok'],
        ['RSET',            '250 2.0.0 ok'],
        ['DATA',            '503 5.5.1 say MAIL first'],
        ['QUIT',            '221 2.0.0 bye'],
    ) {
        my ($line, $expected) = @{$row};
        my $reply = $lmtp->say($line);
        my $name = substr $line =~ s/\0/\\0/r, 0, 40;

        ref $expected ? like $reply, $expected, $name
            : is $reply, $expected, $name;
    }
    is $lmtp->reply, undef, 'it hangs up';
    is $lmtp->end, 0, 'exit status';
    is scalar(my @none = $host->connections), 0, 'no host was asked';
    done_testing;
};

subtest 'before LHLO' => sub {
    my $lmtp = Lmtp->new(agent => agent_for(''));

    is $lmtp->say('MAIL FROM:<>'), '503 5.5.1 say LHLO first', 'MAIL';
    is $lmtp->end, 0, 'EOF is an end, too';
    done_testing;
};

subtest 'three fates, one copy' => sub {
    my ($a, $b) = hosts({rcpt => ['250 2.1.5 ok', $NO, '450 4.2.0 wait']},
        {rcpt => '451 4.2.1 busy'});
    my $agent = agent_with($a, $b);
    my $lmtp = Lmtp->begin(agent => $agent);

    my @replies = $lmtp->deliver(queue_id => '4F1B',
        recipients => [map { "$_\@example.com" } qw(one two three)]);
    my ($A, $B) = map { $_->address . '[' . $_->address . ']:' . $_->port }
        $a, $b;
    like $replies[0], qr/^250 2\.0\.0 \Q$A\E: 250 2\.0\.0 /, 'delivered';
    is $replies[1], "550 5.1.1 $A: $NO (in reply to RCPT TO)", 'refused';
    is $replies[2], "451 4.2.1 $A: 450 4.2.0 wait (in reply to RCPT TO); "
        . "$B: 451 4.2.1 busy (in reply to RCPT TO)", 'deferred';
    is $lmtp->end, 0, 'exit status';
    is scalar(my @at_a = $a->messages), 1, 'one copy at A';
    is scalar(my @at_b = $b->messages), 0, 'none at B';
    my ($connection) = $b->connections;
    is_deeply [grep { /^RCPT/ } $connection->commands],
        ['RCPT TO:<three@example.com>'], 'B is asked for the third alone';
    my @log = grep { /RID/ } $agent->log_lines;
    like $log[0], qr/ 4F1B: Delivered: DCID 1 to RID \[0\] /, 'log: first';
    like $log[1], qr/ 4F1B: Bounced: DCID 1 to RID \[1\] /, 'log: second';
    like $log[2], qr/ 4F1B: Delayed: DCID 1 to RID \[2\] /, 'log: third';
    like $log[3], qr/ 4F1B: Delayed: DCID 2 to RID \[2\] /, 'log: third at B';
    done_testing;
};

subtest 'the next host takes who was deferred' => sub {
    my ($a, $b) = hosts({rcpt => ['450 4.2.0 wait', '250 2.1.5 ok']}, {});
    my $agent = agent_with($a, $b);
    my $lmtp = Lmtp->begin(agent => $agent);

    my @replies = $lmtp->deliver(
        recipients => ['one@example.com', 'two@example.com']);
    my ($A, $B) = map { $_->port } $a, $b;
    like $replies[0], qr/^250 2\.0\.0 \S+:$B: 250 /, 'the first, at B';
    like $replies[1], qr/^250 2\.0\.0 \S+:$A: 250 /, 'the second, at A';
    is $lmtp->end, 0, 'exit status';
    is_deeply [map { [map { $_->recipients } $_->messages] } $a, $b],
        [['two@example.com'], ['one@example.com']], 'who got it where';
    done_testing;
};

# What is said after the content concerns those only who were accepted.
subtest 'content deferred at the first host' => sub {
    my ($a, $b) = hosts({rcpt => ['250 2.1.5 ok', $NO],
        final => '451 4.3.0 later'}, {});
    my $agent = agent_with($a, $b);
    my $lmtp = Lmtp->begin(agent => $agent);

    my @replies = $lmtp->deliver(
        recipients => ['one@example.com', 'two@example.com']);
    my ($A, $B) = map { $_->port } $a, $b;
    like $replies[0], qr/^250 2\.0\.0 \S+:$B: 250 /, 'the first, at B';
    like $replies[1], qr/^550 5\.1\.1 \S+:$A: /, 'the second is refused';
    is $lmtp->end, 0, 'exit status';
    is_deeply [map { $_->recipients } $b->messages], ['one@example.com'],
        'B gets it for the first';
    done_testing;
};

subtest 'connection lost after the dot' => sub {
    my ($a, $b) = hosts({rcpt => ['250 2.1.5 ok', '450 4.2.0 wait'],
        final => 'close'}, {});
    my $agent = agent_with($a, $b);
    my $lmtp = Lmtp->begin(agent => $agent);

    my @replies = $lmtp->deliver(
        recipients => ['one@example.com', 'two@example.com']);
    like $replies[0], qr/^451 4\.4\.2 .*may have accepted it/,
        'who may have it waits';
    like $replies[1], qr/^250 2\.0\.0 /, 'who has not goes to B';
    is $lmtp->end, 0, 'exit status';
    is_deeply [map { $_->recipients } $b->messages], ['two@example.com'],
        'and alone';
    done_testing;
};

for my $many ('452 4.5.3 too many recipients', '552 too many recipients') {
    subtest $many => sub {
        my $n = 0;
        my ($host) = hosts({
            mail => sub { $n = 0; return undef },
            rcpt => sub { return ++$n > 2 ? $many : undef },
        });
        my $agent = agent_with($host);
        my $lmtp = Lmtp->begin(agent => $agent);

        my @replies = $lmtp->deliver(
            recipients => [map { "u$_\@example.com" } 1 .. 5]);
        is scalar(grep { /^250 2\.0\.0 / } @replies), 5, 'all are delivered';
        is $lmtp->end, 0, 'exit status';
        is_deeply [map { scalar(my @r = $_->recipients) } $host->messages],
            [2, 2, 1], 'in three transactions';
        done_testing;
    };
}

subtest 'too many, but nobody else either' => sub {
    my ($host) = hosts({rcpt => '452 4.5.3 too many recipients'});
    my $agent = agent_with($host);
    my $lmtp = Lmtp->begin(agent => $agent);

    my @replies = $lmtp->deliver(
        recipients => ['one@example.com', 'two@example.com']);
    is scalar(grep { /^451 4\.5\.3 / } @replies), 2, 'both wait';
    is $lmtp->end, 0, 'exit status';
    is scalar(my @connections = $host->connections), 1, 'asked once';
    done_testing;
};

subtest 'several routes' => sub {
    my @hosts = hosts({}, {final => '554 5.6.0 no'}, {});
    my $agent = agent_for(join '', map { "d$_.example "
        . $hosts[$_]->destination . "\n" } 0 .. 2);
    my $lmtp = Lmtp->begin(agent => $agent);
    my @recipients = map { "u\@d$_.example" } 0, 1, 2, 1, 0;

    my @replies = $lmtp->deliver(recipients => \@recipients);
    is_deeply [map { /^(\d+ \S+) / } @replies], ['250 2.0.0', '550 5.6.0',
        '250 2.0.0', '550 5.6.0', '250 2.0.0'], 'each has its reply';
    is $lmtp->end, 0, 'exit status';
    is_deeply [map { [map { $_->recipients } $_->messages] } @hosts],
        [[@recipients[0, 4]], [@recipients[1, 3]], [$recipients[2]]],
        'one copy for a route';
    done_testing;
};

subtest 'a thousand recipients, in one write' => sub {
    my ($host) = hosts({});
    my $agent = agent_with($host);
    my $lmtp = Lmtp->begin(agent => $agent);
    my $count = 1000;

    my $writer = child(sub {
        $lmtp->send(join '', "MAIL FROM:<s\@example.org>\r\n",
            (map { "RCPT TO:<u$_\@example.com>\r\n" } 1 .. $count),
            "DATA\r\n");
    });
    my @replies = map { $lmtp->reply } 1 .. $count + 2;
    ok reap($writer, $Fixture::PATIENCE), 'all was read';
    is scalar(grep { /^250 2\.1\.[05] / } @replies), $count + 1, 'accepted';
    $lmtp->send("Subject: x\r\n\r\nx\r\n.\r\n");
    is scalar(grep { /^250 2\.0\.0 / } map { $lmtp->reply } 1 .. $count),
        $count, 'delivered';
    is $lmtp->end, 0, 'exit status';
    is_deeply [map { scalar(my @r = $_->recipients) } $host->messages],
        [$count], 'one copy';
    done_testing;
};

# RFC 5321 section 4.5.3.1.10: the client sends the rest in other transactions.
subtest 'far too many recipients, of 300 bytes' => sub {
    my ($host) = hosts({});
    my $lmtp = Lmtp->begin(agent => agent_with($host));
    my $domain = '@example.com';
    my %replies;

    is $lmtp->say('MAIL FROM:<s@example.org>'), '250 2.1.0 ok', 'MAIL';
    for my $thousand (0 .. 49) {
        $lmtp->send(join '', map {
            my $user = "u$thousand-$_-";

            "RCPT TO:<$user" . 'x' x (300 - length("$user$domain"))
                . "$domain>\r\n";
        } 1 .. 1000);
        $replies{$lmtp->reply}++ for 1 .. 1000;
    }
    is_deeply \%replies, {'250 2.1.5 ok' => 5_000,
        '451 4.5.3 too many recipients' => 45_000}, 'RCPT';
    like $lmtp->say('DATA'), qr/^354 /, 'DATA';
    $lmtp->send("Subject: test\r\n\r\ntest\r\n.\r\n");
    my @final = map { $lmtp->reply } 1 .. 5_000;
    is scalar(grep { /^250 2\.0\.0 / } @final), 5_000, 'delivered';
    is $lmtp->say('QUIT'), '221 2.0.0 bye', 'QUIT';
    is $lmtp->end, 0, 'exit status';
    is scalar(grep { /^RCPT/ } map { $_->commands } $host->connections), 5_000,
        'the host saw those';
    done_testing;
};

subtest 'many messages' => sub {
    my ($host) = hosts({});
    my $agent = agent_with($host);
    my $lmtp = Lmtp->begin(agent => $agent);

    for my $n (1 .. 20) {
        my ($reply) = $lmtp->deliver(queue_id => "ID$n",
            message => "Subject: $n\n\n.\n..$n\n");
        like $reply, qr/^250 2\.0\.0 /, "message $n";
    }
    is $lmtp->end, 0, 'exit status';
    is_deeply [map { $_->content } $host->messages],
        [map { "Subject: $_\r\n\r\n.\r\n..$_\r\n" } 1 .. 20], 'byte for byte';
    done_testing;
};

subtest 'the client is gone' => sub {
    my ($host) = hosts({});
    my $agent = agent_with($host);

    for my $said ('', "MAIL FR", "MAIL FROM:<>\r\nRCPT TO:<u\@example.com>\r\n",
        "MAIL FROM:<>\r\nRCPT TO:<u\@example.com>\r\nDATA\r\n",
        "MAIL FROM:<>\r\nRCPT TO:<u\@example.com>\r\nDATA\r\na\r\n.\r") {
        my $lmtp = Lmtp->begin(agent => $agent);

        $lmtp->send($said);
        is $lmtp->end, 0, 'after "' . ($said =~ s/\r\n/ /gr) . '"';
    }
    is scalar(my @messages = $host->messages), 0, 'nothing was sent';
    done_testing;
};

# It has a minute to read; the test waits for longer than for anything else.
subtest 'a client that never reads' => sub {
    my $agent = agent_for('');
    my $lmtp = Lmtp->new(agent => $agent, mute => 1);
    my $writer = child(sub {
        1 while $lmtp->send("NOOP\r\n" x 1000);
    });

    ok reap($lmtp->pid, 5 * $Fixture::PATIENCE), 'is given up';
    ok reap($writer, $Fixture::PATIENCE), 'and the connection closed';
    $lmtp->{running} = 0;
    done_testing;
};

subtest 'settings' => sub {
    my ($host) = hosts({});
    my $agent = agent_with($host);
    my $lmtp = Lmtp->begin(agent => $agent);

    $agent->configure(conf => "[smtproute]\nnonsense = 1\n");
    my ($reply) = $lmtp->deliver;
    like $reply, qr/^451 4\.3\.5 .*:2: unknown key "nonsense"/, 'a fault';
    $agent->configure(settings => {tls => 'none', 'helo-name' => 'x.example'});
    ($reply) = $lmtp->deliver;
    like $reply, qr/^250 2\.0\.0 /, 'mended';
    $agent->configure(routes => "example.com /dev/null\n");
    ($reply) = $lmtp->deliver;
    is $reply, '250 2.0.0 dropped: the route is /dev/null', 'another route';
    is $lmtp->end, 0, 'exit status';
    my ($connection) = $host->connections;
    is +($connection->commands)[0], 'EHLO x.example', 'the new name';
    done_testing;
};

subtest 'command line' => sub {
    for my $arguments (['-L', 'user@example.com'], ['-L', '-q', '4F1B'],
        ['-L', '-V']) {
        my $run = agent_for('')->deliver(arguments => $arguments);

        is $run->status, 75, "@{$arguments}";
        like $run->output, qr/^4\.3\.5 usage: /, 'is no use';
    }
    done_testing;
};

done_testing;
