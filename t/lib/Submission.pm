# SPDX-License-Identifier: BSD-2-Clause
#
# A real submission server: a private Postfix that takes mail only from who
# has said his password, which a private Dovecot knows.  Needs root.
#
#   my $submission = Submission->new(
#       certificate => TestCa->new->certificate(names => ['a.example']),
#       users       => {relay => 'secret'},
#   );
#   my $route = $submission->starttls . '/tls=secure/auth=ex';
#   ...
#   my ($message) = $submission->messages;
#   $submission->wait_for(qr/sasl_method=PLAIN, sasl_username=relay/);
#
# new: certificate, users, mechanisms (all there are: PLAIN LOGIN CRAM-MD5),
# main => {parameter => value}.
#
#   $submission->starttls   "[127.0.0.1]:4711": STARTTLS, and AUTH behind it
#   $submission->wrapper    TLS from the first byte
#   $submission->clear      AUTH without TLS
#   $submission->messages   of SmtpHost, to which all that was taken goes
#   $submission->maillog, ->wait_for  of its Postfix
#   $submission->logs       folders that all it writes is in, but no password
#   Submission->missing     why there cannot be one, undef if there can

package Submission;

use strict;
use warnings;
use parent -norequire, 'Fixture::Guarded';

use Dovecot;
use Fixture;
use PostfixInstance ();
use SmtpHost ();

my $DOVECOT = '/usr/sbin/dovecot';

accessors(__PACKAGE__, qw(starttls wrapper clear));

# What each service is besides a smtpd that wants AUTH.
my %SERVICES = (
    starttls => [qw(smtpd_tls_security_level=encrypt smtpd_tls_auth_only=yes)],
    wrapper  => [qw(smtpd_tls_wrappermode=yes)],
    clear    => [qw(smtpd_tls_security_level=none)],
);

my @AUTH = ('smtpd_sasl_auth_enable=yes',
    'smtpd_relay_restrictions=permit_sasl_authenticated,reject');

sub missing {
    my $missing = PostfixInstance->missing;
    return $missing if defined $missing;
    return 'Dovecot is not installed' if !-x $DOVECOT;
    return;
}

sub new {
    my ($class, %option) = @_;
    my $certificate = $option{certificate};

    my $self = guard(bless {
        folder => new_folder('dovecot'),
        sink   => SmtpHost->new,
    }, $class);
    $self->{postfix} = PostfixInstance->new(
        relay  => $self->{sink},
        master => join('', map { $self->_service($_) } sort keys %SERVICES),
        main   => {
            smtpd_sasl_type        => 'dovecot',
            smtpd_sasl_path        => 'private/auth',
            smtpd_tls_cert_file    => $certificate->file,
            smtpd_tls_key_file     => $certificate->key_file,
            smtpd_tls_loglevel     => 1,
            smtpd_error_sleep_time => 0,
            %{ $option{main} // {} },
        },
    );
    $self->_start_dovecot(%option);
    return $self;
}

sub _service {
    my ($self, $name) = @_;
    my $reserved = $self->{reserved}{$name} = reserve_port('127.0.0.1');

    my $there = '127.0.0.1:' . $reserved->sockport;
    $self->{$name} = '[127.0.0.1]:' . $reserved->sockport;
    return join ' ', "$there inet n - n - - smtpd",
        map({ "-o $_" } @AUTH, @{ $SERVICES{$name} }), "\n";
}

# The passwords are in a folder of their own, so that no log lies beside them.
sub _start_dovecot {
    my ($self, %option) = @_;
    my $folder = $self->{folder};
    my $passwords = new_folder('passwords') . '/users';
    my $socket = $self->{postfix}->folder . '/queue/private/auth';
    my $users = $option{users};
    my $mechanisms = $option{mechanisms} // [qw(PLAIN LOGIN CRAM-MD5)];

    write_file($passwords,
        join '', map { "$_:{PLAIN}$users->{$_}\n" } sort keys %{$users});
    chmod 0600, $passwords or die "$passwords: $!\n";
    chown scalar getpwnam('dovecot'), -1, $passwords
        or die "$passwords: $!\n";
    write_file("$folder/dovecot.conf",
        _conf($folder, $passwords, $socket, @{$mechanisms}));
    $self->{pid} = daemon($folder, $DOVECOT, '-F', '-c',
        "$folder/dovecot.conf");
    wait_until('Dovecot', sub { -S $socket });
    return;
}

# Who fails would have to wait, by the penalty of anvil too.
sub _conf {
    my ($folder, $passwords, $socket, @mechanisms) = @_;

    return dovecot_users(
        file  => $passwords,
        owner => [qw(nobody nogroup /nonexistent)],
    ) . <<"EOF_DOVECOT";
base_dir = $folder/run
state_dir = $folder/run
log_path = $folder/log
protocols =
ssl = no
auth_mechanisms = @{[map { lc } @mechanisms]}
auth_failure_delay = 0
auth_verbose = yes
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service auth {
  unix_listener $socket {
    mode = 0600
    user = postfix
  }
}
EOF_DOVECOT
}

sub stop {
    my ($self) = @_;

    end_child(delete $self->{pid}) if defined $self->{pid};
    return;
}

sub messages {
    my ($self) = @_;

    return $self->{sink}->messages;
}

sub maillog {
    my ($self) = @_;

    return $self->{postfix}->maillog;
}

sub wait_for {
    my ($self, @what) = @_;

    return $self->{postfix}->wait_for(@what);
}

sub logs {
    my ($self) = @_;

    return ($self->{folder}, $self->{postfix}->folder);
}

1;
