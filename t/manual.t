#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The manuals say all that the sources do: options, keys, exit statuses, and
# every message that an administrator can see.

use strict;
use warnings;

use Test::More;

use Agent;
use Fixture;

my $top = $ENV{top_srcdir} // '.';
my %SYSEXITS = (EX_OK => 0, EX_DATAERR => 65, EX_NOUSER => 67,
    EX_NOHOST => 68, EX_UNAVAILABLE => 69, EX_TEMPFAIL => 75, EX_NOPERM => 77);

my @PAGES = qw(smtproute.8 smtproute.conf.5 smtproute_guide.7
    smtproute_routes.5 smtproutectl.8);

# Not messages, or of those that no administrator sees; and what is to stand
# behind "; expected", which a message says itself.
my @NO_MESSAGES = (
    qr/\\r\\n/,
    qr/^\\nlibesmtp /,
    qr/^in reply to |^reply to /,
    qr/^premature reply$/,
    qr/^no (?:MX|TLSA)$/,
    qr/^(?:an?|one|0, or|at most|addresses as|defer or|syslog, postlog,) /,
    qr/^(?:name, |IPv[46] |profile of |pri, weight, )/,
    qr/^(?:TLSv1, |yes or no$|1 to 255 bytes$|roundrobin or )/,
    qr/^(?:keywords of EHLO|enhanced codes) as |^strict or shared$/,
    qr/^(?:n,a|user)=.*Bearer|^AUTH LOGIN $|^ CRAM-MD5 |^AUTH %/,   # SASL
    qr/^postlog -p info -t $/,
    qr/^smtproute 5$/,    # the state file's layout
    qr/^XFORWARD IDENT$/, # a keyword
    qr/^(?:MAIL FROM|RCPT TO):<$/,
    qr/^\[-|^domain \| host$/,   # arguments, of the synopsis
);

sub source {
    my ($name) = @_;

    return read_file("$top/src/$name") =~ s{/\*.*?\*/}{}gsr;
}

sub manual {
    my ($name) = @_;

    return read_file("$top/man/$name");
}

# The text of a section, subsections included.
sub section {
    my ($page, $name) = @_;
    my ($text) = manual($page) =~ /^\.Sh \Q$name\E\n(.*?)(?=^\.Sh |\z)/ms;

    return $text // '';
}

sub unique {
    my %seen;

    return grep { !$seen{$_}++ } @_;
}

subtest 'options of smtproute' => sub {
    my ($letters) = source('smtproute.c') =~ /getopt\(.*?"\+?([\w:]+)"/s;
    my @options = ($letters // '') =~ /\w/g;
    my ($usage) = source('smtproute.c') =~ /#define USAGE(.*?)\n\n/s;

    ok @options > 0, 'getopt() has options';
    for my $option (@options) {
        like section('smtproute.8', 'SYNOPSIS'), qr/\bFl $option\b/,
            "-$option is in the synopsis";
        like section('smtproute.8', 'OPTIONS'), qr/^\.It Fl $option\b/m,
            "-$option is explained";
        next if $option eq 'V';
        like $usage, qr/(?:\[|smtproute )-$option /,
            "-$option is in the usage";
    }
    my @explained =
        section('smtproute.8', 'OPTIONS') =~ /^\.It Fl (\w)/mg;
    is_deeply [sort @explained], [sort @options], 'no others are';
};

sub keys_of_settings {
    return source('conf/setting.c') =~
        /\{"([a-z-]+)", (?:GLOBAL|BOTH|HOST|ROUTE|AUTH)\(/g;
}

subtest 'keys of smtproute.conf' => sub {
    my @keys = keys_of_settings();
    my @items = manual('smtproute.conf.5') =~ /^\.It (Cm .*)/mg;

    ok @keys > 10, 'setting.c has keys';
    for my $key (@keys) {
        ok scalar(grep { /(?<![\w-])$key(?![\w-])/ } @items),
            "$key has an entry";
    }
};

subtest 'options of routes' => sub {
    my ($table) = source('route/route.c') =~ /\boptions\[\] = \{(.*?)^\};/ms;
    my @options = ($table // '') =~ /^\s*\{"([a-z-]+)"/mg;

    ok @options > 5, 'route.c has options';
    for my $option (@options) {
        like manual('smtproute_routes.5'), qr/^\.It Cm \Q$option\E(?: |$)/m,
            "$option has an entry";
    }
};

subtest 'exit status' => sub {
    my @used = map { $SYSEXITS{$_} // $_ }
        unique(source('agent/verdict.c') =~ /\b(EX_[A-Z]+)\b/g);
    my @explained = section('smtproute.8', 'EXIT STATUS') =~ /^\.It (\d+)$/mg;

    is_deeply [sort @explained], [sort @used], 'exactly those in use';
};

# Macros that stand for a string.
my $STRINGS = qr/LOSS|MAILLOG_SYSLOG|HOST_FORMS|SBINDIR|SERVICE_(?:NAME|USER)|TLS_LEVEL_NAMES
    |AUTHNAME_EXPECTED/x;

my $SPEC = qr/%[-+#\d.]*l*[A-Za-z]/;

subtest 'commands and options of smtproutectl' => sub {
    my ($table) = source('smtproutectl.c') =~
        /\bcommands\[\] = \{(.*?)^\};/ms;
    my @commands = ($table // '') =~ /^\s*\{"([a-z]+)"/mg;
    my ($letters) = source('smtproutectl.c') =~
        /getopt_long\(.*?"\+?([\w:]+)"/s;
    my $synopsis = section('smtproutectl.8', 'SYNOPSIS');
    my @explained = section('smtproutectl.8', 'COMMANDS') =~
        /^\.It Ic ([a-z]+)\b/mg;

    ok @commands > 5, 'smtproutectl.c has commands';
    is_deeply [sort @explained], [sort @commands], 'each has its entry';
    like $synopsis, qr/^\.Ic $_\b/m, "$_ is in the synopsis" for @commands;
    for my $option (($letters // '') =~ /\w/g) {
        like $synopsis, qr/\bFl $option\b/, "-$option is in the synopsis";
        like section('smtproutectl.8', 'DESCRIPTION'),
            qr/^\.It Fl $option\b/m, "-$option is explained";
    }
};

subtest 'options of commands' => sub {
    my $found = 0;

    for my $file (ctl_files()) {
        my $source = source($file);
        my @options = map { "-$_" } map { /\{\s*"([a-z-]+)"/g }
            $source =~ /\bstruct option \w+\[\] = \{(.*?)\};/gs;
        push @options, map { /\w/g }
            $source =~ /getopt(?:_long)?\(\w+, \w+, "([\w:]*)"/g;
        for my $option (@options) {
            $found++;
            like section('smtproutectl.8', $_), qr/\bFl $option\b/,
                "$file: -$option is in $_" for qw(SYNOPSIS COMMANDS);
        }
    }
    ok $found > 3, 'there are some';
};

# What it says to type can be typed.
subtest 'the guide' => sub {
    my $text = manual('smtproute_guide.7');
    my $synopsis = section('smtproutectl.8', 'SYNOPSIS');
    my @commands = $text =~ /\bsmtproutectl ([a-z]+.*)/g;

    ok @commands > 9, 'there are commands';
    for my $command (@commands) {
        my ($name, @options) = $command =~ /^([a-z]+)|--([a-z-]+)/g;
        like $synopsis, qr/^\.Ic \Q$name\E\b/m, "$name is a command";
        like $synopsis, qr/\bFl -\Q$_\E\b/, "$name: --$_ is an option"
            for grep { defined } @options;
    }
};

# What programs read.
subtest 'fields and metrics of hosts' => sub {
    my $text = section('smtproutectl.8', 'COMMANDS');
    my @fields = map { source($_) =~
        /\b(?:document_)?set_\w+\((?:to|object|interview|probe->to),\s+"([a-z_]+)"/g }
        ctl_files();
    my @metrics = source('ctl/hosts/hosts-metrics.c') =~ /\{"([a-z_]+)",/g;

    ok @fields > 10, 'there are fields';
    like $text, qr/^\.(?:It )?Li (?:.* )?\Q$_\E\b/m, "$_ has an entry"
        for @fields;
    ok @metrics > 5, 'there are metrics';
    like $text, qr/^\.It Li .*_\Q$_\E/m, "$_ has an entry" for @metrics;
};

# Paths from src/.
sub sources {
    return map { s{^\Q$top\E/src/}{}r }
        sort map { glob "$top/src/$_.c" } qw(* */* */*/*);
}

sub ctl_files {
    return grep { m{^ctl/} } sources();
}

# All string literals with at least two words, adjacent ones joined.
sub literals {
    my ($text) = @_;
    my @found;

    $text =~ s/^#include.*//mg;
    $text =~ s/^#define \w+/;/mg;
    $text =~ s/'\\?["0\\]'/0/g;
    $text =~ s/\bPACKAGE_STRING\b//g;
    $text =~ s/\bG_G\w+_FORMAT\b/"d"/g;
    $text =~ s/\b(?:G_STRINGIFY\(\w+\)|$STRINGS\b)/"%s"/g;
    while ($text =~ /((?:"(?:[^"\\]|\\.)*"\s*)+)/g) {
        my $literal = join '', $1 =~ /"((?:[^"\\]|\\.)*)"/g;
        push @found, $literal if $literal =~ s/$SPEC//gr =~ /\w.* .*\w/;
    }
    return @found;
}

# Lines as they stand in a manual, without mdoc's macros and quotes.
sub lines {
    my @sections = @_;

    return map { s/^\.(?:It Sy|It|Ql|Li|Dl) +//r =~ tr/"//dr =~ s/\\e/\\/gr }
        map { split /\n/ }
        map { my $page = $_; map { section($page, $_) } @sections } @PAGES;
}

# What a message looks like in a manual: anything in place of its %s.  In a
# group, since an empty pattern would be the last one that matched.
sub pattern {
    my ($message) = @_;

    $message =~ s/; expected .*//;
    $message =~ s/\\(["\\])/$1/g;
    $message =~ tr/"//d;
    my $words = join '.+', map { quotemeta } split /$SPEC/, $message, -1;
    return qr/(?:$words)/;
}

subtest 'messages' => sub {
    my @lines = lines(qw(DIAGNOSTICS LOG));

    for my $file (grep { !m{^ctl/} } sources()) {
        # What commands are for is in their table, for --help.
        my $source = source($file) =~ s/\bcommands\[\] = \{.*?^\};//msr;
        for my $message (unique(literals($source))) {
            next if grep { $message =~ $_ } @NO_MESSAGES;
            my $pattern = pattern($message);
            ok scalar(grep { /$pattern/ } @lines), "$file: $message";
        }
    }
};

# What say() prints is what was asked for, not a message.  Other words that
# are part of such output, or of a message that has an entry as a whole:
my @OUTPUT = (
    qr/^\\n(?:Last errors|Rates|Waiting deliveries):\\n$/,  # hosts: headlines
    qr/ unix - n n | inet n n n |^ flags=hq |\$\{queue_id\} -f/,  # postfix: what it prints
    qr/^pipemap:/,
    qr/^main\.cf: /,                            # check: where a fault is
    qr/^(?:domain, |hosts with only |host or \[host\] |host name or address )/,
    qr/^(?:its key|no write access for group and others)$/,   # "; expected"
    qr/^without a name$|^, this machine's$/,    # check: a user, a name
    qr/^# %s:%u: left out: %s\\n$|^rate-recipients = |^\\n\[host %s\]/,
    qr/^%s, every %u s$/,                       # hosts: the head of a frame
    qr/^bad route$/,                            # import: in a comment
    qr/ of %u%s in %s$/,                        # hosts: a rate
    qr/^, or its MX host's$/,                   # route: part of a line
);

# Whole files of it.
my %OUTPUT = (
    'ctl/hosts/hosts-metrics.c' => 'HELP lines, which explain metrics',
    'ctl/serve/columns.c'       => 'of the page, and so below',
    'ctl/serve/html.c'          => 'HTML',
    'ctl/serve/http.c'          => 'HTTP',
    'ctl/serve/icon.c'          => 'the page',
    'ctl/serve/page-hosts.c'    => 'the page',
    'ctl/serve/page-routes.c'   => 'the page',
    'ctl/serve/page.c'          => 'the page',
    'ctl/serve/serve.c'         => 'types of content',
    'ctl/serve/style.c'         => 'its style',
);

subtest 'messages of smtproutectl' => sub {
    my @lines = lines(qw(DIAGNOSTICS COMMANDS));

    for my $file (grep { !$OUTPUT{$_} } ctl_files()) {
        my $source = source($file) =~ s/\bsay\((?:"(?:[^"\\]|\\.)*"|[^;"])*;//gr;
        for my $message (unique(literals($source))) {
            next if grep { $message =~ $_ } @NO_MESSAGES, @OUTPUT;
            my $pattern = pattern($message);
            ok scalar(grep { /$pattern/ } @lines), "$file: $message";
        }
    }
};

# A route that no map has, so that nothing is sent whatever this machine's is.
sub agent_says {
    my ($conf) = @_;

    return Agent->new(conf => $conf)->deliver(nexthop => 'no-such-route');
}

# Both pages say for how long a locked state is waited for.
subtest 'the wait for the state' => sub {
    my ($span) = source('hosts/statefile.c') =~ /#define LOCK_SPAN \((\d+) \*/;

    is $span, 5, 'five seconds';
    for my $page (qw(smtproute.8 smtproutectl.8)) {
        like section($page, 'FILES'), qr/\bfive seconds\b/, "$page: FILES";
        like section($page, 'DIAGNOSTICS'), qr/
            locked\ by\ another\ process"?\nfor\ more\ than\ five\ seconds/x,
            "$page: DIAGNOSTICS";
    }
};

subtest 'the sample of smtproute.conf' => sub {
    my $sample = read_file("$top/contrib/smtproute.conf");
    my $used = $sample =~ s/^#(?=\S)//mgr;

    isnt $used, $sample, 'something is commented out';
    for my $conf ($sample, $used) {
        my $run = agent_says($conf);
        is $run->status, 75, 'defers';
        unlike $run->output, qr/smtproute\.conf/, 'not for the settings';
        like $run->output, qr{^4\.\S+ .*/routes\b}, 'but for the route';
    }
    for my $key (keys_of_settings()) {
        like $sample, qr/^#?$key =/m, "$key is in it";
    }
};

done_testing;
