#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Addresses that are verified over LMTP: with "verify" a host says at RCPT what
# it would do, whoever sends DATA at once has it asked nothing, and nobody gets
# any content.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use IO::Socket::IP ();
use Test::More;

use Agent;
use Ctl;
use Fixture;
use Lmtp;
use PostfixInstance;
use Shim;
use SmtpHost;

my $NO = '550 5.1.1 no such user';

sub hosts {
    my (@scripts) = @_;
    my $name = 'a';

    return map { SmtpHost->new(name => $name++ . '.example', %{$_}) }
        @scripts;
}

# @destinations: in order of priority.
sub agent_for {
    my ($settings, @destinations) = @_;
    my $n = 0;

    return Agent->new(settings => {tls => 'none', %{$settings}},
        routes => 'example.com '
            . join(', ', map { "$_/pri=" . $n++ } @destinations) . "\n",
        environment => unhurried());
}

# As verify(8) has it: all at once, and no DATA.  The reply to RCPT.
sub probe {
    my ($lmtp, $user) = @_;

    $lmtp->send(join '', map { "$_\r\n" } 'XFORWARD IDENT=4F1B',
        'MAIL FROM:<double-bounce@example.org>', "RCPT TO:<$user\@example.com>",
        'RSET');
    my @replies = map { $lmtp->reply } 1 .. 4;
    return $replies[2];
}

sub peer {
    my ($host) = @_;

    return $host->address . '[' . $host->address . ']:' . $host->port;
}

sub stories {
    my ($host) = @_;

    return [map { join ' ', map { s/ .*//r } $_->commands } $host->connections];
}

my $SHORT = ['EHLO MAIL RCPT QUIT'];

for my $row (
    ['welcome', {}, '250 2.1.5 PEER: 250 2.1.5 ok (in reply to RCPT TO)',
        qr/ 4F1B: Verified: DCID 1 to RID \[0\] Response 2\.1\.5 ok$/],
    ['refused', {rcpt => $NO}, "550 5.1.1 PEER: $NO (in reply to RCPT TO)",
        qr/ 4F1B: Not verified: DCID 1 to RID \[0\] - 5\.1\.1 - in reply to RCPT TO /],
    ['put off', {rcpt => '450 4.2.0 wait'},
        '451 4.2.0 PEER: 450 4.2.0 wait (in reply to RCPT TO)',
        qr/ 4F1B: Not verified: DCID 1 to RID \[0\] - 4\.2\.0 - /],
    ['its sender refused', {mail => '550 5.7.1 not you'},
        '550 5.7.1 PEER: 550 5.7.1 not you (in reply to MAIL FROM)',
        qr/ 4F1B: Not verified: /, ['EHLO MAIL QUIT']],
    ['no code of its own', {rcpt => '251 will forward'},
        '250 2.0.0 PEER: 251 will forward (in reply to RCPT TO)',
        qr/ 4F1B: Verified: /],
) {
    my ($says, $script, $reply, $line, $story) = @{$row};
    for my $keywords (['8BITMIME', 'SIZE'], ['PIPELINING', 'SIZE']) {
        subtest "$says, @{$keywords}" => sub {
            my ($host) = hosts({keywords => $keywords, %{$script}});
            my $agent = agent_for({}, $host->destination . '/verify');
            my $lmtp = Lmtp->begin(agent => $agent);
            my $peer = peer($host);

            is probe($lmtp, 'a'), $reply =~ s/PEER/$peer/r, 'the reply';
            is $lmtp->end, 0, 'exit status';
            is_deeply stories($host), $story // $SHORT, 'the dialogue';
            my @log = grep { /RID/ } $agent->log_lines;
            is scalar(@log), 1, 'one line';
            like $log[0], $line, 'of the log';
            my $counted = Ctl->host($agent, $host);
            is join(' ', map { "$_=$counted->{$_}" }
                qw(connections deliveries bounces deferrals)),
                'connections=1 deliveries=0 bounces=0 deferrals=0',
                'no message is counted';
            done_testing;
        };
    }
}

subtest 'hosts in turn' => sub {
    my @hosts = hosts({rcpt => '450 4.2.0 wait'}, {}, {rcpt => $NO});
    my $agent = agent_for({},
        map { $hosts[$_]->destination . ($_ == 1 ? '' : '/verify') } 0 .. 2);
    my $lmtp = Lmtp->begin(agent => $agent);

    is probe($lmtp, 'a'), "550 5.1.1 ${\peer($hosts[2])}: $NO "
        . '(in reply to RCPT TO)', 'the reply of the last';
    is $lmtp->end, 0, 'exit status';
    is_deeply [map { stories($_) } @hosts], [$SHORT, [], $SHORT],
        'those alone that have verify';
    done_testing;
};

subtest 'a host that is down' => sub {
    my ($host) = hosts({down => 1});
    my $agent = agent_for({'retry-min' => '1h', 'retry-max' => '1h'},
        $host->destination . '/verify');
    my $lmtp = Lmtp->begin(agent => $agent);

    like probe($lmtp, 'a'), qr/^450 4\.4\.1 .*: connect: Connection refused$/,
        'the reply';
    like probe($lmtp, 'a'),
        qr/^450 4\.4\.1 all hosts of the route are down: /, 'and then';
    is $lmtp->end, 0, 'exit status';
    is scalar(grep { / is down until / } $agent->log_lines), 1, 'the log';
    done_testing;
};

subtest 'without verify the map answers' => sub {
    my ($host) = hosts({rcpt => $NO});
    my $lmtp = Lmtp->begin(agent => agent_for({}, $host->destination));

    is probe($lmtp, 'a'), '250 2.1.5 ok', 'the reply';
    is $lmtp->end, 0, 'exit status';
    is_deeply stories($host), [], 'no host is asked';
    done_testing;
};

# What Postfix's lmtp(8) sends of real mail.
subtest 'DATA at once' => sub {
    my ($host) = hosts({});
    my $agent = agent_for({}, $host->destination . '/verify');
    my $lmtp = Lmtp->begin(agent => $agent);

    $lmtp->send(join '', map { "$_\r\n" } 'MAIL FROM:<s@example.org>',
        (map { "rcpt to:<$_\@example.com>" } qw(a b)), 'data');
    is_deeply [map { $lmtp->reply } 1 .. 3],
        ['250 2.1.0 ok', ('250 2.1.5 ok') x 2], 'nobody asks';
    like $lmtp->reply, qr/^354 /, 'DATA';
    $lmtp->send("Subject: x\r\n\r\nx\r\n.\r\n");
    like $lmtp->reply, qr/^250 2\.0\.0 /, 'delivered' for 1 .. 2;
    is $lmtp->end, 0, 'exit status';
    is_deeply stories($host), ['EHLO MAIL RCPT RCPT DATA QUIT'], 'at once';
    done_testing;
};

# It might have been an inquiry.
subtest 'DATA in the end' => sub {
    my ($host) = hosts({rcpt => sub { return $_[0] =~ /two/ ? $NO : undef }});
    my $agent = agent_for({}, $host->destination . '/verify');
    my $lmtp = Lmtp->begin(agent => $agent);

    my @replies = $lmtp->deliver(recipients => [map { "$_\@example.com" }
        qw(one two three)]);
    like $replies[0], qr/^250 2\.0\.0 /, 'delivered';
    like $replies[1], qr/^550 5\.1\.1 .*RCPT TO/, 'refused at RCPT';
    like $replies[2], qr/^250 2\.0\.0 /, 'delivered';
    is $lmtp->end, 0, 'exit status';
    is_deeply [map { [$_->recipients] } $host->messages],
        [['one@example.com', 'three@example.com']], 'one copy';
    is_deeply stories($host), [(@{$SHORT}) x 3,
        'EHLO MAIL RCPT RCPT DATA QUIT'], 'three inquiries and a message';
    done_testing;
};

subtest 'many in one transaction' => sub {
    my ($host) = hosts({});
    my $agent = agent_for({}, $host->destination . '/verify');
    my $lmtp = Lmtp->begin(agent => $agent);

    $lmtp->say('MAIL FROM:<>');
    my @replies = map { $lmtp->say("RCPT TO:<u$_\@example.com>") } 1 .. 12;
    is scalar(grep { /^250 2\.1\.5 .*RCPT TO/ } @replies), 10, 'ten are asked for';
    is_deeply [@replies[10, 11]], [('250 2.1.5 ok') x 2], 'no more';
    is $lmtp->end, 0, 'exit status';
    is scalar(@{ stories($host) }), 10, 'ten sessions';
    done_testing;
};

subtest 'a kept connection stays' => sub {
    my ($host) = hosts({});
    my $agent = agent_for({}, $host->destination . '/verify');
    my $lmtp = Lmtp->begin(agent => $agent);

    my $send = sub {
        $lmtp->send(join '', map { "$_\r\n" } 'MAIL FROM:<s@example.org>',
            'RCPT TO:<a@example.com>', 'DATA');
        $lmtp->reply for 1 .. 3;
        $lmtp->send("x\r\n.\r\n");
        like $lmtp->reply, qr/^250 2\.0\.0 /, 'a message';
    };
    $send->();
    like probe($lmtp, 'a'), qr/^250 2\.1\.5 /, 'an inquiry';
    $send->();
    is $lmtp->end, 0, 'exit status';
    is_deeply [sort @{ stories($host) }],
        ['EHLO MAIL RCPT DATA MAIL RCPT DATA QUIT', @{$SHORT}], 'sessions';
    done_testing;
};

subtest 'a host with LMTP' => sub {
    my ($host) = hosts({lhlo => "250-b.example\n250 PIPELINING",
        rcpt => $NO});
    my $agent = agent_for({}, $host->destination . '/verify/lmtp');
    my $lmtp = Lmtp->begin(agent => $agent);

    like probe($lmtp, 'a'), qr/^550 5\.1\.1 /, 'is asked, too';
    is $lmtp->end, 0, 'exit status';
    done_testing;
};

# Says RCPT to smtpd(8) until it has an answer of verify(8): the code.
sub smtpd_says {
    my ($postfix, $user) = @_;
    my $smtp = IO::Socket::IP->new(PeerHost => '127.0.0.1',
        PeerPort => $postfix->port) // die "smtpd: $@\n";

    PostfixInstance::_dialogue($smtp, '220', '');
    PostfixInstance::_dialogue($smtp, '250', "HELO test.example\r\n");
    PostfixInstance::_dialogue($smtp, '250', "MAIL FROM:<s\@example.org>\r\n");
    my $reply;
    wait_until('an answer', sub {
        print {$smtp} "RCPT TO:<$user\@example.com>\r\n"
            or die "smtpd: $!\n";
        $reply = <$smtp> // die "smtpd hangs up\n";
        return $reply !~ /^450 .*in progress/;
    });
    print {$smtp} "QUIT\r\n";
    return $reply;
}

SKIP: {
    skip_or_fail(PostfixInstance->missing) if PostfixInstance->missing;
    my ($host) = hosts({rcpt => sub {
        return $_[0] =~ /nobody/ ? $NO
            : $_[0] =~ /later/ ? '450 4.2.0 wait' : undef;
    }});
    my $agent = Agent->new(user => 'nobody', settings => {tls => 'none'},
        routes => 'example.com ' . $host->destination . "/verify\n");
    my $postfix = PostfixInstance->new(agent => $agent, lmtp => 1, main => {
        smtpd_recipient_restrictions =>
            'reject_unverified_recipient, permit_mynetworks, reject',
        address_verify_map               => '',
        address_verify_poll_delay        => '1s',
        unverified_recipient_reject_code => 550,
    });

    like smtpd_says($postfix, 'user'), qr/^250 /, 'Postfix: who is there';
    like smtpd_says($postfix, 'nobody'),
        qr/^550 5\.1\.1 .*undeliverable address: .*550 5\.1\.1 \S+: 550 5\.1\.1 no such user/,
        'who is not';
    like smtpd_says($postfix, 'later'),
        qr/^450 .*451 4\.2\.0 \S+: 450 4\.2\.0 wait/, 'who may be';
    my $id = $postfix->inject;
    $postfix->wait_for(qr/ $id: to=<.*status=sent/);
    $postfix->stop;
    is_deeply [map { $_->recipients } $host->messages], ['user@example.com'],
        'a message after it';
    is_deeply [sort @{ stories($host) }],
        ['EHLO MAIL RCPT DATA QUIT', (@{$SHORT}) x 3],
        'three inquiries, and for the message none';
}

done_testing;
