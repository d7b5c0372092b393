#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What arrives is what Postfix handed over, at every kind of host; and what
# MAIL says about it.

use strict;
use warnings;

use Digest::SHA ();
use FindBin ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Agent;
use Content;
use SmtpHost;

my $agent = Agent->new;

my $FROM = 'MAIL FROM:<sender@example.org>';
my $LARGE = "Subject: large\n\n" . "a line\n.\n\xff\r\0\n" x 50_000;

my @ALL = ('PIPELINING', '8BITMIME', 'SIZE 0', 'CHUNKING');
# What may lead a client astray.
my @DISTRACTIONS = ('XUSR', 'ETRN', 'STARTTLS', 'AUTH PLAIN LOGIN CRAM-MD5',
    'AUTH=LOGIN', 'XEXCH50', 'BINARYMIME', 'DSN', 'SMTPUTF8', 'DELIVERBY',
    'REQUIRETLS', 'ENHANCEDSTATUSCODES', 'VRFY', 'EXPN', 'HELP', '');

my @HOSTS = (
    ['one that knows HELO only', ehlo => '502 5.5.2 what?', keywords => []],
    ['one that offers nothing', keywords => []],
    (map { ["one that offers $_", keywords => [$_]] } @ALL),
    ['one that offers 8BITMIME and SIZE',
        keywords => ['8BITMIME', 'SIZE 99999999']],
    ['one that offers all these', keywords => \@ALL],
    ['one that spells them in small letters',
        keywords => [map { lc } reverse @ALL]],
    ['one that offers XUSR, ETRN, STARTTLS, AUTH and more',
        keywords => \@DISTRACTIONS],
    ['one that offers everything', keywords => [@DISTRACTIONS, @ALL]],
);

# Where a run takes a second, for valgrind, two kinds have to do.
@HOSTS = @HOSTS[0, -1] if defined $ENV{SMTPROUTE_WRAPPER};

# The slow part, done once for all hosts.
sub with_content {
    return map { [@{$_}, content_of($_->[1])] } @_;
}

my @CORPUS = with_content(corpus());

# The commands of a session that goes well.
sub commands {
    my ($content, %host) = @_;
    my @hello = ('EHLO agent.example', $host{ehlo} ? 'HELO agent.example' : (),
        # Which it then refuses, so that all goes on in clear text.
        (grep { $_ eq 'STARTTLS' } @{ $host{keywords} }));

    return [@hello, mail_line($content, @{ $host{keywords} }),
        'RCPT TO:<user@example.com>', 'DATA', 'QUIT'];
}

# What the newest connection of a host brought: its commands, the content.
sub brought {
    my ($host) = @_;
    my $connection = ($host->connections)[-1] // return ([], '');
    my @messages = $connection->messages;

    return ([$connection->commands], @messages ? $messages[-1]->wire : '');
}

# Sends $bytes to $host; it must arrive as $content.
sub arrives {
    my ($says, $host, $bytes, $content, %option) = @_;

    my $run = $agent->deliver(message => $bytes,
        nexthop => $host->destination);
    my ($commands, $wire) = brought($host);
    is_deeply [$run->status, $commands,
            difference($wire, wire_of($content))],
        [0, commands($content, %option), ''], $says;
    return;
}

for my $row (@HOSTS) {
    my ($says, %option) = @{$row};
    subtest "to $says" => sub {
        my $host = SmtpHost->new(%option);
        for my $message (@CORPUS) {
            my ($what, $bytes, $content) = @{$message};
            arrives($what, $host, $bytes, $content, %option);
        }
        is scalar(() = $host->messages), scalar(@CORPUS), 'each once';
    };
}

subtest 'sizes that matter when they are read' => sub {
    my $host = SmtpHost->new(keywords => \@ALL);

    for my $row (with_content(borders())) {
        my ($what, $bytes, $content) = @{$row};
        arrives($what, $host, $bytes, $content, keywords => \@ALL);
    }
};

subtest 'every message of up to three of CR, LF, dot and letter' => sub {
    my $host = SmtpHost->new(keywords => []);

    for my $letters (map { glob '{C,L,.,a}' x $_ } 1 .. 3) {
        my $bytes = $letters =~ tr/CL/\r\n/r;
        arrives($letters, $host, $bytes, content_of($bytes), keywords => []);
    }
};

subtest 'a message that comes byte by byte' => sub {
    my $host = SmtpHost->new(keywords => []);
    my $bytes = "Subject: a\n\n\r\r\n.\r\n\r.\n..\r";

    arrives('intact', $host, sub {
        syswrite $_[0], $_ for split //, $bytes;
    }, content_of($bytes), keywords => []);
};

subtest '100 MB' => sub {
    my $host = SmtpHost->new(digest => 1);
    my $piece = "$LARGE\n";
    my $content = content_of($piece);
    my $times = int(100e6 / length $content) + 1;
    my $size = $times * length $content;
    my $digest = Digest::SHA->new(256);

    $digest->add($content) for 1 .. $times;
    my $run = $agent->deliver(
        nexthop => $host->destination,
        message => sub {
            my ($pipe) = @_;
            print {$pipe} $piece for 1 .. $times;
        },
    );
    is $run->status, 0, 'delivered';
    my ($connection) = $host->connections;
    is(($connection->commands)[1], "$FROM SIZE=$size BODY=8BITMIME", 'MAIL');
    my ($message) = $connection->messages;
    is $message->size, $size, 'size';
    is $message->sha256, $digest->hexdigest, 'intact';
};

# Keyword, size of the message, what MAIL then says ('' is a size that the
# host's limit forbids).
my @LIMITS = (
    ['a limit far away', 'SIZE 1000000', 10, "$FROM SIZE=10"],
    ['a limit just met', 'SIZE 1000', 1000, "$FROM SIZE=1000"],
    ['a limit missed by a byte', 'SIZE 999', 1000, ''],
    ['a limit that a spooled message misses', 'SIZE 999', 300_001, ''],
    ['small letters', 'size 999', 1000, ''],
    ['a tab', "SIZE\t999", 1000, ''],
    ['more blanks', 'SIZE  999 ', 1000, ''],
    ['leading zeros', 'SIZE 0000000999', 1000, ''],
    ['0 is no limit', 'SIZE 0', 1000, "$FROM SIZE=1000"],
    ['no number is no limit', 'SIZE', 1000, "$FROM SIZE=1000"],
    ['a blank is no limit', 'SIZE ', 1000, "$FROM SIZE=1000"],
    ['the largest number', 'SIZE 18446744073709551615', 1000,
        "$FROM SIZE=1000"],
    ['one more than that', 'SIZE 18446744073709551616', 1000,
        "$FROM SIZE=1000"],
    ['a number that wraps to 1', 'SIZE 18446744073709551617', 1000,
        "$FROM SIZE=1000"],
    ['a number with too many digits', 'SIZE 99999999999999999999', 1000,
        "$FROM SIZE=1000"],
    ['a negative number', 'SIZE -1', 1000, "$FROM SIZE=1000"],
    ['a negative number that wraps to 1', 'SIZE -18446744073709551615', 1000,
        "$FROM SIZE=1000"],
    ['a sign', 'SIZE +5', 1000, "$FROM SIZE=1000"],
    ['a unit', 'SIZE 10M', 1000, "$FROM SIZE=1000"],
    ['a fraction', 'SIZE 1.5', 1000, "$FROM SIZE=1000"],
    ['two numbers', 'SIZE 5 5', 1000, "$FROM SIZE=1000"],
    ['a hexadecimal number', 'SIZE 0x10', 1000, "$FROM SIZE=1000"],
    ['a word', 'SIZE none', 1000, "$FROM SIZE=1000"],
    ['odd bytes', "SIZE \xff\x01%n", 1000, "$FROM SIZE=1000"],
    ['an equals sign makes another keyword', 'SIZE=5', 1000, $FROM],
    ['a longer word is another keyword', 'SIZES 5', 1000, $FROM],
);

for my $row (@LIMITS) {
    my ($says, $keyword, $size, $mail) = @{$row};
    subtest "SIZE: $says" => sub {
        my $host = SmtpHost->new(keywords => [$keyword]);
        my $other = SmtpHost->new;
        my $run = $agent->deliver(
            message => 'x' x ($size - 2) . "\n",
            nexthop => join(',', "$host->{destination}/pri=0",
                "$other->{destination}/pri=1"),
        );
        my ($connection) = $host->connections;
        my @commands = $connection->commands;
        is scalar(() = $other->connections), 0, 'no other host';
        if ($mail ne '') {
            is $run->status, 0, 'delivered';
            is $commands[1], $mail, 'MAIL';
        } else {
            is $run->status, 69, 'bounced';
            like $run->output, qr/^5\.3\.4 \S+: .*\b$size\b.*\b999\b.*\z/,
                'the line says why';
            is_deeply \@commands, ['EHLO agent.example', 'QUIT'],
                'nothing sent';
        }
    };
}

# A first host that has seen some of the message, or all, and defers.
my @DEFERRALS = (
    ['at DATA', data => '452 4.3.1 full'],
    ['before its end', content => {after => 10, reply => '452 4.3.1 full',
        then => 'silence'}],
    ['after the final dot', final => '452 4.3.1 full'],
);
my @DEFERRED = (
    ['a message in memory', "Subject: a\n\n.\n\xff\r\0\nno line end"],
    ['a spooled message', $LARGE],
);

for my $deferral (@DEFERRALS) {
    my ($when, @script) = @{$deferral};
    for my $row (with_content(@DEFERRED)) {
        my ($what, $bytes, $content) = @{$row};
        subtest "$what, deferred $when" => sub {
            my $first = SmtpHost->new(@script, keywords => ['8BITMIME']);
            my @offered = (keywords => ['PIPELINING', 'SIZE']);
            my $second = SmtpHost->new(@offered);
            my $run = $agent->deliver(
                message => $bytes,
                nexthop => join(',', "$first->{destination}/pri=0",
                    "$second->{destination}/pri=1"),
            );
            is $run->status, 0, 'delivered';
            my ($commands, $wire) = brought($first);
            is $commands->[1], mail_line($content, '8BITMIME'),
                "the first host's MAIL";
            is scalar(grep { $_->accepted } $first->messages), 0,
                'the first host has not accepted it';
            if ($when eq 'after the final dot') {
                is difference($wire, wire_of($content)), '',
                    'intact at the first host';
            }
            ($commands, $wire) = brought($second);
            is_deeply $commands, commands($content, @offered),
                "the second host's session";
            is difference($wire, wire_of($content)), '',
                'intact at the second host';
        };
    }
}

opendir my $folder, $agent->var or die $agent->var . ": $!\n";
is_deeply [sort grep { !/^\.\.?$/ } readdir $folder], [qw(log state)],
    'no spool file is left behind';

done_testing;
