#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# One process resumes its TLS sessions: a Postfix says so of the connections
# that it gets.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent ();
use Fixture;
use Lmtp ();
use PostfixInstance ();
use SmtpHost ();
use TestCa ();

skip_or_fail(PostfixInstance->missing);
skip_or_fail(TestCa->missing);

my $REUSED = qr/: Reusing old session/;
my $OK = qr/^250 2\.0\.0 /;

my $ca = TestCa->new;
my $theirs = $ca->certificate(names => ['hop.example']);
my $sink = SmtpHost->new;

# A next hop that speaks TLS of this version only.
sub hop {
    my ($protocol) = @_;

    return PostfixInstance->new(
        relay => $sink,
        main  => {
            smtpd_tls_security_level      => 'may',
            smtpd_tls_cert_file           => $theirs->file,
            smtpd_tls_key_file            => $theirs->key_file,
            smtpd_tls_loglevel            => 2,
            smtpd_tls_mandatory_protocols => $protocol,
            smtpd_tls_protocols           => $protocol,
        },
    );
}

# Each message on a connection of its own; options by domain.
sub agent {
    my ($hop, %routes) = @_;
    my $to = '127.0.0.1:' . $hop->port;

    return Agent->new(
        routes   => join('', map { "$_ $to/$routes{$_}\n" } sort keys %routes),
        settings => {
            'max-messages' => 1,
            'tls-ca-file'  => $ca->file,
        },
    );
}

sub send_to {
    my ($lmtp, $domain, $count) = @_;

    return map { $lmtp->deliver(recipients => ["user$_\@$domain"]) }
        1 .. $count;
}

# Of all connections so far.
sub established {
    my ($hop, $count) = @_;

    $hop->wait_for(qr/: disconnect from /, $count);
    return [map { scalar(() = $hop->maillog =~ /$_/g) }
        qr/: \w+ TLS connection established from /, $REUSED];
}

for my $protocol ('TLSv1.2', 'TLSv1.3') {
    for my $options ('tls=encrypt', 'tls=secure/tls-name=hop.example') {
        subtest "$protocol, $options" => sub {
            my $hop = hop($protocol);
            my $agent = agent($hop, 'example.com' => $options);
            my $lmtp = Lmtp->begin(agent => $agent);

            like $_, $OK, 'delivered' for send_to($lmtp, 'example.com', 3);
            is_deeply established($hop, 3), [3, 2], 'two resume the first one';
            my @lines = map { /TLS success (.*)/ } $agent->log_lines;
            is_deeply \@lines, [($lines[0]) x 3], 'the log says the same';
            is $lmtp->end, 0, 'exit status';
        };
    }
}

subtest 'the host has forgotten' => sub {
    my $hop = hop('TLSv1.3');
    my $lmtp = Lmtp->begin(
        agent => agent($hop, 'example.com' => 'tls=encrypt'));

    like $_, $OK, 'delivered' for send_to($lmtp, 'example.com', 1);
    is_deeply established($hop, 1), [1, 0], 'once';
    $hop->stop;
    $hop->start;
    like $_, $OK, 'delivered' for send_to($lmtp, 'example.com', 2);
    is_deeply established($hop, 3), [3, 1], 'another session';
    is $lmtp->end, 0, 'exit status';
};

# What nobody has verified is resumed by nobody who must.
subtest 'of another policy' => sub {
    my $hop = hop('TLSv1.3');
    my $lmtp = Lmtp->begin(agent => agent($hop,
        'example.com' => 'tls=encrypt',
        'example.net' => 'tls=secure/tls-name=other.example',
    ));

    like $_, $OK, 'not verified' for send_to($lmtp, 'example.com', 2);
    like $_, qr/^451 4\.7\.5 .*expected other\.example/, 'to be verified'
        for send_to($lmtp, 'example.net', 1);
    is_deeply established($hop, 3), [2, 1], 'its own ones only';
    is $lmtp->end, 0, 'exit status';
};

done_testing;
