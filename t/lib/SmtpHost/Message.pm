# SPDX-License-Identifier: BSD-2-Clause
#
# A message as an SmtpHost receives it: add() takes bytes from the wire until
# the final dot, finish() says that no more comes.  See SmtpHost for what the
# other methods return.

package SmtpHost::Message;

use strict;
use warnings;

use Digest::SHA ();

use Fixture;

accessors(__PACKAGE__,
    qw(sender recipients dot accepted received size sha256 tls));

# Without a path only the digest is kept.
sub new {
    my ($class, $sender, $recipients, $path, $tls) = @_;

    my $self = bless {
        sender     => $sender,
        recipients => $recipients,
        path       => $path,
        dot        => 0,
        accepted   => 0,
        tls        => $tls ? 1 : 0,
        received   => 0,
        size       => 0,
        held       => '',
        before     => "\r\n",
        digest     => Digest::SHA->new(256),
    }, $class;
    if (defined $path) {
        open $self->{file}, '>:raw', $path or die "$path: $!\n";
    }
    return $self;
}

# Returns what came after the final dot.  {before} is the last two bytes
# taken, {held} what may be the beginning of the dot's line.
sub add {
    my ($self, $bytes) = @_;

    $self->{received} += length $bytes;
    $self->{held} .= $bytes;
    my $end = index $self->{before} . $self->{held}, "\r\n.\r\n";
    if ($end < 0) {
        my $sure = length($self->{held}) - 2;
        $self->_take(substr $self->{held}, 0, $sure, '') if $sure > 0;
        return '';
    }
    $self->_take(substr $self->{held}, 0, $end, '');
    my $rest = substr $self->{held}, length ".\r\n";
    $self->{received} -= length $rest;
    $self->{held} = '';
    $self->{dot} = 1;
    return $rest;
}

sub finish {
    my ($self) = @_;

    return if defined $self->{sha256};
    $self->_take($self->{held});
    $self->{sha256} = $self->{digest}->hexdigest;
    if ($self->{file}) {
        close $self->{file} or die "$self->{path}: $!\n";
    }
    delete @{$self}{qw(digest file held before)};
    return;
}

sub _take {
    my ($self, $bytes) = @_;

    my $text = $self->{before} . $bytes;
    $self->{before} = substr $text, -2;
    $text =~ s/\r\n\./\r\n/g;
    substr $text, 0, 2, '';
    $self->{size} += length $text;
    $self->{digest}->add($text);
    if ($self->{file}) {
        print { $self->{file} } $bytes or die "$self->{path}: $!\n";
    }
    return;
}

sub wire {
    my ($self) = @_;

    return read_file($self->{path} // die "only the digest was kept\n");
}

sub content {
    my ($self) = @_;

    my $text = "\r\n" . $self->wire;
    $text =~ s/\r\n\./\r\n/g;
    return substr $text, 2;
}

1;
