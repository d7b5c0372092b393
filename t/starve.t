#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Behind a real Postfix with a process limit of 50: three routes whose hosts
# swallow packets, each with more mail than that, leave processes for a fourth.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use List::Util qw(shuffle);
use Test::More;

use Agent ();
use BlackHole ();
use CrowdHost ();
use Ctl ();
use Fixture;
use PostfixInstance ();

skip_or_fail(PostfixInstance->missing);
skip_or_fail(BlackHole->missing);

# All three would have 60 processes, if each could wait.
my $DEAD = 60;
my $GOOD = 20;
my $WAITING = 10;

my @holes = map { BlackHole->new(down => 1) } 1 .. 3;
my $good = CrowdHost->new;
my $agent = Agent->new(
    user   => 'nobody',
    routes => join('', map { "dead$_.example " . $holes[$_]->destination . "\n" }
        0 .. 2) . 'good.example ' . $good->destination . "\n",
    # Nobody is done with waiting before the test is.
    settings => {
        patience          => '14m',
        'connect-timeout' => '14m',
        'retry-min'       => '1s',
        waiting           => $WAITING,
        wake              => 'no',
    },
);
my $postfix = PostfixInstance->new(
    agent => $agent,
    patient => 1,
);

sub inject {
    my ($domain, $user) = @_;

    return $postfix->inject(recipients => ["$user\@$domain"]);
}

# What "smtproutectl hosts" says of each dead route, [waiting, ...].
sub waiting {
    my $text = Ctl->run(conf => $agent->conf, arguments => ['hosts'])->stdout;

    return map { my $name = $_->destination =~ tr/[]//dr;
        $text =~ /^\Q$name\E, (\d+)$/m ? $1 : 0 } @holes;
}

for my $number (0 .. 2) {
    my $id = inject("dead$number.example", 'first');
    $postfix->wait_for(qr/ $id: .* status=deferred .*Connection refused/);
}
$_->start for @holes;

my @dead = shuffle map { my $user = $_;
    map { ["dead$_.example", "u$user"] } 0 .. 2 } 1 .. $DEAD;
inject(@{$_}) for splice @dead, 0, @dead / 2;
wait_until('all that may wait', sub {
    return 3 == grep { $_ == $WAITING } waiting();
});
my @good;
while (@dead) {
    inject(@{$_}) for splice @dead, 0, 3 * $DEAD / 2 / $GOOD;
    push @good, inject('good.example', 'u' . @good) if @good < $GOOD;
}
$postfix->wait_for(qr/ $_: to=.* status=sent /) for @good;
pass 'mail along the good route is delivered';
is_deeply [waiting()], [($WAITING) x 3],
    'while so many wait along the others, and no more';

# Of each dead route: one asks, and so many wait.
my $others = 3 * ($DEAD - $WAITING - 1);
my @deferred = $postfix->wait_for(
    qr/ to=<u.*\@dead.* status=deferred \(all hosts of the route are down/,
    $others);
is scalar(@deferred), $others, 'all others are deferred at once';
is scalar(grep { / Waiting: / } $agent->log_lines), 3 * $WAITING,
    'log: so many have waited';

done_testing;
