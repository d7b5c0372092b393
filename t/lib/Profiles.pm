# SPDX-License-Identifier: BSD-2-Clause
#
# What the tests of AUTH share: two profiles, and rows of trials.
#
#   $USERNAME, $PASSWORD, $TOKEN   of the profile "ex"
#   @OTHER            username => ..., password => ... of the profile "other"
#   $CA, $TLS         an authority; SmtpHost's option for "first.example"
#   settings(%more)   for Trial and Agent: both profiles, AUTH in clear text,
#                     who is down stays so; undef drops one
#   is_discreet($trial)         nothing secret is in its line and log
#   state_of($trial, $name)     of this host: up, down
#   is_like($got, $expected, $what)   is() or like()
#   try_all($start, $check, @rows)    runs rows, a few at a time: $start->($row)
#                     returns what has begun, an array, and $check->($row,
#                     @begun) is a subtest with the name $row->[0]

package Profiles;

use strict;
use warnings;

use Exporter qw(import);
use Test::More;

use Ctl ();
use Fixture;
use Secrets;
use TestCa ();

our @EXPORT = qw($USERNAME $PASSWORD $TOKEN @OTHER $CA $TLS is_discreet is_like
    settings state_of try_all);

our $USERNAME = 'relay';
our $PASSWORD = 'open sesame, please';
our $TOKEN = 'ya29.token-of-a-few.bytes_and==';
our @OTHER = (username => 'other', password => 'xyzzy, or so');

skip_or_fail(TestCa->missing);

our $CA = TestCa->new;
our $TLS = {certificate => $CA->certificate(names => ['first.example'])};

my @SECRETS = (secret_forms($USERNAME, $PASSWORD),
    secret_forms(@OTHER[1, 3]), secret_forms($USERNAME, $TOKEN));

# Rows at work at the same time.
my $BATCH = defined $ENV{SMTPROUTE_WRAPPER} ? 4 : 12;

sub settings {
    my (%more) = @_;

    my %settings = (
        'retry-min'     => '1h',
        'retry-max'     => '1h',
        'auth-in-clear' => 'yes',
        'tls-ca-file'   => $CA->file,
        'auth ex'       => {
            'username'      => $USERNAME,
            'password-file' => secret_file($PASSWORD),
        },
        'auth other'    => {
            'username'      => $OTHER[1],
            'password-file' => secret_file($OTHER[3]),
        },
        %more,
    );
    delete @settings{grep { !defined $settings{$_} } keys %settings};
    return \%settings;
}

sub state_of {
    my ($trial, $name) = @_;

    return Ctl->host($trial->agent, $trial->host($name))->{state};
}

sub is_like {
    my ($got, $expected, $what) = @_;

    ref $expected ? like($got, $expected, $what) : is($got, $expected, $what);
    return;
}

sub is_discreet {
    my ($trial) = @_;

    is_deeply [secrets_in(\@SECRETS, $trial->line, $trial->log)], [],
        'nothing secret';
    return;
}

sub try_all {
    my ($start, $check, @rows) = @_;

    while (my @batch = splice @rows, 0, $BATCH) {
        my @started = map { $start->($_) } @batch;
        for my $row (@batch) {
            my $trials = shift @started;
            subtest $row->[0] => sub { $check->($row, @{$trials}) };
        }
    }
    return;
}

1;
