#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What smtproutectl import writes is a route map, whatever it has read, and
# takes mail where the file said.  Line by line: t/import.t.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent ();
use Ctl ();
use Fixture qw(capture new_folder skip_or_fail write_file);
use SmtpHost ();

my $folder = new_folder('import');

# The file is called "in".
sub import_text {
    my ($text, @options) = @_;

    write_file("$folder/in", $text);
    return Ctl->run(folder => $folder,
        arguments => ['import', @options, 'in']);
}

# ---- large and hostile files ----

# What was written is a route map, with nothing to say against it.
sub is_route_map {
    my ($map, $name) = @_;
    my @routes = grep { !/^#/ } split /\n/, $map;
    my $again = import_text($map, '--format=esa');

    is_deeply [grep { !/^#/ } $again->lines], \@routes, "$name: a route map";
    is $again->stderr, '', "$name: without faults";
    return;
}

my $COUNT = 40_000;
my %large = (
    esa => sub { "d$_[0].example: mx$_[0]:25/pri=0, [10.1.1.1]/pri=10" },
    qmail => sub { $_[0] == 1 ? ":relay" : "d$_[0].example:mx$_[0]:25" },
    mailertable => sub { "d$_[0].example esmtp:[mx$_[0]]:[b]" },
    transport => sub { "d$_[0].example smtp:[mx$_[0]]:25, [b]" },
);

for my $format (sort keys %large) {
    my $run = import_text(join "\n", map { $large{$format}->($_) }
        1 .. $COUNT);

    is $run->status, 0, "large file, $format: exit status";
    is scalar($run->lines), $COUNT + 1, "large file, $format: lines";
    write_file("$folder/map", $run->stdout);
    my $check = Ctl->run(conf => Agent->new->conf,
        arguments => ['check', '--no-dns', "--routes=$folder/map"]);
    like $check->stdout, qr/^no faults found: $COUNT routes, /,
        "large file, $format: check";
    is $check->status, 0, "large file, $format: has nothing against it";
}

# So many random characters of a text.
sub pick {
    my ($count, $text) = @_;
    my @characters = split //, $text;

    return join '', map { $characters[rand @characters] } 1 .. $count;
}

my $MEGABYTE = 1_000_000;
srand 1;
my %hostile = (
    'long lines' => join("\n", 'a' x $MEGABYTE . ': mx1',
        'a.example: ' . 'b' x $MEGABYTE,
        'b.example smtp:[b]' . ', b' x $MEGABYTE,
        'c.example smtp:[b]' . ':[b]' x $MEGABYTE,
        'd.example smtp:' . '[' x $MEGABYTE,
        ':' x $MEGABYTE,
        'e.example: ' . ',' x $MEGABYTE,
        'f.example: b' . '/drain' x $MEGABYTE,
        'g.example:' . ' ' x $MEGABYTE . 'b'),
    'many lines' => "\n" x $MEGABYTE . "a: b\n" . " ,b\n" x 100_000,
    'NUL bytes' => "\0" x $MEGABYTE . "\na\0b: c\0d\na:b\0\n",
    'carriage returns' => "a: b\rc: d\r",
    'UTF-16' => "\xff\xfea\0:\0 \0b\0\n\0",
    'garbage' => pick(100_000, join '', map { chr } 0 .. 255),
    'garbage of the formats' =>
        pick(20_000, "ab19.:,[]/@*# \t\n\n\0\r|"),
    'garbage behind keys' => join('', map {
        "k$_.example" . (': ', ':', ' ', "\tsmtp:", "\tesmtp:")[rand 5]
        . pick(1 + rand 7, 'ab19.:,[]/') . "\n" } 1 .. 2000),
);

# Control characters of a file are a terminal's, or a route map's, trouble.
for my $name (sort keys %hostile) {
    for my $format (sort keys %large) {
        my $run = import_text($hostile{$name}, "--format=$format");

        ok defined $run->status && $run->status <= 2,
            "$name as $format: exit status";
        ok $run->stdout !~ /[^\n -~\x80-\xff]/, "$name as $format: stdout";
        ok $run->stderr !~ /[^\n -~]/, "$name as $format: stderr";
        is_route_map($run->stdout, "$name as $format") if $run->status < 2;
    }
    ok defined import_text($hostile{$name})->status, "$name: the guess";
}

for my $format (sort keys %large) {
    my $text = join "\r\n", map { $large{$format}->($_) } 1 .. 3;
    my $run = import_text("\xef\xbb\xbf# comment\r\n$text");

    is $run->status, 0, "CRLF, byte order mark, $format: exit status";
    is scalar($run->lines), 4, "CRLF, byte order mark, $format: lines";
    unlike $run->stdout, qr/[^\n -~]/, "CRLF, byte order mark, $format: text";
}

# ---- where mail goes ----

# FIRST refuses connections.
my %host = map { $_ => SmtpHost->new } qw(FIRST SECOND OTHER REST);
my $destination = sub { $host{$_[0]}->destination };
$host{FIRST}->stop;

# example.com goes to the second, .example.com to OTHER, the rest to REST.
# A mailertable has no ports, so there they are put in afterwards.
my %tables = (
    esa => "example.com: FIRST/pri=0, SECOND/pri=10\n"
        . ".example.com: OTHER\nALL: REST\n",
    qmail => "example.com:SECOND\n.example.com:OTHER\n:REST\n",
    mailertable => "example.com esmtp:[FIRST]:[SECOND]\n"
        . ".example.com smtp:[OTHER]\n. relay:[REST]\n",
    transport => "example.com smtp:FIRST, SECOND\n"
        . ".example.com relay:OTHER\n* smtp:REST\n",
);

sub taken_by {
    my ($agent, $domain) = @_;
    my %before = map { $_ => scalar(() = $host{$_}->messages) } keys %host;
    my $run = $agent->deliver(recipients => ["user\@$domain"]);
    my @takers = grep { $host{$_}->messages > $before{$_} } sort keys %host;

    return $run->status == 0 ? "@takers" : $run->output;
}

for my $format (sort keys %tables) {
    my $text = $tables{$format};
    my $names = join '|', keys %host;
    $text =~ s/\b($names)\b/$destination->($1)/ge
        if $format ne 'mailertable';
    my $run = import_text($text);
    my $map = $run->stdout;
    $map =~ s/\[($names)\]/$destination->($1)/gie
        if $format eq 'mailertable';
    my $agent = Agent->new(routes => $map);

    is $run->status, 0, "$format for the agent: exit status";
    is taken_by($agent, 'example.com'), 'SECOND', "$format: example.com";
    is taken_by($agent, 'a.example.com'), 'OTHER', "$format: a subdomain";
    is taken_by($agent, 'example.net'), 'REST', "$format: all others";
}

subtest 'Postfix finds what was written' => sub {
    my ($postmap) = grep { -x } '/usr/sbin/postmap', '/usr/bin/postmap';
    skip_or_fail($postmap ? undef : 'no postmap');
    my $run = import_text("A.example:mx1\n.b.example:mx2\n"
        . "[192.0.2.1]:mx3\n:mx4\n");
    my %values = ('a.example' => '[mx1]', '.b.example' => '[mx2]',
        '[192.0.2.1]' => '[mx3]', '*' => '[mx4]');

    write_file("$folder/routes", $run->stdout);
    write_file("$folder/main.cf", "compatibility_level = 3.6\n");
    for my $key (sort keys %values) {
        my ($status, $value) = capture($postmap, '-c', $folder, '-q', $key,
            "texthash:$folder/routes");

        is $value, "$values{$key}\n", $key;
    }
};

done_testing;
