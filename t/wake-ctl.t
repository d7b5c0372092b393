#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Which commands of smtproutectl have mail tried that waits for a host which is
# free again by its rate, and that no command fails of it or changes anything
# else.  A postqueue(1) of our own tells what it was asked for; what a command
# leaves behind becomes a child of this test, which waits for its end.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent ();
use CrowdHost ();
use Ctl ();
use Fixture;
use Shim;

my ($POSTQUEUE) = grep { -x } '/usr/sbin/postqueue', '/usr/bin/postqueue';

skip_or_fail(defined $POSTQUEUE ? undef : 'there is no postqueue(1)');
skip_or_fail('mount namespaces need root')
    if $> != 0 || (capture('unshare', '-m', 'true'))[0] != 0;
skip_or_fail('orphans cannot be adopted on this machine')
    if !set_subreaper(0);
# All that runs here shares one, in which the other postqueue(1) is.
if (!$ENV{WAKE_CTL_UNSHARED}) {
    local $ENV{WAKE_CTL_UNSHARED} = 1;
    exec 'unshare', '-m', $^X, $0 or die "unshare: $!\n";
}
set_subreaper(1);

my $dir = new_folder('postqueue');
write_file("$dir/postqueue", <<"EOF_SCRIPT");
#! /bin/sh
# The queue is empty for who asks for a list.
test "\$1" = -i && echo "\$2" >>$dir/calls
exit 0
EOF_SCRIPT
chmod 0755, "$dir/postqueue" or die "chmod: $!\n";
system('mount', '--bind', "$dir/postqueue", $POSTQUEUE) == 0
    or die "mount: $?\n";
write_file("$dir/calls", '');
chmod 0666, "$dir/calls" or die "chmod: $!\n";

my $host = CrowdHost->new;
my $route = 'example.com ' . $host->destination . "/rate=1:1h\n"
    . "other.example [192.0.2.1], [192.0.2.2]\n";
my $agent = Agent->new(routes => $route);
my $state = $agent->var . '/state/hosts.mdb';
my %environment = (%{ { $agent->environment } }, LD_PRELOAD => $SHIM,
    FAULT_BOOT => 0, FAULT_DAY => 0);
write_file("$environment{MAIL_CONFIG}/main.cf", '');
name_agent('root');
my %ours = map { $_ => 1 } children();
my $number = 0;

# In master.cf.
sub name_agent {
    my ($user) = @_;

    write_file("$environment{MAIL_CONFIG}/master.cf",
        "smtproute unix - n n - - pipe user=$user argv=/usr/sbin/smtproute"
        . ' -c ' . $agent->conf . " -- \${recipient}\n");
    return;
}

# Those of this process that have not been waited for.
sub children {
    my @pids;

    for my $path (glob '/proc/[0-9]*/stat') {
        open my $file, '<', $path or next;
        my ($pid, $parent) = (<$file> // '') =~ /^(\d+) \(.*\) \S (\d+) /s;
        push @pids, $pid if defined $parent && $parent == $$;
    }
    return @pids;
}

# Waits for all that was left behind.  How many were there at first?
sub settle {
    my $count;

    while (my @strays = grep { !$ours{$_} } children()) {
        $count //= @strays;
        for my $pid (@strays) {
            reap($pid, $Fixture::PATIENCE) or die "$pid does not end\n";
        }
    }
    return $count // 0;
}

sub calls {
    return split /\n/, read_file("$dir/calls");
}

sub pass_time {
    $environment{$_} += 4000 for qw(FAULT_BOOT FAULT_DAY);
    return;
}

sub deliver {
    my ($id) = @_;

    return $agent->deliver(queue_id => $id, environment => \%environment);
}

# Its queue id: a message that waits, for a host that is free by now.
sub let_wait {
    my $id = 'WAITS' . ++$number;

    pass_time();
    is deliver("SENT$number")->status, 0, 'one is delivered';
    settle();
    write_file("$dir/calls", '');
    like deliver($id)->output, qr/^4\.4\.5 .* at (?:its|their) rate/,
        'the next one waits';
    settle();
    pass_time();
    return $id;
}

sub ctl {
    my ($arguments, %option) = @_;

    return Ctl->run(
        conf        => $agent->conf,
        arguments   => $arguments,
        environment => \%environment,
        %option,
    );
}

subtest 'not before its time' => sub {
    is deliver('SENT')->status, 0, 'one is delivered';
    is deliver('WAITS')->status, 75, 'the next one waits';
    settle();
    is ctl(['route', 'example.com'])->status, 0, 'exit status';
    ok settle(), 'somebody looks';
    is_deeply [calls()], [], 'and wakes nobody';
    pass_time();
    is ctl(['route', 'example.com'])->status, 0, 'exit status';
    settle();
    is_deeply [calls()], ['WAITS'], 'but then';
    is ctl(['route', 'example.com'])->status, 0, 'exit status';
    settle();
    is_deeply [calls()], ['WAITS'], 'once';
};

# What they say is for other tests.
my @wake = (
    ['route', '--json', '-n', '[192.0.2.2]'], ['hosts'],
    ['hosts', '--json', '192.0.2.1'], ['hosts', '--check'],
    ['probe', 'example.com'], ['drain', '192.0.2.1'], ['resume', '192.0.2.1'],
    ['forget', '192.0.2.1'], ['retry'], ['queue'], ['queue', '--check'],
    ['queue', '--flush'], ['route', 'not.found.example'],
);

for my $arguments (@wake) {
    subtest "wakes: @{$arguments}" => sub {
        my $waiting = let_wait();
        my $run = ctl($arguments);

        isnt $run->status, undef, 'it ends';
        is $run->stderr, '', 'without a complaint';
        settle();
        is_deeply [calls()], [$waiting], 'the message is tried';
    };
}

subtest 'wakes: hosts --watch, each time' => sub {
    my $waiting = let_wait();
    my $run = Ctl->start(
        conf        => $agent->conf,
        arguments   => ['hosts', '--watch=1'],
        environment => \%environment,
    );

    wait_until('the message to be tried', sub { scalar(calls()) });
    is_deeply [calls()], [$waiting], 'while it watches';
    $run->kill('TERM');
    $run->wait;
    settle();
};

subtest 'others do not' => sub {
    my $waiting = let_wait();
    write_file("$dir/table", "example.com smtp:[192.0.2.1]\n");
    my @quiet = (
        ['check', '--no-dns'], ['postfix'], ['edit'], ['serve'],
        ['trace', "--log=$dir/table", 'WAITS'],
        ['import', '--format=transport', "$dir/table"], ['route', '--help'],
        ['route'], ['hosts', '--nonsense'], ['--help'], ['-V'],
    );

    for my $arguments (@quiet) {
        my $run = ctl($arguments, input => "GET /metrics HTTP/1.0\r\n\r\n",
            environment => {%environment, EDITOR => 'true'});

        isnt $run->stdout . $run->stderr, '', "@{$arguments}: has an answer"
            if $arguments->[0] ne 'edit';
        is settle(), 0, "@{$arguments}: leaves nothing behind";
    }
    is_deeply [calls()], [], 'nobody is woken';
    ctl(['queue']);
    settle();
    is_deeply [calls()], [$waiting], 'until somebody does';
};

subtest 'root becomes the agent' => sub {
    my $waiting = let_wait();
    my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
    my $folder = $agent->var . '/state';

    chown($uid, $gid, $folder, $state) == 2 or die "chown: $!\n";
    name_agent('nobody');
    is ctl(['queue'])->status, 0, 'exit status';
    settle();
    is_deeply [calls()], [$waiting], 'as it is needed to write the state';
    is +(stat $state)[4], $uid, 'which is still the agent\'s';
    chown(0, 0, $folder, $state) == 2 or die "chown: $!\n";
    name_agent('root');
};

# @change: done to what is there; returns what undoes it.
sub check_quiet {
    my ($name, $arguments, $status, $change, %option) = @_;

    subtest $name => sub {
        my $waiting = let_wait();
        my $restore = $change->();
        my $before = -e $state ? read_file($state) : undef;
        my $run = ctl($arguments, %option);

        is $run->status, $status, 'exit status';
        is scalar($run->complaints), $status == 0 ? 0 : 1, 'complaints';
        ok settle(), 'somebody looks';
        is_deeply [calls()], [], 'and wakes nobody';
        is -e $state ? read_file($state) : undef, $before,
            'the state is as it was';
        $restore->();
        ctl(['queue']);
        settle();
        is_deeply [calls()], [$waiting], 'until it can be';
    };
    return;
}

check_quiet('wake = no', ['queue'], 0, sub {
    $agent->configure(settings => {wake => 'no'});
    return sub { $agent->configure(settings => {}) };
});

check_quiet('somebody who may only read the state', ['route', 'example.com'],
    0, sub {
        chmod(0644, $state) or die "chmod: $!\n";
        return sub { chmod 0640, $state };
    }, user => 'nobody');

check_quiet('somebody who may not even do that', ['queue'], 0, sub {
    return sub { };
}, user => 'nobody');

check_quiet('settings that cannot be read', ['route', 'example.com'], 2, sub {
    my $conf = read_file($agent->conf);
    $agent->configure(conf => "[smtproute]\nnonsense = 1\n");
    return sub { $agent->configure(conf => $conf) };
});

check_quiet('a state that is damaged', ['queue'], 0, sub {
    my $sound = read_file($state);
    write_file($state, 'nonsense' x 1000);
    return sub { write_file($state, $sound) };
});

check_quiet('no state', ['queue'], 0, sub {
    rename $state, "$state.old" or die "rename: $!\n";
    return sub { rename "$state.old", $state or die "rename: $!\n" };
});

done_testing;
