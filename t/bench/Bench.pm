# SPDX-License-Identifier: BSD-2-Clause
#
# What the benchmarks share: programs and how they are measured, a server for
# them, figures and how they are printed.
#
#   program($name, @candidates)  its absolute path; undef, and a trouble noted
#   built($name)                 the same in t/bench; dies
#   trouble($what)               something could not be run
#   troubles()                   all of these
#   start_sink()                 a smtp-sink(1); returns its port
#   interleave($rounds, @programs)
#       programs are hashes: name, command (an array), input (a file).
#       Returns name => [{wall, cpu, rss}, ...]: seconds and KiB.
#   figures($results, $name, $figure)   all of a program's runs
#   median(@n), mean(@n)
#   ratio($what, $value, $base, $goal)  prints it
#
# Folders and files are Fixture's.

package Bench;

use strict;
use warnings;

use Cwd        qw(abs_path);
use Exporter   qw(import);
use IO::Socket::IP ();
use List::Util qw(sum);
use POSIX      ();

use Fixture;

our @EXPORT = qw(built figures interleave mean median program ratio start_sink
	trouble troubles);

use constant TIME_LIMIT => 120;    # seconds, for one run

$SIG{PIPE} = 'IGNORE';

my @troubles;

sub trouble {
	push @troubles, $_[0] =~ s/\s+\z//r;
	return;
}

sub troubles {
	return @troubles;
}

sub program {
	my ($name, @candidates) = @_;

	for my $path (grep { defined } @candidates) {
		return abs_path($path) if -f $path && -x _;
	}
	trouble("$name: not found");
	return undef;
}

sub built {
	my ($name) = @_;

	return program($name, "t/bench/$name") // die "t/bench/$name: not built\n";
}

sub mean {
	return sum(@_) / @_;
}

sub median {
	my @sorted = sort { $a <=> $b } @_;

	return ($sorted[$#sorted / 2] + $sorted[@sorted / 2]) / 2;
}

# Postfix's own: it does what a server must, looking for the final dot, and
# nothing more.
my @sinks;

sub start_sink {
	my $program = program('smtp-sink', '/usr/sbin/smtp-sink')
		// die "smtp-sink, of Postfix: not found\n";
	my $reserved = reserve_port('127.0.0.1');
	my $port = $reserved->sockport;

	my $pid = child(sub {
		open STDOUT, '>', '/dev/null';
		open STDERR, '>&', \*STDOUT;
		exec $program, '-u', 'nobody', "127.0.0.1:$port", 100
			or POSIX::_exit(127);
	});
	push @sinks, guard(bless { pid => $pid }, 'Bench::Sink');
	wait_until("$program to listen", sub {
		return IO::Socket::IP->new(
			PeerHost => '127.0.0.1',
			PeerPort => $port,
		);
	});
	return $port;
}

@Bench::Sink::ISA = ('Fixture::Guarded');

sub Bench::Sink::stop {
	my ($self) = @_;

	end_child(delete $self->{pid}) if $self->{pid};
	return;
}

# Times in seconds, memory in KiB.  The output says why a program failed.
sub measure {
	my ($output, $input, @command) = @_;
	my $measure = built('measure');

	my $pid = open my $fh, '-|', $measure, $input, $output, @command
		or die "$measure: $!\n";
	local $SIG{ALRM} = sub { die "no end after ${\TIME_LIMIT} s\n" };
	alarm TIME_LIMIT;
	my $line = eval { readline $fh };
	alarm 0;
	if (!defined $line) {
		kill 'TERM', $pid;
		return { failure => $@ || 'measure failed' };
	}
	close $fh;
	my ($status, $wall, $cpu, $rss) = split ' ', $line;
	return { failure => "status $status: " . read_file($output) } if $status;
	return { wall => $wall / 1e6, cpu => $cpu / 1e6, rss => $rss };
}

# Every program once a round, so that what else the machine does hits all of
# them, and in turns, so that none always comes after the same one.  The first
# round warms the caches and does not count.  A program that fails is left out
# from then on.
sub interleave {
	my ($rounds, @programs) = @_;
	my $output = new_folder('measure') . '/output';
	my %results = map { $_->{name} => [] } @programs;

	for my $round (0 .. $rounds) {
		for my $program (grep { !$_->{failed} } @programs) {
			my $result = measure($output, $program->{input},
				@{ $program->{command} });
			if (my $why = $result->{failure}) {
				trouble("$program->{name}: $why");
				$program->{failed} = 1;
				delete $results{ $program->{name} };
				next;
			}
			push @{ $results{ $program->{name} } }, $result if $round;
		}
		@programs = reverse @programs;
	}
	return \%results;
}

sub figures {
	my ($results, $name, $figure) = @_;

	return map { $_->{$figure} } @{ $results->{$name} };
}

sub ratio {
	my ($what, $value, $base, $goal) = @_;

	return printf "ratio %-28s (base is 0)\n", $what if !$base;
	printf "ratio %-28s %6.2f%s\n", $what, $value / $base,
		defined $goal ? " (goal $goal)" : '';
	return;
}

1;
