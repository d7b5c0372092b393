#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Measures smtproute beside other programs, its shared state of hosts, and a
# Postfix with it, in one run; run by "make bench" in the build folder.  It
# asserts nothing: its exit status is 0 unless something could not be run.
#
#   bench.pl [small] [tls] [big] [state] [queue] [lmtp] [maps]
#            [burst] [recovery] [rates]             these only
#
#   BENCH_N        deliveries of the small message (300)
#   BENCH_QUEUE    messages in Postfix's queue (500); 4000 take long enough
#                  to see a dead host being tried again.  lmtp: twelve times
#                  as many where processes live on
#   BENCH_ROUNDS   how often it is delivered (3)
#   BENCH_TIMEOUT  connect-timeout then, in seconds (3)
#   BENCH_SPAN     rates: the longest span, in seconds (60)
#   SMTPROUTE      the agent (src/smtproute)
#   MSMTP          msmtp (found in PATH)

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../lib";

use Bench;
use Backlog;
use BlackHole;
use Distance;
use Drain;
use Fixture;
use SmtpHost;
use TestCa;
use Throttle;

use constant {
	DELIVERIES => $ENV{BENCH_N} || 300,
	SMALL      => 4096,
	MIB        => 100,
	BIG_ROUNDS => 5,
	QUEUE      => $ENV{BENCH_QUEUE}   || 500,
	LIVING_ON  => 12,
	ROUNDS     => $ENV{BENCH_ROUNDS}  || 3,
	TIMEOUT    => $ENV{BENCH_TIMEOUT} || 3,
	RATE_SPAN  => $ENV{BENCH_SPAN}    || 60,
	SENDER     => 'sender@bench.invalid',
	RECIPIENT  => 'recipient@bench.invalid',
	DEAD       => '127.0.0.2',
};

$| = 1;

my $dir = new_folder('bench');

sub new_file {
	my ($name, $text) = @_;

	write_file("$dir/$name", $text);
	return "$dir/$name";
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

my $agent = program('smtproute', $ENV{SMTPROUTE}, 'src/smtproute');
my $port;

# As a program for interleave().
sub smtproute {
	my ($input, %option) = @_;
	my $name = $option{name} // 'smtproute';
	my $state = $option{state} // "$dir/state";
	my $nexthop = $option{nexthop} // "[127.0.0.1]:$port";
	my $settings = join '', map { "$_\n" } @{ $option{settings} // [] };
	my $conf = new_file("$name.conf", <<"END");
[smtproute]
routes = $dir/routes
state-directory = $state
spool-directory = $dir
helo-name = bench.invalid
log = file:$dir/log
$settings
END

	return () if !$agent;
	return { name => $name, input => $input, command => [$agent, '-c',
		$conf, '-q', '4F1B', '-f', SENDER, '-n', $nexthop,
		'--', RECIPIENT] };
}

sub msmtp {
	my ($input) = @_;
	my $msmtp = program('msmtp', $ENV{MSMTP},
		map { "$_/msmtp" } split /:/, $ENV{PATH}) // return ();
	my $conf = new_file('msmtprc', <<"END");
account default
host 127.0.0.1
port $port
domain bench.invalid
auth off
tls off
END

	chmod 0600, $conf;
	return { name => 'msmtp', input => $input, command => [$msmtp, '-C',
		$conf, '-f', SENDER, '--', RECIPIENT] };
}

# Processor times may be counted in ticks longer than a run: only their mean
# means something then.  Of wall times the median is the better figure.
sub cpu {
	return mean(figures(@_, 'cpu'));
}

sub wall {
	return median(figures(@_, 'wall'));
}

sub bench_small {
	my $input = new_file('small', message(SMALL));
	my @programs = ({ name => 'libs-only', input => $input,
		command => [built('libs-only')] },
		smtproute($input), msmtp($input));
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
	return;
}

# All authorities of the world and ours: in one file, and in a folder.
sub authorities {
	my ($ca) = @_;
	my $world = '/etc/ssl/certs/ca-certificates.crt';

	die "$world: not there (package ca-certificates)\n" if !-e $world;
	my $file = new_file('all.pem', read_file($world) . read_file($ca->file));
	my $number = 0;
	mkdir "$dir/all";
	new_file('all/' . ++$number . '.pem', $_)
		for read_file($file) =~ /(-+BEGIN CERT.*?-END CERT[^\n]*\n)/gs;
	capture('openssl', 'rehash', "$dir/all");
	return ($number, $file, "$dir/all");
}

# What TLS costs a delivery.  The host is Perl's, in other processes: of all
# this only our own CPU time says something.
sub bench_tls {
	my $input = new_file('small', message(SMALL));
	my $ca = TestCa->new;
	my $host = SmtpHost->new(digest => 1,
		tls => { certificate => $ca->certificate(
			addresses => ['127.0.0.1']) });
	my ($count, $file, $folder) = authorities($ca);
	my @rows = (['no TLS', 'none'], ['not verified', 'encrypt'],
		['a file of one CA', 'secure', $ca->file],
		["a folder of $count CAs", 'secure', ''],
		["a file of $count CAs", 'secure', $file]);
	my @programs = map { smtproute($input, name => $_->[0],
		nexthop => $host->destination . "/tls=$_->[1]",
		settings => ['tls-ca-file = ' . ($_->[2] // '')]) } @rows;
	local $ENV{SSL_CERT_DIR} = $folder;
	my $r = interleave(DELIVERIES / 3, @programs);

	printf "%d deliveries of %d octets, interleaved\n",
		DELIVERIES / 3, SMALL;
	printf "%-22s %16s\n", 'TLS', 'CPU mean, ms';
	printf "%-22s %16.3f\n", $_, 1e3 * cpu($r, $_)
		for grep { $r->{$_} } map { $_->[0] } @rows;
	$host->stop;
	return;
}

sub bench_big {
	my $input = new_file('big', message(MIB * 1024 * 1024));
	my @programs = ({ name => 'bulk', input => $input,
		command => [built('bulk'), $port, MIB] }, smtproute($input));
	my $r = interleave(BIG_ROUNDS, @programs);

	unlink $input;
	printf "one message of %d MiB, %d times, interleaved\n",
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
	return;
}

# Without it, in a folder that is not there, a delivery has a failed open(2), a
# line more to log and a host to draw: what is added is a little more than the
# difference.  The figures for the state alone are what it costs in truth.
sub bench_state {
	my $input = new_file('small', message(SMALL));
	my @programs = (
		smtproute($input, name => 'with'),
		smtproute($input, name => 'without', state => "$dir/nowhere"));
	my $r = interleave(DELIVERIES, @programs);

	printf "the shared state: %d deliveries with it and without, "
		. "interleaved\n", DELIVERIES;
	if ($r->{with} && $r->{without}) {
		printf "%-12s %16s %16s\n", '', 'CPU median, ms',
			'wall median, ms';
		for my $name (qw(with without)) {
			printf "%-12s %16.3f %16.3f\n", $name, map {
				1e3 * median(figures($r, $name, $_)) } qw(cpu wall);
		}
		printf "%-12s %16.3f %16.3f (medians of pairs; goal 0.3)\n",
			'added', map { 1e3 * median(added($r, $_)) } qw(cpu wall);
	}
	bench_hoststate();
	return;
}

# What the state adds, round by round.
sub added {
	my ($r, $figure) = @_;
	my @with = figures($r, 'with', $figure);
	my @without = figures($r, 'without', $figure);

	return map { $with[$_] - $without[$_] } 0 .. $#with;
}

# Hosts and processes at once; 200 must not be too many to have memory.
my @CROWDS = ([1, 1], [2, 1], [10, 1], [1, 20], [2, 20], [10, 20], [2, 200]);

sub bench_hoststate {
	my $state = built('state');

	printf "\nhoststate_choose() and _leave(), microseconds (goal 300)\n";
	printf "%-6s %6s %10s %10s %10s %10s %10s\n", '', 'hosts', 'processes',
		'median', '99th', 'CPU mean', 'no memory';
	for my $kind (qw(fresh loop)) {
		for my $crowd (@CROWDS) {
			my ($hosts, $processes) = @{$crowd};
			my ($status, $output) = capture($state, "$dir/state",
				$hosts, $processes, 1000 / $processes, $kind);

			if ($status) {
				trouble("state: $output");
				next;
			}
			printf "%-6s %6d %10d %10.0f %10.0f %10.0f %10d\n",
				$kind, @{$crowd}, split ' ', $output;
		}
	}
	return;
}

# Routes of two hosts; in dead.* the first one is a black hole.  Known: the
# state says so when the queue is released.
my @SCENARIOS = (
	{ name => 'both up', domain => 'up.example' },
	{ name => 'dead', domain => 'dead.example', base => 'both up' },
	{ name => 'known dead', domain => 'dead.example', base => 'both up',
		known => 1 },
	{ name => 'equal, up', domain => 'equal.up.example' },
	{ name => 'equal, dead', domain => 'equal.dead.example',
		base => 'equal, up' },
	{ name => 'equal, known dead', domain => 'equal.dead.example',
		base => 'equal, up', known => 1 },
);

sub new_drain {
	my ($hole) = @_;
	my ($first, $second) = map { '[127.0.0.1]:' . start_sink() } 1, 2;
	my $dead = $hole->destination;

	return Drain->new(
		messages => QUEUE,
		settings => { 'connect-timeout' => TIMEOUT . 's' },
		routes   => <<"END");
up.example         $first, $second/pri=10
dead.example       $dead, $second/pri=10
equal.up.example   $first, $second
equal.dead.example $dead, $second
END
}

# One message waits for the dead host.
sub make_known {
	my ($agent) = @_;

	$agent->deliver(recipients => ['user@dead.example'])->status == 0
		or die "no delivery by way of the second host\n";
	return;
}

# The first wave are those that began before the first of them had failed.
# The rate without them is that of the others: of most, if the wave is small,
# else of what comes after it.
sub summary {
	my ($run, $known) = @_;
	my @sent = @{ $run->{sent} };
	my @ends = @{ $run->{contacts} };
	my $since = $known ? 0 : $ends[0] // 0;
	my $wave = grep { $_ - TIMEOUT < $since } @ends;
	my @later = @ends[$wave .. $#ends];
	my $before = grep { $_ <= $since } @sent;

	return {
		seconds => $sent[-1],
		rate    => @sent / $sent[-1],
		wave    => $wave,
		later   => scalar @later,
		lost    => $run->{lost},
		pauses  => [map { $later[$_] - TIMEOUT
			- ($_ ? $later[$_ - 1] : $since) } 0 .. $#later],
		others  => 2 * $before > @sent ? $before / $sent[$before - 1]
			: (@sent - $before) / ($sent[-1] - $since),
	};
}

sub bench_queue {
	my $missing = Drain->missing // BlackHole->missing;

	return trouble("a queue: $missing") if defined $missing;
	return if !$agent;
	local $ENV{SMTPROUTE} = $agent;
	my $hole = BlackHole->new(address => DEAD);
	my $drain = new_drain($hole);
	my %runs;

	# Warms the caches.
	$drain->run(domain => 'up.example', dead => DEAD);
	for my $scenario ((@SCENARIOS) x ROUNDS) {
		my $known = $scenario->{known};
		my $run = $drain->run(domain => $scenario->{domain},
			dead => DEAD, before => $known ? \&make_known : undef);

		die "$scenario->{name}: $run->{failure}\n" if $run->{failure};
		push @{ $runs{ $scenario->{name} } }, summary($run, $known);
	}
	report_queue(\%runs);
	return;
}

sub report_queue {
	my ($runs) = @_;
	my ($pause) = sort { $a <=> $b }
		map { @{ $_->{pauses} } } map { @{$_} } values %{$runs};

	printf "a Postfix queue of %d messages, 50 processes, two hosts, "
		. "connect-timeout %d s,\n%d times, interleaved; others: but "
		. "for the first wave\n", QUEUE, TIMEOUT, ROUNDS;
	printf "%-18s %7s %7s %7s %15s %6s %10s\n", '', 's', 'msgs/s',
		'others', 'first contacts', 'later', 'no memory';
	for my $name (map { $_->{name} } @SCENARIOS) {
		printf "%-18s %7.2f %7.1f %7.1f %15.0f %6.0f %10.0f\n", $name,
			map { median(figures($runs, $name, $_)) }
			qw(seconds rate others wave later lost);
	}
	for my $scenario (grep { $_->{base} } @SCENARIOS) {
		my ($name, $base) = @{$scenario}{qw(name base)};

		compare($runs, "$name/up", $name, 'rate', $base, '0.9');
		compare($runs, "$name/up, others", $name, 'others', $base,
			'0.9')
			if !$scenario->{known};
	}
	printf "pause before a later contact %s (goal 5 s, retry-min)\n",
		defined $pause ? sprintf('%.1f s', $pause) : '(none)';
	return;
}

# Round by round, since what else the machine does changes within minutes.
sub compare {
	my ($runs, $what, $name, $figure, $base, $goal) = @_;
	my @rates = figures($runs, $name, $figure);
	my @bases = figures($runs, $base, 'rate');

	ratio($what, median(map { $rates[$_] / $bases[$_] } 0 .. $#rates),
		1, $goal);
	return;
}

# What Postfix leads the queue through, to hosts at these ports: of them smtp(8)
# and msmtp know the first one only, and a program that only loads the
# libraries, and says that it has delivered, none.  With TLS smtp(8) has a
# handshake for each message, unless it is told to reuse connections.  Whose
# processes live on has a longer queue, so that all take some seconds and it is
# not their start that is measured.
sub faces {
	my ($tls, @ports) = @_;
	my $routes = 'up.example ' . join(', ', map { "[127.0.0.1]:$_" } @ports)
		. "\n";
	my %common = (messages => QUEUE,
		settings => {tls => $tls ? 'encrypt' : 'none'},
		routes => $routes);
	my %main = (
		transport_maps => "static:{smtp:[127.0.0.1]:$ports[0]}",
		smtp_tls_security_level => $tls ? 'encrypt' : 'none',
	);

	my %living_on = (%common, messages => QUEUE * LIVING_ON);

	return (
		'smtp(8)' => Drain->new(%living_on, main => \%main),
		$tls ? ('smtp(8) reuse' => Drain->new(%living_on, main => {
			%main, smtp_tls_connection_reuse => 'yes'},
			master => "tlsproxy unix - - n - 0 tlsproxy\n")) : (),
		pipe => Drain->new(%common),
		lmtp => Drain->new(%living_on, lmtp => 1),
		'libs-only' => Drain->new(%common,
			binary => built('libs-only')),
		msmtp_face($tls, $ports[0], %common),
	);
}

# pipe(8) to msmtp.
sub msmtp_face {
	my ($tls, $to, %common) = @_;
	my $msmtp = program('msmtp', $ENV{MSMTP},
		map { "$_/msmtp" } split /:/, $ENV{PATH}) // return ();
	my $switch = $tls ? 'on' : 'off';
	my $conf = new_file("msmtprc.$to", <<"END");
account default
host 127.0.0.1
port $to
domain bench.invalid
auth off
tls $switch
tls_certcheck off
END

	chmod 0644, $conf or die "$conf: $!\n";
	return (msmtp => Drain->new(%common, main => {
		transport_maps => 'static:{msmtp:}',
		msmtp_destination_recipient_limit => 1,
	}, master => "msmtp unix - n n - 50 pipe user=nobody null_sender=\n"
		. "  argv=$msmtp -C $conf -f \${sender} -- \${recipient}\n"));
}

sub bench_lmtp {
	my $missing = Drain->missing;

	return trouble("LMTP: $missing") if defined $missing;
	return if !$agent;
	local $ENV{SMTPROUTE} = $agent;
	my $second = start_sink();
	my ($near, $far) = map { Distance->new(port => $_, delay => 0.01) }
		$port, $second;
	compare_faces('one host', 0, $port);
	compare_faces('two hosts', 0, $port, $second);
	compare_faces('one host 10 ms away', 0, $near->port);
	compare_faces('two hosts 10 ms away', 0, $near->port, $far->port);
	$near->stop;
	$far->stop;
	my $stunnel = program('stunnel', map { "$_/stunnel" }
		split /:/, "$ENV{PATH}:/usr/bin") // return;
	my @tls = map { tls_sink($stunnel, $_) } $port, $second;
	my $away = Distance->new(port => $tls[0], delay => 0.01);
	compare_faces('one host, TLS', 1, $tls[0]);
	compare_faces('two hosts, TLS', 1, @tls);
	compare_faces('one host, TLS, 10 ms away', 1, $away->port);
	$away->stop;
	return;
}

# smtp-sink(1) behind stunnel(8), which begins TLS for it.
@Tls::Sink::ISA = ('Fixture::Guarded');

sub Tls::Sink::stop {
	my ($self) = @_;

	end_child(delete $self->{pid}) if $self->{pid};
	return;
}

my @tls_sinks;

sub tls_sink {
	my ($stunnel, $to) = @_;
	my $certificate = TestCa->new->certificate(addresses => ['127.0.0.1']);
	my $reserved = reserve_port('127.0.0.1');
	my $at = $reserved->sockport;
	my $pem = new_file("stunnel.$at.pem", join '', map { read_file($_) }
		$certificate->key_file, $certificate->file);
	my $conf = new_file("stunnel.$at", <<"END");
foreground = yes
pid =
debug = 0
[smtp]
accept = 127.0.0.1:$at
connect = 127.0.0.1:$to
cert = $pem
protocol = smtp
END

	chmod 0600, $pem or die "$pem: $!\n";
	push @tls_sinks, guard(bless { pid => daemon($dir, $stunnel, $conf) },
		'Tls::Sink');
	wait_until('stunnel to listen', sub {
		return IO::Socket::IP->new(PeerHost => '127.0.0.1',
			PeerPort => $at);
	});
	return $at;
}

# In messages a second, without the first ones.
sub rate_after {
	my ($first, @sent) = @_;
	my $begin = $first > 0 ? $sent[$first - 1] : 0;

	return (@sent - $first) / ($sent[-1] - $begin);
}

# Interleaved, since what else the machine does changes within minutes.  Until a
# third is sent the queue is released, and processes start.
sub compare_faces {
	my ($what, $tls, @ports) = @_;
	my %drains = faces($tls, @ports);
	my @names = sort keys %drains;
	my (%runs, %later);

	for my $round (0 .. ROUNDS) {
		for my $name (@names) {
			my $run = $drains{$name}->run(domain => 'up.example');

			die "$name: $run->{failure}\n" if $run->{failure};
			# The first one warms the caches.
			next if $round == 0;
			my @sent = @{ $run->{sent} };
			push @{ $runs{$name} }, { rate => rate_after(0, @sent) };
			push @{ $later{$name} },
				{ rate => rate_after(int(@sent / 3), @sent) };
		}
	}
	printf "a Postfix queue of %d messages (%d where processes live on), "
		. "%s,\n%d times, interleaved\n", QUEUE, QUEUE * LIVING_ON,
		$what, ROUNDS;
	printf "%-13s %7.1f msgs/s, %7.1f after a third\n", $_,
		map { median(figures($_->[0], $_->[1], 'rate')) }
		[\%runs, $_], [\%later, $_] for @names;
	compare(\%runs, "$_->[0]/$_->[1]", $_->[0], 'rate', $_->[1], $_->[2])
		for grep { $drains{ $_->[0] } && $drains{ $_->[1] } }
			['lmtp', 'smtp(8)', '1.0'],
			['lmtp', 'smtp(8) reuse', '1.0'],
			['pipe', 'smtp(8)', undef], ['pipe', 'msmtp', '2.0'];
	compare(\%later, 'lmtp/smtp(8), after a third', 'lmtp', 'rate',
		'smtp(8)');
	compare(\%runs, 'pipe/libs-only', 'pipe', 'rate', 'libs-only', '0.75');
	return;
}

# Text and index of as many routes; the lookups have to agree.
sub bench_maps {
	my $program = built('maps');
	my $postmap = program('postmap', '/usr/sbin/postmap') // return;
	my %sums;

	mkdir "$dir/postfix" or die "$dir/postfix: $!\n";
	new_file('postfix/main.cf', "compatibility_level = 3.6\n");
	print "route maps: a lookup as a delivery does it, which opens the "
		. "file\n";
	printf "%-5s %8s %9s %9s %9s %9s %9s\n", '', 'routes', 'us median',
		'us 99 %', 'us CPU', 'MiB', 'MiB more';
	for my $routes (10, 10_000, 1_000_000) {
		my $text = new_file("map$routes", join '', map {
			sprintf "d%d.example [10.%d.%d.%d]:25/pri=0, "
				. "[10.0.0.1]/pri=10\n", $_, $_ >> 16,
				$_ >> 8 & 255, $_ & 255
		} 0 .. $routes - 1);
		my ($status, $said) = capture($postmap, '-c', "$dir/postfix",
			"lmdb:$text");
		return trouble("postmap: $said") if $status != 0;
		for my $map ($routes > 10_000 ? () : $text, "lmdb:$text") {
			my $type = $map eq $text ? 'text' : 'lmdb';
			my $count = $type eq 'text' ? 200 : 20_000;

			measure_map($program, $type, $map, $routes, $count);
			$sums{$routes}{$type} = measure_sum($program, $map,
				$routes);
		}
		trouble("$routes routes: text and index differ")
			if ($sums{$routes}{text} // $sums{$routes}{lmdb})
			ne $sums{$routes}{lmdb};
	}
	print "goals: text of 10000 under 2000 us; lmdb under 100 us, with no "
		. "more memory\nfor a million routes than for ten\n";
	return;
}

sub measure_map {
	my ($program, $type, $map, $routes, $count) = @_;
	my ($status, $said) = capture($program, $map, $routes, $count);

	die $said if $status != 0;
	my ($median, $late, $cpu, $rss, $before) = split ' ', $said;
	printf "%-5s %8d %9.1f %9.1f %9.1f %9.1f %9.1f\n", $type, $routes,
		$median, $late, $cpu, $rss / 1024, ($rss - $before) / 1024;
	return;
}

# One lookup's memory is that of a delivery; here it is the answers.
sub measure_sum {
	my ($program, $map, $routes) = @_;
	my ($status, $said) = capture($program, $map, $routes, 100);

	die $said if $status != 0;
	return (split ' ', $said)[5];
}

# More at once than the hosts take, beside smtp(8) of the same Postfix.
my @BURSTS = (
	{ name => '1 host, 10 sessions of 0.3 s', hosts => 1, limit => 10,
		takes => 0.3, messages => 60 },
	{ name => '1 host, 10 sessions of 0.5 s', hosts => 1, limit => 10,
		takes => 0.5, messages => 60 },
	{ name => '2 hosts, 20 sessions of 0.5 s', hosts => 2, limit => 20,
		takes => 0.5, messages => 150 },
);

sub bench_burst {
	my $missing = Backlog->missing;

	return trouble("a burst: $missing") if defined $missing;
	return if !$agent;
	local $ENV{SMTPROUTE} = $agent;
	printf "a burst beyond what the hosts take (goal: none deferred)\n";
	printf "%-30s %-10s %6s %9s %7s\n", '', '', 'sent', 'deferred', 's';
	for my $burst (@BURSTS) {
		my $backlog = Backlog->new(%{$burst});
		for my $transport (qw(smtproute smtp)) {
			my $run = $backlog->burst($transport);
			printf "%-30s %-10s %6d %9d %7.1f\n", $burst->{name},
				$transport,
				@{$run}{qw(sent deferred seconds)};
		}
	}
	return;
}

# A host that was down while mail came: how long until all of it is delivered?
my @RECOVERIES = (
	{ name => 'sessions of 0.3 s', takes => { final => 0.3 } },
	{ name => 'greeting after 2.6 s', takes => { greeting => 2.6 } },
);

sub bench_recovery {
	my $missing = Backlog->missing;

	return trouble("a recovery: $missing") if defined $missing;
	return if !$agent;
	local $ENV{SMTPROUTE} = $agent;
	printf "a host that was down, 200 messages wait (goal 30 s after the "
		. "first success)\n";
	printf "%-22s %-24s %6s %9s %6s %7s\n", '', '', 'sent', 'deferred',
		'left', 's';
	for my $recovery (@RECOVERIES) {
		for my $help ('none', 'retry and flush', 'smtp(8), flush') {
			my $backlog = Backlog->new(hosts => 1,
				messages => 200, %{$recovery});
			my $run = $backlog->recovery($help);
			printf "%-22s %-24s %6d %9d %6d %7.1f\n",
				$recovery->{name}, "help: $help",
				@{$run}{qw(sent deferred left seconds)};
		}
	}
	return;
}

# What a host gets of its rate, if there is mail enough.
my @RATES = (
	{ count => 14, span => 1, spans => 20 },
	{ count => 20, span => 6, spans => 6 },
	{ count => 20, span => 60, spans => 3 },
);

sub bench_rates {
	my $missing = Throttle->missing;

	return trouble("rates: $missing") if defined $missing;
	return if !$agent;
	local $ENV{SMTPROUTE} = $agent;
	print "a host with a rate, and more mail than that (goal: 0.95 of it, "
		. "and never more)\n";
	printf "%-8s %-9s %-5s %6s %5s %9s\n", 'rate', 'greeting', 'face',
		'share', 'most', 'sessions';
	for my $rate (grep { $_->{span} <= RATE_SPAN } @RATES) {
		for my $greeting (0, 0.2, 1) {
			for my $face ('pipe', 'lmtp') {
				my $run = Throttle->new(%{$rate},
					greeting => $greeting,
					lmtp => $face eq 'lmtp',
				)->run($rate->{spans});

				printf "%-8s %-9s %-5s %6.3f %5d %9d\n",
					"$rate->{count}:$rate->{span}s",
					"$greeting s", $face,
					@{$run}{qw(share most sessions)};
			}
		}
	}
	return;
}

$port = start_sink();
new_file('routes', '');
mkdir "$dir/state" or die "$dir/state: $!\n";
my %benches = (small => \&bench_small, tls => \&bench_tls,
	big => \&bench_big,
	state => \&bench_state, queue => \&bench_queue,
	lmtp => \&bench_lmtp, maps => \&bench_maps,
	burst => \&bench_burst, recovery => \&bench_recovery,
	rates => \&bench_rates);
for my $name (@ARGV ? @ARGV : qw(small tls big state queue lmtp maps
	burst recovery rates)) {
	my $bench = $benches{$name} // die "$name: no such benchmark\n";

	eval { $bench->(); 1 } or trouble("$name: $@");
	print "\n";
}
print "could not be run: $_\n" for troubles();
exit(troubles() ? 1 : 0);
