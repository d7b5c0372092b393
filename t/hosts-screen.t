#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# smtproutectl hosts: how the table fits where it is shown, and --watch.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use POSIX ();
use Test::More;

use Agent;
use Ctl;
use Fixture;
use HostsTable;
use SmtpHost;

my $CTL = abs_path($ENV{SMTPROUTECTL}
    // ($ENV{top_builddir} // '.') . '/src/smtproutectl');

subtest '80 columns' => sub {
    my $closed = reserve_port('127.0.0.1');
    my $name = 'relay.gateway.test';
    my $label = "$name:25";
    my $agent = Agent->new(
        settings => {%LONG, 'dns-servers' => '127.0.0.1:' . $closed->sockport},
        routes   => "example.com [$name], [x.invalid]\n",
    );
    my $host = SmtpHost->new(greeting => '554 5.7.1 '
        . join ' ', ('many words that end') x 10);

    is $agent->deliver->status, 75, 'none can be resolved';
    my $run = hosts($agent, $label, 'x.invalid');
    like line($run, $label), qr/^down [4-6] min more /, 'a name of 18 letters';
    is scalar(grep { length > 80 } $run->lines), 0, 'fits in';
    my $long = 'contoso-example-com.mail.protection.example.net';
    $agent->configure(settings => {%LONG}, routes =>
        "example.com [$name], [$long]\n");
    my @table = hosts($agent, "$long:25", $label)->lines;
    is $table[2], "$long:25", 'a longer one has a line of its own';
    like $table[3], qr/^ {23}up, never tried +- +0 +0 +0 +0 +0 +-$/,
        'its values are below';
    is scalar(grep { length > 80 } @table), 0, 'and all fits in';
    is length $table[3], length $table[0], 'aligned';
    my ($head, @lines) = grep { / STATE |:25 / } $run->lines;
    my $column = index $head, 'STATE';
    is_deeply [map { substr($_, $column, 5) } @lines], [('down ') x 2],
        'and all is aligned';
    is_deeply [map { length } $head, @lines], [(length $head) x 3],
        'to the right as well';
    $agent->configure(routes => 'example.com ' . $host->destination . "\n");
    is $agent->deliver->status, 75, 'a long error';
    $run = hosts($agent, label($host));
    my @error = grep { /^    / } $run->lines;
    is scalar(@error), 3, 'has lines';
    is scalar(grep { length > 80 } @error), 0, 'that fit in';
    is join(' ', map { s/^ +//r } @error), json(hosts($agent, '--json',
        label($host)))->[0]{last_error}, 'and is whole';
    $host->connections;
};

subtest 'watching' => sub {
    my $agent = Agent->new(routes => "example.com [192.0.2.1]\n");
    my $head = qr/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d, every 1 s$/m;

    for my $signal (qw(TERM INT)) {
        my $run = Ctl->start(conf => $agent->conf,
            arguments => ['hosts', '--watch=1', '192.0.2.1']);
        wait_until('two tables', sub {
            my $count = () = $run->stdout =~ /^192\.0\.2\.1:25 .* -\n/mg;
            return $count >= 2;
        });
        my @fds = glob '/proc/' . $run->pid . '/fd/*';
        is_deeply [grep { /hosts\.mdb|routes/ } map { readlink } @fds], [],
            "$signal: nothing is open in between";
        $run->kill($signal);
        $run->wait;
        is $run->status, 0, "$signal: exit status";
        is $run->stderr, '', "$signal: stderr";
        my $count = () = $run->stdout =~ /$head/g;
        cmp_ok $count, '>=', 2, "$signal: each has a head";
        unlike $run->stdout, qr/\e/, "$signal: no screen is cleared";
    }

    my $run = Ctl->start(conf => $agent->conf,
        arguments => ['hosts', '--watch=3600']);
    wait_until('a table', sub { $run->stdout =~ /^192\.0\.2\.1:25 .* -\n/m });
    hosts($agent) for 1 .. 3;
    is scalar(() = $run->stdout =~ /^192\.0\.2\.1:25 /mg), 1,
        'a long time: the next one is not due yet';
    $run->kill('TERM');
    is $run->wait->status, 0, 'a long time: exit status';

    $run = Ctl->run(conf => $agent->conf,
        arguments => ['hosts', '--watch', 'mx.example.com']);
    is $run->status, 1, 'no such host: exit status';
    like $run->stdout, qr/\A.*, every 2 s\n\n\z/, 'no such host: once';

    if ($> == 0) {
        my $uid = getpwnam 'nobody';
        chmod 0600, $agent->routes or die "chmod: $!\n";
        chown $uid, -1, $agent->var . '/state' or die "chown: $!\n";
        $run = Ctl->start(conf => $agent->conf,
            arguments => ['hosts', '--watch=1']);
        wait_until('three tables', sub {
            my $count = () = $run->stdout =~ /$head/g;
            return $count >= 3;
        });
        $run->kill('TERM');
        $run->wait;
        my $count = () = $run->stdout =~ /$head/g;
        is scalar(() = $run->stdout =~ /^192\.0\.2\.1:25 /mg), $count,
            'a map that is root\'s to read: each has its hosts';
        is $run->stderr, '', 'a map that is root\'s to read: stderr';
        chmod 0644, $agent->routes;
        chown 0, 0, $agent->var . '/state';
    }

    my $fifo = new_folder('fifo') . '/fifo';
    POSIX::mkfifo($fifo, 0600) or die "$fifo: $!\n";
    $run = Ctl->start(conf => $agent->conf, output => $fifo,
        arguments => ['hosts', '--watch=3600']);
    open my $reader, '<', $fifo or die "$fifo: $!\n";
    my $line = <$reader>;
    like $line, qr/, every 3600 s$/, 'a reader';
    # The table has been written with it.
    close $reader;
    $run->wait;
    is $run->status // 0, 0, 'who leaves ends it at once';
};

subtest 'a terminal' => sub {
    my $agent = Agent->new(routes => "example.com [192.0.2.1]/drain\n");
    my $drained = qr/\e\[33mdrained in map *\e\[m/;

    for my $row (
        [['TERM=xterm'], $drained, 'colours'],
        [['TERM=xterm', 'NO_COLOR=1'], qr/ drained in map /, 'not wanted'],
        [['TERM=dumb'], qr/ drained in map /, 'not known'],
    ) {
        my ($environment, $shown, $name) = @{$row};
        my ($status, $said) = Ctl->terminal(conf => $agent->conf,
            arguments => ['hosts'],
            environment => ['-u', 'NO_COLOR', @{$environment}]);
        is $status, 0, "$name: exit status";
        like $said, qr/^192\.0\.2\.1:25 +$shown/m, $name;
    }
};

subtest 'watching on a terminal' => sub {
    my $host = SmtpHost->new;
    my $agent = Agent->new(routes => 'example.com ' . $host->destination . "\n"
        . join '', map { "x$_.example mx$_.example.test\n" } 1 .. 30);
    my $folder = new_folder('screen');
    my $pid = child(sub {
        open STDOUT, '>', '/dev/null' or die "/dev/null: $!\n";
        %ENV = (PATH => $ENV{PATH}, TERM => 'xterm', TZ => 'UTC');
        exec 'script', '-qfec', "stty rows 12 cols 100; echo \$\$ >$folder/pid; "
            . "exec $CTL -c " . $agent->conf . ' hosts --watch=1',
            "$folder/screen" or die "script: $!\n";
    });
    my $frames = sub {
        return split /\e\[H/, -e "$folder/screen"
            ? read_file("$folder/screen") : '';
    };

    wait_until('a frame', sub { $frames->() > 2 });
    is $agent->deliver->status, 0, 'a message';
    my $label = label($host);
    ok wait_until('its rate', sub {
        scalar grep { /^\Q$label\E +up +- +[1-9]\d* +1 /m } $frames->();
    }), 'what is sent in a minute';
    my $written = $frames->();
    wait_until('two more', sub { $frames->() > $written + 2 });
    kill 'INT', 0 + read_file("$folder/pid");
    ok reap($pid, $Fixture::PATIENCE), 'it ends';
    is $?, 0, 'exit status';
    my ($begin, @frames) = $frames->();
    like $begin, qr/\e\[\?1049h/, 'another screen';
    like $frames[-1], qr/\e\[\?25h\e\[\?1049l(?!.*1049h)/s, 'is left again';
    for my $frame (@frames) {
        $frame =~ s/\r?\nScript done.*//s;
        my @lines = split /\r?\n/, $frame =~ s/\e\[\??\d*[A-Za-z]//gr;
        like $lines[0], qr/^\d{4}-.*, every 1 s$/, 'the head is on top';
        like $lines[2], qr/^31 of 31 hosts up, 0 down, 0 drained/,
            'below it the summary';
        like $lines[4], qr/^HOST +STATE +FOR +\/MIN SENT /, 'and the table';
        cmp_ok scalar(@lines), '<=', 12, 'all of it has room';
        like $lines[-1], qr/^\.\.\. and \d+ more lines/,
            'what has not is counted';
    }
    $host->connections;
};

subtest 'a narrow terminal' => sub {
    my $agent = Agent->new(routes => "example.com [192.0.2.1]/drain\n");

    for my $row ([200, 'HOST STATE FOR SENT DEFER BOUNCE FAIL CONN TIME'],
        [60, 'HOST STATE FOR SENT DEFER FAIL'], [50, 'HOST STATE SENT DEFER'],
        [20, 'HOST STATE']) {
        my ($columns, $head) = @{$row};
        my ($status, $said) = capture('script', '-qec',
            "stty cols $columns; $CTL -c " . $agent->conf . ' hosts',
            '/dev/null');
        is $status, 0, "$columns: exit status";
        my ($first) = $said =~ /^(HOST.*?)\r?$/m;
        is join(' ', split ' ', $first), $head, "$columns: its columns";
        cmp_ok length $first, '<=', $columns, "$columns: fit" if $columns > 40;
    }
};

done_testing;
