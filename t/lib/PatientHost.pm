# SPDX-License-Identifier: BSD-2-Clause
#
# A host that answers nothing before it has seen DATA: whoever waits for its
# reply to MAIL or RCPT waits for ever.  It has one client.
#
#   my $host = PatientHost->new;
#   deliver_to($host->destination);
#   ok $host->has_seen_all;

package PatientHost;

use strict;
use warnings;

use Fixture;

accessors(__PACKAGE__, qw(destination));

sub new {
    my ($class) = @_;
    my $listener = listen_on('127.0.0.1', 0);

    return bless {
        destination => '[127.0.0.1]:' . $listener->sockport,
        pid         => child(sub { _serve($listener) }),
    }, $class;
}

sub _serve {
    my ($listener) = @_;
    my $client = $listener->accept or die "accept: $!\n";
    my @commands;

    $client->autoflush(1);
    print {$client} "220 b.example\r\n";
    <$client>;
    print {$client} "250-b.example\r\n250 PIPELINING\r\n";
    while (my $line = <$client>) {
        push @commands, $line;
        last if $line =~ /^DATA/;
    }
    print {$client} "250 ok\r\n" x (@commands - 1), "354 go\r\n";
    while (my $line = <$client>) {
        last if $line eq ".\r\n";
    }
    print {$client} "250 2.0.0 taken\r\n";
    1 while <$client>;
    return;
}

sub has_seen_all {
    my ($self) = @_;

    return reap($self->{pid}, $Fixture::PATIENCE);
}

1;
