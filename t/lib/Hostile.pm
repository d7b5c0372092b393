# SPDX-License-Identifier: BSD-2-Clause
#
# Dialogues that no honest host holds: a correct one, changed by chance, and
# the same again for the same seed.
#
#   my $script = hostile_script($seed);    # for SmtpHost
#   my $final = hostile_final($script);    # '2', '4' or '5': what the host
#                                          # said after the dot; '': nothing
#                                          # that is a whole reply
#   my $bounces = hostile_has($script, 5)  # is there a line that begins so?

package Hostile;

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT = qw(hostile_final hostile_has hostile_script);

my @STAGES = qw(greeting ehlo mail rcpt data final quit);

my %HONEST = (
    greeting => "220 host.example ESMTP\r\n",
    ehlo     => "250-host.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
        . "250 SIZE 10000000\r\n",
    mail  => "250 2.1.0 ok\r\n",
    rcpt  => "250 2.1.5 ok\r\n",
    data  => "354 go ahead\r\n",
    final => "250 2.0.0 queued\r\n",
    quit  => "221 2.0.0 bye\r\n",
);

# What is put in somewhere.
my @PIECES = ("\r\n", "\n", "\r", "\0", '-', ' ', "\t", "\xff", '.', "\e[2J",
    '2', '250 ', '250-', "250 2.0.0 ok\r\n", "354 go\r\n", "421 bye\r\n",
    "550 5.1.1 no\r\n", "451 4.3.0 later\r\n", "220 x\r\n", '5.7.1 ',
    'x' x 600, 'y' x 70_000, "250-more\r\n" x 300);

my @KEYWORDS = ('STARTTLS', 'AUTH PLAIN', 'AUTH=LOGIN', 'SIZE 1', 'SIZE x',
    'SIZE 99999999999999999999', 'CHUNKING', 'BINARYMIME', 'DSN', 'SMTPUTF8',
    'XCLIENT NAME', 'PIPELINING PIPELINING', "8BITMIME\0", '', ' ', 'ETRN');

my @CODES = (100, 199, 200, 211, 220, 221, 250, 251, 252, 299, 300, 334, 354,
    421, 450, 451, 452, 500, 502, 530, 550, 552, 554, 599, 600, 999, '000');

my @ACTIONS = qw(close close reset reset silence);

sub _any {
    return $_[rand @_];
}

# Each changes one stage's text, or how the stage ends.
my @CHANGES = (
    sub { substr $_[0]{text}, _place($_[0]), 1, chr rand 256 },
    sub { substr $_[0]{text}, _place($_[0]), 1, '' },
    sub { substr $_[0]{text}, _place($_[0]), 0, _any(@PIECES) },
    sub { $_[0]{text} = substr $_[0]{text}, 0, _place($_[0]) },
    sub { $_[0]{text} x= 2 },
    sub { $_[0]{text} = '' },
    sub { $_[0]{text} = $HONEST{ _any(@STAGES) } },
    sub { $_[0]{text} .= $HONEST{ _any(@STAGES) } },
    sub { my $code = _any(@CODES); $_[0]{text} =~ s/^\d{3}/$code/mg },
    sub { my $code = _any(@CODES); $_[0]{text} =~ s/^\d{3}/$code/ },
    sub { $_[0]{text} =~ s/\r\n/_any("\n", "\r", "\n\r", "\r\r\n")/e },
    sub {
        my $word = _any(@KEYWORDS);
        $_[0]{text} =~ s/^250 /250-$word\r\n250 /m;
    },
    sub { $_[0]{then} = _any(@ACTIONS) },
    sub { $_[0]{drip} = 0.002 },
);

# Somewhere in the text, which may be empty.
sub _place {
    my ($stage) = @_;

    return int rand length $stage->{text};
}

sub hostile_script {
    my ($seed) = @_;
    my %stages = map { $_ => {text => $HONEST{$_}} } @STAGES;

    srand $seed;
    _any(@CHANGES)->($stages{ _any(@STAGES) }) for 0 .. rand 4;
    my %script;
    for my $name (@STAGES) {
        my $stage = $stages{$name};
        my $text = $stage->{text};
        $script{$name} = {reply => \$text};
        $script{$name}{then} = $stage->{then} if defined $stage->{then};
        $script{$name}{drip} = $stage->{drip}
            if $stage->{drip} && length $text < 1_000;
    }
    $script{content} = {after => int rand 20, then => _any(@ACTIONS)}
        if rand 20 < 1;
    return \%script;
}

sub hostile_final {
    my ($script) = @_;
    my $text = ${ $script->{final}{reply} };

    return $text =~ /\A[\r\n]*([2-5])\d\d(?:-[^\n]*\n\g{1}\d\d)*
        (?:\ [^\n]*|\r?)\n/x ? $1 : '';
}

sub hostile_has {
    my ($script, $class) = @_;

    return grep { ref $_->{reply} && ${ $_->{reply} } =~ /$class\d\d/ }
        values %{$script};
}

1;
