# SPDX-License-Identifier: BSD-2-Clause
#
# What holds for every run of the agent whatever happens to it, and wherever
# the fault is ours: it delivers and says so, or it defers and says so.
#
#   is_deeply [breaches($run, @messages)], [], 'memory runs out';
#
#   breaches($run, @messages)  what is wrong, in words; @messages: all that
#                              hosts got from this run
#   $SMALL, $LARGE             contents that stay in memory, and do not

package Honest;

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT = qw(breaches $SMALL $LARGE);

our $SMALL = "Subject: small\n\n.dot\n\xe4\n";
our $LARGE = $SMALL . ('.' . 'x' x 69 . "\n") x 8_000;

sub breaches {
    my ($run, @messages) = @_;
    my $accepted = grep { $_->accepted } @messages;
    my $status = $run->status;
    my @breaches;

    return 'ended by signal ' . $run->signal if !defined $status;
    my $class = {0 => 2, 75 => 4}->{$status};
    push @breaches, "exit status $status" if !defined $class;
    push @breaches, 'said "' . $run->output . '"'
        if $run->output !~ /\A[24]\.\d+\.\d+ [ -~]+\z/
        || (defined $class && $run->output !~ /\A$class/);
    push @breaches, "$accepted messages were accepted" if $accepted > 1;
    push @breaches, 'delivered is said, but no host accepted'
        if $status == 0 && !$accepted;
    return @breaches;
}

1;
