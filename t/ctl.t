#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# smtproutectl itself: its usage, and whom root becomes.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent;
use Ctl;
use Fixture;

my $USAGE = 'usage: smtproutectl [-c conf]';

subtest 'usage' => sub {
    my $one = qr/\Q$USAGE\E [a-z]+(?: .*)?\n\t[a-z].+\n/;
    my $all = qr/^\Q$USAGE\E command .*\n$one{5,}\z/;

    # Arguments, what is on stdout.
    my @rows = (
        [['-h'], $all],
        [['--help'], $all],
        [['-c', '/nowhere', '--help'], $all],
        [['drain', '--help'],
            qr/\A\Q$USAGE\E drain host \.\.\.\n\tgive hosts no new mail\n\z/],
        [['check', '-h'],
            qr/\A\Q$USAGE\E check\b.*\n\tsay what is wrong .+\n\z/],
    );
    for my $row (@rows) {
        my ($arguments, $stdout) = @{$row};
        my $run = Ctl->run(arguments => $arguments);
        is $run->status, 0, "@{$arguments}: exit status";
        like $run->stdout, $stdout, "@{$arguments}: stdout";
        is $run->stderr, '', "@{$arguments}: stderr";
    }
    for my $arguments ([], ['-x'], ['--nonsense'], ['nonsense'], ['-c']) {
        my $run = Ctl->run(arguments => $arguments);
        is $run->status, 2, "@{$arguments}: exit status";
        is $run->stdout, '', "@{$arguments}: stdout";
        like $run->stderr, qr/^smtproutectl: \Q$USAGE\E drain host \.\.\.$/m,
            "@{$arguments}: stderr";
    }
};

# The program first, as in every complaint, then the command.
subtest 'options that there are not' => sub {
    my @rows = (
        [['-x'], 'smtproutectl: '],
        [['hosts', '--nonsense'], 'smtproutectl: hosts: '],
        [['hosts', '--watch=2', '--json=x'], 'smtproutectl: hosts: '],
        [['route', '-n'], 'smtproutectl: route: '],
        [['import', '--format'], 'smtproutectl: import: '],
        [['check', '-x'], 'smtproutectl: check: '],
        (map { [[$_, '-x'], "smtproutectl: $_: "] } qw(drain resume retry
            forget)),
    );

    for my $row (@rows) {
        my ($arguments, $begin) = @{$row};
        my $run = Ctl->run(arguments => $arguments);
        is $run->status, 2, "@{$arguments}: exit status";
        like +($run->complaints)[0], qr/^\Q$begin\E(?:\w[^:]*\b)?option\b/,
            "@{$arguments}: complaint";
    }
};

sub drain {
    my ($agent, %environment) = @_;

    return Ctl->run(
        conf        => $agent->conf,
        arguments   => ['drain', '192.0.2.1'],
        environment => {MAIL_CONFIG => '/nonexistent', %environment},
    );
}

# The state folder is its: user and group.
sub agent_with {
    my ($uid, $gid) = @_;
    my $agent = Agent->new(routes => "example.com 192.0.2.1, 192.0.2.2\n");

    chown $uid, $gid, $agent->var . '/state' or die "chown: $!\n";
    return $agent;
}

# A folder for $MAIL_CONFIG with a service that reads the agent's settings.
sub postfix_with {
    my ($agent, $user) = @_;
    my $folder = new_folder('postfix');

    write_file("$folder/main.cf", "compatibility_level = 3.6\n");
    write_file("$folder/master.cf", 'smtproute unix - n n - 50 pipe '
        . "user=$user argv=/usr/libexec/smtproute -c " . $agent->conf
        . " -f \${sender} -- \${recipient}\n");
    return (MAIL_CONFIG => $folder);
}

sub owner {
    my ($agent) = @_;

    return join ' ', (stat $agent->var . '/state/hosts.mdb')[4, 5];
}

subtest 'the owner of the state folder' => sub {
    skip_or_fail('another user needs root') if $> != 0;
    my ($uid, $gid) = (getpwnam 'nobody')[2, 3];

    # As "chown nobody" does it, the group stays root's.
    my $agent = agent_with($uid, 0);
    is drain($agent)->status, 0, 'without a group: exit status';
    is owner($agent), "$uid $gid", 'without a group: its user\'s own';

    for my $slash ('', '/', '/.') {
        $agent = agent_with($uid, $gid);
        my $state = $agent->var . '/state';
        my $other = new_folder('other');
        rmdir $state or die "rmdir: $!\n";
        symlink $other, $state or die "symlink: $!\n";
        my $conf = read_file($agent->conf) =~
            s/^(state-directory = .*)$/$1$slash/mr;
        $agent->configure(conf => $conf);
        for my $arguments (['drain', '192.0.2.1'], ['hosts']) {
            my $run = Ctl->run(
                conf        => $agent->conf,
                arguments   => $arguments,
                environment => {MAIL_CONFIG => '/nonexistent'},
            );
            is $run->status, 2, "a link$slash: @{$arguments}: exit status";
            is $run->stderr, "smtproutectl: $state$slash: is a link; "
                . "expected a folder, whose owner root becomes\n",
                "a link$slash: @{$arguments}: complaint";
        }
        is_deeply [glob "$other/*"], [], "a link$slash: nothing is written";
    }

    $agent = agent_with(54_321, $gid);
    my $run = drain($agent);
    is $run->status, 2, 'nobody\'s: exit status';
    like $run->stderr, qr/: its owner, 54321, is no user here$/,
        'nobody\'s: complaint';
    ok !-e $agent->var . '/state/hosts.mdb', 'nobody\'s: nothing is written';
};

subtest 'the user in master.cf' => sub {
    skip_or_fail('another user needs root') if $> != 0;
    skip_or_fail('Postfix is not installed') if !-x '/usr/sbin/postconf';
    my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
    my $other = getpwnam 'daemon';
    my $group = getgrnam 'daemon';

    my $agent = agent_with($uid, 0);
    is drain($agent, postfix_with($agent, 'nobody:daemon'))->status, 0,
        'with a group: exit status';
    is owner($agent), "$uid $group", 'with a group: it is taken';

    # Who can write there if the agent cannot makes a file that it cannot use.
    for my $row (['root\'s', 0, 0], ['another one\'s', $other, $group]) {
        my ($whose, @owner) = @{$row};
        $agent = agent_with(@owner);
        my $run = drain($agent, postfix_with($agent, 'nobody'));
        my $path = $agent->var . '/state/hosts.mdb';
        is $run->status, 2, "the folder is $whose: exit status";
        is $run->stderr, "smtproutectl: $path: Permission denied\n",
            "the folder is $whose: complaint";
        ok !-e $path, "the folder is $whose: nothing is written";
    }

    $agent = agent_with($other, $group);
    is drain($agent, postfix_with(Agent->new, 'nobody'))->status, 0,
        'of other settings: exit status';
    is owner($agent), "$other $group", 'of other settings: the owner\'s';

    $agent = agent_with($other, $group);
    is drain($agent, postfix_with($agent, 'nosuchuser'))->status, 0,
        'who does not exist: exit status';
    is owner($agent), "$other $group", 'who does not exist: the owner\'s';
};

done_testing;
