# SPDX-License-Identifier: BSD-2-Clause
#
# A real Postfix with a queue of messages, and the time it takes to deliver
# them all through pipe(8), or with lmtp => 1 through lmtp(8); main => {...} are
# parameters of Postfix, master => 'more of master.cf'.
#
#   my $drain = Drain->new(
#       messages => 500,
#       settings => {'connect-timeout' => '5s'},
#       routes   => "up.example [127.0.0.1]:4711\n",
#   );
#   my $run = $drain->run(domain => 'up.example', dead => '127.0.0.2',
#       before => sub { ... });
#
# run: the state of hosts is forgotten, messages to the domain are queued,
# "before" is called with the agent, and qmgr(8) is told to deliver them.  Returns
# a hash: sent (when each message was, in seconds since then), with "dead"
# contacts (when each attempt to connect to that address failed) and lost (how
# many deliveries had no memory), or failure: then there may be messages left,
# and it cannot be used again.
#
# Without "dead" the agent's log is not read: that takes time of the machine
# that is measured, and another agent has none.

package Drain;

use strict;
use warnings;

use Time::HiRes qw(sleep time);

use Agent;
use Fixture;
use PostfixInstance;

use constant {
	SIZE       => 4096,
	SOURCE     => '/usr/sbin/smtp-source',
	SESSIONS   => 8,       # of the source
	TIME_LIMIT => 600,     # seconds, for one queue
	PAUSE      => 0.01,    # between looks at the logs
};

sub missing {
	return PostfixInstance->missing
		// (-x SOURCE ? undef : SOURCE . ': not found');
}

sub new {
	my ($class, %option) = @_;
	my $agent = Agent->new(user => 'nobody', %option);
	my $postfix = PostfixInstance->new(agent => $agent,
		lmtp => $option{lmtp}, master => $option{master}, main => {
		smtpd_end_of_data_restrictions =>
			'check_client_access static:HOLD',
		# Of Postfix's own delays none is to be measured.
		in_flow_delay => 0,
		%{ $option{main} // {} },
	});

	# The build folder may be closed to the agent's user.
	$agent->{binary} = $postfix->smtproute;
	return bless {
		agent    => $agent,
		postfix  => $postfix,
		messages => $option{messages},
		offsets  => {},
	}, $class;
}

# What was appended to a file since the last call.
sub news {
	my ($self, $path) = @_;

	open my $file, '<:raw', $path or return ();
	seek $file, $self->{offsets}{$path} // 0, 0;
	local $/ = undef;
	my $text = <$file> // '';
	my $length = 1 + rindex $text, "\n";	# without half a line
	$self->{offsets}{$path} += $length;
	return split /\n/, substr $text, 0, $length;
}

sub must {
	my ($self, @command) = @_;
	my ($status, $output) = $self->{postfix}->command(@command);

	die "@command: $output\n" if $status != 0;
	return;
}

# Into the hold queue, all to different recipients.
sub fill {
	my ($self, $domain) = @_;

	$self->must(SOURCE, '-N', '-m', $self->{messages}, '-s', SESSIONS,
		'-l', SIZE, '-f', 'sender@bench.invalid', '-t',
		"user\@$domain", '127.0.0.1:' . $self->{postfix}->port);
	return;
}

sub run {
	my ($self, %option) = @_;
	my ($agent, $postfix) = @{$self}{qw(agent postfix)};
	my $maillog = $postfix->folder . '/maillog';
	my %run = (sent => [], contacts => [], lost => 0);

	unlink glob $agent->var . '/state/*';
	$self->fill($option{domain});
	$option{before}->($agent) if $option{before};
	$self->news($_) for $maillog, $agent->log;

	$self->must('postsuper', '-H', 'ALL');
	$postfix->settled;
	my $begin = time;
	$self->must('postqueue', '-f');
	while (@{ $run{sent} } < $self->{messages}) {
		my $now = time - $begin;

		return { failure => "no end after $now s" }
			if $now > TIME_LIMIT;
		for (grep { / status=/ } $self->news($maillog)) {
			return { failure => $_ } if !/ status=sent /;
			push @{ $run{sent} }, $now;
		}
		for ($option{dead} ? $self->news($agent->log) : ()) {
			$run{lost}++ if /delivering without memory/;
			push @{ $run{contacts} }, $now
				if /: Connection Error: .* IP: \Q$option{dead}\E /;
		}
		sleep PAUSE;
	}
	return \%run;
}

1;
