#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# directions.pl [top of the tree]
#
# Holds every include of src/ against the table in HACKING, and says what runs
# another way, with its line.  A row is a wing, a folder of src/ ("." are the
# mains), and what its files may include besides their own: wings, "WING+", a
# wing with all that it may include, and single headers without their ".h".

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Find qw(find);

my $top = shift // '.';
my $bad = 0;

sub complain {
    print @_, "\n";
    $bad = 1;
}

# The wings of a row, each of which must be above it: so the whole table runs
# one way.
sub allowed {
    my ($wing, $words, $table) = @_;
    my %may = ($wing => 1);

    for my $word (split ' ', $words) {
        my ($name, $all) = $word =~ /^(.*?)(\+?)$/;
        my $above = $table->{$name};

        $above = $table->{dirname($name)} if -e "$top/src/$name.h";
        complain "HACKING: $wing may include $name, which no row above has"
            if !$above && $name ne '-';
        $may{$name} = 1;
        %may = (%may, %$above) if $all && $above;
    }
    return \%may;
}

sub read_table {
    open my $from, '<', "$top/HACKING" or die "$top/HACKING: $!\n";
    my %table;

    while (<$from>) {
        next if !(/^ +wing +may include$/ .. /^$/);
        my ($wing, $words) = /^ +(\S+) +(\S.*)$/ or next;
        $table{$wing} = allowed($wing, $words, \%table) if $wing ne 'wing';
    }
    return \%table;
}

sub sources {
    my @found;

    find({
        no_chdir => 1,
        wanted => sub {
            push @found, s{^\Q$top\E/src/}{}r if /\.[ch]$/;
        },
    }, "$top/src");
    return sort @found;
}

# Of [line, header] each.
sub includes {
    my ($file) = @_;
    my @found;

    open my $from, '<', "$top/src/$file" or die "$top/src/$file: $!\n";
    while (<$from>) {
        push @found, [$., $1] if /^\s*#\s*include\s*"([^"]*)"/;
    }
    return @found;
}

sub check_include {
    my ($file, $line, $header, $table) = @_;
    my $place = "src/$file:$line";
    my $wing = dirname($file);
    my $may = $table->{$wing};

    if (!-e "$top/src/$header") {
        complain "$place: $header is not written from src/";
    } elsif (!$may) {
        complain "$place: $wing has no row in HACKING";
    } elsif (!$may->{dirname($header)} && !$may->{$header =~ s/\.h$//r}) {
        complain "$place: $wing may not include $header";
    }
}

my $table = read_table();

complain 'HACKING: no table of wings' if !%$table;
for my $file (sources()) {
    for my $include (includes($file)) {
        check_include($file, @$include, $table);
    }
}
exit $bad;
