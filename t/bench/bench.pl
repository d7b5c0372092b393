#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Measures smtproute beside other programs in one run; run by "make bench" in
# the build folder.  It asserts nothing: its exit status is 0 unless
# something could not be run.
#
#   BENCH_N    deliveries of the small message (300)
#   SMTPROUTE  the agent (src/smtproute)
#   MSMTP      msmtp (found in PATH)

use strict;
use warnings;

use Cwd        qw(abs_path);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use List::Util qw(sum);
use POSIX      ();

use constant {
	DELIVERIES    => $ENV{BENCH_N} || 300,
	SMALL         => 4096,
	MIB           => 100,
	BIG_ROUNDS    => 5,
	TIME_LIMIT    => 120,                   # seconds, for one delivery
	SENDER        => 'sender@bench.invalid',
	RECIPIENT     => 'recipient@bench.invalid',
};

$SIG{$_} = sub { die "stopped by SIG$_[0]\n" } for qw(INT TERM HUP);
$SIG{PIPE} = 'IGNORE';
$| = 1;

my $dir = tempdir('smtproute-bench-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my @troubles;

sub write_file {
	my ($name, $text) = @_;
	my $path = "$dir/$name";

	open my $fh, '>:raw', $path or die "$path: $!\n";
	print {$fh} $text;
	close $fh or die "$path: $!\n";
	return $path;
}

sub read_file {
	my ($path) = @_;

	open my $fh, '<:raw', $path or die "$path: $!\n";
	local $/ = undef;
	return scalar <$fh>;
}

# The absolute path of a program, or undef and a note of the trouble.
sub program {
	my ($name, @candidates) = @_;

	for my $path (grep { defined } @candidates) {
		return abs_path($path) if -f $path && -x _;
	}
	push @troubles, "$name: not found";
	return undef;
}

sub bench_program {
	my ($name) = @_;

	return program($name, "t/bench/$name") // die "t/bench/$name: not built\n";
}

sub median {
	my @sorted = sort { $a <=> $b } @_;

	return ($sorted[$#sorted / 2] + $sorted[@sorted / 2]) / 2;
}

# Postfix's own sink: it does what a server must, looking for the final dot,
# and nothing more.
my $sink;

sub start_sink {
	my ($program) = @_;
	my $free = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
		or die "no free port: $@\n";
	my $port = $free->sockport;

	close $free;
	$sink = fork // die "fork: $!\n";
	if (!$sink) {
		open STDOUT, '>', '/dev/null';
		open STDERR, '>&', \*STDOUT;
		exec $program, '-u', 'nobody', "127.0.0.1:$port", 100
			or POSIX::_exit(127);
	}
	for (1 .. 100) {
		return $port if IO::Socket::INET->new("127.0.0.1:$port");
		select undef, undef, undef, 0.1;
	}
	die "$program does not listen\n";
}

END {
	my $status = $?;

	if ($sink) {
		kill 'TERM', $sink;
		waitpid $sink, 0;
	}
	$? = $status;
}

my $measure = bench_program('measure');

# Times in seconds, memory in KiB.  The output says why a program failed.
sub measure {
	my ($input, @command) = @_;
	my $output = "$dir/output";

	my $pid = open my $fh, '-|', $measure, $input, $output, @command
		or die "$measure: $!\n";
	local $SIG{ALRM} = sub { die "no end after ${\TIME_LIMIT} s\n" };
	alarm TIME_LIMIT;
	my $line = eval { readline $fh };
	alarm 0;
	if (!defined $line) {
		my $why = $@ || 'measure failed';
		kill 'TERM', $pid;
		die $why if $why =~ /^stopped/;
		return { failure => $why };
	}
	close $fh;
	my ($status, $wall, $cpu, $rss) = split ' ', $line;
	return { failure => "status $status: " . read_file($output) } if $status;
	return { wall => $wall / 1e6, cpu => $cpu / 1e6, rss => $rss };
}

# Every program once a round, so that what else the machine does hits all of
# them.  The first round warms the caches and does not count.  A program that
# fails is left out from then on.
sub interleave {
	my ($rounds, @programs) = @_;
	my %results = map { $_->{name} => [] } @programs;

	for my $round (0 .. $rounds) {
		for my $program (grep { !$_->{failed} } @programs) {
			my $result = measure($program->{input},
				@{ $program->{command} });
			if (my $why = $result->{failure}) {
				$why =~ s/\s+\z//;
				push @troubles, "$program->{name}: $why";
				$program->{failed} = 1;
				delete $results{ $program->{name} };
				next;
			}
			push @{ $results{ $program->{name} } }, $result if $round;
		}
	}
	return \%results;
}

# One figure of all of a program's runs.
sub figures {
	my ($results, $name, $figure) = @_;

	return map { $_->{$figure} } @{ $results->{$name} };
}

# Processor times may be counted in ticks longer than a run: only their mean
# means something then.  Of wall times the median is the better figure.
sub cpu {
	my @times = figures(@_, 'cpu');

	return sum(@times) / @times;
}

sub wall {
	return median(figures(@_, 'wall'));
}

sub ratio {
	my ($what, $value, $base, $goal) = @_;

	return printf "ratio %-28s (base is 0)\n", $what if !$base;
	printf "ratio %-28s %6.2f%s\n", $what, $value / $base,
		defined $goal ? " (goal $goal)" : '';
}

sub bench_small {
	my (@programs) = @_;
	my $r = interleave(DELIVERIES, @programs);

	printf "%d deliveries of %d octets, interleaved\n", DELIVERIES, SMALL;
	printf "%-12s %16s %16s\n", '', 'CPU mean, ms', 'wall median, ms';
	for my $name (map { $_->{name} } @programs) {
		next if !$r->{$name};
		printf "%-12s %16.3f %16.3f\n", $name,
			1e3 * cpu($r, $name), 1e3 * wall($r, $name);
	}
	return if !$r->{smtproute};
	for my $base (grep { $r->{$_} } qw(libs-only msmtp)) {
		ratio("cpu smtproute/$base", cpu($r, 'smtproute'),
			cpu($r, $base), $base eq 'msmtp' ? '1.0' : '1.5');
		ratio("wall smtproute/$base", wall($r, 'smtproute'),
			wall($r, $base));
	}
}

sub bench_big {
	my (@programs) = @_;
	my $r = interleave(BIG_ROUNDS, @programs);

	printf "\none message of %d MiB, %d times, interleaved\n",
		MIB, BIG_ROUNDS;
	printf "%-12s %16s %16s %16s\n", '', 'wall median, ms', 'MiB/s',
		'max RSS, MiB';
	for my $name (map { $_->{name} } @programs) {
		next if !$r->{$name};
		my $wall = wall($r, $name);
		printf "%-12s %16.1f %16.0f %16.1f\n", $name, 1e3 * $wall,
			MIB / $wall,
			median(figures($r, $name, 'rss')) / 1024;
	}
	return if !$r->{smtproute} || !$r->{bulk};
	ratio('rate smtproute/bulk', wall($r, 'bulk'), wall($r, 'smtproute'),
		'0.5');
	# 0 is said by systems that do not count it
	printf "max rss smtproute %.1f MiB (goal 16; ru_maxrss of wait4)\n",
		median(figures($r, 'smtproute', 'rss')) / 1024;
}

# Lines with LF as pipe(8) hands them over; with CRLF they have the size.
sub message {
	my ($size) = @_;
	my $header = "From: <${\SENDER}>\nTo: <${\RECIPIENT}>\n"
		. "Date: Thu, 1 Jan 1970 00:00:00 +0000\n"
		. "Message-ID: <1\@bench.invalid>\nSubject: bench\n\n";
	my $left = $size - length($header) - ($header =~ tr/\n//);
	my $lines = int($left / 64);
	my $rest = $left % 64;

	return $header . ('x' x 62 . "\n") x $lines
		. ($rest > 2 ? 'x' x ($rest - 2) . "\n" : '');
}

sub smtproute_command {
	my ($agent, $port) = @_;
	my $conf = write_file('smtproute.conf', <<"END");
[smtproute]
routes = $dir/routes
state-directory = $dir/state
spool-directory = $dir
helo-name = bench.invalid
log = file:$dir/log
END

	write_file('routes', '');
	-d "$dir/state" or mkdir "$dir/state" or die "$dir/state: $!\n";
	return [$agent, '-c', $conf, '-q', '4F1B', '-f', SENDER,
		'-n', "[127.0.0.1]:$port", '--', RECIPIENT];
}

sub msmtp_command {
	my ($msmtp, $port) = @_;
	my $conf = write_file('msmtprc', <<"END");
account default
host 127.0.0.1
port $port
domain bench.invalid
auth off
tls off
END

	chmod 0600, $conf;
	return [$msmtp, '-C', $conf, '-f', SENDER, '--', RECIPIENT];
}

my $libs_only = bench_program('libs-only');
my $bulk = bench_program('bulk');
my $agent = program('smtproute', $ENV{SMTPROUTE}, 'src/smtproute');
my $msmtp = program('msmtp', $ENV{MSMTP},
	map { "$_/msmtp" } split /:/, $ENV{PATH});
my $port = start_sink(program('smtp-sink', '/usr/sbin/smtp-sink')
	// die "smtp-sink, of Postfix: not found\n");

my $small = write_file('small', message(SMALL));
my @programs = ({ name => 'libs-only', command => [$libs_only] });
push @programs, { name => 'smtproute',
	command => smtproute_command($agent, $port) } if $agent;
push @programs, { name => 'msmtp',
	command => msmtp_command($msmtp, $port) } if $msmtp;
$_->{input} = $small for @programs;
bench_small(@programs);

my $big = write_file('big', message(MIB * 1024 * 1024));
@programs = ({ name => 'bulk', command => [$bulk, $port, MIB] });
push @programs, { name => 'smtproute',
	command => smtproute_command($agent, $port) } if $agent;
$_->{input} = $big for @programs;
bench_big(@programs);

print "could not be run: $_\n" for @troubles;
exit(@troubles ? 1 : 0);
