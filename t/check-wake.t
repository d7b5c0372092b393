#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# smtproutectl check: a Postfix that will not let the agent's user wake mail.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Checked;
use Fixture;

my $LOSS = 'without which mail that waits for a host is not woken';
my $ACL = 'main.cf: authorized_flush_users';
my ($POSTQUEUE) = grep { -x } '/usr/sbin/postqueue', '/usr/bin/postqueue';

skip_or_fail(defined $POSTQUEUE ? undef : 'there is no postqueue(1)');
skip_or_fail(namespaces() ? undef : 'mount namespaces need root');

sub leaves_out {
    my ($list) = @_;

    return qq($ACL: warning: is "$list", which leaves out nobody; expected )
        . "this user in it, or wake = no, $LOSS";
}

sub main_with {
    my ($line) = @_;

    return ['relay_domains', "$line\nrelay_domains"];
}

# What postqueue(1) itself says of it, before it looks for a Postfix: there is
# none that runs.
sub postqueue_says {
    my ($dir) = @_;
    my $etc = new_folder('etc');

    write_file("$etc/main.cf", "compatibility_level = 3.6\n"
        . "alternate_config_directories = $dir\n");
    local $ENV{MAIL_CONFIG} = $dir;
    my ($status, $output) = capture('unshare', '-m', 'sh', '-c',
        "mount --bind $etc /etc/postfix && exec setpriv --reuid nobody "
        . "--clear-groups -- $POSTQUEUE -i 4F1B");
    isnt $status, 0, 'postqueue fails';
    return $output;
}

# A list, and whether it leaves nobody out; FILE is one with the text.
my @lists = (
    ['static:anyone', 0],
    ['', 1],
    ['root', 1],
    ['root, nobody', 0],
    ['NoBody', 0],
    ['nobody2 no body', 1],
    ['!nobody, static:anyone', 1],
    ['!root, static:anyone', 0],
    ['root, !nobody', 1],
    ['inline:{nobody=x}', 0],
    ['inline:{root=x}', 1],
    ['!inline:{nobody=x}, static:all', 1],
    ['FILE', 0, "root\nnobody\n"],
    ['FILE', 1, "root\n"],
    ['!FILE, static:all', 1, "root nobody\n"],
    ['!FILE', 0, "!nobody\n"],
    ['FILE, nobody', 1, "!nobody\n"],
);

for my $row (@lists) {
    my ($list, $left_out, $text) = @{$row};
    subtest "authorized_flush_users = $list" . ($text ? ": $text" : '') => sub {
        my $file = new_folder('list') . '/users';
        write_file($file, $text // '');
        $list =~ s/FILE/$file/;
        my $dir = configuration(
            main => main_with("queue_directory = DIR/queue\n"
                . "authorized_flush_users = $list"),
        );
        mkdir "$dir/queue" or die "mkdir: $!\n";
        finds('check', check($dir), $dir, $left_out ? leaves_out($list) : ());
        like postqueue_says($dir), $left_out ? qr/ is not allowed to flush /
            : qr/ mail system is down$/, 'postqueue';
    };
}

subtest 'where it is not wanted' => sub {
    my $dir = configuration(
        main   => main_with('authorized_flush_users = root'),
        append => "wake = no\n",
    );

    finds('nothing', check($dir), $dir);
};

subtest 'what cannot be asked may have the user' => sub {
    table(
        ['a file', main => main_with('authorized_flush_users = /nonexistent')],
        ['a table', main => main_with('authorized_flush_users = hash:/none')],
    );
};

subtest 'the program' => sub {
    my $bin = new_folder('bin');
    my $program = $bin . '/postqueue';
    my $mounted = sub {
        return after("mount --bind $program $POSTQUEUE");
    };
    my $dir = configuration();

    write_file($program, '');
    chmod 0755, $program or die "chmod: $!\n";
    {
        local $ENV{SMTPROUTE_WRAPPER} = $mounted->();
        finds('without rights', check($dir), $dir,
            "$POSTQUEUE: warning: is not set-gid postdrop and cannot get to "
            . 'Postfix\'s queue; expected postfix set-permissions, or mode '
            . "2755 and group postdrop, $LOSS");
    }
    {
        chmod 0700, $program or die "chmod: $!\n";
        local $ENV{SMTPROUTE_WRAPPER} = $mounted->();
        finds('not for the user', check($dir), $dir,
            "$POSTQUEUE: warning: user nobody cannot run it; expected access "
            . "for this user, or wake = no, $LOSS");
    }
    chmod 0600, $program or die "chmod: $!\n";
    local $ENV{SMTPROUTE_WRAPPER} = $mounted->();
    finds('missing', check($dir), $dir,
        'DIR/smtproute.conf: warning: wake = yes, but there is no '
        . "postqueue(1); expected Postfix's, or wake = no, $LOSS");
};

subtest 'an instance that the first one does not know' => sub {
    my $dir = configuration();
    my $etc = new_folder('etc');
    my $note = "main.cf: config_directory: note: $dir is not known to "
        . '/etc/postfix/main.cf; expected it in alternate_config_directories '
        . "there, $LOSS";

    for my $row (['', 1], ['alternate_config_directories = /none', 1],
        ["alternate_config_directories = /none, $dir", 0],
        ["multi_instance_directories = $dir", 0])
    {
        my ($line, $said) = @{$row};
        write_file("$etc/main.cf", "compatibility_level = 3.6\n$line\n");
        local $ENV{SMTPROUTE_WRAPPER} = after("mount --bind $etc /etc/postfix");
        my $run = check($dir);
        is scalar(grep { $_ eq $note } $run->lines), $said, "'$line'";
        is $run->status, 0, 'is no fault';
    }
};

done_testing;
