#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Servers of other people, as Debian packages them: each takes messages from
# the agent and relays them to a scripted host, where they are compared.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Sys::Hostname qw(hostname);
use Test::More;

use Agent ();
use Content;
use Dovecot;
use Fixture;
use Foreign ();
use Lmtp;
use SmtpHost ();

# Whoever runs the tests at home may not want so much to be downloaded.
plan skip_all => 'downloads packages: set INTEROP=yes for it'
    if !$ENV{CI} && !$ENV{INTEROP};
skip_or_fail(Foreign->missing);

my $sink = SmtpHost->new(keywords => ['PIPELINING', '8BITMIME', 'SIZE 0',
    'SMTPUTF8', 'ENHANCEDSTATUSCODES', 'DSN']);
my $to = $sink->port;

# A port that is free, and for whom.
sub port {
    return kept_port('127.0.0.1');
}

# A server: packages, users, its files and its command, with the port.
my %SERVERS = (
    exim => sub {
        my ($port) = @_;
        return (packages => ['exim4-daemon-light'], users => ['Debian-exim'],
            files => {'/etc/exim4/exim4.conf' => <<"EOF_EXIM"},
primary_hostname = exim.example
local_interfaces = 127.0.0.1
daemon_smtp_ports = $port
acl_smtp_rcpt = accept
acl_smtp_data = accept
smtp_accept_queue_per_connection = 0
log_file_path = /tmp/exim-%slog
begin routers
all:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = out
begin transports
out:
  driver = smtp
  allow_localhost
  port = $to
begin retry
* * F,1h,1s
EOF_EXIM
            command => 'mkdir -p /var/spool/exim4 && '
                . 'chown Debian-exim:Debian-exim /var/spool/exim4 && '
                . 'exec /usr/sbin/exim4 -bdf -q1m');
    },
    opensmtpd => sub {
        my ($port) = @_;
        return (packages => ['opensmtpd'], users => [qw(opensmtpd opensmtpq)],
            files => {'/etc/smtpd.conf' => <<"EOF_SMTPD"},
listen on 127.0.0.1 port $port hostname opensmtpd.example
action out relay host smtp://127.0.0.1:$to
match from any for any action out
EOF_SMTPD
            command => 'mkdir -p /var/lib/opensmtpd/empty /nonexistent && '
                . 'exec smtpd -d -f /etc/smtpd.conf');
    },
    sendmail => sub {
        my ($port) = @_;
        return (packages => ['sendmail-bin', 'm4'],
            users => [qw(smmta smmsp)],
            files => {'/etc/hosts' => '127.0.0.1 sendmail.example localhost '
                . hostname() . "\n", '/etc/mail/interop.mc' => <<"EOF_SENDMAIL"},
include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`debian')dnl
define(`confDOMAIN_NAME', `sendmail.example')dnl
define(`SMART_HOST', `relay:[127.0.0.1]')dnl
define(`RELAY_MAILER_ARGS', `TCP \$h $to')dnl
define(`confPID_FILE', `/tmp/sendmail.pid')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confREFUSE_LA', `1000')dnl
define(`confDONT_BLAME_SENDMAIL', `GroupReadableKeyFile')dnl
FEATURE(`promiscuous_relay')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`accept_unqualified_senders')dnl
FEATURE(`nocanonify')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Port=$port, Addr=127.0.0.1, Name=MTA')dnl
MAILER(`smtp')dnl
EOF_SENDMAIL
            command => 'cd /etc/mail && m4 interop.mc >sendmail.cf && '
                . 'mkdir -p /var/spool/mqueue /var/lib/sendmail/host_status && '
                . 'exec $(ls /usr/libexec/sendmail/sendmail '
                . '/usr/lib/sm.bin/sendmail 2>/dev/null | head -n 1) '
                . '-bD -q1m -C/etc/mail/sendmail.cf');
    },
    dovecot => sub {
        my ($port) = @_;
        return (packages => ['dovecot-submissiond'],
            users => [qw(dovecot dovenull vmail)],
            files => {'/etc/dovecot/interop.conf' => dovecot_users(
                password => 'secret',
                owner    => [qw(vmail vmail /tmp)],
                mail     => '/tmp/mail',
            ) . <<"EOF_DOVECOT"},
protocols = submission
listen = 127.0.0.1
base_dir = /run/dovecot-interop
ssl = no
auth_mechanisms = plain
log_path = /dev/stderr
submission_relay_host = 127.0.0.1
submission_relay_port = $to
submission_relay_trusted = no
first_valid_uid = 1
service submission-login {
  inet_listener submission {
    port = $port
  }
  inet_listener submissions {
    port = 0
  }
}
EOF_DOVECOT
            command => 'exec dovecot -F -c /etc/dovecot/interop.conf');
    },
);

# Messages of the corpus that no relay has a reason to change: with a header
# and a body, in lines that are allowed.
my @messages = grep {
    my $text = $_->[1];
    $text =~ /^Subject: [ -~]*\n\n/ && $text !~ /[\0\r]/ && $text =~ /\n\z/
        && $text !~ /[^\n]{999}/ && $text !~ /[^\n\t -~\x80-\xff]/
        && length $text < 100_000
} corpus();
push @messages, ['8 bits', "Subject: 8 bits\n\n\xe4\xf6\xfc\n" . "\xc3\xa4\n" x 9],
    ['a large message', "Subject: large\n\n" . ".\n..\nFrom x\nline\n" x 40_000];

cmp_ok scalar @messages, '>', 5, 'there are messages';

for my $name (sort keys %SERVERS) {
    my $port = port();
    my $server = eval { Foreign->new($SERVERS{$name}->($port), port => $port) };
    my $why = $@;

    subtest $name => sub {
        ok $server, 'it runs' or return diag $why;
        my $agent = Agent->new(routes => "example.com "
            . $server->destination . ($name eq 'dovecot' ? '/auth=ex' : '')
            . "\n", settings => {'auth-in-clear' => 'yes',
            'auth ex' => {username => 'relay', 'password-file' => password()}});
        for my $number (0 .. $#messages) {
            my ($what, $text) = @{ $messages[$number] };
            my $run = $agent->deliver(message => $text,
                recipients => ["$name$number\@example.com"]);
            is $run->status, 0, "$what: taken" or diag $run->output;
        }
        # Some keep their connection for a while.
        for my $number (0 .. $#messages) {
            my ($what, $text) = @{ $messages[$number] };
            arrives("$name$number\@example.com", $text, $what);
        }
    };
}

# As the next hop, by LMTP: who has a mailbox is for each recipient.
sub dovecot_lmtp {
    my ($port) = @_;

    return (packages => ['dovecot-lmtpd'],
        users => [qw(dovecot dovenull vmail)],
        files => {'/etc/dovecot/users' =>
            join('', map { "$_\@example.com:{PLAIN}secret::::::\n" }
                qw(one two)),
            '/etc/dovecot/interop.conf' => dovecot_users(
            file  => '/etc/dovecot/users',
            owner => [qw(vmail vmail /tmp)],
            mail  => '/tmp/mail/%u',
        ) . <<"EOF_DOVECOT"},
protocols = lmtp
listen = 127.0.0.1
base_dir = /run/dovecot-interop
ssl = no
log_path = /dev/stderr
first_valid_uid = 1
postmaster_address = postmaster\@example.com
service lmtp {
  inet_listener lmtp {
    port = $port
  }
}
EOF_DOVECOT
        command => 'exec dovecot -F -c /etc/dovecot/interop.conf');
}

subtest 'dovecot, LMTP' => sub {
    my $port = port();
    my $server = eval { Foreign->new(dovecot_lmtp($port), port => $port) };

    ok $server, 'it runs' or return diag $@;
    my $agent = Agent->new(routes => 'example.com '
        . $server->destination . "/lmtp\n");
    my $lmtp = Lmtp->begin(agent => $agent);
    for my $number (1 .. 2) {
        my @replies = $lmtp->deliver(
            recipients => [map { "$_\@example.com" } qw(one nobody two)]);
        like $replies[0], qr/^250 2\.0\.0 .* Saved/, "$number: the first";
        like $replies[1], qr/^550 5\.1\.1 .*nobody\@example\.com/,
            "$number: nobody";
        like $replies[2], qr/^250 2\.0\.0 .* Saved/, "$number: the second";
    }
    is $lmtp->end, 0, 'exit status';
    for my $message (@messages) {
        my $run = $agent->deliver(message => $message->[1],
            recipients => ['one@example.com']);
        is $run->status, 0, "$message->[0], by pipe" or diag $run->output;
    }
    diag $server->log if !Test::More->builder->is_passing;
};

sub password {
    my $file = new_folder('secret') . '/password';

    write_file($file, "secret\n");
    chmod 0600, $file or die "$file: $!\n";
    return $file;
}

# The body as it was, behind a header that relays may add to.
sub arrives {
    my ($to, $text, $what) = @_;
    my ($message, $want);
    my $find = sub {
        ($message) = grep { grep { $_ eq $to } $_->recipients }
            map { $_->messages } $sink->finished;
        return defined $message;
    };

    wait_until("$what at the end", $find);
    ($want) = content_of($text) =~ /\r\n\r\n(.*)\z/s;
    my ($got) = $message->content =~ /\r\n\r\n(.*)\z/s;
    is difference($got, $want), '', "$what: arrived";
    return;
}

done_testing;
