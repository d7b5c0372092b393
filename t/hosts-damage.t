#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# smtproutectl hosts: what it makes of a map or a state that it cannot read.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent;
use Fixture;
use HostsTable;
use SmtpHost;

# Puts other bytes into the place of some that the state has.
sub patch_state {
    my ($agent, $from, $to) = @_;
    my $path = $agent->var . '/state/hosts.mdb';
    my $state = read_file($path);

    $to .= '.' x (length($from) - length $to);
    my $count = $state =~ s/\Q$from\E/$to/g or die "no $from in $path\n";
    write_file($path, $state);
    return;
}

subtest 'a state full of bytes that nobody can show' => sub {
    my $host = SmtpHost->new(down => 1);
    my $agent = Agent->new(
        settings => \%LONG,
        routes   => 'example.com ' . $host->destination . "\n",
    );

    is $agent->deliver->status, 75, 'an error';
    patch_state($agent, 'connect: Connection refused',
        "\"\\\e[31m\r\n\tx\xff\xc3(\xe2(\xa1\x7f\x01 {}");
    my $shown = '"\\?[31m x??(?(??? {}.....';
    my $run = hosts($agent);
    is $run->status, 0, 'exit status';
    is scalar(grep { /[^ -~]/ } $run->lines), 0, 'the table is printable';
    like $run->stdout, qr/^    \Q$shown\E$/m, 'and has what can be shown';
    is json(hosts($agent, '--json'))->[0]{last_error}, $shown, '--json';
    $run = hosts($agent, '--openmetrics');
    is scalar(grep { /[^ -~]/ } $run->lines), 0, '--openmetrics is printable';
    patch_state($agent, 'host 127.0.0.1:', "host \"\\\xff{},\e\nx:");
    $run = hosts($agent);
    is scalar(grep { /[^ -~]/ } $run->lines), 0, 'a name: the table';
    my @names = map { $_->{host} } @{ json(hosts($agent, '--json')) };
    is_deeply \@names, ['127.0.0.1'], 'a name: no host of ours, in --json';
    $run = hosts($agent, '--openmetrics');
    is lint_metrics('--openmetrics', $run->stdout), undef, 'which can be read'
        if has_lint();
};

subtest 'a state that cannot be read' => sub {
    # LMDB may crash over it, and who is taken out of it there loses memory.
    local $ENV{ASAN_OPTIONS} = join ':', $ENV{ASAN_OPTIONS} // (),
        'detect_leaks=0';
    local $ENV{SMTPROUTE_WRAPPER};
    my @rows = (
        ['garbage', 'damaged', sub {
            my ($path) = @_;
            write_file($path, 'garbage' x 10_000);
        }],
        ['a file cut off', 'damaged', sub {
            my ($path) = @_;
            truncate $path, 5000 or die "$path: $!\n";
        }],
        ['another version', 'of another version', sub {
            my ($path) = @_;
            write_file($path, read_file($path) =~ s/smtproute 5/smtproute 0/gr);
        }],
        ['a folder', 'Invalid argument', sub {
            my ($path) = @_;
            unlink $path;
            mkdir $path or die "$path: $!\n";
        }],
        ['a link', qr/Too many levels of symbolic links/, sub {
            my ($path) = @_;
            rename $path, "$path.moved";
            symlink "$path.moved", $path or die "$path: $!\n";
        }],
    );
    my $host = SmtpHost->new(digest => 1);

    for my $row (@rows) {
        my ($name, $what, $spoil) = @{$row};
        my $agent = Agent->new(
            routes => 'example.com ' . $host->destination . "\n");
        my $path = $agent->var . '/state/hosts.mdb';
        is $agent->deliver->status, 0, "$name: before, all is well";
        is hosts($agent)->status, 0, "$name: and read";
        $spoil->($path);
        for my $form ('', '--json', '--openmetrics') {
            my $run = hosts($agent, $form || ());
            is $run->status, 2, "$name: $form: exit status";
            if ($form eq '--openmetrics') {
                unlike $run->stdout, qr/^smtproute_host_/m,
                    "$name: $form: no hosts";
                like $run->stdout, qr/^smtproute_state_usable 0$/m,
                    "$name: $form: says so";
            }
            else {
                is $run->stdout, '', "$name: $form: stdout";
            }
            like $run->stderr, qr/^smtproutectl: \Q$path\E: $what\n\z/,
                "$name: $form: stderr";
        }
    }
    my $agent = Agent->new(routes => "example.com [192.0.2.1]\n");
    write_file($agent->var . '/state/hosts.mdb', '');
    my $run = hosts($agent);
    is $run->status, 0, 'an empty one is a new one: exit status';
    like line($run, '192.0.2.1:25'), qr/^up, never tried /, 'and a table';
    like hosts($agent, '--openmetrics')->stdout,
        qr/^smtproute_state_usable 1$/m, 'and usable';
    unlink $agent->var . '/state/hosts.mdb';
    rmdir $agent->var . '/state' or die "rmdir: $!\n";
    $run = hosts($agent);
    is $run->status, 0, 'no folder: exit status';
    is $run->stderr, '', 'no folder: stderr';
    like hosts($agent, '--openmetrics')->stdout,
        qr/^smtproute_state_usable 0$/m, 'no folder: not usable';
    like line($run, '192.0.2.1:25'), qr/^up, never tried /, 'no folder';
};

subtest 'a map that cannot be read' => sub {
    my $host = SmtpHost->new;
    my $agent = Agent->new(
        routes => 'example.com ' . $host->destination . "\n");
    is $agent->deliver->status, 0, 'delivered';
    my ($conf, $routes) = ($agent->conf, $agent->routes);
    my $lmdb = read_file($conf) =~ s/^routes = /routes = lmdb:/mr;

    # What it is; complaints; hosts shown beside the one of the state.
    my @rows = (
        ['none', sub { unlink $routes },
            ["$routes: No such file or directory"]],
        ['one fault', sub { write_file($routes,
                "a.example [192.0.2.1]\nb.example [192.0.2.2/\n") },
            ["$routes:2:11: '[' without end; expected ']'"], '192.0.2.1:25'],
        ['three faults', sub { write_file($routes,
                "a.example [a\nb.example [b\nc.example \nd.example 192.0.2.3\n")
            },
            ["$routes:1:11: '[' without end; expected ']'",
                "$routes: 2 more entries at fault, see \"smtproutectl check\""],
            '192.0.2.3:25'],
        ['lmdb', sub { write_file($conf, $lmdb) },
            ["$routes.lmdb: No such file or directory"]],
    );
    for my $row (@rows) {
        my ($name, $spoil, $complaints, @shown) = @{$row};
        $spoil->();
        my $run = hosts($agent);
        is $run->status, 0, "$name: exit status";
        is_deeply [$run->complaints], [map { "smtproutectl: $_" }
            @{$complaints}], "$name: complaints";
        is_deeply [map { /^(\S+:\d+) +up/ } $run->lines],
            [label($host), @shown], "$name: hosts";
    }
    $host->connections;
};

done_testing;
