#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs t/unit/dns/resolve-test, whose TAP is passed on, against a private unbound
# that knows the zone below and nothing else.

use strict;
use warnings;

use File::Temp qw(tempdir);
use IO::Socket::INET;

my $program = 't/unit/dns/resolve-test';
my $unbound = (grep { -x } '/usr/sbin/unbound', '/usr/bin/unbound')[0];
my $pid;

my $label = 'a23456789-' x 6 . 'abc';
my $longest = "$label.$label.$label." . 'b23456789-' x 5 . 'b2345.test.';

# Of the zone "test".
my @zone = (
    '@ SOA ns.test. hostmaster.test. 1 3600 600 86400 60',
    '@ NS ns.test.',
    'ns.test. A 192.0.2.9',
    'a.test. A 192.0.2.1',
    'aaaa.test. AAAA 2001:db8::1',
    'both.test. A 192.0.2.2',
    'both.test. AAAA 2001:db8::2',
    (map { "several.test. A 192.0.2.$_" } 3 .. 5),
    (map { "many.test. A 192.0.2.$_" } 101 .. 140),
    (map { "many.test. MX $_ mx$_.many.test." } 1 .. 80),
    "$longest A 192.0.2.6",
    'text.test. TXT "no address"',
    'alias.test. CNAME a.test.',
    'dangling.test. CNAME absent.test.',

    'one.test. MX 10 mx1.test.',
    'one.test. A 192.0.2.10',
    'three.test. MX 10 mx1.test.',
    'three.test. MX 65535 mx2.test.',
    'three.test. MX 0 mx3.test.',
    'equal.test. MX 5 mx1.test.',
    'equal.test. MX 5 mx2.test.',
    'equal.test. MX 7 mx3.test.',
    (map { "mx$_.test. A 192.0.2.1$_" } 1 .. 3),
    'mxalias.test. CNAME one.test.',
    'mxcname.test. MX 10 mxcname1.test.',
    'mxcname1.test. CNAME mx1.test.',
    'capitals.test. MX 5 MX1.Test.',
    'broken.test. MX 1 absent.test.',
    'broken.test. MX 2 mx1.test.',
    'null.test. MX 0 .',
    'null10.test. MX 10 .',
    'halfnull.test. MX 0 .',
    'halfnull.test. MX 10 mx1.test.',
    'numeric.test. MX 10 192.0.2.1.',

    # own.test is the search domain
    'gw.own.test. A 192.0.2.7',
    'gwalias.own.test. CNAME gw.own.test.',
    'short.absent.test.own.test. A 192.0.2.8',
);

sub write_file {
    my ($path, $content) = @_;

    open my $file, '>', $path or die "$path: $!";
    print $file $content;
    close $file or die "$path: $!";
}

sub write_configuration {
    my ($directory, $port) = @_;

    write_file("$directory/test.zone", join "\n", '$TTL 60', @zone, '');
    write_file("$directory/unbound.conf", <<"END");
remote-control:
    control-enable: no
server:
    interface: 127.0.0.1
    port: $port
    num-threads: 1
    do-daemonize: no
    username: ""
    chroot: ""
    directory: "$directory"
    pidfile: ""
    use-syslog: no
    logfile: ""
    verbosity: 1
    module-config: "iterator"
    rrset-roundrobin: no
    local-zone: "test." nodefault
    local-zone: "refused." refuse
    local-zone: "unheard." static
auth-zone:
    name: "test."
    zonefile: "$directory/test.zone"
END
}

# A port that neither UDP nor TCP uses. Somebody else may still take it first.
sub free_port {
    while (1) {
        my $udp = IO::Socket::INET->new(
            Proto     => 'udp',
            LocalAddr => '127.0.0.1'
        ) or die "socket: $!";
        my $tcp = IO::Socket::INET->new(
            LocalAddr => '127.0.0.1',
            LocalPort => $udp->sockport,
            Listen    => 1
        ) or next;
        return $udp->sockport;
    }
}

sub stop_unbound {
    return if !$pid;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    undef $pid;
}

# True once it answers: its sockets are there before it says "start of service".
sub start_unbound {
    my ($directory, $port) = @_;

    write_configuration($directory, $port);
    pipe my $log, my $end or die "pipe: $!";
    $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>', '/dev/null' or die "/dev/null: $!";
        open STDERR, '>&', $end or die "stderr: $!";
        exec $unbound, '-d', '-c', "$directory/unbound.conf"
            or die "$unbound: $!";
    }
    close $end;
    while (my $line = <$log>) {
        return $log if $line =~ /start of service/;
        print "# $line";
    }
    stop_unbound();
    return;
}

END {
    local $?;
    stop_unbound();
}

$SIG{$_} = sub { exit 1 } for qw(HUP INT TERM ALRM);

if (!$unbound) {
    print "1..0 # SKIP unbound is not installed\n";
    exit 0;
}
alarm 300;

my $directory = tempdir(CLEANUP => 1);
my ($port, $log);
for (1 .. 5) {
    $port = free_port();
    $log  = start_unbound($directory, $port) and last;
}
die "unbound does not start\n" if !$log;

$ENV{RESOLVE_TEST_DNS} = "127.0.0.1:$port";
$ENV{LOCALDOMAIN}      = 'own.test';
exit(system($program) == 0 ? 0 : 1);
