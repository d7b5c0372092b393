#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The process that hands over the message dies: the end of what it wrote is not
# the message's end, and nobody would hear that it was delivered.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use POSIX ();
use Test::More;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Agent;
use Fixture;
use SmtpHost;

my $GONE = 'the program that handed over the message has ended';

my $HEADER = "Received: from here\nSubject: test\n\n";
my $SMALL = $HEADER . "a line\n" x 100;
my $LARGE = $HEADER . ('x' x 99 . "\n") x 160_000;

# In main(): its first act is to put /dev/null in the place of fd 2.  Then
# everything that was written has been read, and it sleeps.
sub is_reading {
    my ($pid, $pipe) = @_;
    my $pending = pack 'i', 0;

    return if (readlink("/proc/$pid/fd/2") // '') ne '/dev/null';
    ioctl $pipe, 0x541B, $pending or die "FIONREAD: $!\n";
    return unpack('i', $pending) == 0
        && read_file("/proc/$pid/stat") =~ /.*\) S/;
}

# $life is open until it ends.
sub run_agent {
    my ($agent, $in, $out, $life) = @_;

    POSIX::setsid();
    POSIX::dup2(fileno $in, 0);
    POSIX::dup2(fileno $out, $_) for 1, 2;
    POSIX::dup2(fileno $life, 9);
    %ENV = $agent->environment;
    my @command = ($agent->command, '-q', '4F1B', '-f', '', '--',
        'user@example.com');
    exec { $command[0] } @command or die "$command[0]: $!\n";
}

# A parent that starts the agent, does something with its input, and dies.
# Returns when the agent has ended, too: what it said, if that is kept.
sub orphan {
    my ($agent, %how) = @_;
    my $kept = $agent->folder . '/kept';
    my $keeps = $how{verdict} eq 'file';

    pipe my $end, my $life or die "pipe: $!\n";
    my $parent = child(sub {
        close $end;
        pipe my $in, my $message or die "pipe: $!\n";
        pipe my $verdict, my $out or die "pipe: $!\n";
        if ($keeps) {
            open $out, '>', $kept or die "$kept: $!\n";
        }
        my $pid = child(sub { run_agent($agent, $in, $out, $life) });
        close $in;
        binmode $message;
        $how{parent}->($message, $pid);
        kill 'KILL', $$;
    });
    close $life;
    reap($parent, $Fixture::PATIENCE) or die "the parent lives\n";
    $how{then}->() if $how{then};
    my $ready = '';
    vec($ready, fileno $end, 1) = 1;
    select $ready, undef, undef, $Fixture::PATIENCE
        or die "the agent does not end\n";
    $agent->check_reports;
    return $keeps ? read_file($kept) : undef;
}

sub check_orphan {
    my ($name, $script, %how) = @_;

    subtest $name => sub {
        my $host = SmtpHost->new(%{$script});
        my $second = SmtpHost->new;
        my $agent = Agent->new(routes => sprintf "example.com %s, %s/pri=1\n",
            $host->destination, $second->destination);
        my $said = orphan($agent, %how, parent => sub {
            $how{parent}->(@_, $host);
        });

        like $said, qr/^4\.3\.0 .*\Q$GONE\E/, 'deferred' if defined $said;
        is scalar(grep { $_->dot } $host->messages), 0, 'no final dot';
        is scalar(() = $second->connections), 0, 'and no other host';
        is scalar(grep { /: warning: \Q$GONE\E/ } $agent->log_lines), 1,
            'one warning in the log';
        is_deeply [grep { /Delivered/ } $agent->log_lines], [],
            'nothing of a delivery';
    };
    return;
}

# ---- amid the message ----

my %parts = (
    'nothing'              => '',
    'half a header'        => substr($HEADER, 0, 10),
    'the header'           => $HEADER,
    'half the message'     => substr($SMALL, 0, 300),
    'all but the last LF'  => substr($SMALL, 0, -1),
    'all'                  => $SMALL,
    'half a large message' => substr($LARGE, 0, 8_000_000),
    'a large message'      => $LARGE,
);

for my $reaper ('init', set_subreaper(0) ? 'subreaper' : ()) {
    set_subreaper($reaper ne 'init');
    for my $verdict (qw(pipe file)) {
        for my $part (sort keys %parts) {
            check_orphan("$part, then death; $reaper, verdict to a $verdict",
                {digest => 1}, verdict => $verdict, parent => sub {
                    my ($message, $pid) = @_;
                    print {$message} $parts{$part};
                    $message->flush;
                    wait_until('the agent reads',
                        sub { is_reading($pid, $message) });
                });
        }
    }
}
set_subreaper(0);

# ---- behind it, but before the final dot ----

for my $size (qw(small large)) {
    for my $stage (qw(greeting data content)) {
        my $go = new_folder('go') . '/go';
        check_orphan("death when a $size message is read: $stage", {
                digest => 1,
                $stage => sub {
                    wait_until('death', sub { -e $go });
                    return $stage eq 'content' ? {} : undef;
                },
            },
            verdict => 'file',
            parent  => sub {
                my ($message, $pid, $host) = @_;
                print {$message} $size eq 'small' ? $SMALL : $LARGE;
                close $message;
                $host->wait_for($stage);
            },
            then => sub { write_file($go, '') },
        ) if $stage ne 'content' || $size eq 'large';
    }
}

# ---- no accident ----

# By hand, from a shell, which may wait or be replaced; from a file and a pipe.
sub by_hand {
    my ($name, $script) = @_;

    subtest $name => sub {
        my $host = SmtpHost->new(digest => 1);
        my $agent = Agent->new(
            routes => 'example.com ' . $host->destination . "\n");
        my $message = $agent->folder . '/message';
        write_file($message, $LARGE);
        my %environment = $agent->environment;
        my ($status, $output) = capture('env', '-i',
            map({ "$_=$environment{$_}" } sort keys %environment),
            'sh', '-c', $script, 'sh', $message, $agent->command, '--',
            'user@example.com');

        is $status, 0, 'exit status';
        like $output, qr/^2\.0\.0 /, 'what it says';
        my ($got) = $host->messages;
        is $got->sha256, sha256_hex($LARGE =~ s/\n/\r\n/gr), 'all of it';
    };
    return;
}

by_hand('from a file', 'm=$1; shift; "$@" < "$m"; exit $?');
by_hand('from a file, in place of the shell', 'm=$1; shift; exec "$@" < "$m"');
by_hand('from a pipe', 'm=$1; shift; cat "$m" | "$@"');
by_hand('to a file', 'm=$1; shift; "$@" < "$m" > "$m.out"; s=$?;'
    . ' cat "$m.out"; exit $s');
by_hand('under timeout(1)', 'm=$1; shift; timeout 60 "$@" < "$m"');
by_hand('in a session of its own', 'm=$1; shift; setsid -w "$@" < "$m"');

done_testing;
