# SPDX-License-Identifier: BSD-2-Clause
#
# An SMTP host for crowds: one process for all its connections, which counts
# them and can keep them waiting.  SmtpHost can do more to each.
#
#   my $host = CrowdHost->new(hold => 'greeting');
#   ... start agents ...
#   $host->wait_held(3);
#   $host->release;
#   is $host->most, 3;
#
# Stages: greeting ehlo mail rcpt data final quit.
# Options: address ('127.0.0.1'), port (any that is free), down => 1 (refuses
# connections at first), hold => stage, reply => {stage => text} (4xx and 5xx
# too; after 421 the connection ends), delay => seconds (at most, before each
# reply; by chance), seed (of chance), limit => sessions (421 at the greeting
# of more), takes => {stage => seconds} (before that reply), lingers => seconds
# (so long a session counts for the limit after its end).
#
#   $host->address, ->port, ->destination   "[127.0.0.1]:4711"
#   $host->stop, $host->start   refuses connections; takes them again
#   $host->hold($stage)         who comes there from now on waits
#   $host->release              who waits goes on, and nobody waits any more
#   $host->reply($stage, $text) from now on; no text: what a correct host says
#
# What it saw, including all that any peer had done before it was asked:
#   $host->connections          how many so far
#   $host->open, ->held         how many there are, and wait, now
#   $host->most                 how many there were at most at once
#   $host->recipients           local parts, of the messages it has taken, in
#                               this order
#   $host->times($stage)        when that was reached, since it was started
#   $host->slide($stage, $span) the most of these in any so many seconds
#   $host->wait_held($n)        until $n wait
#   $host->wait_closed          until there are no connections

package CrowdHost;

use strict;
use warnings;
use parent 'ControlledHost';

use Carp qw(croak);
use IO::Select ();

use CrowdHost::Server ();
use Fixture;

my %OPTIONS = map { $_ => 1 } qw(address port down hold reply delay seed
    limit lingers takes);

sub new {
    my ($class, %option) = @_;
    my $address = delete $option{address} // '127.0.0.1';

    for my $name (grep { !$OPTIONS{$_} } keys %option) {
        croak "unknown option $name";
    }
    my $reserved = defined $option{port} ? undef : reserve_port($address);
    my $port = delete $option{port} // $reserved->sockport;
    my $down = delete $option{down};
    my $self = guard(bless {
        address     => $address,
        port        => $port,
        destination => "[$address]:$port",
        reserved    => $reserved,
        script      => {reply => {}, %option},
        seen        => {connections => 0, most => 0, recipients => []},
    }, $class);
    $self->start if !$down;
    return $self;
}

sub _serve {
    my ($self, %sockets) = @_;

    CrowdHost::Server->new(%sockets, %{ $self->{script} })->run;
    return;
}

# What was seen so far is kept.
sub stop {
    my ($self) = @_;
    my $saw = eval { $self->_saw };

    $self->{seen} = $saw if defined $saw && defined $self->{pid};
    $self->SUPER::stop;
    return;
}

sub hold {
    my ($self, $stage) = @_;

    $self->{script}{hold} = $stage;
    $self->_ask("hold $stage");
    return;
}

sub release {
    my ($self) = @_;

    delete $self->{script}{hold};
    $self->_ask('release');
    return;
}

sub reply {
    my ($self, $stage, $text) = @_;

    $self->{script}{reply}{$stage} = $text;
    $self->_ask(join ' ', 'reply', $stage, $text // ());
    return;
}

# One line there, one line back.
sub _ask {
    my ($self, $question) = @_;
    my $control = $self->{control} // return '';
    my $answer = '';

    syswrite $control, "$question\n" or die "host: $!\n";
    until ($answer =~ s/\n\z//) {
        IO::Select->new($control)->can_read($Fixture::PATIENCE)
            or croak "host $self->{destination} does not answer";
        sysread $control, $answer, 65536, length $answer
            or croak "host $self->{destination} has died";
    }
    return $answer;
}

sub _saw {
    my ($self) = @_;
    my $before = $self->{seen};

    my ($connections, $open, $held, $most, @recipients) =
        split / /, $self->_ask('report');
    return {%{$before}, open => 0, held => 0} if !defined $connections;
    return {
        connections => $before->{connections} + $connections,
        open        => $open,
        held        => $held,
        most        => $most > $before->{most} ? $most : $before->{most},
        recipients  => [@{ $before->{recipients} }, @recipients],
    };
}

for my $field (qw(connections open held most)) {
    no strict 'refs';
    *{$field} = sub { $_[0]->_saw->{$field} };
}

sub recipients {
    my ($self) = @_;

    return @{ $self->_saw->{recipients} };
}

sub times {
    my ($self, $stage) = @_;

    return split / /, $self->_ask("times $stage");
}

sub slide {
    my ($self, $stage, $span) = @_;
    my ($most, @inside) = (0);

    for my $time (sort { $a <=> $b } $self->times($stage)) {
        push @inside, $time;
        shift @inside while $inside[0] <= $time - $span;
        $most = @inside if @inside > $most;
    }
    return $most;
}

sub wait_held {
    my ($self, $count) = @_;

    wait_until("$count that wait", sub { $self->held >= $count });
    return;
}

sub wait_closed {
    my ($self) = @_;

    wait_until('the end of all connections', sub { !$self->open });
    return;
}

1;
