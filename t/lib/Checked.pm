# SPDX-License-Identifier: BSD-2-Clause
#
# Configurations for "smtproutectl check": one without fault, which each row
# changes in one place, and what has to be said of it.
#
#   table(
#       ['no h', master => ['flags=hq', 'flags=q'],
#           "$SERVICE: warning: flags has no h; expected flags=hq"],
#   );
#
# A row has a name, the file to change (conf, routes, main or master) with its
# text or [from => to], and the lines that come of it; DIR stands for the folder
# that all is in.
#
#   $dir = configuration(routes => $text, ...)   a new folder; also
#                              append => more of conf, which has 6 lines, and
#                              files => {name => [text, mode, group], ...}
#   $run = check($dir, ...)    the tool's run; options are Ctl's
#   @lines = said($run)        all lines but notes
#   finds($says, $run, $dir, @lines)
#                              says it these lines, but for notes and the sum
#   $SERVICE, $POSTCONF        what it calls our service; a path
#   namespaces()               can there be mount namespaces?
#   local $ENV{SMTPROUTE_WRAPPER} = after($command)
#                              has the tool run in one, after mount(8)s

package Checked;

use strict;
use warnings;

use Exporter qw(import);
use Test::More;

use Ctl ();
use Fixture;

our @EXPORT = qw($POSTCONF $SERVICE after check configuration finds namespaces
    said table);

our $POSTCONF = '/usr/sbin/postconf';
our $SERVICE = 'master.cf: smtproute/unix';

skip_or_fail(-x $POSTCONF ? undef : 'Postfix is not installed');

# DIR stands for the folder that all is in.
my %SOUND = (
    conf => <<'EOF_CONF',
[smtproute]
routes = DIR/routes
state-directory = DIR/state
spool-directory = DIR/state
log = file:DIR/state/maillog
helo-name = gw1.example.com
EOF_CONF
    routes => <<'EOF_ROUTES',
example.com  [127.0.0.1]:25/pri=0, [127.0.0.2]/pri=10
*            [127.0.0.1]:25
EOF_ROUTES
    main => <<'EOF_MAIN',
compatibility_level = 3.6
myhostname = gw1.example.com
mydestination =
relay_domains = example.com, example.net
smtproute_destination_recipient_limit = 1
transport_maps = pipemap:{texthash:DIR/routes, static:{smtproute:}}
EOF_MAIN
    master => <<'EOF_MASTER',
pickup    unix  n  -  n  60  1   pickup
smtproute unix  -  n  n  -   50  pipe
  flags=hq user=nobody null_sender=
  argv=DIR/smtproute -c DIR/smtproute.conf -q ${queue_id}
    -f ${sender} -n ${nexthop} -- ${recipient}
EOF_MASTER
);

my %NAMES = (conf => 'smtproute.conf', main => 'main.cf', master => 'master.cf');

sub insert {
    my ($text, $dir) = @_;

    return $text =~ s/\bDIR\b/$dir/gr;
}

# Each change: the name of a file => its text, or [from => to].
sub configuration {
    my (%change) = @_;
    my $dir = new_folder('check');
    my %files = %{ delete $change{files} // {} };
    my $more = delete $change{append} // '';
    my $uid = getpwnam 'nobody';

    for my $name (keys %SOUND) {
        my $text = $SOUND{$name};
        if (ref $change{$name}) {
            my ($from, $to) = @{ $change{$name} };
            $text =~ s/\Q$from\E/$to/ or die "no $from in $name\n";
        }
        elsif (defined $change{$name}) {
            $text = $change{$name};
        }
        $text .= $more if $name eq 'conf';
        write_file("$dir/" . ($NAMES{$name} // $name), insert($text, $dir));
    }
    write_file("$dir/smtproute", "#!/bin/sh\n");
    chmod 0755, "$dir/smtproute" or die "$dir/smtproute: $!\n";
    mkdir "$dir/state" or die "$dir/state: $!\n";
    chown $uid, -1, "$dir/state" if $> == 0;
    for my $name (keys %files) {
        my ($text, $mode, $group) = @{ $files{$name} };
        write_file("$dir/$name", $text) if defined $text;
        chmod $mode, "$dir/$name" or die "$dir/$name: $!\n";
        chown -1, scalar getgrnam $group, "$dir/$name" or die "chown: $!\n"
            if defined $group;
    }
    return $dir;
}

sub check {
    my ($dir, %option) = @_;

    return Ctl->run(
        conf        => "$dir/smtproute.conf",
        arguments   => ['check'],
        %option,
        environment => {MAIL_CONFIG => $dir, %{ $option{environment} // {} }},
    );
}

sub namespaces {
    return $> == 0 && (capture('unshare', '-m', 'true'))[0] == 0;
}

sub after {
    my ($command) = @_;
    my $script = new_folder('after') . '/run';

    write_file($script, "#! /bin/sh\n$command && exec \"\$@\"\n");
    chmod 0755, $script or die "chmod: $!\n";
    return join ' ', 'unshare', '-m', $script, $ENV{SMTPROUTE_WRAPPER} // ();
}

sub count {
    my ($number, $what) = @_;

    return "$number $what" . ($number == 1 ? '' : 's');
}

# Notes depend on the machine.
sub said {
    my ($run) = @_;

    return grep { !/: note: / } $run->lines;
}

# The lines are all that is said but notes and the sum, which follows from
# them.
sub finds {
    my ($says, $run, $dir, @lines) = @_;

    my $warnings = grep { /: warning: / } @lines;
    my $errors = @lines - $warnings;
    my @sum = (
        $errors ? count($errors, 'error') : (),
        $warnings ? count($warnings, 'warning') : (),
    );
    my @said = said($run);
    my $sum = pop @said;
    is_deeply \@said, [map { insert($_, $dir) } @lines], $says;
    if (@sum) {
        is $sum, join(', ', @sum), "$says: the sum";
    }
    else {
        like $sum, qr/^no faults found: /, "$says: the sum";
    }
    is $run->status, $errors ? 2 : $warnings ? 1 : 0, "$says: status";
    is $run->stderr, '', "$says: stderr";
    return;
}

sub table {
    my (@rows) = @_;

    for my $row (@rows) {
        my ($says, $file, $change, @lines) = @{$row};
        my $dir = configuration(defined $file ? ($file => $change) : ());
        finds($says, check($dir), $dir, @lines);
    }
    return;
}

1;
