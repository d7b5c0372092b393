#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Signals at every point of a delivery.  Postfix defers what ends by one, so
# nothing may be lost by it, and no second host may have the message.

use strict;
use warnings;

use POSIX ();
use Test::More;

use Agent;
use BlackHole;
use Fixture;
use Honest;
use SmtpHost;

my $CRASHED = "4.3.0 smtproute: fatal signal, see the system's log";
my $LATE = '4.3.0 smtproute: time-limit passed';

# More than the buffers of two sockets.
my $HUGE = $LARGE x 30;

# Makes stdout a full pipe.
my @FULL = ($^X, '-e', '1 while syswrite STDOUT, "x" x 4096; exec @ARGV');

# How to hold the agent at a stage: the first host's script, the message, what
# is in front of the agent.  reached is called to wait until it is there; if
# there is none, the host waits in the stage.
my %STAGES = (
    'reading' => {message => \&feed_for_ever, reached => sub {
        my ($agent) = @_;
        wait_until('input taken', sub { -e $agent->folder . '/fed' });
    }},
    'connecting' => {hole => 1, reached => sub {
        my ($agent) = @_;
        wait_until('an attempt', sub { -s $agent->var . '/state/hosts.mdb' });
    }},
    (map { $_ => {script => {$_ => 'silence'}} }
        qw(greeting ehlo mail rcpt data final)),
    'content' => {
        script  => {content => {after => 1_000, then => 'deaf'}},
        message => $HUGE,
    },
    'reporting' => {prefix => \@FULL, accepted => 1, reached => sub {
        my ($agent, $host) = @_;
        $host->wait_for('quit');
    }},
);

# More than a pipe holds, so that the agent is reading when it is all gone.
sub feed_for_ever {
    my ($pipe) = @_;

    print {$pipe} $LARGE;
    $pipe->flush;
    write_file('fed', '');
    POSIX::pause();
    return;
}

sub start_and_hold {
    my ($stage) = @_;
    my %how = %{ $STAGES{$stage} };

    my $host = SmtpHost->new(%{ $how{script} // {} });
    my $second = SmtpHost->new;
    my $hole = $how{hole} ? BlackHole->new : undef;
    my $agent = Agent->new(
        routes => sprintf("example.com %s, %s/pri=10\n",
            ($hole // $host)->destination, $second->destination),
        prefix => $how{prefix} // [],
    );
    my $message = $how{message} // $SMALL;
    $message = sub { chdir $agent->folder; feed_for_ever(@_) } if ref $message;
    my $run = $agent->start(message => $message);
    if ($how{reached}) {
        $how{reached}->($agent, $host);
    } else {
        $host->wait_for($stage);
    }
    return ($run, $host, $second, $hole);
}

# What ends as: the signal itself, or the line.
sub check {
    my ($signal, $stage, $ends_as) = @_;

    subtest "$signal while $stage" => sub {
        skip_or_fail(BlackHole->missing) if $STAGES{$stage}{hole};
        my ($run, $host, $second, $hole) = start_and_hold($stage);
        my $accepted = $STAGES{$stage}{accepted} // 0;

        $run->kill($signal);
        $run->wait;
        if (defined $ends_as) {
            is $run->status, 75, 'exit status';
            is $run->output, $ends_as, 'output';
        } else {
            is $run->signal, POSIX->can("SIG$signal")->(), 'signal';
            unlike $run->output, qr/[^x]/, 'output';
        }
        is scalar(grep { $_->accepted } $host->messages), $accepted,
            'accepted by the host';
        is scalar(() = $second->connections), 0, 'no other host';
    };
    return;
}

for my $stage (sort keys %STAGES) {
    check('KILL', $stage);
    check('TERM', $stage);
    # stdout is full then, and the handler does not wait.
    next if $stage eq 'reporting';
    check('SEGV', $stage, $CRASHED);
}
check($_, 'rcpt', $CRASHED) for qw(ABRT BUS FPE ILL SYS TRAP);
check('ALRM', $_, $LATE) for qw(reading rcpt);

# Holds the host in a stage until the agent has had its signals.
sub check_harmless {
    my (@signals) = @_;

    subtest "@signals while rcpt" => sub {
        my $go = new_folder('go') . '/go';
        my $host = SmtpHost->new(rcpt => sub {
            wait_until('the signals', sub { -e $go });
            return;
        });
        my $agent = Agent->new(
            routes => 'example.com ' . $host->destination . "\n");
        my $run = $agent->start(message => $SMALL);

        $host->wait_for('rcpt');
        $run->kill($_) for @signals;
        write_file($go, '');
        is_deeply [breaches($run->wait, $host->messages)], [], 'honest';
        is $run->status, 0, 'delivered';
    };
    return;
}

check_harmless('PIPE');
check_harmless('XFSZ');
check_harmless('STOP', 'CONT');

done_testing;
