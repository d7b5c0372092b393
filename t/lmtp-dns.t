#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# One process with many messages, while the set-up of DNS changes: what it has
# open is of the set-up that was.
#
# All of it is in a network namespace, where the name servers have port 53, and
# in a mount namespace, where /etc/resolv.conf is the test's.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent;
use Ctl;
use Dns;
use Fixture;
use Lmtp;
use SmtpHost;

my $RESOLV = '/etc/resolv.conf';

if (!defined $ENV{SMTPROUTE_RESOLV}) {
    skip_or_fail(Dns->missing);
    skip_or_fail('network namespaces need root') if $> != 0;
    my ($status) = capture(qw(unshare --net ip link set lo up));
    skip_or_fail('no network namespaces, or no ip(8)') if $status != 0;
    ($status) = capture(qw(unshare --mount --propagation private),
        qw(mount --bind /etc/hosts), $RESOLV);
    skip_or_fail("no mount over $RESOLV") if $status != 0;
    $ENV{SMTPROUTE_RESOLV} = new_folder('resolv');
    exit(system(qw(unshare --net --mount --propagation private sh -ec),
        'ip link set lo up; exec "$@"', 'sh', $^X, $0) == 0 ? 0 : 1);
}

# The file that is there from now on, like one that is moved there: a mount
# point cannot be.
my $files = 0;
sub put {
    my ($server) = @_;
    my $path = "$ENV{SMTPROUTE_RESOLV}/" . ++$files;

    write_file($path, "nameserver $server\n");
    is system('mount', '--bind', $path, $RESOLV), 0, "$server, in a new file";
    return;
}

sub overwrite {
    my ($server) = @_;

    open my $fh, '>', $RESOLV or die "$RESOLV: $!\n";
    print {$fh} "nameserver $server\n";
    close $fh or die "$RESOLV: $!\n";
    pass "$server, in the same file";
    return;
}

# Two servers, each of which knows another address of the host.
my @hosts = SmtpHost->new(address => '127.0.0.1');
push @hosts, SmtpHost->new(address => '127.0.0.2', port => $hosts[0]->port);
my @servers = map { "127.0.0.5$_" } 1, 2;
my @dns = map { Dns->new(on => $servers[$_],
    records => ['mx.example. A ' . $hosts[$_]->address]) } 0, 1;

put($servers[0]);
my $agent = Agent->new(settings => {tls => 'none', 'connect-timeout' => '5s'},
    routes => 'example.com [mx.example]:' . $hosts[0]->port . "\n");
my $lmtp = Lmtp->new(agent => $agent);
my @expected;

sub goes_to {
    my ($n, $says) = @_;

    like +($lmtp->deliver(message => "Subject: $says\n\nx\n"))[0],
        qr/^250 2\.0\.0 mx\.example\[\Q${\$hosts[$n]->address}\E\]:/, $says;
    push @{ $expected[$n] }, $says;
    return;
}

sub retry {
    is(Ctl->run(conf => $agent->conf, arguments => ['retry'])->status, 0,
        'retry');
    return;
}

$lmtp->lhlo;
goes_to(0, 'the first server');
overwrite($servers[1]);
goes_to(1, 'another one');
put($servers[0]);
goes_to(0, 'the first one again');

$dns[0]->stop;
like +($lmtp->deliver)[0], qr/^451 4\.4\.3 mx\.example:\d+: .*DNS/,
    'a server that is gone';
$dns[0] = Dns->new(on => $servers[0],
    records => ['mx.example. A ' . $hosts[0]->address]);
retry();
goes_to(0, 'and back');

$dns[0]->stop;
put($servers[1]);
goes_to(1, 'a server that is gone, and not asked any more');

is $lmtp->end, 0, 'exit status';
is_deeply [map { [map { $_->content =~ /^Subject: (.*)\r$/m } $_->messages] }
    @hosts], \@expected, 'each message is where DNS has led it';

done_testing;
