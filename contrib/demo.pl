#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What contrib/demo shows: a host that defers, the next host that takes the
# message; then all hosts deferring, and the message in Postfix's queue; then,
# over LMTP, a message for three recipients, each with a fate of its own.

use strict;
use warnings;

use Agent;
use Fixture;
use PostfixInstance;
use SmtpHost;

$| = 1;
$SIG{PIPE} = sub { exit 1 };

my $BUSY = '452 4.3.1 Insufficient system resources';

# What a line of the log says, by what it looks like.
my @MEANINGS = (
    [qr/smtpd.*: client=/, 'Postfix takes a message in.'],
    [qr/cleanup.*message-id=/, 'Postfix has stored it in its queue ...'],
    [qr/qmgr.*nrcpt=3/,
        '... and hands it to lmtp(8), which talks to smtproute.'],
    [qr/qmgr.*from=/,
        '... and hands it to pipe(8), which starts smtproute for it.'],
    [qr/: New SMTP DCID/,
        'smtproute has connected to a host; DCID is its running number.'],
    [qr/: Bounced: DCID/,
        'It has refused this recipient for good: no other host is asked.'],
    [qr/: Delayed: .* in reply to RCPT TO/,
        'It does not take it for this recipient now: the next host is asked,'
            . "\nfor this recipient alone."],
    [qr/: Delayed: DCID/,
        'This host answered MAIL FROM with a 4xx: smtproute goes on to the'
            . " next one,\nif there is one.  The ESA logged it in these words."],
    [qr/: host \S+ is down until/,
        "4.3.x concerns all mail: until then no message is tried there,\n"
            . 'whichever process delivers it.'],
    [qr/: Delivered: DCID/,
        'This host has taken the message; this is its reply.'],
    [qr/lmtp.*status=sent/,
        'Each recipient has a reply of its own: this one has the message.'],
    [qr/lmtp.*status=bounced/,
        'For this one it comes back to the sender.'],
    [qr/lmtp.*status=deferred/,
        'For this one, and no other, it stays in the queue.  In parentheses:'
            . "\nboth hosts, and what they said."],
    [qr/: sender non-delivery/, 'The notice for the sender.'],
    [qr/status=sent/,
        'smtproute exited with 0: Postfix is done with the message.  The host'
            . "\nthat took it stands in parentheses."],
    [qr/status=deferred/,
        'No host took it, so smtproute exited with 75: the message stays in'
            . "\nthe queue.  In parentheses: each host, and what it said."],
    [qr/qmgr.*: removed/, 'It leaves the queue.'],
);

sub heading {
    my ($text) = @_;

    print "\n== $text\n\n";
    return;
}

# Indented, without the temporary folders that files are in.
sub quote {
    my ($text) = @_;

    $text =~ s{/\S+/}{.../}g;
    print $text =~ s/^(?=.)/  /mgr;
    return;
}

sub send_message {
    my ($postfix, $subject) = @_;

    my $id = $postfix->inject(message => "Subject: $subject\n\nHello.\n");
    print "Postfix calls the message $id.\n";
    return $id;
}

# Lines without time and host.
sub explain {
    my ($postfix, @ids) = @_;
    my $ids = join '|', @ids;

    for my $line (split /\n/, $postfix->maillog) {
        next if $line !~ / (postfix\/\S+: (?:$ids): .*)/;
        my ($text, $meaning) = ($1, '');
        for my $row (@MEANINGS) {
            next if $text !~ $row->[0];
            $meaning = $row->[1];
            last;
        }
        print "$text\n";
        print $meaning =~ s/^/      /mgr, "\n" if $meaning ne '';
    }
    return;
}

# One log for both, as syslog would be.
sub share_log {
    my ($postfix, $agent) = @_;
    my $maillog = $postfix->folder . '/maillog';

    write_file($maillog, '');
    chmod 0666, $maillog or die "$maillog: $!\n";
    $agent->configure(settings => {log => "file:$maillog"});
    return;
}

# What Postfix has in main.cf and master.cf for it.
sub quote_setup {
    my ($postfix, $parameters, $service) = @_;
    my $master = read_file($postfix->folder . '/master.cf');

    quote(join '', grep { /^(?:$parameters|transport_maps)/ }
        map { "$_\n" } split /\n/, read_file($postfix->folder . '/main.cf'));
    quote($master =~ /^($service .*\n(?: .*\n)*)/m);
    return;
}

my $why = PostfixInstance->missing;
die "$why\n" if defined $why;

my $first = SmtpHost->new(address => '127.0.0.1', mail => $BUSY);
my $second = SmtpHost->new(address => '127.0.0.2',
    per_connection => [{}, {mail => $BUSY}]);
my $agent = Agent->new(user => 'nobody',
    routes => 'example.com  ' . $first->destination . '/pri=0, '
        . $second->destination . "/pri=10\n");
my $postfix = PostfixInstance->new(agent => $agent, stopped => 1);

share_log($postfix, $agent);

heading('The route: two hosts, the second one for when the first fails');
quote(read_file($agent->routes));
heading('What Postfix has in main.cf and master.cf for it');
quote_setup($postfix, 'smtproute_', 'smtproute');
$postfix->start;

heading("A message to user\@example.com; the first host says $BUSY");
my $one = send_message($postfix, 'first');
$postfix->wait_for(qr/ $one: .*status=sent/);
$postfix->wait_for(qr/ $one: removed/);
printf "The first host, %s, has taken %d messages, the second, %s, %d.\n",
    $first->destination, scalar($first->messages),
    $second->destination, scalar($second->messages);

heading('A second message; the first host is passed over, the second is full');
my $two = send_message($postfix, 'second');
$postfix->wait_for(qr/ $two: .*status=deferred/);
print "It waits in Postfix's queue, which tries again later:\n\n";
my (undef, $queue) = $postfix->command('postqueue', '-p');
quote($queue);

heading('What smtproutectl hosts shows');
quote(scalar qx{$ENV{top_builddir}/src/smtproutectl -c \Q@{[$agent->conf]}\E hosts});

heading('The maillog, without times');
explain($postfix, $one, $two);
$postfix->stop;

# Two hosts: what the first one says to RCPT, and a second one that is busy.
my $third = SmtpHost->new(address => '127.0.0.1', rcpt => sub {
    return '550 5.1.1 no such user' if $_[0] =~ /unknown/;
    return '450 4.2.1 mailbox busy' if $_[0] =~ /busy/;
    return undef;
});
my $fourth = SmtpHost->new(address => '127.0.0.2',
    rcpt => '450 4.2.1 mailbox busy');
my $lmtp_agent = Agent->new(user => 'nobody',
    routes => 'example.com  ' . $third->destination . '/pri=0, '
        . $fourth->destination . "/pri=10\n");
my $lmtp = PostfixInstance->new(agent => $lmtp_agent, lmtp => 1,
    stopped => 1);
share_log($lmtp, $lmtp_agent);

heading('The same over LMTP: one smtproute for many messages');
quote_setup($lmtp, 'smtproute-|lmtp_', 'smtproute-lmtp');
$lmtp->start;

heading('One message to three users: one is there, one unknown, one busy');
my $three = $lmtp->inject(message => "Subject: third\n\nHello.\n",
    recipients => [map { "$_\@example.com" } qw(user unknown busy)]);
print "Postfix calls the message $three.\n";
$lmtp->wait_for(qr/ $three: to=<.*status=/, 3);
$lmtp->wait_for(qr/ $three: sender non-delivery notification: /);
my ($waiting) = grep { $_->{queue_id} eq $three } $lmtp->queue;
printf "The first host has taken %d message, for %s.\n",
    scalar($third->messages), join ', ', map { $_->recipients } $third->messages;
printf "It waits in the queue for %s alone.\n",
    join ', ', map { $_->{address} } @{ $waiting->{recipients} };

heading('The maillog, without times');
explain($lmtp, $three);
$lmtp->stop;
