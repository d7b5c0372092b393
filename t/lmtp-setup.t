#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Setting up LMTP: what "postfix --lmtp" prints, "check" has nothing against,
# and what it says where something of it is missing.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Ctl;
use Fixture;

skip_or_fail(-x '/usr/sbin/postconf' ? undef : 'Postfix is not installed');

my $dir = new_folder('setup');
write_file("$dir/smtproute.conf", "[smtproute]\nroutes = $dir/routes\n"
    . "state-directory = $dir\nspool-directory = $dir\n");
write_file("$dir/routes", "example.com [127.0.0.1]\n");

sub ctl {
    my (@arguments) = @_;

    return Ctl->run(conf => "$dir/smtproute.conf", arguments => \@arguments,
        environment => {MAIL_CONFIG => $dir});
}

# What check says of master.cf and main.cf with these edits of the printed
# lines.
sub findings {
    my ($printed, $edit) = @_;
    local $_ = $printed =~ s/user=smtproute/user=nobody/r;

    $edit->();
    my ($master, $main) = /^# master\.cf\n(.*)^# main\.cf\n(.*)/ms
        or die "no files in: $_\n";
    write_file("$dir/master.cf", $master);
    write_file("$dir/main.cf", "compatibility_level = 3.6\n$main");
    return [grep { /^(?:main|master)\.cf: ?.*(?:lmtp|LMTP|runs smtproute)/ }
        ctl('check')->lines];
}

write_file("$dir/$_", '') for qw(main.cf master.cf);
my $run = ctl('postfix', '--lmtp');
is $run->status, 0, 'exit status';
is $run->stdout, <<"EOF_LINES", 'the lines';
# master.cf
smtproute-lmtp unix  -  n  n  -  50  spawn
  user=smtproute argv=${\($run->stdout =~ m{argv=(\S+)})} -L -c $dir/smtproute.conf

# main.cf
smtproute-lmtp_time_limit = 1d
lmtp_send_xforward_command = yes
transport_maps = pipemap:{texthash:$dir/routes, static:{lmtp:unix:private/smtproute-lmtp}}
EOF_LINES
like $run->stdout, qr{argv=/\S+/smtproute -L}, 'an absolute path';

is_deeply findings($run->stdout, sub { }), [], 'check is content';
for my $row (
    ['no -L', sub { s/ -L// }, qr/ has no -L; /],
    ['no user', sub { s/user=nobody/user=nobody-of-this-name/ },
        qr/ has no user= that exists; /],
    ['unpriv', sub { s/-  n  n/-  -  n/ }, qr/ unpriv is not n; /],
    ['a short life', sub { s/= 1d/= 1000s/ }, qr/_time_limit: .*is 1000s; /],
    ['no XFORWARD', sub { s/= yes/= no/ }, qr/ is not yes; /],
    ['an impatient client', sub { $_ .= "lmtp_data_done_timeout = 60s\n" },
        qr/^main\.cf: lmtp_data_done_timeout: .*is 60s; /],
    ['no service', sub { s/^smtproute-lmtp unix.*\n.*\n//m },
        qr/ no service runs smtproute; /],
) {
    my ($says, $edit, $expected) = @{$row};
    my $findings = findings($run->stdout, $edit);

    is scalar(@{$findings}), 1, $says or note @{$findings};
    like $findings->[0] // '', $expected, "$says: the words";
}

is ctl('postfix', '--lmtp', '--apply')->status, 2, 'not with --apply';
done_testing;
