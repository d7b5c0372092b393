#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What the agent may find around it: files, descriptors, limits, environment.
# One host, which takes everything; a row says what is odd, and what comes of
# it.

use strict;
use warnings;

use Errno qw(EAGAIN EIO ENOSPC);
use POSIX ();
use Test::More;

use Agent;
use Fixture;
use Honest;
use Shim;
use SmtpHost;

# The preloaded libraries and the limits would be the wrapper's.
delete $ENV{SMTPROUTE_WRAPPER};

my $NOISE = "$ENV{top_builddir}/t/fault/noise.so";

my $DELIVERED = qr/2\.0\.0 \S+: 250 2\.0\.0 Ok: queued as [\d.]+\z/;

# Root without a right to read and write everything.
my @ORDINARY = $> == 0
    ? ('setpriv', '--bounding-set=-dac_override,-dac_read_search', '--')
    : ();

my $SETTINGS = qr{4\.3\.5 \S+/smtproute\.conf};

# run: options of Agent->deliver; agent: of Agent->new; prepare: called with
# the agent before it runs.  delivered: the line of success, and the message
# has come whole; note: what ends that line.  Otherwise the line matches says, and no message came.
# silent: nothing at all is said.  logs: one line of the log, no more, matches.
sub check {
    my ($what, %row) = @_;

    subtest $what => sub {
        my $host = SmtpHost->new;
        my $agent = Agent->new(
            routes => "example.com " . $host->destination . "\n",
            %{ $row{agent} // {} },
        );
        $row{prepare}->($agent) if $row{prepare};
        my %run = (message => $SMALL, %{ $row{run} // {} });
        my $run = $agent->deliver(%run);
        my $says = $row{silent} ? qr/\z/
            : $row{delivered} ? $DELIVERED : $row{says};

        is $run->status, $row{delivered} ? 0 : 75, 'exit status';
        my ($text, $note) = $run->output =~ /\A(.*?)(?: \((no log: .*)\))?\z/s;
        like $text, qr/\A$says/, 'output';
        is $note, $row{note}, 'note';
        is_deeply [map { $_->content } grep { $_->accepted } $host->messages],
            [$row{delivered} ? $run{message} =~ s/\n/\r\n/gr : ()], 'messages';
        is scalar(grep { /$row{logs}/ } $run->log_lines), 1, 'log'
            if $row{logs};
    };
    return;
}

sub shell {
    my ($command) = @_;

    return {prefix => ['sh', '-c', "$command; exec \"\$@\"", 'sh']};
}

sub perl {
    my ($code) = @_;

    return {prefix => [$^X, '-e', "$code; exec \@ARGV"]};
}

# Begun first: it ends when the agent is tired of waiting, after 10 s.
my $patient_host = SmtpHost->new;
my $patient = Agent->new(
    routes => "example.com " . $patient_host->destination . "\n",
    %{ perl('$^F = 9; pipe R, W; use IO::Handle; W->blocking(0);'
        . '1 while syswrite W, "x" x 4096;'
        . 'open STDOUT, ">&W"; open STDERR, ">&W"') },
)->start;

# ---- files ----

check 'the settings are missing',
    prepare => sub { unlink $_[0]->conf },
    says => qr/$SETTINGS: No such file or directory\z/;
check 'the settings are a folder',
    prepare => sub { unlink $_[0]->conf; mkdir $_[0]->conf },
    says => qr/$SETTINGS: Is a directory\z/;
check 'the settings may not be read',
    agent => {prefix => \@ORDINARY},
    prepare => sub { chmod 0, $_[0]->conf },
    says => qr/$SETTINGS: Permission denied\z/;
check 'others may change the settings',
    prepare => sub { chmod 0666, $_[0]->conf },
    delivered => 1, logs => qr/4F1B: warning: not safe: \S+: mode 0666 lets others change it; /;
check 'others may change the routes',
    prepare => sub { chmod 0664, $_[0]->routes },
    delivered => 1, logs => qr/4F1B: warning: not safe: \S+: mode 0664 lets others change it; /;
for my $file (qw(conf routes)) {
    check "others may change what leads credentials: $file",
        agent => {settings => {'auth x' => {username => 'u', 'password-file' => '/p'}}},
        prepare => sub { chmod 0646, $_[0]->$file },
        says => qr/4\.3\.5 not safe for credentials: \S+: mode 0646 lets others change it; expected /;
}
check 'the settings are bytes',
    agent => {conf => "\0\xff\1garbage"},
    says => qr/$SETTINGS:1: /;
check 'the settings have a line that is none',
    agent => {conf => "[smtproute]\n\nnonsense\n"},
    says => qr/$SETTINGS:3: .*"nonsense"/;
check 'the settings have an unknown group',
    agent => {conf => "# x\n[smtroute]\n"},
    says => qr/$SETTINGS:2: unknown group \[smtroute\]/;
check 'the settings have an unknown key',
    agent => {conf => "[smtproute]\nroute = x\n"},
    says => qr/$SETTINGS:2: unknown key "route"/;
check 'the settings have a bad value',
    agent => {conf => "[smtproute]\ntime-limit = 1y\n"},
    says => qr/$SETTINGS:2: bad value "1y" of time-limit/;

check 'the map is missing',
    prepare => sub { unlink $_[0]->routes },
    says => qr{4\.3\.5 \S+/routes: No such file or directory\z};
check 'the map is a folder',
    prepare => sub { unlink $_[0]->routes; mkdir $_[0]->routes },
    says => qr{4\.3\.5 \S+/routes: Is a directory\z};
check 'the map may not be read',
    agent => {prefix => \@ORDINARY},
    prepare => sub { chmod 0, $_[0]->routes },
    says => qr{4\.3\.5 \S+/routes: Permission denied\z};
check 'the map cannot be read to its end',
    run => {environment => faults(read => EIO, 2)},
    says => qr{4\.3\.5 \S+/routes: Input/output error\z};

my $NO_STATE = qr{4F1B:\ warning:\ state-directory:\ \S+/hosts\.mdb:\ .*;
    \ delivering\ without\ memory\ of\ hosts$}x;
check 'the state folder is missing',
    agent => {settings => {'state-directory' => '/nonexistent'}},
    delivered => 1, logs => $NO_STATE;
check 'the state folder is read-only',
    agent => {prefix => \@ORDINARY},
    prepare => sub { chmod 0500, $_[0]->var . '/state' },
    delivered => 1, logs => $NO_STATE;
check 'the state folder is full',
    run => {environment => faults(pwrite => ENOSPC)},
    delivered => 1, logs => $NO_STATE;
check 'state files may not be that large',
    agent => {prefix => ['prlimit', '--fsize=4096', '--']},
    delivered => 1, logs => $NO_STATE;
check 'the state is missing, and several hosts are tried',
    agent => {
        settings => {'state-directory' => '/nonexistent'},
        routes => "example.com [127.0.0.1]:1, [127.0.0.2]:1\n",
    },
    says => qr/4\.4\.1 .*127\.0\.0\.2.*refused/, logs => $NO_STATE;

check 'the spool folder is missing, but not needed',
    agent => {settings => {'spool-directory' => '/nonexistent'}},
    delivered => 1;
check 'the spool folder is missing',
    agent => {settings => {'spool-directory' => '/nonexistent'}},
    run => {message => $LARGE},
    says => qr/4\.3\.1 spool file in .nonexistent: No such file/;
check 'the spool folder is read-only',
    agent => {prefix => \@ORDINARY},
    prepare => sub { chmod 0500, $_[0]->var },
    run => {message => $LARGE},
    says => qr/4\.3\.1 spool file in \S+: Permission denied\z/;
check 'the spool folder is full',
    run => {message => $LARGE, environment => faults(write => ENOSPC)},
    says => qr/4\.3\.1 spool file in \S+: No space left on device\z/;
check 'the spool file is larger than files may be',
    agent => {prefix => ['prlimit', '--fsize=300000', '--']},
    run => {message => $LARGE},
    says => qr/4\.3\.1 spool file in \S+: File too large\z/;
check 'the spool file cannot be read back',
    run => {message => $LARGE, environment => faults(pread => EIO)},
    says => qr{4\.3\.0 .*spool file in .*Input/output error\z};
check 'the log cannot be written',
    agent => {settings => {log => 'file:/nonexistent/log'}},
    note => 'no log: /nonexistent/log: No such file or directory',
    delivered => 1;

# ---- descriptors ----

check 'stdin is empty',
    run => {message => ''}, agent => shell('exec </dev/null'),
    delivered => 1;
check 'stdin is closed',
    agent => shell('exec <&-'),
    says => qr/4\.3\.0 reading the message: Bad file descriptor\z/;
check 'stdin is a folder',
    agent => shell('exec </'),
    says => qr/4\.3\.0 reading the message: Is a directory\z/;
check 'stdin breaks',
    run => {environment => faults(read => EIO, 3)},
    says => qr{4\.3\.0 reading the message: Input/output error\z};
check 'stdin does not end',
    agent => {settings => {'time-limit' => '1s'}},
    run => {message => sub {
        my ($pipe) = @_;
        print {$pipe} $SMALL;
        $pipe->flush;
        POSIX::pause();
    }},
    says => qr/4\.3\.0 reading the message: timed out\z/;
check 'stdout is closed',
    agent => shell('exec >&-'), delivered => 1, silent => 1;
check 'stderr is closed',
    agent => shell('exec 2>&-'), delivered => 1;
check 'stdout and stderr are closed',
    agent => shell('exec >&- 2>&-'), delivered => 1, silent => 1;
check 'stdin, stdout and stderr are closed',
    agent => shell('exec <&- >&- 2>&-'), silent => 1;
check 'nobody reads stdout any more',
    agent => perl('pipe R, W; close R; open STDOUT, ">&W";'
        . 'open STDERR, ">&W"'),
    delivered => 1, silent => 1;

subtest 'stdout is full until someone reads' => sub {
    my $host = SmtpHost->new;
    my $agent = Agent->new(
        routes => "example.com " . $host->destination . "\n",
        %{ perl('1 while syswrite STDOUT, "x" x 4096') },
    );

    my $run = $agent->start;
    $host->wait_for('quit');
    is $run->wait->status, 0, 'exit status';
    like $run->output, qr/\Ax+$DELIVERED/, 'the whole line';
};

# ---- limits ----

# With fewer than 4 the libraries cannot be loaded, and a sanitizer wants more.
my $sanitized = read_file(Agent->new->binary) =~ /__asan_/;

for my $limit (($sanitized ? 8 : 4) .. 10) {
    subtest "$limit descriptors" => sub {
        my $host = SmtpHost->new;
        my $agent = Agent->new(
            routes => "example.com " . $host->destination . "\n",
            # None that whoever runs the tests has left open.
            prefix => ['sh', '-c',
                'exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; exec "$@"', 'sh',
                'prlimit', "--nofile=$limit", '--'],
        );
        my $run = $agent->deliver(message => $LARGE);
        is_deeply [breaches($run, $host->messages)], [], 'honest';
    };
}

# From too little for the libraries to enough for all; a sanitizer wants
# terabytes.
sub with_space {
    my ($host, $limit) = @_;

    return Agent->new(
        routes => "example.com " . $host->destination . "\n",
        prefix => ['prlimit', "--as=$limit", '--'],
    )->start(message => $LARGE, sender => "$limit\@example.org");
}

subtest 'address space' => sub {
    my $host = SmtpHost->new;
    my $limit = 8 << 20;
    my %runs;

    do {
        my @limits = map { $limit += 32 << 10 } 1 .. 8;
        $runs{$_} = with_space($host, $_) for @limits;
        $runs{$_}->wait for @limits;
    } until $runs{$limit}->output =~ /^2/ || $limit > 1 << 30;
    my %messages;
    push @{ $messages{ $_->sender =~ s/@.*//r } }, $_ for $host->messages;

    # Not those that libraries ended before main(): ld.so, or GLib, whose
    # messages are not the output's later on.
    my @begun = grep {
        $runs{$_}->output
            !~ m{loading shared libraries|cannot allocate TLS data|^GLib \(|^\S+/glib/\S+\.c:\d+: }
    } sort keys %runs;
    cmp_ok scalar @begun, '>', 8, 'there are limits of interest';
    is join('', map { "$_\n" } map {
            my $limit = $_;
            map { "$limit: $_" }
                breaches($runs{$_}, @{ $messages{$_} // [] });
        } @begun), '', 'honest';
} if !$sanitized;

# ---- environment ----

my %ENVIRONMENTS = (
    'the locale is unknown' => {LANG => 'xx_YY.UTF-8', LC_ALL => 'rubbish'},
    'the locale is Turkish' => {LC_ALL => 'tr_TR.UTF-8'},
    'messages are to be German' => {LC_ALL => 'de_DE.UTF-8', LANGUAGE => 'de'},
    'the time zone is unknown' => {TZ => 'No/Where'},
    'the time zone is a file of another kind' => {TZ => ':/etc/passwd'},
    'the time zone is long' => {TZ => 'x' x 5_000},
    'GLib says all it can' => {G_MESSAGES_DEBUG => 'all'},
    "GLib's warnings are fatal" => {G_DEBUG => 'fatal-warnings'},
    "GLib's memory is checked" => {G_SLICE => 'debug-blocks'},
    'freed memory is overwritten' => {MALLOC_PERTURB_ => '165'},
    "OpenSSL's settings are missing" => {OPENSSL_CONF => '/nonexistent'},
    "the resolver's settings are odd" => {
        RES_OPTIONS => 'ndots:99 rubbish',
        LOCALDOMAIN => 'x y z',
        HOSTALIASES => '/etc/passwd',
    },
    'POSIX is correct' => {POSIXLY_CORRECT => '1'},
    'temporary files have no place' => {TMPDIR => '/nonexistent'},
);

for my $what (sort keys %ENVIRONMENTS) {
    check $what, run => {environment => $ENVIRONMENTS{$what}}, delivered => 1;
}

# ---- libraries that print ----

# g_log(3)'s levels.
my ($CRITICAL, $WARNING, $DEBUG) = map { 1 << $_ } 3, 4, 7;

check 'a library prints',
    run => {environment => {LD_PRELOAD => $NOISE}},
    delivered => 1;
check 'a library has debug messages',
    run => {environment => {LD_PRELOAD => $NOISE, NOISE => $DEBUG,
        G_MESSAGES_DEBUG => 'all'}},
    delivered => 1;
check 'a library warns through GLib',
    run => {environment => {LD_PRELOAD => $NOISE, NOISE => $WARNING}},
    delivered => 1, logs => qr/4F1B: warning: noise through GLib$/;
check 'a library complains through GLib',
    run => {environment => {LD_PRELOAD => $NOISE, NOISE => $CRITICAL}},
    delivered => 1, logs => qr/4F1B: warning: noise through GLib$/;
check 'a library crashes when all is said',
    run => {environment => {LD_PRELOAD => $NOISE, NOISE_CRASH => 1}},
    delivered => 1;
check "a library's warning is fatal",
    run => {environment => {LD_PRELOAD => $NOISE, NOISE => $WARNING,
        G_DEBUG => 'fatal-warnings'}},
    says => qr/4\.3\.0 smtproute: fatal signal/;

subtest 'nobody ever reads stdout, which is full' => sub {
    is $patient->wait->status, 0, 'exit status';
    is scalar(() = $patient_host->messages), 1, 'delivered';
};

done_testing;
