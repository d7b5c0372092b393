#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The folders of src/ are the architecture: an include that runs the wrong way
# is found (directions.pl, which "make lint" runs), and there is none.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Fixture qw(capture new_folder read_file write_file);

my $top = $ENV{top_srcdir} // '.';

sub directions {
    my ($tree) = @_;

    return capture($^X, "$top/t/directions.pl", $tree);
}

# A copy of the tree, where @changes are [file, text to append] each.
sub changed {
    my @changes = @_;
    my $tree = new_folder('directions');

    system('cp', '-R', "$top/HACKING", "$top/src", $tree) == 0
        or die "cp: $?\n";
    system('chmod', '-R', 'u+w', $tree) == 0 or die "chmod: $?\n";
    for my $change (@changes) {
        my ($file, $text) = @$change;
        my $before = -e "$tree/$file" ? read_file("$tree/$file") : '';

        mkdir "$tree/" . $file =~ s{/[^/]*$}{}r;
        write_file("$tree/$file", $before . $text);
    }
    return $tree;
}

sub line_count {
    my ($file) = @_;

    return read_file("$top/$file") =~ tr/\n//;
}

# What is said of the tree after an include is added to the end of a file.
sub is_refused {
    my ($file, $header, $what, $says) = @_;
    my ($status, $output) =
        directions(changed([$file, "#include \"$header\"\n"]));
    my $line = line_count($file) + 1;

    subtest $says => sub {
        is $status, 1, 'status';
        like $output, qr/^\Q$file:$line: $what\E$/m, 'the place';
    };
}

sub is_taken {
    my ($file, $header, $says) = @_;
    my ($status, $output) =
        directions(changed([$file, "#include \"$header\"\n"]));

    is "$status $output", '0 ', $says;
}

my ($status, $output) = directions($top);
is "$status $output", '0 ', 'every include of the tree';
($status, $output) = directions(changed());
is "$status $output", '0 ', 'and of its copy';

is_refused('src/util/slurp.c', 'smtp/wire.h',
    'util may not include smtp/wire.h', 'the lowest wing, a higher one');
is_refused('src/tls/tls.h', 'agent/plan.h', 'tls may not include agent/plan.h',
    'a header');
is_refused('src/hosts/stay.c', 'smtp/wire.h',
    'hosts may not include smtp/wire.h', 'hosts/, more of smtp/ than outcome');
is_taken('src/hosts/sweep.c', 'smtp/outcome.h', 'hosts/, the outcome');
is_refused('src/ctl/service.c', 'ctl/check/check.h',
    'ctl may not include ctl/check/check.h', 'ctl/, a command');
is_refused('src/ctl/hosts/watch.c', 'ctl/probe/stage.h',
    'ctl/hosts may not include ctl/probe/stage.h', 'a command, another');
is_refused('src/tls/tls.c', 'certificate.h',
    'certificate.h is not written from src/', 'no path from src/');

($status, $output) =
    directions(changed(['src/new/room.c', "#include \"util/slurp.h\"\n"]));
is $output, "src/new/room.c:1: new has no row in HACKING\n",
    'a folder that the table does not have';
is $status, 1, 'status';

# HACKING with one text in place of another.
sub with_table {
    my ($from, $to) = @_;
    my $tree = changed();
    my $text = read_file("$tree/HACKING");

    $text =~ s/$from/$to/ or die "HACKING has no $from\n";
    write_file("$tree/HACKING", $text);
    return directions($tree);
}

($status, $output) = with_table(qr/^( +wing +)may include$/m, 'wing  includes');
is $status, 1, 'no table: status';
like $output, qr/^HACKING: no table of wings$/m, 'no table';

($status, $output) = with_table(qr/^ +tls +dns .*$/m, '    tls  agent');
is $status, 1, 'a table that runs both ways: status';
like $output, qr/^HACKING: tls may include agent, which no row above has$/m,
    'a table that runs both ways';

done_testing;
