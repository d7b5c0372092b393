#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What MAIL and RCPT say beside the addresses, from LMTP's client to a host:
# DSN (RFC 3461), and SMTPUTF8 (RFC 6531), which not every host has.

use strict;
use warnings;
use utf8;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Encode qw(encode_utf8);
use Test::More;

use Agent;
use Fixture;
use Lmtp;
use SmtpHost;

my $OK = qr/^250 2\.0\.0 /;
my $MAIL = 'RET=HDRS ENVID=a+2Bb';
my $RCPT = 'NOTIFY=SUCCESS,DELAY ORCPT=rfc822;u+40example.com';

sub agent_for {
    my ($settings, @hosts) = @_;
    my $n = 0;

    return Agent->new(settings => {tls => 'none', %{$settings}},
        routes => 'example.com '
            . join(', ', map { $_->destination . '/pri=' . $n++ } @hosts)
            . "\n");
}

# The host's commands of one delivery, and the replies.
sub deliver {
    my ($agent, %option) = @_;
    my $lmtp = Lmtp->begin(agent => $agent);

    my @replies = $lmtp->deliver(%option);
    is $lmtp->end, 0, 'exit status';
    return @replies;
}

sub commands {
    my ($host) = @_;

    return grep { /^(?:MAIL|RCPT)/ } map { $_->commands } $host->connections;
}

for my $keywords (['DSN'], ['DSN', 'PIPELINING']) {
    subtest "DSN, @{$keywords}" => sub {
        my $host = SmtpHost->new(keywords => $keywords);
        my $agent = agent_for({dsn => 'yes'}, $host);
        my @replies = deliver($agent, mail_options => $MAIL,
            rcpt_options => $RCPT,
            recipients => ['u@example.com', 'v@example.com']);

        is scalar(grep { $_ =~ $OK } @replies), 2, 'delivered';
        is_deeply [commands($host)], [
            "MAIL FROM:<sender\@example.org> $MAIL",
            "RCPT TO:<u\@example.com> $RCPT",
            "RCPT TO:<v\@example.com> $RCPT",
        ], 'word for word';
        is scalar(grep { /DSN not offered/ } $agent->log_lines), 0, 'no word';
        done_testing;
    };
}

subtest 'a host without DSN' => sub {
    my $host = SmtpHost->new(keywords => ['PIPELINING']);
    my $agent = agent_for({dsn => 'yes'}, $host);
    my @replies = deliver($agent, mail_options => $MAIL,
        rcpt_options => $RCPT);

    like $replies[0], $OK, 'delivered';
    is_deeply [commands($host)], ['MAIL FROM:<sender@example.org>',
        'RCPT TO:<user@example.com>'], 'without parameters';
    is scalar(grep { / DCID 1 DSN not offered: no notice of success$/ }
        $agent->log_lines), 1, 'the log says so';
    done_testing;
};

subtest 'what LHLO offers' => sub {
    for my $row ([{}, ''], [{dsn => 'no'}, ''], [{dsn => 'yes'}, 'DSN']) {
        my ($settings, $expected) = @{$row};
        my $agent = agent_for($settings, SmtpHost->new);
        my $lmtp = Lmtp->new(agent => $agent);
        my $reply = $lmtp->lhlo;

        is join('', $reply =~ /^250[ -](DSN)$/mg), $expected,
            'DSN, ' . ($settings->{dsn} // 'by default');
        like $reply, qr/^250[ -]SMTPUTF8$/m, 'SMTPUTF8';
        $lmtp->end;
    }
    done_testing;
};

my %UTF8 = (
    sender       => encode_utf8('jürgen@example.org'),
    recipients   => [encode_utf8('用户@example.com')],
    mail_options => 'SMTPUTF8',
    message      => encode_utf8("Subject: ü\n\nü\n"),
);

for my $pipelining ([], ['PIPELINING']) {
    subtest "SMTPUTF8, @{$pipelining}" => sub {
        my ($a, $b) = (SmtpHost->new(keywords => ['8BITMIME']),
            SmtpHost->new(keywords => ['8BITMIME', 'SMTPUTF8',
                @{$pipelining}]));
        my $agent = agent_for({}, $a, $b);
        my @replies = deliver($agent, %UTF8);

        like $replies[0], qr/^250 2\.0\.0 \S+:${\$b->port}: /,
            'at the host that has it';
        is_deeply [commands($b)], [map { encode_utf8($_) }
            'MAIL FROM:<jürgen@example.org> BODY=8BITMIME SMTPUTF8',
            'RCPT TO:<用户@example.com>'], 'as they are';
        is_deeply [commands($a)], [], 'the other one is not asked';
        is scalar(grep { / is down / } $agent->log_lines), 0,
            'and does not go down for it';
        done_testing;
    };
}

subtest 'no host has SMTPUTF8' => sub {
    my @hosts = map { SmtpHost->new(keywords => $_) } ['8BITMIME'], [];
    my @replies = deliver(agent_for({}, @hosts), %UTF8);

    like $replies[0], qr/^550 5\.6\.7 \S+: SMTPUTF8 is needed, but not offered; \S+: SMTPUTF8 /,
        'it comes back';
    is scalar(my @m = map { $_->messages } @hosts), 0, 'nobody has it';
    done_testing;
};

subtest 'a host that may have it is down' => sub {
    my ($a, $b) = (SmtpHost->new, SmtpHost->new(down => 1));
    my @replies = deliver(agent_for({}, $a, $b), %UTF8);

    like $replies[0], qr/^45\d 4\.\S+ .*SMTPUTF8 is needed.*connect: /,
        'it waits';
    done_testing;
};

subtest 'addresses that are not ASCII, without SMTPUTF8' => sub {
    my @replies = deliver(agent_for({}, SmtpHost->new), %UTF8,
        mail_options => undef);

    like $replies[0], qr/^550 5\.6\.7 sender address: local part needs SMTPUTF8/,
        'refused';
    done_testing;
};

subtest 'what is no address in UTF-8 either' => sub {
    my $agent = agent_for({}, SmtpHost->new(keywords => ['SMTPUTF8']));

    for my $row (
        ["\xff\@example.com", 'not UTF-8'],
        ["a\xc2\x85b\@example.com", 'control character'],
    ) {
        my ($recipient, $why) = @{$row};
        my @replies = deliver($agent, %UTF8, recipients => [$recipient]);

        like $replies[0], qr/^550 5\.1\.3 recipient address: $why/, $why;
    }
    done_testing;
};

done_testing;
