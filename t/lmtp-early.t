#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The LMTP face at RCPT: what is sure to come to nothing is refused there, and
# all that may come to something is not.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent;
use Ctl;
use Dns;
use Fixture;
use Lmtp;
use SmtpHost;

my %LONG = (tls => 'none', 'retry-min' => '1h', 'retry-max' => '1h');

sub agent_for {
    my ($routes, %settings) = @_;

    return Agent->new(routes => $routes, settings => {%LONG, %settings});
}

sub ctl {
    my ($agent, @arguments) = @_;

    is(Ctl->run(conf => $agent->conf, arguments => \@arguments)->status, 0,
        "@arguments");
    return;
}

# The replies to MAIL and RCPT of these, and what DATA has then.
sub begin {
    my ($lmtp, @recipients) = @_;

    like $lmtp->say('MAIL FROM:<s@example.org>'), qr/^250 /, 'MAIL';
    return map { $lmtp->say("RCPT TO:<$_>") } @recipients;
}

# A host that is down for an hour, and known to be.
sub down {
    my ($agent, $lmtp) = @_;

    like +($lmtp->deliver)[0], qr/^450 4\.4\.1 .*refused/, 'brings it down';
    return;
}

subtest 'all hosts are down' => sub {
    my @hosts = (SmtpHost->new(down => 1), SmtpHost->new(down => 1));
    my $good = SmtpHost->new;
    my $agent = agent_for('example.com '
        . join(', ', map { $_->destination } @hosts)
        . "\nexample.net " . $good->destination . "\n");
    my $lmtp = Lmtp->begin(agent => $agent);

    down($agent, $lmtp);
    my @replies = begin($lmtp, 'a@example.com', 'b@example.com',
        'c@example.net');
    like $replies[0], qr/^450 4\.4\.1 all hosts of the route are down: .*; next try in \d+ s$/,
        'refused';
    is $replies[1], $replies[0], 'each of the route, in the same words';
    is $replies[2], '250 2.1.5 ok', 'another route is not concerned';
    like $lmtp->say('DATA'), qr/^354 /, 'it goes on';
    $lmtp->send("Subject: x\r\n\r\nx\r\n.\r\n");
    like $lmtp->reply, qr/^250 2\.0\.0 /, 'and has one reply';
    is_deeply [map { $_->recipients } $good->messages], ['c@example.net'],
        'delivered';
    like +(begin($lmtp, 'a@example.com'))[0], qr/^450 /, 'refused again';
    is $lmtp->say('DATA'), '503 5.5.1 no valid recipients', 'nothing is sent';
    $_->start for @hosts;
    ctl($agent, 'retry');
    is $lmtp->say('RSET'), '250 2.0.0 ok', 'RSET';
    like +($lmtp->deliver)[0], qr/^250 2\.0\.0 /, 'retry: up';
    is $lmtp->end, 0, 'exit status';
    done_testing;
};

subtest 'a host that is due is probed' => sub {
    my $host = SmtpHost->new(down => 1);
    my $agent = agent_for('example.com ' . $host->destination . "\n",
        'retry-min' => '1s', 'retry-max' => '1s', patience => 0);
    my $lmtp = Lmtp->begin(agent => $agent);

    down($agent, $lmtp);
    $host->start;
    wait_until('somebody is let through', sub {
        my ($reply) = $lmtp->deliver;
        return $reply =~ /^250 2\.0\.0 / || ($reply =~ /^450 4\.4\.1 / ? 0
            : die "$reply\n");
    });
    is $lmtp->end, 0, 'exit status';
    done_testing;
};

subtest 'one that comes within patience is waited for' => sub {
    my $host = SmtpHost->new(down => 1);
    my $routes = 'example.com ' . $host->destination . "\n";
    my %settings = (%LONG, 'retry-min' => '2s', 'retry-max' => '2s');
    my $agent = agent_for($routes, %settings, patience => 0);
    my $lmtp = Lmtp->begin(agent => $agent);

    down($agent, $lmtp);
    $host->start;
    $agent->configure(routes => $routes,
        settings => {%settings, patience => '60s'});
    like +($lmtp->deliver)[0], qr/^250 2\.0\.0 /, 'delivered';
    is $lmtp->end, 0, 'exit status';
    done_testing;
};

subtest 'unless as many wait as may' => sub {
    my $host = SmtpHost->new(down => 1);
    my $agent = agent_for('example.com ' . $host->destination . "\n",
        'retry-min' => '50s', 'retry-max' => '50s', patience => '60s',
        waiting => 0);
    my $lmtp = Lmtp->begin(agent => $agent);

    down($agent, $lmtp);
    like +(begin($lmtp, 'a@example.com'))[0], qr/^450 4\.4\.1 all hosts /,
        'refused';
    is $lmtp->end, 0, 'exit status';
    done_testing;
};

for my $row (
    ['in the map', '/drain', sub { }],
    ['by command', '', sub { ctl($_[0], 'drain', $_[1]) }],
) {
    my ($says, $option, $drain) = @{$row};
    subtest "drained $says" => sub {
        my $host = SmtpHost->new;
        my $agent = agent_for('example.com ' . $host->destination
            . "$option\n");
        my $lmtp = Lmtp->new(agent => $agent);

        $drain->($agent, $host->address . ':' . $host->port);
        $lmtp->lhlo;
        is +(begin($lmtp, 'a@example.com'))[0],
            '450 4.3.2 all hosts of the route are drained', 'refused';
        is $lmtp->end, 0, 'exit status';
        is scalar(my @c = $host->connections), 0, 'it is not asked';
        done_testing;
    };
}

subtest 'without memory nobody is down' => sub {
    my $host = SmtpHost->new(down => 1);
    my $agent = agent_for('example.com ' . $host->destination
        . "\nexample.net " . $host->destination . "/drain\n",
        'state-directory' => '/nonexistent');
    my $lmtp = Lmtp->begin(agent => $agent);

    down($agent, $lmtp) for 1 .. 2;
    like +(begin($lmtp, 'a@example.net'))[0], qr/^450 4\.3\.2 /,
        'what the map says holds';
    is $lmtp->end, 0, 'exit status';
    done_testing;
};

# More often than a client may be wrong (t/lmtp.t).
subtest 'who pipelines is not at fault' => sub {
    my $host = SmtpHost->new;
    my $agent = agent_for('example.com ' . $host->destination . "/drain\n");
    my $lmtp = Lmtp->begin(agent => $agent);

    my $bad = 0;
    for my $n (1 .. 60) {
        $lmtp->send(join '', map { "$_\r\n" } 'MAIL FROM:<s@example.org>',
            'RCPT TO:<a@example.com>', 'DATA', 'RSET');
        my @replies = map { ($lmtp->reply // 'none') =~ /^(\d+|none)/ } 1 .. 4;
        $bad++ if "@replies" ne '250 450 503 250';
    }
    is $bad, 0, 'DATA behind a refusal';
    $agent->configure(conf => "[smtproute]\nnonsense = 1\n");
    for my $n (1 .. 60) {
        $lmtp->send(join '', map { "$_\r\n" } 'MAIL FROM:<s@example.org>',
            'RCPT TO:<a@example.com>', 'DATA', 'RSET');
        my @replies = map { ($lmtp->reply // 'none') =~ /^(\d+|none)/ } 1 .. 4;
        $bad++ if "@replies" ne '451 503 503 250';
    }
    is $bad, 0, 'all behind a refusal of MAIL';
    is $lmtp->end, 0, 'exit status';
    done_testing;
};

SKIP: {
    skip_or_fail(Dns->missing) if Dns->missing;
    my $dns = Dns->new(
        records => ['null.example. MX 0 .', 'mx.example. MX 10 x.mx.example.',
            'a.example. A 127.0.0.9', 'txt.example. TXT "nothing"'],
        zones => {'broken.example.' => 'servfail', 'mute.example.' => 'deny'},
    );
    my $agent = agent_for("* USEDNS\n", 'dns-servers' => $dns->address);
    my $lmtp = Lmtp->begin(agent => $agent);

    for my $row (
        ['no.example',     '550 5.1.2 no.example: cannot resolve: no such name'],
        ['txt.example',    qr/^550 5\.1\.2 txt\.example: cannot resolve: /],
        ['null.example',   qr/^550 5\.1\.10 null\.example: /],
        ['mx.example',     '250 2.1.5 ok'],
        ['a.example',      '250 2.1.5 ok'],
        ['broken.example', '250 2.1.5 ok'],
        ['[127.0.0.9]',    '250 2.1.5 ok'],
    ) {
        my ($domain, $expected) = @{$row};
        # All in one transaction.
        begin($lmtp) if $domain eq 'no.example';
        my $reply = $lmtp->say("RCPT TO:<a\@$domain>");

        ref $expected ? like $reply, $expected, $domain
            : is $reply, $expected, $domain;
    }
    # How soon c-ares gives one up is its own affair.
    my $asked = 0;
    wait_until('no time is left for DNS', sub {
        $asked++;
        $lmtp->say("RCPT TO:<a\@$asked.mute.example>") =~ /^250 /
            or die "mute.example is refused\n";
        return $lmtp->say("RCPT TO:<a\@$asked.none.example>") =~ /^250 /;
    });
    is $lmtp->say('RSET'), '250 2.0.0 ok', 'another transaction';
    like +(begin($lmtp, 'a@none.example'))[0], qr/^550 5\.1\.2 /,
        'has time again';
    is $lmtp->end, 0, 'exit status';
}

done_testing;
