# SPDX-License-Identifier: BSD-2-Clause
#
# Who may log in to a private Dovecot, as the version that is installed here
# wants to read it: 2.4 has other words than 2.3.
#
#   write_file($conf, dovecot_users(
#       file  => $passwords,           # of passwd-file, or password => 'secret'
#       owner => [uid, gid, home],
#       mail  => $folder,              # a Maildir; none
#   ) . "protocols = submission\n...");
#
# Passwords are believed in clear text, too.  It has to be the file's head.

package Dovecot;

use strict;
use warnings;

use Exporter qw(import);

use Fixture;

our @EXPORT = qw(dovecot_users);

sub dovecot_users {
    my (%option) = @_;
    my ($status, $version) = capture('/usr/sbin/dovecot', '--version');

    return $version =~ /^2\.[0-3]\./ ? _old(%option) : _new(%option);
}

sub _old {
    my (%option) = @_;
    my ($uid, $gid, $home) = @{ $option{owner} };
    my ($driver, $args) = defined $option{file}
        ? ('passwd-file', $option{file})
        : ('static', "password=$option{password}");

    return <<"EOF_DOVECOT" . (defined $option{mail}
disable_plaintext_auth = no
passdb {
  driver = $driver
  args = $args
}
userdb {
  driver = static
  args = uid=$uid gid=$gid home=$home
}
EOF_DOVECOT
        ? "mail_location = maildir:$option{mail}\n" : '');
}

sub _new {
    my (%option) = @_;
    my ($uid, $gid, $home) = @{ $option{owner} };
    my ($driver, $setting) = defined $option{file}
        ? ('passwd-file', "passwd_file_path = $option{file}")
        : ('static', "password = $option{password}");

    return <<"EOF_DOVECOT" . (defined $option{mail}
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
auth_allow_cleartext = yes
passdb $driver {
  $setting
}
userdb static {
  fields {
    uid = $uid
    gid = $gid
    home = $home
  }
}
EOF_DOVECOT
        ? "mail_driver = maildir\nmail_path = $option{mail}\n" : '');
}

1;
