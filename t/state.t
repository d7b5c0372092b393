#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The shared state is a cache: whatever becomes of it, mail is delivered, once,
# the log says so in one line, and the next delivery has a memory again.  What
# the memory is good for is tested elsewhere.

use strict;
use warnings;

use Errno qw(EIO ENOLCK ENOSPC);
use Fcntl qw(LOCK_EX SEEK_SET);
use POSIX qw(SIGSTOP WUNTRACED mkfifo);
use Test::More;

use Agent;
use Ctl;
use Fixture;
use Lmtp ();
use Shim;
use SmtpHost;

# The preloaded faults would be the wrapper's, and so would a crash.
delete $ENV{SMTPROUTE_WRAPPER};

# What LMDB has allocated when it crashes is lost.
$ENV{ASAN_OPTIONS} = 'detect_leaks=0';

my $PAGE = POSIX::sysconf(POSIX::_SC_PAGESIZE());

# Root without a right to write everything.
my @ORDINARY = $> == 0
    ? ('setpriv', '--bounding-set=-dac_override,-dac_read_search', '--')
    : ();

my $ANEW = '; begun anew, drained hosts may have to be drained again';
my $WITHOUT = '; delivering without memory of hosts';

sub state_file {
    my ($agent) = @_;

    return $agent->var . '/state/hosts.mdb';
}

sub change {
    my ($agent, $code) = @_;

    local $_ = read_file(state_file($agent));
    $code->();
    write_file(state_file($agent), $_);
    return;
}

sub replace {
    my ($agent, $code) = @_;

    unlink state_file($agent) or die "unlink: $!\n";
    $code->(state_file($agent)) or die "$!\n";
    return;
}

sub noise {
    my ($length) = @_;

    srand 1;
    return join '', map { chr int rand 256 } 1 .. $length;
}

# A process that holds the file, and never goes on.
sub stopped_holder {
    my ($agent) = @_;

    my $pid = child(sub {
        open my $file, '+<', state_file($agent) or die "$!\n";
        flock $file, LOCK_EX or die "flock: $!\n";
        kill SIGSTOP, $$;
    });
    waitpid $pid, WUNTRACED;
    return $pid;
}

# How many messages each host has had since the last time.
sub new_messages {
    my ($hosts, $before) = @_;
    my @new;

    for my $i (0 .. $#{$hosts}) {
        my $count = grep { $_->accepted } $hosts->[$i]->messages;
        push @new, $count - ($before->[$i] // 0);
        $before->[$i] = $count;
    }
    return @new;
}

sub warnings {
    my ($run) = @_;

    return map { /4F1B: warning: (.*)/ ? $1 : () } $run->log_lines;
}

# Deliveries that must be as if nothing had happened: equal shares.
sub check_memory {
    my ($agent, $hosts, $before, $what) = @_;
    my @runs = map { $agent->deliver } 1 .. 4;

    is_deeply [map { $_->status } @runs], [0, 0, 0, 0], "$what: delivered";
    is_deeply [map { warnings($_) } @runs], [], "$what: no warning";
    is_deeply [new_messages($hosts, $before)], [2, 2], "$what: shares";
    return;
}

# damage: what happens to the state of two hosts.  run, agent: as in Agent.
# warns: behind "state-directory: PATH"; undef: nothing is said.  heal: what
# brings the state back; without it the next delivery does.
sub check {
    my ($what, %row) = @_;

    subtest $what => sub {
        my @hosts = map { SmtpHost->new } 1, 2;
        my @before;
        my $agent = Agent->new(
            routes => 'example.com '
                . join(', ', map { $_->destination } @hosts) . "\n",
            settings => {'max-connections' => 5},
            %{ $row{agent} // {} },
        );
        check_memory($agent, \@hosts, \@before, 'before');
        my $token = $row{damage} && $row{damage}->($agent);

        my $run = $agent->deliver(%{ $row{run} // {} });
        is $run->status, 0, 'delivered';
        like $run->output, qr/\A2\.0\.0 /, 'and said so';
        my @counts = new_messages(\@hosts, \@before);
        is $counts[0] + $counts[1], 1, 'once';
        is_deeply [warnings($run)], [
            defined $row{warns}
            ? 'state-directory: ' . state_file($agent) . $row{warns} : (),
        ], 'warnings';

        $row{heal}->($agent, $token) if $row{heal};
        # Whose turn it is now depends on what was lost.
        check_memory($agent, \@hosts, \@before, 'afterwards');
    };
    return;
}

# ---- the folder and what is in it ----

check 'the state is removed',
    damage => sub { unlink state_file($_[0]) or die "$!\n" };
check 'the folder is removed',
    damage => sub {
        unlink state_file($_[0]);
        rmdir $_[0]->var . '/state' or die "$!\n";
    },
    warns => ": No such file or directory$WITHOUT",
    heal => sub { mkdir $_[0]->var . '/state' or die "$!\n" };
check 'the folder is a file',
    damage => sub {
        unlink state_file($_[0]);
        rmdir $_[0]->var . '/state' or die "$!\n";
        write_file($_[0]->var . '/state', '');
    },
    warns => ": Not a directory$WITHOUT",
    heal => sub {
        unlink $_[0]->var . '/state';
        mkdir $_[0]->var . '/state' or die "$!\n";
    };
check 'the folder may not be written',
    agent => {prefix => \@ORDINARY},
    damage => sub {
        unlink state_file($_[0]);
        chmod 0500, $_[0]->var . '/state';
    },
    warns => ": Permission denied$WITHOUT",
    heal => sub { chmod 0700, $_[0]->var . '/state' };
check 'the state may only be read',
    agent => {prefix => \@ORDINARY},
    damage => sub { chmod 0400, state_file($_[0]) },
    warns => ": Permission denied$WITHOUT",
    heal => sub { chmod 0600, state_file($_[0]) };
check 'a folder is in its place',
    damage => sub { replace($_[0], sub { mkdir $_[0] }) },
    warns => ": Is a directory$WITHOUT",
    heal => sub { rmdir state_file($_[0]) };
check 'a link is in its place',
    damage => sub { replace($_[0], sub { symlink '/dev/null', $_[0] }) },
    warns => ": Too many levels of symbolic links$WITHOUT",
    heal => sub { unlink state_file($_[0]) };
check 'a pipe is in its place',
    damage => sub { replace($_[0], sub { mkfifo($_[0], 0600) }) },
    warns => ": Invalid argument$WITHOUT",
    heal => sub { unlink state_file($_[0]) };

# ---- its content ----

check 'it is empty',
    damage => sub { change($_[0], sub { $_ = '' }) };
check 'it is one byte',
    damage => sub { change($_[0], sub { $_ = substr $_, 0, 1 }) },
    warns => " was damaged$ANEW";
check 'it is cut off after a page',
    damage => sub { change($_[0], sub { $_ = substr $_, 0, $PAGE }) },
    warns => " was damaged$ANEW";
check 'it is cut off after the second page',
    damage => sub { change($_[0], sub { $_ = substr $_, 0, 2 * $PAGE }) },
    warns => " was damaged$ANEW";
check 'it is zeros',
    damage => sub { change($_[0], sub { $_ = "\0" x length }) },
    warns => " was damaged$ANEW";
check 'it is noise',
    damage => sub { change($_[0], sub { $_ = noise(length) }) },
    warns => " was damaged$ANEW";
check 'it is a text',
    damage => sub { change($_[0], sub { $_ = "hello\n" x 10_000 }) },
    warns => " was damaged$ANEW";
check 'all but its beginning is zeros',
    damage => sub { change($_[0], sub {
        substr($_, 2 * $PAGE) =~ tr/\0-\xff/\0/;
    }) },
    warns => " was damaged$ANEW";
# The last page, in both metas: more than can be mapped.
check 'its beginning says that it is huge',
    damage => sub { change($_[0], sub {
        substr $_, 136, 8, pack 'Q', 1 << 40;
        substr $_, $PAGE + 136, 8, pack 'Q', 1 << 40;
    }) },
    warns => " was damaged$ANEW";
check 'it is of another version',
    damage => sub { change($_[0], sub { s/smtproute 5\0/smtproute 0\0/g }) },
    warns => " was of another version$ANEW";
check 'it is damaged, and cannot be cut off',
    damage => sub { change($_[0], sub { $_ = noise(length) }) },
    run => {environment => faults(ftruncate => EIO)},
    warns => ": damaged$WITHOUT",
    heal => sub { unlink state_file($_[0]) };

# ---- the system ----

check 'the disk is full',
    run => {environment => faults(pwrite => ENOSPC)},
    warns => ": No space left on device$WITHOUT";
check 'files may not be that large',
    damage => sub { $_[0]{prefix} = ['prlimit', '--fsize=4096', '--'] },
    warns => ": File too large$WITHOUT",
    heal => sub { $_[0]{prefix} = [] };
check 'there are no locks',
    run => {environment => faults(flock => ENOLCK)},
    warns => ": No locks available$WITHOUT";
check 'there are no tickets',
    run => {environment => faults(lock => ENOLCK)};
check 'a process that is stopped holds it',
    damage => \&stopped_holder,
    warns => ": locked by another process$WITHOUT",
    heal => sub { kill 'KILL', $_[1]; reap($_[1], 10) };
check 'a process that held it was killed',
    damage => sub {
        my $pid = stopped_holder($_[0]);
        kill 'KILL', $pid;
        reap($pid, 10);
    };
check 'the clock is a day ahead',
    run => {environment => {LD_PRELOAD => $SHIM, FAULT_DAY => 86_400}};
check 'the clock is ten years ahead',
    run => {environment => {LD_PRELOAD => $SHIM, FAULT_DAY => 315_360_000}};
check 'the clock says 1971',
    run => {environment => {
        LD_PRELOAD => $SHIM,
        FAULT_DAY  => 50_000_000 - time,
    }};

# ---- what was known ----

# One host that is down for an hour, and a route that has no other.
sub put_down {
    my ($host, %environment) = @_;
    my $agent = Agent->new(
        routes   => 'example.com ' . $host->destination . "\n",
        settings => {'retry-min' => '1h', 'retry-max' => '1h'},
    );

    $host->stop;
    my $run = $agent->deliver(environment => \%environment);
    is $run->status, 75, 'refused';
    like $run->output, qr/Connection refused/, 'and said so';
    $host->start;
    return $agent;
}

subtest 'who is down stays so, whatever the time of day' => sub {
    my $host = SmtpHost->new;
    my $agent = put_down($host);

    for my $day (0, 86_400, -86_400) {
        my $run = $agent->deliver(environment =>
            {LD_PRELOAD => $SHIM, FAULT_DAY => $day});
        is $run->status, 75, 'deferred';
        like $run->output, qr/4\.4\.1 all hosts of the route are down: /,
            'since it is down';
    }
    is scalar(() = $host->messages), 0, 'without asking';
};

subtest 'who is due in another boot is due' => sub {
    my $host = SmtpHost->new;
    my $agent = put_down($host, LD_PRELOAD => $SHIM, FAULT_BOOT => 1_000_000);

    my $run = $agent->deliver;
    is $run->status, 0, 'delivered';
    is_deeply [warnings($run)], [], 'no warning';
    is scalar(() = $host->messages), 1, 'once';
};

subtest 'a host that has gone up since, the clock set back' => sub {
    my $host = SmtpHost->new;
    my $agent = put_down($host, LD_PRELOAD => $SHIM, FAULT_BOOT => 1_000_000,
        FAULT_DAY => 86_400);

    my $run = $agent->deliver;
    is $run->status, 0, 'delivered';
    is scalar(grep { /host \S+ is up, after 0 s$/ } $run->log_lines), 1,
        'the log counts no negative time';
};

# ---- in the midst of a delivery ----

subtest 'several hosts are tried without a state' => sub {
    my $host = SmtpHost->new;
    my @down = map { reserve_port('127.0.0.1') } 1 .. 3;
    my $agent = Agent->new(
        routes => 'example.com ' . join(', ',
            (map { '[127.0.0.1]:' . $_->sockport } @down),
            $host->destination . '/pri=9') . "\n",
        settings => {'state-directory' => '/nonexistent'},
    );
    my $run = $agent->deliver;

    is $run->status, 0, 'delivered';
    is scalar(() = warnings($run)), 1, 'one warning';
    is scalar(grep { /Connection Error/ } $run->log_lines), 3, 'all others';
};

subtest 'the state is removed meanwhile' => sub {
    my $agent = Agent->new(settings => {'max-connections' => 1});
    my $host = SmtpHost->new(data => sub {
        unlink state_file($agent) or die "$!\n";
        return;
    });
    $agent->configure(
        routes => 'example.com ' . $host->destination . "\n");

    for my $number (1 .. 3) {
        my $run = $agent->deliver;
        is $run->status, 0, 'delivered';
        is_deeply [warnings($run)], [], 'no warning';
        is scalar(() = $host->messages), $number, 'once';
    }
};

subtest 'the state is damaged meanwhile' => sub {
    my $agent = Agent->new;
    my $host = SmtpHost->new(data => sub {
        change($agent, sub { $_ = noise(length) });
        return;
    });
    $agent->configure(
        routes => 'example.com ' . $host->destination . "\n");

    for my $number (1 .. 3) {
        my $run = $agent->deliver;
        is $run->status, 0, 'delivered';
        is_deeply [warnings($run)],
            ['state-directory: ' . state_file($agent) . " was damaged$ANEW"],
            'warning';
        is scalar(() = $host->messages), $number, 'once';
    }
};

# Before the message was sent, and behind it.
for my $at (1, 2) {
    subtest "a crash at the end of use $at" => sub {
        my ($host, $drained) = map { SmtpHost->new } 1, 2;
        my $agent = Agent->new(routes => 'example.com '
            . join(', ', map { $_->destination } $host, $drained) . "\n");
        is(Ctl->run(conf => $agent->conf, arguments =>
            ['drain', $drained->address . ':' . $drained->port])->status,
            0, 'one is drained');
        $agent->deliver;

        my $run = $agent->deliver(environment => faults(crash => 0, $at));
        my $delivered = $at == 1 ? 0 : 1;
        is $run->status, $delivered ? 0 : 75, 'exit status';
        is scalar(() = $host->messages), 1 + $delivered, 'messages';
        ok !-e state_file($agent), 'the state, which may be at fault, is gone';
        ok -e state_file($agent) . '.crashed', 'aside, that is';
        is_deeply [warnings($agent->deliver)], ['state-directory: '
            . state_file($agent) . " was set aside after a crash$ANEW"],
            'the next one says so';
        is_deeply [warnings($agent->deliver)], [], 'and the one after goes on';
        ok !-e state_file($agent) . '.crashed', 'what was aside is gone';
        is scalar(() = $host->messages), 3 + $delivered, 'all to one host';
        is scalar(() = $drained->messages), 0, 'the other is drained still';
    };
}

subtest 'a process that lives on says it once' => sub {
    my $host = SmtpHost->new;
    my $agent = Agent->new(
        routes   => 'example.com ' . $host->destination . "\n",
        settings => {'state-directory' => '/nonexistent/state'},
    );
    my $lmtp = Lmtp->begin(agent => $agent);

    like $_, qr/^250 2\.\d\.\d /, 'delivered'
        for map { $lmtp->deliver } 1 .. 3;
    is $lmtp->end, 0, 'exit status';
    is scalar(grep { /\Q$WITHOUT\E$/ } $agent->log_lines), 1, 'one line';
};

done_testing;
