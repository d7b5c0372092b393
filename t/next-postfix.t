#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A real Postfix as the next hop: with postscreen(8) before it, which looks for
# clients that talk too soon, and with clients known by their certificate.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Digest::SHA qw(sha256_hex);
use MIME::Base64 qw(decode_base64);
use Test::More;

use Agent ();
use Content;
use Fixture;
use Lmtp ();
use PostfixInstance ();
use SmtpHost ();
use TestCa ();

skip_or_fail(PostfixInstance->missing);
skip_or_fail(TestCa->missing);

my $ca = TestCa->new;
my $theirs = $ca->certificate(names => ['hop.example']);
my $sink = SmtpHost->new;
my $MESSAGE = "Subject: a message\n\n.dot\n" . ('x' x 70 . "\n") x 2_000;

my %TLS = (
    smtpd_tls_security_level => 'may',
    smtpd_tls_cert_file      => $theirs->file,
    smtpd_tls_key_file       => $theirs->key_file,
);

# postscreen(8) on a port of its own, every client being new.
sub screened {
    my (%main) = @_;
    my $reserved = reserve_port('127.0.0.1');
    my $port = $reserved->sockport;
    my $postfix = PostfixInstance->new(
        relay  => $sink,
        main   => {
            %TLS,
            postscreen_access_list  => '',
            postscreen_greet_action => 'enforce',
            postscreen_greet_wait   => '2s',
            %main,
        },
        master => <<"EOF_MASTER",
127.0.0.1:$port inet n - n - 1 postscreen
smtpd    pass  -  -  n  -  -  smtpd
dnsblog  unix  -  -  n  -  0  dnsblog
tlsproxy unix  -  -  n  -  0  tlsproxy
EOF_MASTER
    );

    return ($postfix, "[127.0.0.1]:$port", $reserved);
}

# It was relayed as we had it, behind the header that Postfix adds to.
sub arrives {
    my ($to) = @_;
    my ($message, $want);

    wait_until("the message to $to", sub {
        ($message) = grep { grep { $_ eq $to } $_->recipients }
            map { $_->messages } $sink->finished;
        return defined $message;
    });
    ($want) = content_of($MESSAGE) =~ /\r\n\r\n(.*)\z/s;
    my ($got) = $message->content =~ /\r\n\r\n(.*)\z/s;
    return is difference($got, $want), '', "$to: arrived";
}

# What postscreen(8) has found fault with until it let us pass, as new
# or old: it says so after its last reply.
sub faults {
    my ($postfix, $pass) = @_;

    $postfix->wait_for(qr/: PASS $pass \[127\.0\.0\.1\]/);
    return [$postfix->maillog =~ m{/postscreen\[\d+\]:[ ](
        (?:PREGREET|COMMAND|NON-SMTP|BARE|HANGUP|NOQUEUE).*)}gx];
}

# ---- postscreen ----

for my $tls ('none', 'encrypt') {
    subtest "its greeting is waited for: tls=$tls" => sub {
        my ($postfix, $hop) = screened();
        my $agent = Agent->new(routes => "example.com $hop/tls=$tls\n");

        my $run = $agent->deliver(message => $MESSAGE,
            recipients => ["$tls\@example.com"]);
        is $run->status, 0, 'taken' or diag $run->output;
        arrives("$tls\@example.com");
        is_deeply faults($postfix, 'NEW'), [], 'it passes, without a fault';
        is scalar(grep { /: New SMTP DCID / } $run->log_lines), 1,
            'by one session';
    };
}

# Their tests within the dialogue end with a refusal, even for who passes them.
subtest 'its tests of the dialogue' => sub {
    my ($postfix, $hop) = screened(map { ("postscreen_$_" => 'yes') }
        qw(bare_newline_enable non_smtp_command_enable pipelining_enable));
    my $agent = Agent->new(routes => "example.com $hop/tls=encrypt\n");
    my @message = (message => $MESSAGE);

    my $run = $agent->deliver(@message);
    is $run->status, 75, 'who is new waits';
    like $run->output, qr/\A4\.3\.2 \S+: 450 4\.3\.2 .*in reply to RCPT TO\)\z/,
        'in its words';
    is_deeply [grep { /is down/ } $run->log_lines], [], 'no host is down';
    $postfix->wait_for(qr/: PASS NEW \[127\.0\.0\.1\]/);
    $run = $agent->deliver(@message, recipients => ['known@example.com']);
    is $run->status, 0, 'then it is known' or diag $run->output;
    arrives('known@example.com');
    my $rejected = qr/\ANOQUEUE: reject: RCPT .* 450 4\.3\.2 /;
    my @faults = @{ faults($postfix, 'OLD') };
    is_deeply [grep { $_ !~ $rejected } @faults], [], 'nothing to complain of';
    is scalar @faults, 1, 'but that it is new';
};

# The second session may pipeline, the first may not.
subtest 'its tests, and the LMTP face' => sub {
    my ($postfix, $hop) = screened(map { ("postscreen_$_" => 'yes') }
        qw(bare_newline_enable non_smtp_command_enable pipelining_enable));
    my $agent = Agent->new(routes => "example.com $hop/tls=none\n");
    my $lmtp = Lmtp->begin(agent => $agent);
    my @to = map { "lmtp$_\@example.com" } 1 .. 3;
    my @message = (message => $MESSAGE, recipients => \@to);

    like $_, qr/\A45\d 4\.3\.2 /, 'who is new waits'
        for $lmtp->deliver(@message);
    like $_, qr/\A250 2\.0\.0 /, 'then it is known'
        for $lmtp->deliver(@message);
    is $lmtp->end, 0, 'the end';
    arrives($_) for @to;
    my $rejected = qr/\ANOQUEUE: reject: RCPT .* 450 4\.3\.2 /;
    my @faults = @{ faults($postfix, 'OLD') };
    is_deeply [grep { $_ !~ $rejected } @faults], [], 'nothing to complain of';
    is scalar @faults, @to, 'but that it is new';
};

# ---- clients known by their certificate ----

# As smtpd_tls_fingerprint_digest has it.
sub fingerprint {
    my ($certificate) = @_;
    my ($text) = $certificate->pem =~ /-BEGIN CERTIFICATE-+\n(.*?)\n-+END/s;

    return join ':', sha256_hex(decode_base64($text)) =~ /../g;
}

subtest 'a relay for who has a certificate' => sub {
    my ($ours, $other) = map { $ca->certificate(common_name => $_, client => 1) }
        'gateway.example', 'other.example';
    chmod 0600, $_->key_file or die "chmod: $!\n" for $ours, $other;
    my $clients = new_folder('clients') . '/clients';
    write_file($clients, fingerprint($ours) . " gateway\n");
    my $postfix = PostfixInstance->new(
        relay => $sink,
        main  => {
            %TLS,
            smtpd_tls_ask_ccert           => 'yes',
            smtpd_tls_CAfile              => $ca->file,
            smtpd_tls_fingerprint_digest  => 'sha256',
            smtpd_tls_loglevel            => 1,
            smtpd_tls_received_header     => 'yes',
            relay_clientcerts             => "texthash:$clients",
            smtpd_relay_restrictions      => 'permit_tls_clientcerts, reject',
        },
    );
    my $hop = '127.0.0.1:' . $postfix->port;
    # undef: none.
    my $send = sub {
        my ($to, $certificate) = @_;
        my $agent = Agent->new(
            routes   => "example.com $hop/tls=encrypt\n",
            settings => {"host $hop" => $certificate ? {
                'tls-cert-file' => $certificate->file,
                'tls-key-file'  => $certificate->key_file,
            } : {'tls' => 'encrypt'}},
        );

        return $agent->deliver(message => $MESSAGE,
            recipients => ["$to\@example.com"]);
    };

    my $run = $send->('ours', $ours);
    is $run->status, 0, 'with ours' or diag $run->output;
    arrives('ours@example.com');
    my ($message) = grep { grep { /^ours@/ } $_->recipients }
        map { $_->messages } $sink->finished;
    like $message->content, qr/\(Client\ CN\ "gateway\.example",
        \ Issuer\ "[^"]+"\ \(verified\ OK\)\)/x, 'they saw it, and its chain';
    for (['none', undef], ['other', $other]) {
        my ($what, $certificate) = @{$_};
        $run = $send->($what, $certificate);
        is $run->status, 77, "$what: refused" or diag $run->output;
        like $run->output, qr/\A5\.7\.1 \S+: 554 5\.7\.1 .*: Access denied /,
            "$what: in its words";
    }
};

done_testing;
