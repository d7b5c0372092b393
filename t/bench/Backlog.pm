# SPDX-License-Identifier: BSD-2-Clause
#
# A real Postfix whose mail comes all at once, or has waited for a host that
# was down.
#
#   my $backlog = Backlog->new(hosts => 1, limit => 10, takes => 0.3,
#       messages => 60);
#   my $run = $backlog->burst('smtproute');      # or 'smtp'
#   my $run = $backlog->recovery('none');        # 'retry and flush',
#                                                # 'smtp(8), flush'
#
# new: so many hosts (CrowdHost's limit, and takes: seconds for the final reply
# or by stage) and messages.  A run is a hash: sent, deferred (how many attempts
# came to that), seconds (until all had a verdict, or were delivered).

package Backlog;

use strict;
use warnings;

use Time::HiRes qw(sleep time);

use Agent;
use CrowdHost;
use Ctl;
use Fixture;
use PostfixInstance;
use Syslog;

use constant {
	SOURCE     => '/usr/sbin/smtp-source',
	SESSIONS   => 8,
	TIME_LIMIT => 240,
	PAUSE      => 0.05,
};

sub missing {
	return PostfixInstance->missing
		// (-x SOURCE ? undef : SOURCE . ': not found')
		// (Syslog::namespaces() ? undef : 'no mount namespaces');
}

sub new {
	my ($class, %option) = @_;
	my $takes = $option{takes};
	my @hosts = map { CrowdHost->new(
		defined $option{limit} ? (limit => $option{limit}) : (),
		takes => ref $takes ? $takes : { final => $takes },
	) } 1 .. $option{hosts};
	my $route = join ', ', map { $_->destination } @hosts;
	my $agent = Agent->new(
		user     => 'nobody',
		routes   => "smtproute.example $route\n",
		settings => { patience => '30s' },
	);
	my $postfix = PostfixInstance->new(agent => $agent, flushes => 1,
		main => {
			smtpd_end_of_data_restrictions =>
				'check_client_access static:HOLD',
			in_flow_delay => 0,
			# Nothing is tried again by itself.
			minimal_backoff_time => '1h',
			maximal_backoff_time => '1h',
			queue_run_delay => '1h',
			transport_maps => "inline:{ { smtp.example = "
				. "smtp:$route } }, pipemap:{texthash:"
				. $agent->routes . ', static:{smtproute:}}',
		});

	return bless {
		%option,
		hosts   => \@hosts,
		agent   => $agent,
		postfix => $postfix,
		offset  => 0,
	}, $class;
}

sub must {
	my ($self, @command) = @_;
	my ($status, $output) = $self->{postfix}->command(@command);

	die "@command: $output\n" if $status != 0;
	return;
}

sub fill {
	my ($self, $domain, $count) = @_;

	$self->must(SOURCE, '-N', '-m', $count, '-s', SESSIONS, '-l', 4096,
		'-f', 'sender@bench.invalid', '-t', "user\@$domain",
		'127.0.0.1:' . $self->{postfix}->port);
	return;
}

sub release {
	my ($self) = @_;

	$self->must('postsuper', '-H', 'ALL');
	$self->{postfix}->flush;
	return;
}

# Counts verdicts until $done says so of them.
sub watch {
	my ($self, $done) = @_;
	my %run = (sent => 0, deferred => 0);
	my $begin = time;

	while (1) {
		my $log = substr $self->{postfix}->maillog, $self->{offset};
		my $whole = rindex($log, "\n") + 1;
		$self->{offset} += $whole;
		for (split /\n/, substr $log, 0, $whole) {
			$run{$1}++ if / to=<.* status=(sent|deferred) /;
		}
		$run{seconds} = time - $begin;
		return \%run if $done->(\%run) || $run{seconds} > TIME_LIMIT;
		sleep PAUSE;
	}
	return;
}

sub burst {
	my ($self, $transport) = @_;
	my $count = $self->{messages};

	$self->fill("$transport.example", $count);
	$self->{offset} = length $self->{postfix}->maillog;
	$self->release;
	my $run = $self->watch(sub { $_[0]{sent} + $_[0]{deferred} >= $count });
	$self->must('postsuper', '-d', 'ALL');
	return $run;
}

sub pass_by {
	my ($self, $domain) = @_;

	my $id = $self->{postfix}->inject(recipients => ["new\@$domain"]);

	$self->must('postsuper', '-H', $id);
	$self->must('postqueue', '-i', $id);
	return $self->watch(sub { $_[0]{sent} + $_[0]{deferred} });
}

sub recovery {
	my ($self, $help) = @_;
	my $domain = $help =~ /^smtp/ ? 'smtp.example' : 'smtproute.example';
	my ($host) = @{ $self->{hosts} };
	my $count = $self->{messages};

	$host->stop;
	$self->fill($domain, $count);
	$self->{offset} = length $self->{postfix}->maillog;
	$self->release;
	$self->watch(sub { $_[0]{deferred} >= $count });
	$host->start;
	if ($help eq 'none') {
		# New mail comes by, until one message finds the host up.
		until ($self->pass_by($domain)->{sent}) { }
	} elsif ($help =~ /^retry/) {
		Ctl->run(conf => $self->{agent}->conf, arguments => ['retry']);
		$self->{postfix}->flush;
	} else {
		$self->{postfix}->flush;
	}
	my $run = $self->watch(sub { $_[0]{sent} >= $count });
	$run->{left} = () = $self->{postfix}->queue;
	return $run;
}

1;
