#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Routes from an lmdb map, the file that postmap(1) makes for Postfix.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent   ();
use Ctl     ();
use Failover;
use Fixture;
use SmtpHost ();

my $POSTMAP = '/usr/sbin/postmap';
my $folder = new_folder('postfix');

write_file("$folder/main.cf", "compatibility_level = 3.6\n");
delete $ENV{MAIL_CONFIG};

sub postmap {
    return capture($POSTMAP, '-c', $folder, @_);
}

my (undef, $types) = capture('/usr/sbin/postconf', '-c', $folder, '-m');
skip_or_fail(($types // '') =~ /^lmdb$/m
    ? undef : 'Postfix has no lmdb maps here (postfix-lmdb)');

# An agent with this map in both forms.
sub indexed {
    my ($routes, %option) = @_;
    my $agent = Agent->new(routes => $routes, %option);
    my $map = 'lmdb:' . $agent->routes;

    $agent->configure(settings => {routes => $map});
    my ($status, $said) = postmap($map);
    is $status, 0, 'postmap' or diag $said;
    return $agent;
}

# What becomes of a message to this domain, in one word.
sub outcome {
    my ($agent, $domain, @nexthop) = @_;
    my $run = $agent->deliver(recipients => ["user\@$domain"], @nexthop);

    return 'dropped' if $run->status == 0 && $run->output =~ /dropped/;
    return $run->status . ' ' . $run->output;
}

subtest 'a delivery' => sub {
    my $host = SmtpHost->new;
    my $agent = indexed("Example.com\t" . $host->destination
        . ",\n# comment\n  [127.0.0.1]:9/pri=10\n");
    my $run = $agent->deliver;

    is $run->status, 0, 'exit status';
    like $run->output, qr{^2\.0\.0 127\.0\.0\.1\[127\.0\.0\.1\]:\d+: 250 }, 'the line';
    is_deeply [map { $_->accepted ? 1 : 0 } $host->messages], [1],
        'the host has it';
};

subtest 'one file for Postfix and us' => sub {
    my %routes = (
        'exact.example' => '/dev/null',
        '.below.example' => '[192.0.2.1]:25/pri=0, [192.0.2.2]/pri=5',
        'named' => 'mx.example.com:25',
        '*' => 'USEDNS',
    );
    my $agent = indexed(join '', map { "$_ $routes{$_}\n" } sort keys %routes);
    my $map = 'lmdb:' . $agent->routes;

    is_deeply [postmap('-q', $_, $map)], [0, "$routes{$_}\n"], "Postfix: $_"
        for sort keys %routes;
    is outcome($agent, 'EXACT.example'), 'dropped', 'we, too';
    is_deeply [postmap('-s', $map)],
        [0, join '', map { "$_\t$routes{$_}\n" } sort keys %routes],
        'that is all';
};

subtest 'mail that waits' => sub {
    my $agent = indexed("example.com [mx]:99999\nother.example /dev/null\n");
    my ($map, $file) = ('lmdb:' . $agent->routes, $agent->routes . '.lmdb');

    is outcome($agent, 'example.com'), "75 4.3.5 $map: key example.com: "
        . "column 6: bad port '99999'; expected 1 to 65535",
        'a bad value names its key';
    is outcome($agent, 'other.example'), 'dropped', 'other keys go on';
    is outcome($agent, 'no.example'), "75 4.4.4 no route for no.example in $map",
        'no key';
    is outcome($agent, 'no.example', nexthop => 'name'),
        "75 4.4.4 no route named name in $map", 'no such name';
    write_file($file, 'x' x 20000);
    is outcome($agent, 'example.com'), "75 4.3.5 $file: not an lmdb file; "
        . 'expected what postmap(1) makes', 'a foreign file';
    unlink $file or die $!;
    is outcome($agent, 'example.com'),
        "75 4.3.5 $file: No such file or directory", 'no file';
};

# Every page of the tree is rubbish, but not the two that say where it is.
subtest 'a damaged map' => sub {
    # LMDB may crash over it, and what it had then is lost.
    local $ENV{ASAN_OPTIONS} = join ':', $ENV{ASAN_OPTIONS} // (),
        'detect_leaks=0';
    local $ENV{SMTPROUTE_WRAPPER};
    my $agent = indexed(join '', map { "k$_.example /dev/null\n" } 1 .. 3000);
    my $file = $agent->routes . '.lmdb';
    my $sound = read_file($file);

    for my $byte ("\x00", "\x7f", "\xff") {
        write_file($file, substr($sound, 0, 8192)
            . $byte x (length($sound) - 8192));
        like outcome($agent, 'k7.example'),
            qr/^75 4\.(3\.5 \Q$file\E: damaged; expected what postmap\(1\)|4\.4 no)/,
            sprintf 'bytes of %02x', ord $byte;
    }
    write_file($file, substr($sound, 0, 8192 + 100));
    is outcome($agent, 'k7.example'),
        "75 4.3.5 $file: damaged; expected what postmap(1) makes", 'cut off';
};

# The two maps differ in what else they hold, and so in all their pages.
subtest 'rebuilt while hundreds of deliveries read it' => sub {
    my @maps = map {
        my $more = $_;
        join '', "example.com /dev/null\n",
            map { "k$_.$more.example /dev/null\n" } 1 .. 500 * $more;
    } 1, 4;
    my $agent = indexed($maps[0]);
    my $deliveries = 240;
    my $rebuilds = 0;
    my (@running, @runs);

    my $over = "$folder/over";
    my $pid = child(sub {
        while (!-e $over) {
            write_file($agent->routes, $maps[++$rebuilds % 2]);
            my ($status, $said) = postmap('lmdb:' . $agent->routes);
            die "postmap: $said\n" if $status != 0;
        }
        die "only $rebuilds rebuilds\n" if $rebuilds < 3;
    });
    while (@runs < $deliveries) {
        push @running, $agent->start while @running < 12;
        push @runs, (shift @running)->wait;
    }
    $_->wait for @running;
    write_file($over, '');
    waitpid $pid, 0;
    is $?, 0, 'postmap went on all the time';
    is_deeply [grep { $_->status != 0 } @runs], [], "$deliveries deliveries";
};

sub ctl {
    my ($agent, @arguments) = @_;

    return Ctl->run(conf => $agent->conf, arguments => [@arguments],
        environment => {MAIL_CONFIG => '/nonexistent'});
}

subtest 'the tool reads it, too' => sub {
    my $host = SmtpHost->new;
    my $agent = indexed("example.com " . $host->destination . "\n"
        . ".example.com: [127.0.0.1]:9/drain,[127.0.0.2]:9/drain\n"
        . "bad.example [::,x:y\nA.example [10.0.0.1]\na.example. [10.0.0.2]\n");
    my $map = 'lmdb:' . $agent->routes;

    my $run = ctl($agent, 'route', 'user@example.com');
    is $run->status, 0, 'route';
    like $run->stdout, qr/^route     example\.com, \Q$map\E$/m, 'key and map';
    $run = ctl($agent, 'route', 'user@bad.example');
    is $run->stderr, "smtproutectl: $map: key bad.example: column 1: "
        . "'[' without end; expected ']'\n", 'route at fault';
    $run = ctl($agent, 'check', "--routes=$map");
    is $run->status, 2, 'check';
    is_deeply [$run->lines], [
        "$map: key .example.com: warning: Postfix's own lookup does not find "
            . "'.example.com:'; expected '.example.com' without the colon",
        "$map: key .example.com: warning: every host is drained; expected "
            . 'one to send mail to, which waits in the queue meanwhile',
        "$map: key a.example.: warning: Postfix's own lookup does not find "
            . "'a.example.'; expected no final dot",
        "$map: key a.example.: warning: key 'a.example.' is the same as "
            . "'a.example'; expected one of them",
        "$map: key bad.example: column 1: '[' without end; expected ']'",
        "$map: key bad.example: column 7: bad port 'y'; expected 1 to 65535",
        '2 errors, 4 warnings'], 'all faults, by key';
    $run = ctl($agent, 'hosts');
    like $run->stdout, qr/^127\.0\.0\.2:9 +drained/m, 'hosts';
    is $run->stderr, "smtproutectl: $map: key bad.example: column 1: "
        . "'[' without end; expected ']'\n", 'and what is at fault';
    $run = ctl($agent, 'resume', '127.0.0.1:9');
    is $run->stdout, "127.0.0.1:9 was not drained; but the route map drains "
        . "it\n", 'resume';
    $run = ctl($agent, 'probe', 'example.com');
    is $run->status, 0, 'probe';
    like $run->stdout, qr/^route     example\.com, \Q$map\E/m, 'by the map';
    write_file($agent->routes . '.lmdb', 'x' x 9000);
    for my $command (['check'], ['hosts'], ['route', 'example.com'],
        ['probe', 'example.com']) {
        $run = ctl($agent, @{$command});
        like $run->stdout . $run->stderr,
            qr/routes\.lmdb: not an lmdb file; expected what postmap\(1\) makes$/m,
            "$command->[0]: a foreign file";
    }
};

subtest 'many names at once' => sub {
    my $agent = Agent->new(routes => join '', map { "k$_.example [h$_.test]\n" }
        1 .. 300);
    my $run = ctl($agent, 'check', '--no-dns', '--routes=' . $agent->routes);

    is $run->status, 0, 'without DNS';
    is $run->stdout, "no faults found: 300 routes, 300 hosts\n", 'no name';
    # Nobody answers there.
    my $port = kept_port('127.0.0.1');
    $agent->configure(settings => {'dns-servers' => "127.0.0.1:$port"});
    $run = ctl($agent, 'check', '--routes=' . $agent->routes);
    is $run->status, 1, 'with DNS';
    is scalar(grep { /:\d+:\d+: warning: h\d+\.test: .*; expected an address$/ }
        $run->lines), 300, 'all of them, each once';
    like +($run->lines)[0], qr/:1:12: warning: h1\.test: /, 'in their order';
};

# So many that no machine is done at once: it is said how far it is.
subtest 'progress on a terminal' => sub {
    my $agent = Agent->new(routes => join '', map { "k$_.example [192.0.2.1]\n" }
        1 .. 200_000);
    my @arguments = ('check', '--no-dns', '--routes=' . $agent->routes);
    my $end = 'no faults found: 200000 routes, 1 host';

    my ($status, $said) = Ctl->terminal(conf => $agent->conf,
        arguments => \@arguments);
    is $status, 0, 'exit status';
    like $said, qr/\A(?:\r\e\[K\d+ routes \.\.\.)+\r\e\[K\Q$end\E\r\n\z/,
        'and nothing of it stays';
    my $run = ctl($agent, @arguments);
    is $run->stdout, "$end\n", 'elsewhere: stdout';
    is $run->stderr, '', 'elsewhere: stderr';
};

# What is wrong concerns its own key, whose line is named.
my $M = 10 * 1024 * 1024;
my %bad = (
    'a line of 10 MB' => ['x.example ' . 'a' x $M, 2, 11, 'bad host'],
    'a line of 10 MB of commas' => ['x.example ' . 'a,' x ($M / 2), 2, undef,
        'too many destinations'],
    'NULs' => ["x.example a\0b", 2, 12, 'stray byte'],
    'only NULs' => ["x.example " . "\0" x 100_000, 2, 11, 'stray byte'],
    'rubbish' => ['x.example ' . join('', map { chr(128 + $_ % 128) } 1 .. 5000),
        2, 11, 'stray byte'],
    'a line that goes on 300,000 times' => ["x.example a:0,\n"
        . " # x\n  \n [b],\n" x 300_000, 2, 13, 'bad port'],
    '5,000 faults' => ['x.example ' . join(',', ('a:0') x 5000), 2, 13,
        'bad port'],
    '100,000 hosts' => ['x.example ' . join(', ', map { "[h$_]" } 1 .. 100_000),
        2, undef, 'too many destinations'],
    'a route that ends in a comma' => ["x.example a,", 2, 13, 'no destination'],
);

for my $name (sort keys %bad) {
    my ($entry, $line, $column, $what) = @{ $bad{$name} };
    my $agent = Agent->new(routes =>
        "before.example /dev/null\n$entry\nafter.example /dev/null\n");
    my $at = $agent->routes . ":$line:" . ($column // '\d+');

    is outcome($agent, $_), 'dropped', "$name: $_"
        for qw(before.example after.example);
    like outcome($agent, 'x.example'), qr/^75 4\.3\.5 $at: $what/,
        "$name: its own mail waits";
    my $run = ctl($agent, 'check', '--no-dns', '--routes=' . $agent->routes);
    is $run->status, 2, "$name: check";
    my @found = $run->lines;
    like $found[0], qr/^$at: $what/, "$name: check says where";
    ok @found < 110, "$name: and is brief";
}

done_testing;
