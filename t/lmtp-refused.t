#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Hosts that have no room for one more message over a connection that the LMTP
# face has kept, and say so at MAIL: another connection or the next host has
# it, nothing is deferred without need, and nobody's slot is lost.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use Test::More;

use Agent;
use Ctl;
use Fixture;
use Lmtp;
use SmtpHost;

my $OK = qr/^250 2\.0\.0 /;
my $BUSY = {reply => '421 4.7.0 too many messages', then => 'close'};
my $CROWDED = {reply => '421 4.7.0 too many connections', then => 'close'};

# At MAIL, for those of these senders.  A kept connection may be gone where a
# machine is slow; what follows is the same then.
sub refuse {
    my ($reply, @users) = @_;

    return sub {
        my ($line) = @_;
        return (grep { $line =~ /<$_@/ } @users) ? $reply : undef;
    };
}

# Hosts in order of priority.
sub agent_for {
    my ($settings, @hosts) = @_;
    my $n = 0;

    return Agent->new(
        settings => {tls => 'none', 'retry-min' => '1h', 'retry-max' => '1h',
            %{$settings}},
        routes   => 'example.com '
            . join(', ', map { $_->destination . '/pri=' . $n++ } @hosts)
            . "\n");
}

sub end {
    is $_->end, 0, 'exit status' for @_;
    return;
}

# Whose messages a host has had, each once.
sub users {
    my ($host) = @_;

    return map { map { /(\w+)@/ } $_->recipients } $host->messages;
}

sub is_well {
    my ($agent, $host) = @_;

    is scalar(grep { / is (?:down|suspect)\b/ } $agent->log_lines), 0,
        'the host is neither down nor suspect';
    is(Ctl->host($agent, $host)->{connected}, 0, 'its slot is free');
    return;
}

for my $keywords (['8BITMIME'], ['PIPELINING']) {
    # The host's own deferral of one message, which concerns no other.
    subtest "4xx, and there is another host, @{$keywords}" => sub {
        my $A = SmtpHost->new(keywords => $keywords,
            mail => refuse('451 4.7.1 too many messages', 'b'));
        my $B = SmtpHost->new;
        my $agent = agent_for({'max-connections' => 1, patience => 0}, $A, $B);
        my ($first, $second) = map { Lmtp->begin(agent => $agent) } 1 .. 2;

        like $first->deliver_one('a'), $OK, 'the first';
        like $first->deliver_one('b'), $OK, 'the second';
        like $second->deliver_one('c'), $OK, 'another process';
        end($first, $second);
        is_deeply [users($A)], ['a', 'c'], 'A has what it takes';
        is_deeply [users($B)], ['b'], 'B what it does not';
        is scalar(grep { $_->story =~ /MAIL(?: RCPT DATA)? MAIL/ }
            $A->connections), 0, 'a connection is not used after a refusal';
        is_well($agent, $A);
        done_testing;
    };

    subtest "4xx, and there is none, @{$keywords}" => sub {
        my $A = SmtpHost->new(keywords => $keywords,
            mail => refuse('451 4.7.1 too many messages', 'b'));
        my $agent = agent_for({'max-connections' => 1, patience => '30s'}, $A);
        my $lmtp = Lmtp->begin(agent => $agent);

        like $lmtp->deliver_one('a'), $OK, 'the first';
        like $lmtp->deliver_one('b'),
            qr/^451 4\.7\.1 .*: 451 4\.7\.1 too many /,
            'the second is deferred by the host, as Postfix is told';
        like $lmtp->deliver_one('c'), $OK, 'the third';
        end($lmtp);
        is_deeply [users($A)], ['a', 'c'], 'what it has';
        is_well($agent, $A);
        done_testing;
    };

    subtest "4.3.2, @{$keywords}" => sub {
        my $A = SmtpHost->new(keywords => $keywords,
            mail => refuse('452 4.3.2 too many messages', 'b', 'c'));
        my $B = SmtpHost->new;
        my $agent = agent_for({'max-connections' => 1}, $A, $B);
        my $lmtp = Lmtp->begin(agent => $agent);

        like $lmtp->deliver_one($_), $OK, "message $_" for 'a' .. 'c';
        is(Ctl->host($agent, $A)->{up}, JSON::PP::false, 'A is down');
        is(Ctl->host($agent, $A)->{connected}, 0, 'its slot is free');
        end($lmtp);
        is_deeply [users($A)], ['a'], 'A has had one';
        is_deeply [users($B)], ['b', 'c'], 'B has the others';
        done_testing;
    };

    # It ends connections, as many do after so many messages.
    subtest "421, @{$keywords}" => sub {
        my $A = SmtpHost->new(keywords => $keywords,
            per_connection => [{mail => [undef, undef, $BUSY]}]);
        my $agent = agent_for({'max-connections' => 1, patience => 0}, $A);
        my $lmtp = Lmtp->begin(agent => $agent);

        like $lmtp->deliver_one($_), $OK, "message $_" for 'a' .. 'e';
        end($lmtp);
        is_deeply [users($A)], ['a' .. 'e'], 'all go to it';
        cmp_ok scalar(my @c = $A->connections), '>=', 3, 'over several';
        is_well($agent, $A);
        done_testing;
    };

    subtest "421 over a new one, too, @{$keywords}" => sub {
        my $A = SmtpHost->new(keywords => $keywords,
            per_connection => [{mail => [undef, $BUSY]}, {mail => $BUSY}]);
        my $B = SmtpHost->new;
        my $agent = agent_for({'max-connections' => 1}, $A, $B);
        my $lmtp = Lmtp->begin(agent => $agent);

        like $lmtp->deliver_one('a'), $OK, 'the first';
        like $lmtp->deliver_one('b'), $OK, 'the second';
        is(Ctl->host($agent, $A)->{connected}, 0, 'its slot is free');
        is scalar(grep { / is suspect/ } $agent->log_lines), 1, 'A is suspect';
        is(Ctl->host($agent, $A)->{up}, JSON::PP::true, 'but up');
        like $lmtp->deliver_one('c'), $OK, 'the third, of another sender';
        is(Ctl->host($agent, $A)->{up}, JSON::PP::false, 'and now A is down');
        like $lmtp->deliver_one('d'), $OK, 'the fourth';
        is(Ctl->host($agent, $A)->{connected}, 0, 'its slot is free');
        end($lmtp);
        is_deeply [users($A)], ['a'], 'A has had one';
        is_deeply [users($B)], ['b' .. 'd'], 'B has the others';
        is scalar(my @c = $A->connections), 3, 'the fourth did not try';
        done_testing;
    };

    # Another process has the one session that the host takes just now.
    for my $next ('waits', 'goes to another host') {
        subtest "421, and no room for another, @{$keywords}: $next" => sub {
            my $go = new_folder('go') . '/on';
            my $hold = sub {
                select undef, undef, undef, 0.02 while !-e $go;
                return;
            };
            my $A = SmtpHost->new(keywords => $keywords, per_connection =>
                [{mail => [undef, $BUSY]}, {final => $hold},
                {greeting => $CROWDED}, {}]);
            my $B = SmtpHost->new;
            my $agent = agent_for({patience => '30s'}, $A,
                $next eq 'waits' ? () : $B);
            my ($first, $second) = map { Lmtp->begin(agent => $agent) } 1 .. 2;

            like $first->deliver_one('a'), $OK, 'the first';
            my $busy = child(sub {
                $second->deliver_one('b') =~ $OK or die "not delivered\n";
            });
            $A->wait_for('final', 2);
            my $refused = child(sub {
                $first->deliver_one('c') =~ $OK or die "not delivered\n";
            });
            wait_until('the host to be full', sub {
                grep { / is full: it takes 1 sessions / } $agent->log_lines;
            });
            ok reap($refused, $Fixture::PATIENCE), 'who was refused goes on'
                if $next ne 'waits';
            write_file($go, '');
            for my $child ($busy, $next eq 'waits' ? $refused : ()) {
                local $?;
                ok reap($child, $Fixture::PATIENCE), 'one is done';
                is $?, 0, 'delivered';
            }
            end($first, $second);
            is_deeply [sort(users($A))],
                [$next eq 'waits' ? ('a' .. 'c') : ('a', 'b')], 'what A has';
            is_deeply [users($B)], [$next eq 'waits' ? () : 'c'], 'and B';
            is_well($agent, $A);
            done_testing;
        };
    }
}

done_testing;
