# SPDX-License-Identifier: BSD-2-Clause
#
# One delivery along a route of scripted hosts, which have names.
#
#   my $trial = Trial->new(
#       hosts => {FIRST => {mail => '452 4.3.1 full'}, SECOND => {}},
#       route => 'FIRST/pri=0, SECOND/pri=10',
#       settings => {'host FIRST' => {'command-timeout' => '1s'}},
#   );
#   $trial->start;                         # several may run at once
#   $trial->wait;
#   is $trial->status, 0;
#   is $trial->line, '2.0.0 SECOND: 250 2.0.0 Ok';
#   is_deeply [$trial->saw('FIRST')], ['EHLO MAIL QUIT'];
#
# A host does not offer PIPELINING, so that what it saw is how far it went; see
# t/volley.t for those that do.
#
# hosts: a hash is SmtpHost's options, an object has a destination.  Their names
# stand for destinations in route (of example.com), in routes (instead of it: a
# whole map), nexthop and keys of settings, and for "name[address]:port" in what
# comes back, where ROUTES stands for the map's path.  agent is Agent's; all
# else goes to its start.
#
#   $trial->host('FIRST')   the SmtpHost
#   $trial->saw('FIRST')    a string for each connection: the verbs, and after
#                           DATA "content", or "part" without the final dot
#   $trial->log             lines from behind the queue id on

package Trial;

use strict;
use warnings;

use Agent ();
use SmtpHost ();

my @SERIAL = ('8BITMIME', 'SIZE 0', 'ENHANCEDSTATUSCODES');

sub new {
    my ($class, %given) = @_;
    my %hosts = %{ delete $given{hosts} // {} };

    for my $host (values %hosts) {
        $host = SmtpHost->new(keywords => \@SERIAL, %{$host})
            if ref $host eq 'HASH';
    }
    my $self = bless {hosts => \%hosts}, $class;
    my $route = delete $given{route};
    my $routes = delete $given{routes} // "example.com $route\n";
    my %settings = %{ delete $given{settings} // {} };
    $self->{agent} = Agent->new(
        routes   => $self->_insert($routes),
        settings => {map { $self->_group($_), $settings{$_} } keys %settings},
    );
    $given{nexthop} &&= $self->_insert($given{nexthop});
    $self->{given} = \%given;
    return $self;
}

sub _names {
    my ($self) = @_;

    return join '|', sort keys %{ $self->{hosts} };
}

sub _insert {
    my ($self, $text) = @_;
    my $names = $self->_names or return $text;

    $text =~ s/\b($names)\b/$self->{hosts}{$1}->destination/ge;
    return $text;
}

# "host FIRST" as settings want it: without brackets; an IPv6 address has no
# port there.
sub _group {
    my ($self, $key) = @_;

    $key = $self->_insert($key);
    $key =~ s/\[(.*:.*)\]:\d+/$1/;
    $key =~ tr/[]//d;
    return $key;
}

sub start {
    my ($self) = @_;

    $self->{run} = $self->{agent}->start(%{ $self->{given} });
    return $self;
}

sub wait {
    my ($self) = @_;

    $self->start if !defined $self->{run};
    $self->{run}->wait;
    return $self;
}

sub agent {
    my ($self) = @_;

    return $self->{agent};
}

sub host {
    my ($self, $name) = @_;

    return $self->{hosts}{$name};
}

sub status {
    my ($self) = @_;

    return $self->{run}->status;
}

sub line {
    my ($self) = @_;

    return $self->_name($self->{run}->output);
}

# The form of a line: time, machine, program, queue id.
sub log {
    my ($self) = @_;
    my @lines = map { $self->_name($_) } $self->{run}->log_lines;

    s/^\w{3} [ \d]\d \d\d:\d\d:\d\d \S+ \S+\[\d+\]: 4F1B: // for @lines;
    return @lines;
}

sub _name {
    my ($self, $text) = @_;

    for my $name (keys %{ $self->{hosts} }) {
        my $host = $self->{hosts}{$name};
        my ($address, $port) = map { quotemeta } $host->address, $host->port;
        $text =~ s/[\w.:-]+\[$address\]:$port\b/$name/g;
        $text =~ s/(address|IP:) $address port:? $port\b/$1 $name/g;
    }
    $text =~ s/\Q@{[$self->{agent}->routes]}\E/ROUTES/g;
    return $text;
}

sub saw {
    my ($self, $name) = @_;

    return map { _dialogue($_) } $self->{hosts}{$name}->connections;
}

sub _dialogue {
    my ($connection) = @_;
    my @messages = $connection->messages;
    my @verbs;

    for my $command ($connection->commands) {
        push @verbs, $command =~ /^(\S*)/;
        next if $verbs[-1] ne 'DATA' || !@messages;
        my $message = shift @messages;
        push @verbs, $message->dot ? 'content'
            : $message->received ? 'part' : ();
    }
    return join ' ', @verbs;
}

1;
