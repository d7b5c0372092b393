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
write_file("$dir/smtproute", "#!/bin/sh\n");
chmod 0755, "$dir/smtproute" or die "$dir/smtproute: $!\n";

sub ctl {
    my (@arguments) = @_;

    return Ctl->run(conf => "$dir/smtproute.conf", arguments => \@arguments,
        environment => {MAIL_CONFIG => $dir});
}

# What check says of master.cf and main.cf with these edits of the printed
# lines.
sub findings {
    my ($printed, $edit) = @_;
    local $_ = $printed =~ s/user=smtproute/user=nobody/r
        =~ s{argv=\S+}{argv=$dir/smtproute}r;

    $edit->();
    my ($master, $main) = /^# master\.cf\n(.*)^# main\.cf\n(.*)/ms
        or die "no files in: $_\n";
    write_file("$dir/master.cf", "lmtp unix - - n - - lmtp\n$master");
    write_file("$dir/main.cf", "compatibility_level = 3.6\n$main");
    return [grep { !/: note: / &&
            /^(?:main|master)\.cf: ?.*(?:lmtp|LMTP|runs smtproute|\broutes\b)/ }
        ctl('check')->lines];
}

write_file("$dir/$_", '') for qw(main.cf master.cf);
my $run = ctl('postfix', '--lmtp');
is $run->status, 0, 'exit status';
is $run->stdout, <<"EOF_LINES", 'the lines';
# master.cf
smtproute-lmtp unix  -  n  n  -  50  spawn
  user=smtproute
  argv=${\($run->stdout =~ m{argv=(\S+)})} -L -c $dir/smtproute.conf

# main.cf
smtproute-lmtp_time_limit = 1d
lmtp_send_xforward_command = yes
transport_maps = pipemap:{texthash:$dir/routes, static:{lmtp:unix:private/smtproute-lmtp}}
EOF_LINES
like $run->stdout, qr{argv=/\S+/smtproute -L}, 'an absolute path';

my $MAPS = "pipemap:{texthash:$dir/routes, static:{lmtp:unix:private/smtproute-lmtp}}";

is_deeply findings($run->stdout, sub { }), [], 'check is content';
for my $row (
    ['no -L', sub { s/ -L// }, qr/ has no -L; /],
    ['no user', sub { s/user=\S+// },
        qr/ no user=; expected user=smtproute, without which spawn\(8\) /],
    ['a user that is not there', sub { s/user=nobody/user=nobody-of-this-name/ },
        qr/ user nobody-of-this-name does not exist; /],
    ['root', sub { s/user=nobody/user=root/ },
        qr/ user is root; .* since spawn\(8\) refuses root$/],
    ["Postfix's own", sub { s/user=nobody/user=postfix/ },
        qr/ user is postfix, the owner of the mail system, whom spawn\(8\) refuses; /],
    ['unpriv', sub { s/-  n  n/-  -  n/ },
        qr/ unpriv is not n; expected n, since spawn\(8\) /],
    ['chroot', sub { s/-  n  n/-  n  y/ }, qr/ chroot is y; /],
    ['no program', sub { s{argv=\S+}{argv=/nowhere/smtproute} },
        qr/ \/nowhere\/smtproute is not there or not a program; /],
    ['few processes', sub { s/  50  spawn/  10  spawn/ },
        qr/ process limit is 10; expected at least 20, which is lmtp_destination_concurrency_limit, /],
    ['many connections',
        sub { $_ .= "lmtp_destination_concurrency_limit = 60\n" },
        qr/ process limit is 50; expected at least 60, /],
    ['few processes of all', sub { s/  50  spawn/  -  spawn/;
            $_ .= "default_process_limit = 5\n" },
        qr/ process limit is 5; expected at least 20, /],
    ['a short life', sub { s/= 1d/= 1000s/ }, qr/_time_limit: .*is 1000s; /],
    ['a short life by an option', sub {
            s/^  user/  -o smtproute-lmtp_time_limit=10s\n  user/m },
        qr/_time_limit: .*is 10s; /],
    ['no XFORWARD', sub { s/= yes/= no/ }, qr/ is not yes; /],
    ['an impatient client', sub { $_ .= "lmtp_data_done_timeout = 599s\n" },
        qr/^main\.cf: lmtp_data_done_timeout: .*is 599s; expected at least 600s, since a delivery may take 570 s/],
    ['no service', sub { s/^smtproute-lmtp unix.*\n.*\n.*\n//m },
        qr/ no service runs smtproute; /],
    ['no map', sub { s/^transport_maps.*\n//m },
        qr/^main\.cf: transport_maps: .*leads no mail to lmtp:unix:private\/smtproute-lmtp; expected \Q$MAPS\E$/],
    ['a map to another socket',
        sub { s/static:\{lmtp:unix:private/static:{lmtp:unix:public/ },
        qr/leads no mail to lmtp:unix:private\/smtproute-lmtp; /],
    ['a longer name',
        sub { s/private\/smtproute-lmtp\}/private\/smtproute-lmtp2}/ },
        qr/leads no mail to lmtp:unix:private\/smtproute-lmtp; /],
    ['a map of another file', sub { s{texthash:\S+,}{texthash:/dev/null,} },
        qr/ reads texthash:\/dev\/null; expected \S+\/routes, /],
    ['other settings', sub { s/-c \S+/-c \/nowhere/ },
        qr/ reads \/nowhere; expected -c \S+smtproute\.conf, /],
) {
    my ($says, $edit, $expected) = @{$row};
    my $findings = findings($run->stdout, $edit);

    is scalar(@{$findings}), 1, $says or note @{$findings};
    like $findings->[0] // '', $expected, "$says: the words";
}

for my $row (
    ['all processes', sub { s/  50  spawn/  0  spawn/ }],
    ['as many as there may be', sub { s/  50  spawn/  -  spawn/ }],
    ['the default transport', sub {
        s/^transport_maps = .*/default_transport = lmtp:unix:private\/smtproute-lmtp/m }],
    ['a public socket', sub {
        s/unix  -  n/unix  n  n/; s/private/public/ }],
    ['a name per route', sub {
        s/^transport_maps = .*/transport_maps = inline:{example.com=lmtp:unix:private\/smtproute-lmtp}/m }],
) {
    my ($says, $edit) = @{$row};

    is_deeply findings($run->stdout, $edit), [], "fine: $says";
}

# A delivery takes no more than that.
write_file("$dir/smtproute.conf", read_file("$dir/smtproute.conf")
    . "time-limit = 100s\n");
for my $row (['130s', undef], ['2m', qr/is 2m; expected at least 130s, since a delivery may take 100 s/]) {
    my ($timeout, $expected) = @{$row};
    my $findings = findings($run->stdout,
        sub { $_ .= "lmtp_data_done_timeout = $timeout\n" });

    is scalar(@{$findings}), defined $expected ? 1 : 0, "time-limit, $timeout";
    like $findings->[0], $expected, 'the words' if defined $expected;
}

done_testing;
