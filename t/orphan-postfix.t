#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A real Postfix that is stopped while pipe(8) hands over a large message: no
# host may accept a part of it, and after the restart all of it comes.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use File::Copy qw(copy);
use Test::More;

use Agent;
use Fixture;
use PostfixInstance;
use Shim;
use SmtpHost;

skip_or_fail(PostfixInstance->missing);

my $BODY = ('x' x 99 . "\n") x 60_000;

# So often the agent reads before it stops: its settings, its routes, and part
# of the message, of which each read takes 64 KB at most.
my $READS = 40;

# What runs in the agent's place: $script, then "$real", which is the agent, or
# "$stops", which is the agent that stops amid the message.
sub postfix_with {
    my ($script, $sink) = @_;

    my $agent = Agent->new(user => 'nobody',
        routes => 'example.com ' . $sink->destination . "\n");
    my $postfix = PostfixInstance->new(agent => $agent, stopped => 1);
    my $path = $postfix->smtproute;
    my $run = new_folder('run');
    chmod 0777, $run;
    rename $path, "$path.real" or die "$path: $!\n";
    copy($SHIM, "$path.so") or die "$path.so: $!\n";
    write_file($path, "#!/bin/sh\nreal=$path.real\nrun=$run\n"
        . "stops='env LD_PRELOAD=$path.so FAULT_CALL=stop FAULT_AT=$READS"
        . " $path.real'\n$script\n");
    chmod 0755, $path;
    $postfix->start;
    return ($postfix, $agent, $run);
}

# Bytes that a process has read.
sub has_read {
    my ($pid) = @_;

    my ($read) = read_file("/proc/$pid/io") =~ /^rchar: (\d+)/m;
    return $read;
}

sub state_of {
    my ($pid) = @_;

    return read_file("/proc/$pid/stat") =~ /.*\) (\S)/ ? $1 : '';
}

# Waits for the pid that the script has left, and until it has stopped.
sub wait_stopped {
    my ($run) = @_;
    my $pid;

    wait_until('the agent', sub {
        ($pid) = -s "$run/pid" ? read_file("$run/pid") =~ /(\d+)\n/ : ();
    });
    wait_until('it has stopped', sub { state_of($pid) eq 'T' });
    return $pid;
}

sub check {
    my ($name, $script) = @_;

    subtest $name => sub {
        my $sink = SmtpHost->new(digest => 1);
        my ($postfix, $agent, $run) = postfix_with($script, $sink);
        my $id = $postfix->inject(message => "Subject: large\n\n$BODY");
        my $pid = wait_stopped($run);

        cmp_ok has_read($pid), '<', length $BODY, 'stopped amid the message';
        $postfix->stop;
        unlink "$run/pid";
        write_file("$run/again", '');
        kill 'CONT', $pid;
        wait_until('its end',
            sub { !-e "/proc/$pid" || state_of($pid) eq 'Z' });
        is_deeply [$sink->messages], [], 'the host has accepted nothing';
        is scalar(grep { /warning: the program that handed over/ }
            $agent->log_lines), 1, 'the log says why';

        $postfix->start;
        $postfix->flush;
        $postfix->wait_for(qr/ $id: to=<user\@example.com>, .*status=sent /);
        my @messages = $sink->messages;
        is scalar @messages, 1, 'after the restart it comes, once';
        ok $messages[0]->accepted && $messages[0]->size > length $BODY,
            'and whole';
    };
    return;
}

check 'pipe(8) dies while the agent reads', <<'EOF';
test -e $run/again && exec $real "$@"
echo $$ > $run/pid
exec $stops "$@"
EOF
check 'pipe(8) dies before the agent begins', <<'EOF';
test -e $run/again && exec $real "$@"
echo $$ > $run/pid
kill -STOP $$
exec $real "$@"
EOF
check 'pipe(8) dies, a shell between the two does not', <<'EOF';
test -e $run/again && exec $real "$@"
exec 3<&0
$stops "$@" <&3 3<&- &
echo $! > $run/pid
wait $!
EOF

done_testing;
