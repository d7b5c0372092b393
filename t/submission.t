#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A real submission service, Postfix with Dovecot's SASL, that wants TLS and
# AUTH; before it another Postfix, whose pipe(8) runs the agent as an
# unprivileged user.

use strict;
use warnings;

use Test::More;

use Agent;
use Fixture;
use PostfixInstance;
use Secrets;
use Submission;
use TestCa;

skip_or_fail(Submission->missing // TestCa->missing);

my %PASSWORDS = (
    relay  => 'open sesame, please',
    second => 'xyzzy, or so',
    third  => 'plugh, then',
);
my $WRONG = 'not the password';
my @SECRETS = map { secret_forms(@{$_}) }
    [relay => $WRONG], map { [$_ => $PASSWORDS{$_}] } sort keys %PASSWORDS;

my $CA = TestCa->new;
my $CERTIFICATE = $CA->certificate(names => ['submission.example']);

my $server = Submission->new(certificate => $CERTIFICATE, users => \%PASSWORDS);
my ($STARTTLS, $WRAPPER, $CLEAR) =
    map { $server->$_ } qw(starttls wrapper clear);
my $SECURE = 'tls=secure/tls-name=submission.example';
my $WRAPPED = 'tls=wrapper/tls-name=submission.example';

# All that anybody might look into.
my @logs = $server->logs;

# The file is the agent's own.
sub password_file {
    my ($password, $mode) = @_;
    my $path = secret_file("$password\n", $mode);

    chown scalar getpwnam('nobody'), -1, $path or die "$path: $!\n";
    return $path;
}

sub profile {
    my ($username, $password, $mode) = @_;

    return {
        'username'      => $username,
        'password-file' => password_file($password // $PASSWORDS{$username},
            $mode),
    };
}

# A Postfix before the agent; settings are more of the agent's.
sub postfix {
    my ($route, %settings) = @_;
    my $agent = Agent->new(
        user     => 'nobody',
        routes   => "example.com $route\n",
        settings => {
            'tls-ca-file' => $CA->file,
            'auth ex'     => profile('relay'),
            %settings,
        },
    );
    my $postfix = PostfixInstance->new(agent => $agent);

    push @logs, $agent->var, $postfix->folder;
    return $postfix;
}

# What Postfix says became of the message, the last of $count times.
sub fate {
    my ($postfix, $id, $count) = @_;
    my @lines = $postfix->wait_for(qr/ $id: to=<.*, .*status=/, $count);

    return $lines[-1] =~ s/.*?(dsn=)/$1/r;
}

# The message is in the queue still, and its sender was told nothing.
sub waits {
    my ($postfix, $id, $what) = @_;

    is_deeply [map { "$_->{queue_id} $_->{queue_name}" } $postfix->settled],
        ["$id deferred"], "$what: it is in the deferred queue";
    unlike $postfix->maillog, qr/status=bounced|sender non-delivery/,
        "$what: nothing has bounced";
    return;
}

sub taken {
    return scalar(() = $server->maillog =~ / \w+: client=/g);
}

sub connected {
    return scalar(() = $server->maillog =~ /: connect from/g);
}

# Name, the service, its options in the route, what the server logs of TLS,
# mechanism; more settings.
my @services = (
    ['STARTTLS', $STARTTLS, $SECURE, 'TLSv1.3', 'PLAIN'],
    ['STARTTLS with TLS 1.2', $STARTTLS, $SECURE, 'TLSv1.2', 'PLAIN'],
    ['TLS from the first byte', $WRAPPER, $WRAPPED, 'TLSv1.3', 'PLAIN'],
    ['clear text', $CLEAR, 'tls=none', undef, 'CRAM-MD5',
        'auth-in-clear' => 'yes'],
);

for my $row (@services) {
    my ($name, $service, $options, $protocol, $mechanism, %more) = @{$row};
    my $old = ($protocol // '') eq 'TLSv1.2';
    subtest $name => sub {
        my $there = $old ? Submission->new(
            certificate => $CERTIFICATE,
            users       => \%PASSWORDS,
            main        => {smtpd_tls_mandatory_protocols => '!TLSv1.3'},
        ) : $server;
        $service = $there->starttls if $old;
        push @logs, $there->logs if $old;
        my $postfix = postfix("$service/$options/auth=ex", %more);
        my $subject = $name =~ tr/ /-/r;
        my $id = $postfix->inject(
            message => "Subject: $subject\n\n.dot\n\xff\n");

        like fate($postfix, $id),
            qr/^dsn=2\.0\.0, status=sent \(delivered via smtproute service/,
            'sent';
        my ($queued) = read_file($postfix->{agent}->log)
            =~ /^.* $id: Delivered: .* queued as (\w+)/m
            or diag $postfix->maillog;
        my ($client) = $there->wait_for(qr/ $queued: client=/);
        like $client, qr/, sasl_method=$mechanism, sasl_username=relay$/,
            'the server knows us';
        my ($pid) = $client =~ /smtpd\[(\d+)\]/;
        my @tls = grep { /smtpd\[$pid\]: .*TLS connection established/ }
            split /\n/, $there->maillog;
        defined $protocol
            ? like($tls[-1], qr/: \Q$protocol\E with cipher/, 'TLS')
            : is_deeply(\@tls, [], 'no TLS');
        $there->wait_for(qr/ $queued: removed/);
        my ($message) = grep { $_->content =~ /^Subject: \Q$subject\E\r$/m }
            $there->messages;
        like $message->content, qr/\r\n\r\n\.dot\r\n\xff\r\n\z/, 'content';
        my @log = grep { / (?:TLS|AUTH) / }
            map { s/.*$id: //r } $postfix->{agent}->log_lines;
        like shift @log, qr/^DCID\ \d+\ TLS\ success\ protocol\ \Q$protocol\E
            \ cipher\ \S+\ verified\ as\ submission\.example$/x, 'log: TLS'
            if defined $protocol;
        is_deeply [map { s/DCID \d+/DCID/r } @log],
            ["DCID AUTH success profile ex mechanism $mechanism"], 'log: AUTH';
    };
}

subtest 'LOGIN only' => sub {
    my $there = Submission->new(
        certificate => $CERTIFICATE,
        users       => \%PASSWORDS,
        mechanisms  => ['LOGIN'],
    );
    push @logs, $there->logs;
    my $postfix = postfix($there->starttls . "/$SECURE/auth=ex");

    my $id = $postfix->inject;
    like fate($postfix, $id), qr/^dsn=2\.0\.0, status=sent /, 'sent';
    $there->wait_for(qr/sasl_method=LOGIN, sasl_username=relay$/);
};

# The server is one that wants AUTH, or nothing above would show any.
subtest 'without AUTH' => sub {
    my $postfix = postfix("$STARTTLS/$SECURE");

    my $id = $postfix->inject(sender => '');
    like fate($postfix, $id), qr/^dsn=5\.7\.1, status=bounced .* 554 5\.7\.1 /,
        'the server refuses the recipient';
};

subtest 'a wrong password' => sub {
    my $postfix = postfix("$STARTTLS/$SECURE/auth=ex",
        'auth ex' => profile('relay', $WRONG));
    my $agent = $postfix->{agent};
    my $before = taken();
    my $id = $postfix->inject;

    like fate($postfix, $id),
        qr/^dsn=4\.7\.8,\ status=deferred\ \(127\.0\.0\.1\[127\.0\.0\.1\]:\d+:
           \ 535\ 5\.7\.8\ .*\(in\ reply\ to\ AUTH\)/x, 'deferred';
    waits($postfix, $id, 'the wrong one');
    is taken(), $before, 'the server got no mail';
    $agent->configure(settings => {
        'tls-ca-file' => $CA->file,
        'auth ex'     => profile('relay'),
    });
    $agent->forget;
    $postfix->flush;
    like fate($postfix, $id, 2), qr/^dsn=2\.0\.0, status=sent /,
        'with the right one it is delivered';
};

subtest 'the second host knows us' => sub {
    my $postfix = postfix(
        "$STARTTLS/pri=0/$SECURE/auth=ex, $WRAPPER/pri=10/$WRAPPED/auth=right",
        'auth ex'    => profile('relay', $WRONG),
        'auth right' => profile('second'),
    );
    my $id = $postfix->inject;

    like fate($postfix, $id), qr/^dsn=2\.0\.0, status=sent /, 'sent';
    my ($queued) = read_file($postfix->{agent}->log)
        =~ /^.* $id: Delivered: .* queued as (\w+)/m;
    my ($client) = $server->wait_for(qr/ $queued: client=/);
    like $client, qr/, sasl_method=PLAIN, sasl_username=second$/,
        'by its own profile';
    my ($down, $error) = map { my $words = $_;
        scalar grep { /$id: .*$words/ } $postfix->{agent}->log_lines }
        'host 127\.0\.0\.1:\d+ is down until ',
        'Connection Error: .* 535 5\.7\.8 .*\(in reply to AUTH\)';
    is $down, 1, 'log: the first host is down';
    is $error, 1, 'log: and why';
};

subtest 'each host in its own way' => sub {
    my $postfix = postfix(
        "$STARTTLS/$SECURE/auth=ex, $WRAPPER/$WRAPPED/auth=two, "
            . "$CLEAR/tls=none/auth=three",
        'auth two'   => profile('second'),
        'auth three' => profile('third'),
        'host ' . $CLEAR =~ tr/[]//dr => {'auth-in-clear' => 'yes'},
    );
    my @queued = map {
        my $id = $postfix->inject;
        fate($postfix, $id);
        map { / $id: Delivered: .* queued as (\w+)/ }
            $postfix->{agent}->log_lines;
    } 1 .. 3;
    my @clients = map { $server->wait_for(qr/ $_: client=/) } @queued;

    is_deeply [sort map { /sasl_method=(.*)/ } @clients], [
        'CRAM-MD5, sasl_username=third',
        'PLAIN, sasl_username=relay',
        'PLAIN, sasl_username=second',
    ], 'one message each';
};

subtest 'others may read the password file' => sub {
    my $postfix = postfix("$STARTTLS/$SECURE/auth=ex",
        'auth ex' => profile('relay', undef, 0644));
    my $before = connected();

    my $id = $postfix->inject;
    like fate($postfix, $id),
        qr/^dsn=4\.3\.5, status=deferred \(.*AUTH: \S+: mode 0644 /,
        'deferred, and the maillog says why';
    waits($postfix, $id, 'readable');
    is connected(), $before, 'the server was not contacted';
};

subtest "the agent's group may read the password file" => sub {
    my $file = secret_file($PASSWORDS{relay}, 0640);
    chown 0, (getpwnam 'nobody')[3], $file or die "$file: $!\n";
    my $postfix = postfix("$STARTTLS/$SECURE/auth=ex",
        'auth ex' => {'username' => 'relay', 'password-file' => $file});

    my $id = $postfix->inject;
    like fate($postfix, $id), qr/^dsn=2\.0\.0, status=sent /, 'sent';
};

subtest 'the password file is root\'s alone' => sub {
    my $file = secret_file($PASSWORDS{relay}, 0600);
    my $postfix = postfix("$STARTTLS/$SECURE/auth=ex",
        'auth ex' => {'username' => 'relay', 'password-file' => $file});

    my $id = $postfix->inject;
    like fate($postfix, $id),
        qr/^dsn=4\.3\.5, status=deferred \(.*AUTH: \S+: Permission denied/,
        'deferred';
    waits($postfix, $id, 'unreadable');
};

subtest 'no log shows a password' => sub {
    my @texts = texts_of(@logs);

    cmp_ok scalar @texts, '>', 20, 'there are files to look into';
    is scalar(secrets_in(['sasl_username=relay'], @texts)), 1,
        'and the search finds what is there';
    is_deeply [secrets_in(\@SECRETS, @texts)], [], 'but no secret';
};

done_testing;
