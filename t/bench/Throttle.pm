# SPDX-License-Identifier: BSD-2-Clause
#
# A host with a rate, and more mail for it than that: what does it get?
#
#   my $throttle = Throttle->new(count => 14, span => 1, greeting => 0.2,
#       lmtp => 0);
#   my $run = $throttle->run(20);
#
# new: the rate is so many transactions in so many seconds, the host greets
# after "greeting" seconds; messages come by pipe(8)'s way of calling the agent,
# or with lmtp => 1 through a Postfix.  Twice as many wait as the rate allows.
# run: for so many spans.  A hash: share (of what the rate allows, in a steady
# stretch that is behind the first span), most (in any span, by the host),
# sessions (the most at once).

package Throttle;

use strict;
use warnings;

use List::Util qw(min);
use Time::HiRes qw(sleep time);

use Agent;
use CrowdHost;
use Fixture;
use Herd;
use PostfixInstance;

use constant {
	SOURCE     => '/usr/sbin/smtp-source',
	PROCESSES  => 50,	# of the service in master.cf
	PAUSE      => 0.1,
	TIME_LIMIT => 900,
};

sub missing {
	return PostfixInstance->missing
		// (-x SOURCE ? undef : SOURCE . ': not found');
}

sub new {
	my ($class, %option) = @_;
	my $host = CrowdHost->new(
		takes => { greeting => $option{greeting} });
	my $rate = "$option{count}:$option{span}s";
	my $agent = Agent->new(
		$option{lmtp} ? (user => 'nobody') : (),
		routes => '* ' . $host->destination . "/rate=$rate\n",
		settings => { patience => '10m', waiting => 1000 },
	);

	return bless { %option, host => $host, agent => $agent }, $class;
}

# Messages in the hold queue, which are let go at once.
sub begin_lmtp {
	my ($self, $messages) = @_;
	my $postfix = $self->{postfix} = PostfixInstance->new(
		agent => $self->{agent}, lmtp => 1, main => {
			smtpd_end_of_data_restrictions =>
				'check_client_access static:HOLD',
			in_flow_delay => 0,
			lmtp_initial_destination_concurrency => PROCESSES,
			lmtp_destination_concurrency_limit => PROCESSES,
			initial_destination_concurrency => PROCESSES,
			default_destination_concurrency_limit => PROCESSES,
		});
	my @commands = (
		[SOURCE, '-N', '-m', $messages, '-s', 8, '-l', 2048, '-f',
			'sender@bench.invalid', '-t', 'user@up.example',
			'127.0.0.1:' . $postfix->port],
		['postsuper', '-H', 'ALL'],
	);

	for my $command (@commands) {
		my ($status, $output) = $postfix->command(@{$command});
		die "@{$command}: $output\n" if $status != 0;
	}
	$postfix->flush;
	return;
}

sub feed {
	my ($self) = @_;
	my $herd = $self->{herd} //= Herd->new(agent => $self->{agent});

	# Not more at once than start without keeping each other.
	my $missing = 2 * $self->{count} - keys %{ $herd->{running} };
	$herd->start(min($missing, 4)) if $missing > 0;
	my ($failed) = grep { $_->status }
		$herd->finished($missing > 0 ? 0 : 0.01);
	die $failed->output . "\n" if $failed;
	return;
}

sub run {
	my ($self, $spans) = @_;
	my ($count, $span, $host) = @{$self}{qw(count span host)};
	my $end = time + TIME_LIMIT;
	my $seen = 0;
	my $looked = 0;

	$self->begin_lmtp(($spans + 3) * $count) if $self->{lmtp};
	while ($seen < $spans * $count) {
		die "no end after ${\TIME_LIMIT} s\n" if time > $end;
		$self->{lmtp} ? sleep PAUSE : $self->feed;
		next if time < $looked + PAUSE;
		$looked = time;
		$seen = () = $host->times('mail');
	}
	my @times = sort { $a <=> $b } $host->times('mail');
	my %run = (
		share => ($spans - 1) * $span
			/ ($times[$spans * $count - 1] - $times[$count - 1]),
		most => $host->slide('mail', $span),
		sessions => $host->most,
	);
	$_->stop for grep { defined } delete @{$self}{qw(herd postfix)};
	$host->stop;
	return \%run;
}

1;
