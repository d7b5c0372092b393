#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Faults of the system: in each row one libc call fails at its first use, in
# the next run at its second, and so on until there are no more.

use strict;
use warnings;

use Errno ();
use Test::More;

use Agent;
use Fixture;
use Honest;
use Shim;
use SmtpHost;
use TestCa;

# The preloaded faults would be the wrapper's.
delete $ENV{SMTPROUTE_WRAPPER};

# Runs at a time.
my $BATCH = 8;

# More than any call is used, so that a sweep comes to its end.
my $USES_MAX = 40_000;

# Of what OpenSSL asks for memory, every so many-th time.
my $TLS_STEP = 199;

my %CONTENTS = (small => $SMALL, large => $LARGE);

# Hosts by address, of which the second stands by; by name, from /etc/hosts.
my @hosts = map { SmtpHost->new } 1, 2;
my ($first, $second) = map { $_->destination } @hosts;
my $LITERAL = "$first/bind=127.0.0.1, $second/pri=10";
my $NAME = '[localhost]:' . $hosts[0]->port . ", $second/pri=10";

# The same with TLS that is verified, and AUTH.
my $missing = TestCa->missing;
my $ca = $missing ? undef : TestCa->new;
my @secure = map { SmtpHost->new(keywords_tls => ['AUTH PLAIN'],
    auth => '235 2.7.0 welcome', tls =>
    {certificate => $ca->certificate(addresses => ['127.0.0.1'])}) }
    $ca ? (1, 2) : ();
my $TLS = join ', ', map { $secure[$_]->destination
    . "/pri=$_/tls=secure/auth=ex" } 0 .. $#secure;
my $password_file = new_folder('password') . '/ex';
write_file($password_file, "secret\n");
chmod 0600, $password_file;
my %AUTH = (
    'tls-ca-file' => $ca ? $ca->file : '',
    'auth ex'     => {username => 'me', 'password-file' => $password_file},
);
push @hosts, @secure;

# always: from that use on, rather than once.  honest: delivered or deferred,
# and so it was.  The last column is the step from one use to the next.
my @ROWS = (
    [memory => 'ENOMEM', 'once', 'small', $LITERAL, 'honest'],
    [memory => 'ENOMEM', 'always', 'small', $LITERAL, 'honest'],
    [memory => 'ENOMEM', 'once', 'large', $NAME, 'honest'],
    [mmap => 'ENOMEM', 'once', 'small', $LITERAL, 'delivered'],
    [mmap => 'ENOMEM', 'always', 'small', $LITERAL, 'delivered'],

    [open => 'EMFILE', 'once', 'large', $NAME, 'honest'],
    [open => 'EMFILE', 'always', 'large', $NAME, 'honest'],
    [open => 'EACCES', 'once', 'large', $LITERAL, 'honest'],
    [open => 'ENOSPC', 'once', 'large', $LITERAL, 'honest'],
    [read => 'EIO', 'once', 'large', $LITERAL, 'honest'],
    [read => 'EIO', 'always', 'small', $LITERAL, 'honest'],
    [read => 'EINTR', 'once', 'large', $LITERAL, 'delivered'],
    [read => 'short', 'once', 'large', $LITERAL, 'delivered'],
    [write => 'ENOSPC', 'once', 'large', $LITERAL, 'honest'],
    [write => 'ENOSPC', 'always', 'large', $LITERAL, 'honest'],
    [write => 'EIO', 'once', 'large', $LITERAL, 'honest'],
    [write => 'EINTR', 'once', 'large', $LITERAL, 'delivered'],
    [write => 'short', 'once', 'large', $LITERAL, 'delivered'],
    [pread => 'EIO', 'once', 'large', $LITERAL, 'honest'],
    [pread => 'EIO', 'always', 'large', $LITERAL, 'deferred'],
    [pread => 'EINTR', 'once', 'large', $LITERAL, 'delivered'],
    [pread => 'short', 'once', 'large', $LITERAL, 'honest'],
    [pwrite => 'ENOSPC', 'once', 'small', $LITERAL, 'delivered'],
    [pwrite => 'ENOSPC', 'always', 'small', $LITERAL, 'delivered'],
    [pwrite => 'EIO', 'once', 'small', $LITERAL, 'delivered'],
    [pwrite => 'EFBIG', 'always', 'small', $LITERAL, 'delivered'],
    [pwrite => 'short', 'once', 'small', $LITERAL, 'delivered'],
    [writev => 'ENOSPC', 'once', 'small', $LITERAL, 'delivered'],
    [writev => 'EIO', 'always', 'small', $LITERAL, 'delivered'],
    [writev => 'short', 'once', 'small', $LITERAL, 'delivered'],
    [flock => 'EINTR', 'once', 'small', $LITERAL, 'delivered'],
    [flock => 'EAGAIN', 'once', 'small', $LITERAL, 'delivered'],
    [flock => 'ENOLCK', 'always', 'small', $LITERAL, 'delivered'],
    [lock => 'ENOLCK', 'once', 'small', $LITERAL, 'delivered'],
    [lock => 'ENOLCK', 'always', 'small', $LITERAL, 'delivered'],
    [dup => 'EMFILE', 'once', 'small', $LITERAL, 'honest'],
    [report => 'EINTR', 'once', 'small', $LITERAL, 'delivered'],
    [report => 'EAGAIN', 'once', 'small', $LITERAL, 'delivered'],
    [report => 'short', 'always', 'small', $LITERAL, 'delivered'],

    [socket => 'EMFILE', 'once', 'small', $NAME, 'honest'],
    [socket => 'ENOBUFS', 'always', 'small', $LITERAL, 'deferred'],
    [bind => 'EADDRINUSE', 'once', 'small', $LITERAL, 'delivered'],
    [bind => 'EADDRNOTAVAIL', 'once', 'small', $LITERAL, 'delivered'],
    [connect => 'ECONNREFUSED', 'once', 'small', $LITERAL, 'delivered'],
    [connect => 'ENETUNREACH', 'once', 'small', $LITERAL, 'delivered'],
    [connect => 'EADDRNOTAVAIL', 'always', 'small', $LITERAL, 'deferred'],
    [connect => 'EINTR', 'always', 'small', $LITERAL, 'delivered'],
    [poll => 'ENOMEM', 'once', 'small', $LITERAL, 'honest'],
    [poll => 'EINTR', 'once', 'large', $LITERAL, 'delivered'],
    [getsockname => 'ENOBUFS', 'always', 'small', $LITERAL, 'delivered'],
    [send => 'ECONNRESET', 'once', 'large', $LITERAL, 'honest'],
    [send => 'ENOBUFS', 'once', 'small', $LITERAL, 'honest'],
    [send => 'EINTR', 'once', 'large', $LITERAL, 'delivered'],
    [send => 'EAGAIN', 'once', 'large', $LITERAL, 'delivered'],
    [send => 'short', 'once', 'large', $LITERAL, 'delivered'],
    [recv => 'ECONNRESET', 'once', 'large', $LITERAL, 'honest'],
    [recv => 'EINTR', 'once', 'small', $LITERAL, 'delivered'],
    [recv => 'EAGAIN', 'once', 'small', $LITERAL, 'delivered'],
    [recv => 'short', 'always', 'small', $LITERAL, 'delivered'],

    [memory => 'ENOMEM', 'once', 'small', $TLS, 'honest', $TLS_STEP],
    [memory => 'ENOMEM', 'always', 'small', $TLS, 'honest', $TLS_STEP],
    [open => 'EMFILE', 'once', 'small', $TLS, 'honest'],
    [open => 'EACCES', 'always', 'small', $TLS, 'honest'],
    [read => 'EIO', 'once', 'small', $TLS, 'honest'],
    [read => 'EINTR', 'once', 'small', $TLS, 'delivered'],
    [read => 'short', 'once', 'small', $TLS, 'honest'],
    [write => 'EPIPE', 'once', 'large', $TLS, 'honest'],
    [write => 'EINTR', 'once', 'small', $TLS, 'delivered'],
    [write => 'short', 'once', 'large', $TLS, 'delivered'],
    [poll => 'ENOMEM', 'once', 'small', $TLS, 'honest'],
);

# Each has a state of its own: what one makes of a host must not matter to the
# others.
my @agents = map { Agent->new } 1 .. $BATCH;
my $sanitized = read_file($agents[0]->binary) =~ /__asan_/;
my $says = new_folder('faults');
my $deliveries = 0;

# What deliveries leave behind, from which those of some rows begin.
my $STATE = do {
    my $agent = Agent->new(
        routes   => "example.com $LITERAL\n",
        settings => {'max-connections' => 5},
    );
    $agent->deliver(sender => '0@example.org') for 1, 2;
    read_file($agent->var . '/state/hosts.mdb');
};
my %OF_STATE = map { $_ => 1 } qw(flock lock mmap pwrite writev);

sub start {
    my ($state, $call, $error, $how, $content, $at) = @_;
    my $number = ++$deliveries;
    my $agent = $agents[$number % @agents];

    $agent->forget;
    write_file($agent->var . '/state/hosts.mdb', $state) if defined $state;
    no strict 'refs';
    my $run = $agent->start(
        sender      => "$number\@example.org",
        message     => $CONTENTS{$content},
        environment => {
            LD_PRELOAD  => $SHIM,
            FAULT_CALL  => $call,
            FAULT_AT    => $at,
            FAULT_ERROR => $error eq 'short' ? 0 : &{"Errno::$error"},
            FAULT_SAYS  => "$says/$number",
            $how eq 'always' ? (FAULT_STAYS => 1) : (),
        },
    );
    return {run => $run, at => $at, number => $number};
}

# All runs of a row, those beyond the last use included.
sub sweep {
    my ($step, @what) = @_;
    my @all;

    while (@all * $step < $USES_MAX) {
        my @batch = map { start(@what, 1 + (@all + $_) * $step) }
            0 .. $BATCH - 1;
        for my $one (@batch) {
            $one->{run}->wait;
            $one->{happened} = -e "$says/$one->{number}";
        }
        push @all, @batch;
        return @all if grep { !$_->{happened} } @batch;
    }
    die "the sweep does not end\n";
}

# The messages that hosts got, by the number of the run.
sub messages_by_run {
    my %messages;

    for my $message (map { $_->messages } @hosts) {
        push @{ $messages{ ($message->sender =~ /^(\d+)\@/)[0] // '' } },
            $message;
    }
    return \%messages;
}

# Those whose envelope or content is not what the agent was given.
sub altered {
    my ($content, @messages) = @_;

    return grep {
        my $message = $_;
        $message->accepted && ("@{[$message->recipients]}" ne
                'user@example.com' || $message->content ne $content)
    } @messages;
}

sub judge {
    my ($one, $content, $allowed, @messages) = @_;
    my $status = $one->{run}->status // '';

    my @wrong = breaches($one->{run}, @messages);
    $allowed = 'delivered' if !$one->{happened} && $allowed ne 'honest';
    push @wrong, 'not delivered: ' . $one->{run}->output
        if $allowed eq 'delivered' && $status ne '0';
    push @wrong, 'not deferred' if $allowed eq 'deferred' && $status ne '75';
    push @wrong, 'altered' if altered($content, @messages);
    return map { "use $one->{at}: $_\n" } @wrong;
}

sub try_row {
    my ($row, $state) = @_;
    my ($call, $error, $how, $content, $route, $allowed, $step) = @{$row};

    $_->configure(
        routes   => "example.com $route\n",
        settings => {'max-connections' => 5, 'time-limit' => '60s',
            $route eq $TLS ? %AUTH : ()},
    ) for @agents;
    my @runs = sweep($step // 1, $state, $call, $error, $how, $content);
    my $messages = messages_by_run();
    my $text = $CONTENTS{$content} =~ s/\n/\r\n/gr;

    ok $runs[0]{happened}, 'it happened';
    is join('', map { judge($_, $text, $allowed,
        @{ $messages->{ $_->{number} } // [] }) } @runs), '', 'all uses';
    is $messages->{''}, undef, 'nobody else sent anything';
    return;
}

for my $row (@ROWS) {
    my ($call, $error, $how, $content, $route, $allowed) = @{$row};
    my $what = "$call: $error $how ($content)"
        . ($route eq $TLS ? ' with TLS' : '');
    # A sanitizer ends itself without memory.
    next if $call eq 'memory' && $sanitized;

    subtest "$what: $allowed" => sub {
        skip_or_fail($missing) if $route eq $TLS;
        try_row($row);
    };
    subtest "$what, with a state: $allowed" => sub { try_row($row, $STATE) }
        if $OF_STATE{$call} && $route ne $TLS;
}

done_testing;
