# SPDX-License-Identifier: BSD-2-Clause
#
# Passwords and tokens: the files they are in, and the search for where they
# must not be.
#
#   secret_file($text, $mode)    a new file, 0600; its path
#   secret_forms($username, $password)   what nobody may see: the password, in
#                                every form that is or may be on the wire
#   secrets_in(\@forms, @texts)  those that are there, as a list
#   texts_of(@folders)           the contents of all files in them
#   texts_in_memory($pid)        all that it can write to
#   is_blind()                   why root cannot have these, undef if it can:
#                                containers may not have the right to it

package Secrets;

use strict;
use warnings;

use Exporter qw(import);
use Fcntl qw(SEEK_SET);
use File::Find ();
use MIME::Base64 qw(encode_base64);

use Fixture;

our @EXPORT = qw(is_blind secret_file secret_forms secrets_in texts_in_memory
    texts_of);

my $folder;
my $files = 0;

sub secret_file {
    my ($text, $mode) = @_;

    $folder //= new_folder('secrets');
    my $path = sprintf '%s/secret.%d', $folder, ++$files;
    write_file($path, $text);
    chmod $mode // 0600, $path or die "$path: $!\n";
    return $path;
}

# Base64 takes three bytes at a time, so that it shows a password in one of
# three forms, but for the ends, which depend on what is beside it.
sub secret_forms {
    my ($username, $password) = @_;
    my @forms = map { encode_base64($_, '') }
        $password, "\0$username\0$password";

    for my $before (0 .. 2) {
        my $whole = substr $password, -$before % 3;
        my $length = int(length($whole) / 3) * 3;
        push @forms, encode_base64(substr($whole, 0, $length), '');
    }
    return ($password, @forms);
}

sub secrets_in {
    my ($forms, @texts) = @_;

    return grep {
        my $form = $_;
        grep { index($_, $form) >= 0 } @texts;
    } @{$forms};
}

sub texts_of {
    my (@folders) = @_;
    my @texts;

    File::Find::find({
        no_chdir => 1,
        wanted   => sub { push @texts, read_file($_) if -f && !-l },
    }, @folders);
    return @texts;
}

# Of who hides his memory (prctl(2), PR_SET_DUMPABLE).
my $CAP_SYS_PTRACE = 19;

sub is_blind {
    my ($rights) = read_file('/proc/self/status')
        =~ /^CapEff:\s+\w*(\w{8})$/m;

    return hex($rights) & 1 << $CAP_SYS_PTRACE ? undef
        : 'no CAP_SYS_PTRACE to look at memory';
}

sub texts_in_memory {
    my ($pid) = @_;
    my @texts;

    no warnings 'portable';
    open my $memory, '<:raw', "/proc/$pid/mem" or die "/proc/$pid/mem: $!\n";
    for my $line (split /\n/, read_file("/proc/$pid/maps")) {
        my ($from, $to) = $line =~ /^([0-9a-f]+)-([0-9a-f]+) .w/ or next;
        ($from, $to) = map { hex } $from, $to;
        sysseek $memory, $from, SEEK_SET or die "seek: $!\n";
        my $text = '';
        while ($from + length $text < $to) {
            sysread $memory, $text, $to - $from - length $text, length $text
                or die sprintf "%s: reading %s: %s\n", $pid, $line, $!;
        }
        push @texts, $text;
    }
    return @texts;
}

1;
