#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# bash completes smtproutectl's commands, options and hosts.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use Test::More;

use Agent ();
use Fixture qw(capture new_folder read_file skip_or_fail write_file);

my $top = $ENV{top_srcdir} // '.';
my $script = abs_path("$top/contrib/smtproutectl.bash-completion");

skip_or_fail('no bash')
    if !grep { -x "$_/bash" } split /:/, $ENV{PATH};

my $agent = Agent->new(routes => <<'END');
example.com   [mx1.example.com], mx2.example.com:2525/pri=10
example.net   [192.0.2.1]/weight=3, [2001:db8::1], MX1.example.com
END
my $long = Agent->new(routes =>
    "example.com contoso-example-com.mail.protection.example.net\n")->conf;
our $ctl = abs_path(($ENV{top_builddir} // '.') . '/src/smtproutectl');
my $folder = new_folder('completion');
write_file("$folder/$_", '') for qw(table.txt 192.0.2.1:25 1:25);

# What stands there after a Tab at the end of @line, for each reply.
sub completions {
    my ($line) = @_;
    my ($status, $output) = capture('bash', '-c', <<'END', 'bash', $script,
cd "$4" && . "$1" || exit
COMP_LINE=$3 COMP_POINT=${#3} COMP_WORDBREAKS=$' \t\n"\'@><=;|&(:'
"$(complete -p smtproutectl | sed 's/.*-F \([^ ]*\).*/\1/')" "$2" '' ''
test ${#COMPREPLY[@]} = 0 || printf '%s\n' "${COMPREPLY[@]}"
END
        $ctl, $line, $folder);

    is $status, 0, "exit status after '$line'";
    return sort split /\n/, $output;
}

my @COMMANDS = do {
    my ($table) = read_file("$top/src/smtproutectl.c") =~
        /\bcommands\[\] = \{(.*?)^\};/ms;
    sort +($table // '') =~ /^\s*\{"([a-z]+)"/mg;
};
my $C = 'smtproutectl -c ' . $agent->conf;
my @HOSTS = sort qw(mx1.example.com:25 mx2.example.com:2525 192.0.2.1:25
    [2001:db8::1]:25);

# What stands there, and what may follow.  Readline replaces what is behind
# the last colon, equals sign or blank.
my @ROWS = (
    ['smtproutectl ', @COMMANDS],
    ['smtproutectl re', qw(resume retry)],
    ['smtproutectl x'],
    ['smtproutectl -', qw(--help -V -c -h)],
    ['smtproutectl -c tab', 'table.txt'],
    ["$C pos", 'postfix'],
    ["smtproutectl -c $long drain ",
        'contoso-example-com.mail.protection.example.net:25'],
    ["$C drain ", @HOSTS],
    ["$C hosts mx", qw(mx1.example.com:25 mx2.example.com:2525)],
    ["$C drain mx1.example.com:25 mx2", 'mx2.example.com:2525'],
    ["$C drain mx1.example.com:", '25'],
    ["$C retry [", '[2001:db8::1]:25'],
    ["$C retry [2001:db8:", ':1]:25'],
    ["$C resume x"],
    ["$C probe 19", '192.0.2.1:25'],
    ["$C check "],
    ["$C postfix -", '--apply', '--lmtp', '--status'],
    ["$C route -", '--json', '-n'],
    ["$C hosts --", qw(--all --check --down --json --metrics --openmetrics
        --watch)],
    ["$C hosts --j", '--json'],
    ["$C trace --", '--json', '--log='],
    ["$C queue --f", '--flush'],
    ["$C queue mx1", 'mx1.example.com:25'],
    ["$C import tab", 'table.txt'],
    ["$C import --format=", qw(esa esa-controls mailertable qmail transport)],
    ["$C import --format=m", 'mailertable'],
    ["smtproutectl -c $folder/none drain "],
);

subtest $_->[0] => sub {
    my ($line, @expected) = @{$_};

    is_deeply [completions($line)], \@expected, 'completions';
} for @ROWS;

# Whoever may write to the state, or to the map, may not run anything by a Tab.
subtest 'words that a shell would not take as they are' => sub {
    my $liar = "$folder/liar";
    my @odd = ('$(touch x):25', '`id`:25', 'a;b:25', '*:25', '~root:25', "'q:25",
        'a$b:25', 'a\\b:25', 'a!b:25', '{a,b}:25', 'a&b:25', 'a>b:25');
    write_file($liar, "#!/bin/sh\ncat <<'END'\nHOST STATE\n"
        . join('', map { "$_ up\n" } @odd, 'mx1.example.com:25', '[2001:db8::1]:25')
        . "END\n");
    chmod 0755, $liar or die "chmod: $!\n";
    local $ctl = $liar;

    is_deeply [completions('smtproutectl drain ')],
        ['[2001:db8::1]:25', 'mx1.example.com:25'], 'names and addresses alone';
};

subtest 'options of the sources' => sub {
    my @options = map {
        map { /\{\s*"([a-z-]+)"/g }
            read_file($_) =~ /\bstruct option \w+\[\] = \{(.*?)\};/gs
    } glob "$top/src/ctl/*.c $top/src/ctl/*/*.c";

    ok @options > 0, 'there are some';
    like read_file($script), qr/--\Q$_\E\b/, "--$_ is known" for @options;
};

done_testing;
