#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The two ways to start the status page: by spawn(8), whose entry "postfix
# --status" prints and sets, in a Postfix that runs; and by systemd's units in
# contrib.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use File::Copy qw(copy);
use HTTP::Tiny ();
use JSON::PP ();
use Test::More;

use Agent;
use Ctl;
use Fixture;
use PostfixInstance;
use SmtpHost;

my $UNITS = "$FindBin::Bin/../contrib/systemd";
my $BINARY = abs_path($ENV{SMTPROUTECTL}
    // ($ENV{top_builddir} // '.') . '/src/smtproutectl');

my $MAIN = "compatibility_level = 3.6\nmyhostname = gw1.example.com\n";
my $PICKUP = "pickup    unix  n  -  y  60  1  pickup\n";

# The agent's entry, with a user that is there on every machine.
my $AGENT = "smtproute unix - n n - 50 pipe\n"
    . "  flags=hq user=nobody null_sender= argv=/usr/sbin/smtproute\n"
    . "  -q \${queue_id} -f \${sender} -n \${nexthop} -- \${recipient}\n";

# The same in LMTP, with the usual settings or others.
sub lmtp {
    my ($user, @conf) = @_;

    return "smtproute-lmtp unix - n n - 50 spawn\n"
        . "  user=$user argv=/usr/sbin/smtproute -L @conf\n";
}

sub folder {
    my ($master) = @_;
    my $dir = new_folder('status');

    write_file("$dir/main.cf", $MAIN);
    write_file("$dir/master.cf", $master);
    write_file("$dir/smtproute.conf", "[smtproute]\nroutes = $dir/routes\n"
        . "state-directory = $dir\nspool-directory = $dir\n");
    write_file("$dir/routes", "example.com [192.0.2.1]\n");
    return $dir;
}

sub postfix {
    my ($dir, @arguments) = @_;

    utime time - 60, time - 60, "$dir/main.cf", "$dir/master.cf";
    return Ctl->run(
        conf        => "$dir/smtproute.conf",
        arguments   => ['postfix', @arguments],
        environment => {MAIL_CONFIG => $dir, TMPDIR => new_folder('tmp')},
    );
}

my $SERVE = qr{argv=/\S+/smtproutectl\s+-c\s+\S+/smtproute\.conf\s+serve$}m;

subtest 'printed' => sub {
    my $run = postfix(folder(''), '--status');

    is $run->status, 0, 'exit status';
    is $run->stderr, '', 'stderr';
    like $run->stdout, qr{\A\#\ master\.cf\n
        127\.0\.0\.1:9479\ inet\ \ n\ \ n\ \ n\ \ -\ \ 10\ \ spawn\n
        \ \ user=smtproute\ $SERVE\n\z}x, 'the entry';
    is postfix(folder(''), '--status', '--lmtp')->status, 2,
        'not with --lmtp';
};

SKIP: {
    skip_or_fail(-x '/usr/sbin/postconf' ? undef : 'Postfix is not installed');

    subtest 'applied' => sub {
        my $dir = folder($PICKUP . $AGENT);
        my $run = postfix($dir, '--apply', '--status');

        is $run->status, 0, 'exit status';
        is $run->stderr, '', 'stderr';
        like $run->stdout, qr{^--- \Q$dir\E/master\.cf$}m, 'a diff';
        like $run->stdout, qr{^done; next: postfix -c \Q$dir\E reload$}m,
            'the next step';
        my $master = read_file("$dir/master.cf");
        like $master, qr{\A\Q$PICKUP$AGENT\E127\.0\.0\.1:9479\ +inet\ +n\ +n\ +
            n\ +-\ +10\ +spawn\s+user=nobody\s+$SERVE}x,
            'the entry, with the agent\'s user';
        is read_file("$dir/main.cf"), $MAIN, 'main.cf stays';
        $run = postfix($dir, '--apply', '--status');
        is $run->stdout, "nothing to change\n", 'once is enough';
        is read_file("$dir/master.cf"), $master, 'and nothing is';

        rename "$dir/smtproute.conf", "$dir/other.conf";
        write_file("$dir/smtproute.conf", read_file("$dir/other.conf"));
        write_file("$dir/master.cf", $master =~ s/smtproute\.conf/other.conf/r);
        $run = postfix($dir, '--apply', '--status');
        is $run->status, 0, 'other settings: exit status';
        like read_file("$dir/master.cf"), $SERVE, 'other settings: they change';
        is scalar(() = read_file("$dir/master.cf") =~ /^127\.0\.0\.1/mg), 1,
            'other settings: in its place';
    };

    subtest 'the agent\'s user' => sub {
        my @rows = (
            ['in LMTP alone', 'daemon', sub { lmtp('daemon') }],
            ['by pipe(8), which is first', 'nobody',
                sub { $AGENT . lmtp('daemon') }],
            ['with these settings', 'daemon',
                sub { $AGENT . lmtp('daemon', "-c $_[0]/smtproute.conf") }],
            ['of no other program', 'smtproute', sub {
                lmtp('daemon') =~ s/smtproute -L/other -L/r }],
        );

        for my $row (@rows) {
            my ($name, $user, $master) = @{$row};
            my $dir = folder('');
            write_file("$dir/master.cf", $master->($dir));
            my $run = postfix($dir, '--apply', '--status');
            if (defined getpwnam $user) {
                is $run->status, 0, "$name: exit status";
                like read_file("$dir/master.cf"),
                    qr{^127\.0\.0\.1:9479 [^=]+ user=$user\s}mx, $name;
            }
            else {
                is $run->stderr, "smtproutectl: user $user does not exist; "
                    . "expected the agent's\n", $name;
            }
        }
    };

    subtest 'refused' => sub {
        my $taken = "127.0.0.1:9479 inet n - n - - smtpd\n";
        my %rows = (
            'the port is another\'s' => [$AGENT . $taken,
                'master.cf: 127.0.0.1:9479/inet does not run smtproutectl '
                . 'serve by spawn; expected the port to be free'],
            'the user is missing' => [
                $AGENT =~ s/user=nobody/user=no-such-user/r,
                'user no-such-user does not exist; expected the agent\'s'],
        );

        for my $name (sort keys %rows) {
            my ($master, $says) = @{ $rows{$name} };
            my $dir = folder($master);
            my $run = postfix($dir, '--apply', '--status');
            is $run->status, 2, "$name: exit status";
            is $run->stderr, "smtproutectl: $says\n", "$name: says so";
            is read_file("$dir/master.cf"), $master, "$name: nothing changes";
        }
    };
}

subtest 'by spawn(8)' => sub {
    my $missing = PostfixInstance->missing;
    plan skip_all => $missing if $missing && !$ENV{CI};
    skip_or_fail($missing);
    my $host = SmtpHost->new;
    my $agent = Agent->new(user => 'nobody',
        routes => 'example.com ' . $host->destination . "\n");
    # The build folder may be closed to the agent's user.
    my $tool = new_folder('tool') . '/smtproutectl';
    copy($BINARY, $tool) or die "$tool: $!\n";
    chmod 0755, $tool or die "$tool: $!\n";
    my $port = reserve_port('127.0.0.1');
    my $url = 'http://127.0.0.1:' . $port->sockport;
    my $postfix = PostfixInstance->new(
        agent  => $agent,
        master => sprintf("127.0.0.1:%u inet n n n - 10 spawn\n"
            . "  user=nobody argv=%s -c %s serve\n", $port->sockport, $tool,
            $agent->conf),
    );
    my $id = $postfix->inject(recipients => ['user@example.com']);
    $postfix->wait_for(qr/ $id: .*status=sent/);

    my %types = ('/' => 'text/html', '/metrics' => 'application/openmetrics-text',
        '/hosts.json' => 'application/json', '/healthz' => 'text/plain');
    my $http = HTTP::Tiny->new(timeout => $Fixture::PATIENCE);
    my %text;
    for my $path (sort keys %types) {
        my $answer = $http->get($url . $path);
        is $answer->{status}, 200, "$path: 200";
        like $answer->{headers}{'content-type'}, qr/^\Q$types{$path}\E(?:;|$)/,
            "$path: type";
        $text{$path} = $answer->{content};
    }
    like $text{'/'}, qr/<title>The only host is up - /, 'the page';
    like $text{'/'}, qr/aria-label="Last 24 hours: sent 1"/,
        'which knows of the message';
    like $text{'/healthz'}, qr/^SMTPROUTE OK .* sent=1c /, 'health';
    is JSON::PP::decode_json($text{'/hosts.json'})->[0]{deliveries}, 1, 'JSON';
    like $text{'/metrics'}, qr/^smtproute_state_usable 1$/m,
        'metrics: the state is the user\'s';
    is $http->get("$url/x")->{status}, 404, 'another name';
    is $http->post("$url/", {content => 'x' x 100_000})->{status}, 405,
        'another method, with a body';
    unlike $postfix->maillog, qr{postfix/spawn.*(?:warning|fatal|status)},
        'spawn(8) has nothing to complain of';
    $host->connections;
};

subtest 'systemd\'s units' => sub {
    my ($missing) = capture('systemd-analyze', '--version');
    my $dir = new_folder('units');

    for my $name ('smtproute-status.socket', 'smtproute-status@.service') {
        write_file("$dir/$name", read_file("$UNITS/$name")
            =~ s{^ExecStart=\S+}{ExecStart=$BINARY}mr);
    }
    my $unit = read_file("$UNITS/smtproute-status\@.service");
    like $unit, qr{^ExecStart=/usr/sbin/smtproutectl serve$}m, 'the command';
    like $unit, qr/^Standard${_}put=socket$/m, "std\L$_\Eput" for qw(In Out);
    like $unit, qr/^StandardError=journal$/m, 'complaints do not go there';
    like read_file("$UNITS/smtproute-status.socket"),
        qr/^ListenStream=127\.0\.0\.1:9479$/m, 'the same place';
    SKIP: {
        skip 'no systemd-analyze', 1 if $missing != 0;
        my ($status, $said) = capture('systemd-analyze', 'verify', '--man=no',
            "$dir/smtproute-status.socket", "$dir/smtproute-status\@.service");
        is $status . $said, '0', 'systemd-analyze verify';
    }
};

done_testing;
