# SPDX-License-Identifier: BSD-2-Clause
#
# Starts "smtproutectl serve" for each connection, as systemd's sockets with
# Accept=yes do; with all three streams the connection's, as spawn(8) has them.
#
#   my $server = WebServer->new($agent);
#   my $response = $server->get('/healthz');   # of HTTP::Tiny
#   my $text = $server->talk("GET / HTTP/1.0\r\n\r\n");   # all that comes
#
# ->url ("http://127.0.0.1:4711"), ->port, ->connect (a connected socket), ->stop

package WebServer;

use strict;
use warnings;
use parent -norequire, 'Fixture::Guarded';

use Cwd qw(abs_path);
use HTTP::Tiny ();
use IO::Socket::IP ();
use POSIX ();

use Agent ();
use Fixture;

accessors(__PACKAGE__, qw(port url));

sub new {
    my ($class, $agent) = @_;
    my $listener = listen_on('127.0.0.1', 0);
    my $binary = abs_path($ENV{SMTPROUTECTL}
        // ($ENV{top_builddir} // '.') . '/src/smtproutectl');
    my @command = (split(' ', $ENV{SMTPROUTE_WRAPPER} // ''), $binary, '-c',
        $agent->conf, 'serve');

    my $self = guard(bless {
        reports => new_folder('reports'),
        binary  => $binary,
        port    => $listener->sockport,
        url     => 'http://127.0.0.1:' . $listener->sockport,
    }, $class);
    chmod 01777, $self->{reports} or die "$self->{reports}: $!\n";
    my %environment = (PATH => $ENV{PATH}, LANG => 'C', TZ => 'UTC',
        Agent::report_environment($self));
    $self->{pid} = child(sub { _serve($listener, \%environment, @command) });
    return $self;
}

sub _serve {
    my ($listener, $environment, @command) = @_;

    $SIG{CHLD} = 'IGNORE';
    while (1) {
        my $client = $listener->accept or next;
        my $pid = fork // die "fork: $!\n";
        if (!$pid) {
            POSIX::dup2(fileno $client, $_) for 0 .. 2;
            %ENV = %{$environment};
            exec { $command[0] } @command or POSIX::_exit(127);
        }
        close $client;
    }
    return;
}

sub get {
    my ($self, $path, @option) = @_;

    return HTTP::Tiny->new(timeout => $Fixture::PATIENCE)->get(
        $self->{url} . $path, @option);
}

sub connect {
    my ($self) = @_;

    return IO::Socket::IP->new(PeerHost => '127.0.0.1',
        PeerPort => $self->{port}) // die "connect: $@\n";
}

sub talk {
    my ($self, $request) = @_;
    my $socket = $self->connect;
    my $text = '';

    print {$socket} $request or die "send: $!\n";
    while (sysread $socket, my $part, 65536) {
        $text .= $part;
    }
    return $text;
}

sub stop {
    my ($self) = @_;

    return if !defined $self->{pid};
    end_child(delete $self->{pid});
    Agent::check_reports($self);
    return;
}

1;
