#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Hosts that speak LMTP, option lmtp: LHLO, and a final reply for each
# recipient (RFC 2033 section 4.2), with both faces.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent;
use Ctl;
use Fixture;
use Lmtp;
use SmtpHost;

my $OK = qr/^250 2\.0\.0 /;
my $LHLO = "250-b.example\n250 PIPELINING";

sub agent_for {
    my (@destinations) = @_;

    return Agent->new(routes => 'example.com ' . join(', ', @destinations)
        . "\n", settings => {tls => 'none', 'final-timeout' => '20s'});
}

# It knows no EHLO, and says @final at the dot.
sub host {
    my (%script) = @_;

    return SmtpHost->new(ehlo => '500 5.5.1 say LHLO', helo =>
        '500 5.5.1 say LHLO', lhlo => $LHLO, %script);
}

sub many {
    return join '', map { "$_\r\n" } @_;
}

sub deliver {
    my ($agent, @recipients) = @_;
    my $lmtp = Lmtp->begin(agent => $agent);

    my @replies = $lmtp->deliver(
        recipients => [map { "$_\@example.com" } @recipients]);
    is $lmtp->end, 0, 'exit status';
    return @replies;
}

for my $lhlo ('250 b.example', $LHLO) {
    subtest 'fates after the content, ' . ($lhlo =~ s/\n/, /r) => sub {
        my $host = host(lhlo => $lhlo, rcpt => sub {
            return $_[0] =~ /nobody/ ? '550 5.1.1 no such user' : undef;
        }, final => \many('250 2.0.0 kept', '452 4.2.2 mailbox full',
            '552 5.2.2 over quota'));
        my @replies = deliver(agent_for($host->destination . '/lmtp'),
            qw(one nobody two three));

        like $replies[0], qr/^250 2\.0\.0 \S+: 250 2\.0\.0 kept$/, 'sent';
        like $replies[1], qr/^550 5\.1\.1 .*no such user \(in reply to RCPT/,
            'refused before';
        like $replies[2], qr/^451 4\.2\.2 .*452 4\.2\.2 mailbox full/,
            'deferred';
        like $replies[3], qr/^550 5\.2\.2 .*552 5\.2\.2 over quota/,
            'refused';
        my ($connection) = $host->connections;
        is_deeply [grep { /^(?:EHLO|HELO|LHLO)/ } $connection->commands],
            ['LHLO agent.example'], 'LHLO';
        done_testing;
    };
}

subtest 'who is deferred goes on, to a host with SMTP' => sub {
    my $first = host(final => \many('250 2.0.0 kept', '451 4.3.0 later'));
    my $second = SmtpHost->new;
    my @replies = deliver(agent_for($first->destination . '/lmtp',
        $second->destination . '/pri=10'), qw(one two));

    is scalar(grep { $_ =~ $OK } @replies), 2, 'delivered';
    is_deeply [map { $_->recipients } $second->messages],
        ['two@example.com'], 'the second one there';
    done_testing;
};

subtest 'lost between two replies' => sub {
    my $host = host(final => {reply => \many('250 2.0.0 kept'),
        then => 'close'});
    my @replies = deliver(agent_for($host->destination . '/lmtp'),
        qw(one two));

    like $replies[0], $OK, 'who has a reply';
    like $replies[1], qr/^451 4\.4\.2 .*may have accepted it/, 'who has none';
    done_testing;
};

subtest 'nonsense between two replies' => sub {
    my $host = host(final => \many('250 2.0.0 kept', '354 go', '250 ok'));
    my @replies = deliver(agent_for($host->destination . '/lmtp'),
        qw(one two three));

    like $replies[0], $OK, 'who had a reply before';
    like $replies[$_], qr/^45\d /, 'who had none' for 1, 2;
    done_testing;
};

subtest 'nobody accepted, but DATA is' => sub {
    my $host = host(rcpt => '550 5.1.1 no', data => '354 go');
    my @replies = deliver(agent_for($host->destination . '/lmtp'), 'one');

    like $replies[0], qr/^550 5\.1\.1 /, 'refused, without a wait';
    done_testing;
};

subtest 'kept' => sub {
    my $host = host(final => \many('250 2.0.0 kept'));
    my $lmtp = Lmtp->begin(agent => agent_for($host->destination . '/lmtp'));

    like +($lmtp->deliver)[0], $OK, "message $_" for 1 .. 3;
    is $lmtp->end, 0, 'exit status';
    is scalar(my @c = $host->connections), 1, 'over one connection';
    done_testing;
};

subtest 'by pipe' => sub {
    for my $row (
        ['250 2.0.0 kept', 0, qr/^2\.0\.0 /],
        ['452 4.2.2 mailbox full', 75, qr/^4\.2\.2 /],
        ['550 5.7.1 no', 77, qr/^5\.7\.1 /],
    ) {
        my ($reply, $status, $output) = @{$row};
        my $host = host(final => $reply);
        my $run = agent_for($host->destination . '/lmtp')->deliver;

        is $run->status, $status, $reply;
        like $run->output, $output, "$reply: the line";
    }
    my $host = host();
    my $run = agent_for($host->destination . '/lmtp')->deliver(
        recipients => ['one@example.com', 'two@example.com']);
    is $run->status, 75, 'two recipients in one call';
    like $run->output,
        qr/^4\.3\.5 .*recipient_limit = 1.*LMTP answers for each recipient/,
        'nothing is sent';
    is scalar(my @m = $host->messages), 0, 'to nobody';
    done_testing;
};

subtest 'a host that speaks SMTP only' => sub {
    my $host = SmtpHost->new(lhlo => '500 5.5.1 unknown command');
    my $run = agent_for($host->destination . '/lmtp')->deliver;

    is $run->status, 75, 'waits';
    like $run->output, qr/500 5\.5\.1 unknown command \(in reply to /,
        'why';
    is_deeply [map { $_->commands } $host->connections],
        ['LHLO agent.example', 'QUIT'], 'no HELO';
    done_testing;
};

subtest 'the default port is 24' => sub {
    my $agent = agent_for('[192.0.2.1]/lmtp', '[192.0.2.2]:26/lmtp');
    my $run = Ctl->run(conf => $agent->conf,
        arguments => ['route', 'user@example.com']);

    like $run->stdout, qr/192\.0\.2\.1:24\b/, 'without one';
    like $run->stdout, qr/192\.0\.2\.2:26\b/, 'with one';
    done_testing;
};

subtest 'probe' => sub {
    my $host = host();
    my $agent = agent_for($host->destination . '/lmtp');
    my $run = Ctl->run(conf => $agent->conf,
        arguments => ['probe', 'example.com']);

    is $run->status, 0, 'exit status' or diag $run->stdout, $run->stderr;
    like $run->stdout, qr/LHLO/, 'says LHLO';
    done_testing;
};

done_testing;
