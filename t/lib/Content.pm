# SPDX-License-Identifier: BSD-2-Clause
#
# Messages that a relay is tempted to change, and what must arrive of them.
#
#   corpus()             ([what it is, bytes], ...), as Postfix hands them over
#   borders()            the same, of sizes that matter when they are read
#   content_of($bytes)   what a host must get, before dots are doubled
#   wire_of($content)    the same as DATA sends it, without the final dot
#   mail_line($content, @keywords)  MAIL for a host that offers these
#   difference($got, $wanted)       '' if they are equal, or where they part

package Content;

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT = qw(borders content_of corpus difference mail_line wire_of);

# Of the agent: how much it reads at a time, and keeps in memory.
my $BLOCK = 64 * 1024;
my $MEMORY = 256 * 1024;

my $HEADER = "Subject: a message\n\n";
my $ALL_BYTES = join '', map { chr } 0 .. 255;

# Octet by octet, so that it can be believed: a line ends with LF or CRLF, any
# other CR is a space, and the last line ends too.
sub content_of {
    my ($bytes) = @_;
    my $content = '';

    for my $i (0 .. length($bytes) - 1) {
        my $octet = substr $bytes, $i, 1;
        if ($octet eq "\n") {
            $content .= "\r\n";
        } elsif ($octet ne "\r") {
            $content .= $octet;
        } elsif (substr($bytes, $i + 1, 1) ne "\n") {
            $content .= ' ';
        }
    }
    $content .= "\r\n" if $content !~ /(?:\A|\n)\z/;
    return $content;
}

# RFC 5321 section 4.5.2.
sub wire_of {
    my ($content) = @_;
    my @lines = split /(?<=\n)/, $content;

    return join '', map { /^\./ ? ".$_" : $_ } @lines;
}

# RFC 1870 and RFC 6152.  libESMTP takes a size of 0 for one not known.
sub mail_line {
    my ($content, @keywords) = @_;
    my %offered = map { uc((split ' ', $_)[0] // '') => 1 } @keywords;
    my $size = length $content;
    my $line = 'MAIL FROM:<sender@example.org>';

    $line .= " SIZE=$size" if $offered{SIZE} && $size > 0;
    if ($offered{'8BITMIME'} && $content =~ /[\x80-\xff]/) {
        $line .= ' BODY=8BITMIME';
    }
    return $line;
}

sub difference {
    my ($got, $wanted) = @_;

    return '' if $got eq $wanted;
    my ($same) = ($got ^ $wanted) =~ /^(\0*)/;
    my $from = length $same;
    return sprintf '%d bytes for %d, from byte %d on %s for %s', length $got,
        length $wanted, $from, map { _visible($_, $from) } $got, $wanted;
}

sub _visible {
    my ($bytes, $from) = @_;

    return 'nothing' if $from >= length $bytes;
    $bytes = substr $bytes, $from, 16;
    $bytes =~ s/([^!-~])/sprintf '\\x%02x', ord $1/ge;
    return "'$bytes'";
}

sub corpus {
    return (_headers(), _shapes(), _dots(), _octets(), _carriage_returns());
}

sub _headers {
    return (
        ['no Date, From or Message-Id', "Subject: none of them\n\nbody\n"],
        ['doubled To, Cc and From',
            "To: a\@example.com\nTo: b\@example.com\nCc: c\@example.com\n"
            . "Cc: d\@example.com\nFrom: e\@example.com\n"
            . "From: f\@example.com\n\nbody\n"],
        ['doubled Date, Sender, Reply-To and Message-Id',
            join('', map { "$_: 1\n$_: 2\n" } qw(Date Sender Reply-To
                Message-Id)) . "\nbody\n"],
        ['Return-Path, Original-Recipient and Bcc',
            "Return-Path: <>\nOriginal-Recipient: rfc822;a\@example.com\n"
            . "Bcc: b\@example.com\nReceived: by x; y\n\nbody\n"],
        ['Resent-*',
            join('', map { "Resent-$_: x\nResent-$_: y\n" } qw(From To Cc Bcc
                Date Sender Reply-To Message-Id)) . "\nbody\n"],
        ['folded headers with odd spacing',
            "Subject:  two   blanks \n\tand a tab\t\n        and eight\n"
            . "To:a\@example.com,\n b\@example.com,\n\n"
            . "body\n folded too\n"],
        ['a fold of blanks only', "Subject: a\n \t \n b\nTo:\n \n\nbody\n"],
        ['a fold at the beginning', " folded\nSubject: a\n\nbody\n"],
        ['blanks before the colon', "Subject : a\nTo\t: b\n\nbody\n"],
        ['an empty header name', ": a\nSubject: b\n\nbody\n"],
        ['a header without a colon',
            "Subject: a\nthis is no header\nTo: b\n\nbody\n"],
        ['a From line of mbox',
            "From a\@example.com Thu Jan  1 00:00:00 1970\nTo: b\n\n"
            . "From the body\n"],
        ['header names in odd case', "sUBJECT: a\nTO: b\ntO: c\n\nbody\n"],
        ['8-bit headers', "Subject: \xfc \xc3\xbc\nT\xf6: b\n\nbody\n"],
        ['a header line of 1,000 bytes',
            'Subject: ' . 'h' x 991 . "\n\nbody\n"],
        ['a header line of 1,000,000 bytes',
            'Subject: ' . 'h' x 999_991 . "\n\nbody\n"],
        ['printf directives', "Subject: %s%n%d\n\n%s%n%%%x\n"],
    );
}

sub _shapes {
    return (
        ['an empty message', ''],
        ['a line end alone', "\n"],
        ['three line ends', "\n\n\n"],
        ['one byte', 'a'],
        ['no header at all', "\nbody\n"],
        ['no blank line', "just one line\n"],
        ['no body', "Subject: a\n"],
        ['no body but its blank line', "Subject: a\n\n"],
        ['no final line end', "${HEADER}body"],
        ['no final line end in the header', 'Subject: a'],
        ['blank lines at the end', "${HEADER}body\n\n\n"],
        ['blanks at the ends of lines', "${HEADER}body \n\t\n \n"],
        ['a line of 998 bytes', $HEADER . 'x' x 998 . "\n"],
        ['a line of 1,000 bytes', $HEADER . 'x' x 1000 . "\n"],
        ['a line of 1,000,000 bytes', $HEADER . 'x' x 1_000_000 . "\n"],
        ['SMTP commands',
            "${HEADER}RSET\nMAIL FROM:<a\@b>\nDATA\nBDAT 0 LAST\nQUIT\n"],
    );
}

sub _dots {
    return (
        ['leading dots on every line', ".Subject: a\n.\n..\n...\n.body\n"],
        ['a dot alone', "${HEADER}.\n"],
        ['a dot and nothing else', '.'],
        ['a dot and its line end', ".\n"],
        ['a dot that ends the message', "${HEADER}body\n."],
        ['dots elsewhere', "a.\n .\nb.c\n"],
        ['a dot, then commands', "${HEADER}.\nQUIT\n.\n"],
        ['100,000 dots', ".\n" x 100_000],
    );
}

sub _octets {
    return (
        ['NUL', "Sub\0ject: a\0\n\n\0body\0\n\0\n"],
        ['NUL alone', "\0"],
        ['all 256 byte values', $HEADER . $ALL_BYTES],
        ['all 256 byte values in reverse', $HEADER . reverse $ALL_BYTES],
        ['a line of each byte value',
            $HEADER . join '', map { "$_\n" } split //, $ALL_BYTES],
        ['all pairs of byte values',
            $HEADER . join '', map {
                my $first = chr;
                map { $first . chr } 0 .. 255;
            } 0 .. 255],
        ['DEL, the last of 7 bits', "${HEADER}\x7f\n"],
        ['the first byte of 8 bits', "${HEADER}\x80\n"],
        ['8 bits in the last byte only', "${HEADER}body\xff"],
        ['8 bits beyond what is kept in memory',
            $HEADER . "body\n" x 60_000 . "\xff\n"],
    );
}

sub _carriage_returns {
    return (
        ['CRLF for every line end', "Subject: a\r\n\r\nbody\r\n"],
        ['CRLF and LF', "Subject: a\r\nTo: b\n\r\nbody\n"],
        ['CR before every byte', _joined("\r", "Subject: a\n\n.b\n.\n")],
        ['CR in the middle of lines', "Sub\rject: a\n\nbo\rdy\n"],
        ['CR at the beginnings of lines', "\rSubject: a\n\n\rbody\n\r.\n"],
        ['two CR at every line end', "Subject: a\r\r\n\r\r\nbody\r\r\n"],
        ['three CR at every line end', "a\r\r\r\nb\r\r\r\n"],
        ['CR for every line end', "Subject: a\r\rbody\r.\r"],
        ['CR and nothing else', "\r"],
        ['CRLF and nothing else', "\r\n"],
        ['a final CR', "${HEADER}body\r"],
        ['a final CR after a line end', "${HEADER}body\n\r"],
        ['CR and LF exchanged', "Subject: a\n\rbody\n\r.\n\r"],
        ['ends of a message that others might see',
            $HEADER . join 'QUIT', map { "$_->[0].$_->[1]" } map {
                my $before = $_;
                map { [$before, $_] } "\n", "\r", "\r\n", "\r\r\n", "\n\r";
            } "\n", "\r", "\r\n", "\r\r\n", "\n\r"],
        ['every six of CR, LF, dot and letter',
            join '', _combinations(6)],
    );
}

# Everything that needs two octets to be seen, apart in every way; and the end
# of what is kept in memory.
sub borders {
    my @rows;

    for my $row (['CRLF', "\r\n"], ['CR', "\r"], ['two CR', "\r\r"],
        ['two CR and LF', "\r\r\n"], ['a leading dot', "\n."],
        ['a dot alone', "\n.\n"]) {
        my ($what, $bytes) = @{$row};
        for my $before (1 .. length $bytes) {
            push @rows, ["$what of which a block has $before bytes",
                'x' x ($BLOCK - $before) . $bytes . "y\n"];
        }
    }
    return @rows,
        ['a block that ends the message', 'x' x ($BLOCK - 1) . "\n"],
        ['a block without a line end', 'x' x $BLOCK],
        ['all that is kept in memory', 'x' x ($MEMORY - 5) . "\n"],
        ['one byte more', 'x' x ($MEMORY - 4) . "\n"],
        ['dots that make it more', ".\n" x ($MEMORY / 4)],
        ['a line of twice of that', 'x' x (2 * $MEMORY)],
        ['a line end after that', 'x' x $MEMORY . "\n"],
        ['a message of several blocks', "Line\r\n.dot\r\n\xff" x 50_000];
}

sub _joined {
    my ($between, $text) = @_;

    return $between . join $between, split //, $text;
}

# All strings of $length of these.
sub _combinations {
    my ($length) = @_;
    my @strings = ('');

    for (1 .. $length) {
        @strings = map {
            my $string = $_;
            map { $string . $_ } "\r", "\n", '.', 'a';
        } @strings;
    }
    return @strings;
}

1;
