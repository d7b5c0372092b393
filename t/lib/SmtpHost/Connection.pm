# SPDX-License-Identifier: BSD-2-Clause
#
# What an SmtpHost has to say of one connection; see there.

package SmtpHost::Connection;

use strict;
use warnings;

use Fixture;

accessors(__PACKAGE__, qw(peer port input input_clear commands commands_clear
    commands_tls messages quit end hello sni tls trouble notified));

sub new {
    my ($class, %given) = @_;

    return bless {
        %given,
        input          => '',
        input_clear    => '',
        commands       => [],
        commands_clear => [],
        commands_tls   => [],
        messages       => [],
        quit           => 0,
        hello          => 0,
        notified       => 0,
    }, $class;
}

# Bytes outside contents.
sub add_input {
    my ($self, $bytes) = @_;

    $self->{input} .= $bytes;
    $self->{input_clear} .= $bytes if !$self->{tls};
    return;
}

sub add_command {
    my ($self, $line) = @_;

    push @{ $self->{commands} }, $line;
    push @{ $self->{ $self->{tls} ? 'commands_tls' : 'commands_clear' } },
        $line;
    return;
}

sub story {
    my ($self) = @_;
    my @messages = $self->messages;
    my $clear = $self->commands_clear;
    my @words;

    for my $command ($self->commands) {
        push @words, 'tls' if $clear-- == 0;
        push @words, $command =~ /^(\S*)/;
        next if $words[-1] ne 'DATA' || !@messages;
        my $message = shift @messages;
        push @words, $message->dot ? 'content'
            : $message->received ? 'part' : ();
    }
    push @words, 'tls' if $clear == 0 && $self->tls;
    push @words, '-tls' if $self->hello && !$self->tls;
    return join ' ', @words;
}

1;
