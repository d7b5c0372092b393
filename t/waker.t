#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What becomes of mail that is to be woken when the process that does so is
# killed amid it: a postqueue(1) of our own tells what it was asked for, and
# does not come back while a file says so.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent ();
use CrowdHost ();
use Ctl ();
use Fixture;
use Herd;
use Shim;

# As wakeup.c has it: so many are taken from the list at a time.
my $BATCH = 10;
my $WAITING = 35;

my ($POSTQUEUE) = grep { -x } '/usr/sbin/postqueue', '/usr/bin/postqueue';

skip_or_fail(defined $POSTQUEUE ? undef : 'there is no postqueue(1)');
skip_or_fail('mount namespaces need root')
    if $> != 0 || (capture('unshare', '-m', 'true'))[0] != 0;

my $dir = new_folder('postqueue');
write_file("$dir/postqueue", <<"EOF_SCRIPT");
#! /bin/sh
# \$1 is -i.  A line for each call: who asks, and for what.
echo "\$PPID \$2" >>$dir/calls
while [ -e $dir/hold ]; do sleep 0.05; done
EOF_SCRIPT
chmod 0755, "$dir/postqueue" or die "chmod: $!\n";
write_file("$dir/run", "#! /bin/sh\n"
    . "mount --bind $dir/postqueue $POSTQUEUE && exec \"\$@\"\n");
chmod 0755, "$dir/run" or die "chmod: $!\n";
write_file("$dir/calls", '');
write_file("$dir/clock", 0);

# Who has asked, and for which message, in pairs.
sub calls {
    return map { [split] } split /\n/, read_file("$dir/calls");
}

sub woken {
    return sort { $a <=> $b } map { $_->[1] } calls();
}

my $host = CrowdHost->new(down => 1);
my $agent = Agent->new(
    prefix   => ['unshare', '-m', "$dir/run",
        'env', "LD_PRELOAD=$SHIM", "FAULT_CLOCK=$dir/clock"],
    routes   => '* ' . $host->destination . "\n",
    settings => {'retry-min' => '1h', 'retry-max' => '1h'},
);
my $herd = Herd->new(agent => $agent);

is_deeply tally($herd->deliver($WAITING, at_once => 5)), {75 => $WAITING},
    'all are deferred';
# No message is woken that was deferred less than a second ago.
write_file("$dir/clock", 60);
$host->start;
is(Ctl->run(conf => $agent->conf, arguments => ['retry'])->status, 0, 'retry');

my @killed;
for my $round (1, 2) {
    write_file("$dir/hold", '');
    my $before = calls();
    is_deeply tally($herd->deliver(1)), {0 => 1}, 'the host is up';
    wait_until('the first to be woken', sub { calls() > $before });
    my ($pid) = @{ (calls())[-1] };
    kill 'KILL', $pid or die "kill: $!\n";
    push @killed, $pid;
    unlink "$dir/hold" or die "unlink: $!\n";
}

# Those two are asked for; the others of each batch are lost, and no more.
my $least = $WAITING - 2 * ($BATCH - 1);
is_deeply tally($herd->deliver(1)), {0 => 1}, 'one more delivery';
wait_until('the others', sub { calls() >= $least });
my @woken = woken();
my %count;
$count{$_}++ for @woken;
is_deeply [grep { $count{$_} > 1 } keys %count], [], 'none is woken twice';
is_deeply [grep { $_ > $WAITING } @woken], [], 'none that did not wait';
is scalar(@woken), $least, 'all others are woken';

my %wakers = map { $_->[0] => 1 } calls();
cmp_ok scalar(keys %wakers), '>', 2, 'by others than the killed';
is_deeply tally($herd->deliver(2)), {0 => 2}, 'mail flows';
is scalar(calls()), $least, 'and nobody is left to be woken';

# Delivered by another host while this one was down, it waits for none.
my ($down, $other) = map { CrowdHost->new(down => 1) } 1, 2;
$agent->configure(routes => 'both.example ' . $down->destination . ', '
    . $other->destination . "/pri=1\n"
    . 'one.example ' . $down->destination . "\n");
my $deliver = sub {
    my ($id, $domain) = @_;
    return $agent->deliver(queue_id => $id, recipients => ["u\@$domain"])
        ->status;
};
is $deliver->('BOTH', 'both.example'), 75, 'both hosts are down';
is $deliver->('ONE', 'one.example'), 75, 'and one of them';
write_file("$dir/clock", 120);
$other->start;
is(Ctl->run(conf => $agent->conf,
    arguments => ['retry', $other->destination =~ s/[][]//gr])->status, 0,
    'retry of the other');
is $deliver->('BOTH', 'both.example'), 0, 'delivered by the other';
$down->start;
is(Ctl->run(conf => $agent->conf, arguments => ['retry'])->status, 0, 'retry');
is $deliver->('NEW', 'one.example'), 0, 'by the one';
wait_until('who waits for it', sub { grep { $_->[1] eq 'ONE' } calls() });
is_deeply [grep { $_->[1] eq 'BOTH' } calls()], [], 'who does not is not woken';

done_testing;
