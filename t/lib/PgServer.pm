# SPDX-License-Identifier: BSD-2-Clause
#
# A private PostgreSQL: its folder, a socket there, no port, no password.
# Needs root and the package postgresql.
#
#   my $server = PgServer->new;
#   $server->sql('SELECT 1');   what psql(1) prints; dies with what it minds
#   $server->stop, ->start
#   $server->socket             the folder of the socket
#   PgServer->missing           why there cannot be one, undef if there can

package PgServer;

use strict;
use warnings;
use parent -norequire, 'Fixture::Guarded';

use Fixture;

accessors(__PACKAGE__, qw(socket));

sub _programs {
    my ($newest) = reverse sort { ($a =~ /(\d+)/)[0] <=> ($b =~ /(\d+)/)[0] }
        grep { -x "$_/initdb" } glob '/usr/lib/postgresql/*/bin';

    return $newest;
}

sub missing {
    return 'PostgreSQL is not installed' if !defined _programs();
    return 'a private PostgreSQL needs root' if $> != 0;
    return;
}

sub new {
    my ($class) = @_;
    my $folder = new_folder('pg');

    my $self = guard(bless {
        folder => $folder,
        data   => "$folder/data",
        socket => $folder,
    }, $class);
    chown +(getpwnam 'postgres')[2, 3], $folder or die "$folder: $!\n";
    $self->_run('initdb', '-D', $self->{data}, '-A', 'trust', '-N',
        '-E', 'UTF8', '--locale=C');
    $self->start;
    return $self;
}

# As the user that must not be root; dies if it fails.
sub _command {
    my ($self, $program, @arguments) = @_;

    return ('setpriv', '--reuid=postgres', '--regid=postgres',
        '--clear-groups', '--', _programs() . "/$program", @arguments);
}

sub _run {
    my ($self, @command) = @_;

    my ($status, $output) = capture('env', '-C', $self->{folder},
        $self->_command(@command));
    die "@command: $output" if $status != 0;
    return $output;
}

sub start {
    my ($self) = @_;

    $self->{pid} = daemon($self->{folder}, $self->_command('postgres',
        '-D', $self->{data}, '-k', $self->{socket}, '-h', '', '-F'));
    wait_until('PostgreSQL answers', sub { eval { $self->sql('SELECT 1') } });
    return;
}

sub sql {
    my ($self, $text) = @_;

    return $self->_run('psql', '-h', $self->{socket}, '-d', 'postgres', '-X',
        '-qAt', '-v', 'ON_ERROR_STOP=1', '-c', $text);
}

sub stop {
    my ($self) = @_;

    end_child(delete $self->{pid}) if defined $self->{pid};
    return;
}

1;
