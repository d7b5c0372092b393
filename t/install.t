#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# make install: into a gateway that delivers meanwhile.

use strict;
use warnings;

use File::Find qw(find);
use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Fixture;

my $build = $ENV{top_builddir} // '.';
my $root = new_folder('install');

# Arguments of the shell's ulimit, if any.
sub install {
    my ($limit, @targets) = @_;

    return capture('/bin/sh', '-c',
        (defined $limit ? "ulimit $limit && " : '')
            . 'exec env -u MAKEFLAGS -u MFLAGS make -s -C "$0" "$@" 2>&1',
        $build, "DESTDIR=$root", @targets);
}

# Files of the names in a folder of the name, below whatever prefix; that of
# "make distcheck" is a long one.
sub installed {
    my ($folder, @names) = @_;
    my %wanted = map { ("$folder/$_" => 1) } @names;
    my @found;

    find({
        no_chdir => 1,
        wanted => sub {
            push @found, $_ if -f && m{([^/]+/[^/]+)$} && $wanted{$1};
        },
    }, $root);
    return sort @found;
}

sub programs {
    return installed('sbin', qw(smtproute smtproutectl));
}

my ($status, $output) = install(undef, 'install');
is $status, 0, 'installed' or diag $output;
my @programs = programs();
is @programs, 2, 'two programs';
ok -x $_, "$_ can be run" for @programs;
# What a delivery loads, it pays for.
for my $program (@programs) {
    my ($status, $libraries) = capture('ldd', $program);
    is $status, 0, "ldd $program" or diag $libraries;
    is scalar($libraries =~ /jansson|json-glib|libgio/),
        $program =~ /ctl$/ ? 1 : '', 'JSON is for the tool alone';
}
my @samples = installed('smtproute', qw(smtproute.conf routes));
is @samples, 2, 'two samples';

# A copy that fails half way shows whether the old program goes first.
my %before = map { $_ => read_file($_) } @programs;
write_file($_, "changed\n") for @samples;
($status) = install('-f 8', 'install-sbinPROGRAMS');
isnt $status, 0, 'no room for the new one';
ok -x $_ && read_file($_) eq $before{$_}, "$_ is still there and whole"
    for @programs;

# Nobody who runs the old one is in the way: a new file takes its place.
my %inode = map { $_ => (stat)[1] } @programs;
link $_, "$_.old" or die "link: $!\n" for @programs;
($status, $output) = install(undef, 'install');
is $status, 0, 'installed again' or diag $output;
for my $program (@programs) {
    isnt +(stat $program)[1], $inode{$program}, "$program is another file";
    is +(stat $program)[2] & 07777, 0755, 'its mode';
}
is read_file($_), "changed\n", "$_ is left alone" for @samples;

done_testing;
