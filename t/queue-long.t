#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# smtproutectl queue with stand-ins for Postfix's commands: long queues, hostile
# ones, and commands that fail.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use Test::More;

use Agent ();
use Ctl ();
use Fixture;

my $agent = Agent->new(routes => <<'END');
example.com    [mx1.example.com], [mx2.example.com]
.ours.example  [192.0.2.1], [2001:db8::1]
broken.example [192.0.2.1
END
my $conf = $agent->conf;
my $folder = new_folder('standin');
my $json = JSON::PP->new->canonical;

# A program of that name, first in $PATH.
sub stand_in {
    my ($name, $text) = @_;

    write_file("$folder/$name", "#!/bin/sh\n$text");
    chmod 0755, "$folder/$name" or die "$folder/$name: $!\n";
    return;
}

stand_in('postconf', <<"END");
case \$* in
*-F*)
    echo 'smtproute/unix/service = smtproute'
    echo 'smtproute/unix/command = pipe user=nobody argv=/x/smtproute -c $conf'
    echo 'other/unix/service = other'
    echo 'other/unix/command = pipe user=nobody argv=/x/smtproute -c /other'
    ;;
*transport_maps) echo 'texthash:/own, regexp:/whole, texthash:/routes' ;;
*default_transport) echo smtp ;;
*relay_transport) echo "\${STANDIN_RELAY-relay}" ;;
esac
END
stand_in('postmap', <<"END");
test -z "\$STANDIN_LAME" || { echo 'postmap: fatal: no such table' >&2; exit 1; }
cat >$folder/keys
case \$3 in
*/own)
    sed -n 's/^inline\\.example\$/&\tsmtproute:[MX9.example.com]:26/p
        s/^named\\.example\$/&\tsmtproute:example.com/p
        s/^other\\.example\$/&\tother:/p
        s/^away\\.ours\\.example\$/&\tsmtp:/p' $folder/keys
    ;;
*/whole) grep -v -e @ -e '^\\*' $folder/keys >>$folder/partial || : ;;
*) sed -n 's/^example\\.com\$/&\tsmtproute:/p; s/^\\.ours\\.example\$/&\tsmtproute:/p
    s/^broken\\.example\$/&\tsmtproute:/p' $folder/keys ;;
esac
END
stand_in('postqueue', <<"END");
case \$1 in
-j) cat $folder/queue; echo "\$STANDIN_WORDS" >&2; exit \${STANDIN_STATUS:-0} ;;
-i) echo "\$2" >>$folder/tried; test "\$2" != "\$STANDIN_BAD" || {
    echo "postqueue: fatal: no such thing" >&2; exit 1; } ;;
esac
END

sub queue {
    my ($environment, @arguments) = @_;

    return Ctl->run(
        conf        => $conf,
        arguments   => ['queue', @arguments],
        environment => {PATH => "$folder:/usr/bin:/bin", %{$environment}},
    );
}

# A line of postqueue -j.
sub message {
    my ($id, $place, $arrival, %reasons) = @_;

    return $json->encode({
        queue_name    => $place,
        queue_id      => $id,
        arrival_time  => $arrival,
        message_size  => 1000,
        forced_expire => JSON::PP::false,
        sender        => 'sender@example.org',
        recipients    => [map { {address => $_, defined $reasons{$_}
            ? (delay_reason => $reasons{$_}) : ()} } sort keys %reasons],
    }) . "\n";
}

sub document {
    my ($environment, @arguments) = @_;
    my $run = queue($environment, '--json', @arguments);

    is $run->status, 0, 'exit status' or diag $run->stderr;
    return (JSON::PP->new->ascii->decode($run->stdout), $run->stderr);
}

my $MX1 = 'mx1.example.com[192.0.2.10]:25: connect: Connection refused';

subtest 'a long queue' => sub {
    my $now = time;
    open my $queue, '>', "$folder/queue" or die "queue: $!\n";
    for my $i (1 .. 20_000) {
        my $domain = 'd' . $i % 500 . '.ours.example';
        print {$queue} message("A$i", $i % 10 ? 'deferred' : 'active',
            $now - $i, $i % 4 ? ("u$i\@$domain" => $i % 10
                ? "192.0.2.1[192.0.2.1]:25: 452 4.3.1 full; [2001:db8::1]:25: "
                    . "down, next try in $i s" : undef)
                : ("u$i\@example.org" => 'connect to example.org: refused'));
    }
    close $queue or die "queue: $!\n";
    my ($document, $said) = document({});
    is $said, "\n" x ($said =~ tr/\n//), 'no complaint';
    is_deeply [@{$document}{qw(messages deferred active others left_out)}],
        [15_000, 14_000, 1_000, 5_000, 0], 'sums';
    is scalar @{ $document->{routes} }, 1, 'one route';
    my %host = map { $_->{host} // 'none' => $_ }
        @{ $document->{routes}[0]{hosts} };
    is_deeply {map { $_ => $host{$_}{messages} } keys %host},
        {'192.0.2.1:25' => 14_000, '[2001:db8::1]:25' => 14_000,
        none => 1_000}, 'hosts';
    is_deeply [map { $_->{reason} } map { @{ $_->{reasons} } }
        @host{'192.0.2.1:25', '[2001:db8::1]:25', 'none'}],
        ['452 4.3.1 full', 'down', 'not tried yet'], 'reasons';
    cmp_ok abs($document->{age} - 19_999), '<', 1_000, 'the age of the oldest';
    my $run = queue({}, '--check', '-w', '100', '-c', '20000,10h');
    is $run->status, 1, '--check';
    like $run->stdout, qr/\ASMTPROUTE QUEUE WARNING - 15000 messages wait, the oldest for 6 h: 15000 for \.ours\.example\|messages=15000;100;20000;0 oldest=\d+s;3600;36000;0 deferred=14000;;;0 active=1000;;;0 held=0;;;0\n\z/,
        'its line';
    is queue({}, '--check', '-w', '20000,10h', '-c', '20000,10h')->status, 0,
        'below the limits';
    is queue({}, '--check', '--warning=20000,2d', '--critical=20000,2d')
        ->status, 0, 'days';
    is queue({}, '--check', '-w', '20000,1h', '-c', '20000,2h')->status, 2,
        'age alone';
    is queue({}, '--check', '-w', '10', '-c', '10', 'example.com')->status, 0,
        'a route without any';
};

subtest 'where the mail goes' => sub {
    write_file("$folder/queue", join '',
        message('B1', 'deferred', 1, 'a@inline.example' => $MX1,
            'b@named.example' => $MX1, 'c@other.example' => $MX1),
        message('B2', 'deferred', 2, 'd@away.ours.example' => $MX1,
            'e@x.ours.example' => $MX1, 'f@ours.example' => $MX1),
        message('B3', 'deferred', 3, 'g@broken.example' => $MX1,
            'root' => $MX1, 'h@[192.0.2.1]' => $MX1, 'i@-x..' => $MX1));
    my ($document) = document({});
    is_deeply [sort map { "$_->{route} $_->{recipients}" }
        @{ $document->{routes} }],
        ['.ours.example 1', '[mx9.example.com]:26 1', 'example.com 1',
            'route at fault 1'], 'routes';
    is $document->{others}, 3, 'messages with recipients that are not ours';
    ok !-s "$folder/partial", 'no part of an address for a table of patterns';
    ($document) = document({STANDIN_RELAY => 'smtproute'});
    is_deeply [map { $_->{recipients} } grep { $_->{route} eq 'no route' }
        @{ $document->{routes} }], [4], 'relay_transport';

    ($document, my $said) = document({STANDIN_LAME => 1});
    is_deeply [sort map { "$_->{route} $_->{recipients}" }
        @{ $document->{routes} }],
        ['.ours.example 2', 'route at fault 1'], 'by the map alone';
    like $said, qr/^smtproutectl: warning: cannot tell which mail is ours: postmap: fatal: no such table; all that has a route is shown$/m,
        'it says so';
    my $none = Agent->new(routes => "example.com [192.0.2.1]\n");
    like(Ctl->run(conf => $none->conf, arguments => ['queue'],
        environment => {PATH => "$folder:/usr/bin:/bin"})->stderr,
        qr/^smtproutectl: warning: .*: master.cf: no service runs smtproute with the settings in /m,
        'other settings');
};

subtest 'what a reason names' => sub {
    my %rows = (
        'all hosts of the route are drained' =>
            [undef, 'all hosts of the route are drained'],
        'all hosts of the route are down: a.example:25: connect: No route to '
            . 'host; [2001:db8::1]:26: greeting: 421 no; next try in 7 s' =>
            ['a.example:25', 'connect: No route to host',
                '[2001:db8::1]:26', 'greeting: 421 no'],
        '2001:db8::1[2001:db8::1]:25: at its rate, free in 5 s' =>
            ['[2001:db8::1]:25', 'at its rate'],
        'host x[private/smtproute-lmtp] said: 451 4.4.1 a.example:25: '
            . '450 b; c (in reply to end of DATA command)' =>
            ['a.example:25', '450 b; c'],
        'a.example:25: down, being probed; no other host was tried, since' =>
            ['a.example:25', 'down'],
        'a.example:0: x' => [undef, 'a.example:0: x'],
        ':25: x; b.example:25: y' => [undef, ':25: x', 'b.example:25', 'y'],
        '' => [undef, 'not tried yet'],
        'a.example:25: ' . 'x' x 5000 =>
            ['a.example:25', 'x' x 297 . '...'],
    );

    for my $reason (sort keys %rows) {
        write_file("$folder/queue", message('C1', 'deferred', 1,
            'a@example.com' => $reason));
        my ($document) = document({});
        my %wanted = map { $rows{$reason}[2 * $_] // '' =>
            $rows{$reason}[2 * $_ + 1] } 0 .. @{ $rows{$reason} } / 2 - 1;
        is_deeply {map { $_->{host} // '' => $_->{reasons}[0]{reason} }
            @{ $document->{routes}[0]{hosts} }}, \%wanted,
            substr $reason, 0, 60;
    }
};

subtest 'a hostile queue' => sub {
    write_file("$folder/queue", join '',
        message('D1', 'deferred', 1, "a\@example.com" =>
            "mx.example:25: 450 \e[31m\x{0}no\x{7f} |x=1"),
        "{\"queue_id\":\"D2\"\n", "[]\n", "null\n", "\n",
        '{"queue_name":"deferred","queue_id":"-x","arrival_time":1,"recipients":[]}' . "\n",
        '{"queue_name":7,"queue_id":"D3","recipients":{}}' . "\n",
        '{"queue_name":"deferred","queue_id":"D4","arrival_time":1e99,"recipients":[7,{"address":"' . "\xff" . '@example.com","delay_reason":["x"]}]}' . "\n",
        '{"queue_name":"deferred","queue_id":"D5","queue_id":"D6","recipients":[]}' . "\n",
        '{"x":"' . 'x' x (9 * 1024 * 1024) . "\"}\n",
        '[' x 100_000 . "\n",
        message('D7', 'deferred', 99_999_999_999, 'b@example.com' => 'x'));
    my ($document, $said) = document({});
    is $document->{unread}, 9, 'lines that are no message';
    like $said, qr/^smtproutectl: warning: postqueue -j: 9 lines are no messages, or too long$/m,
        'it says so';
    is $document->{messages}, 3, 'the others';
    my $text = queue({})->stdout;
    unlike $text, qr/[^\n -~]/, 'nothing but printable text';
    unlike queue({}, '--check')->stdout, qr/\|.*\|/, 'one bar in --check';
};

subtest 'more hosts than are counted' => sub {
    open my $queue, '>', "$folder/queue" or die "queue: $!\n";
    for my $i (1 .. 1_000) {
        print {$queue} message("E$i", 'deferred', 1, 'a@example.com' =>
            join '; ', map { "h$i-$_.example:25: 450 no" } 1 .. 60);
    }
    close $queue or die "queue: $!\n";
    my ($document) = document({});
    my $route = $document->{routes}[0];
    is $route->{messages}, 1_000, 'all messages count';
    cmp_ok scalar @{ $route->{hosts} }, '<', 50_000, 'hosts have a limit';
    ok $route->{left_out} > 0, 'which is said';
};

subtest 'commands that fail' => sub {
    write_file("$folder/queue", message('F1', 'deferred', 1,
        'a@example.com' => $MX1));
    my %lame = (STANDIN_STATUS => 69,
        STANDIN_WORDS => 'postqueue: fatal: mail system is down');
    for my $form ([], ['--json'], ['--flush']) {
        my $run = queue(\%lame, @{$form});
        is $run->status, 2, "exit status of queue @{$form}";
        is $run->stdout, '', 'no answer';
        like $run->stderr,
            qr/^smtproutectl: postqueue: fatal: mail system is down$/m,
            'in its words';
    }
    my $run = queue(\%lame, '--check');
    is $run->status, 3, '--check: unknown';
    is queue({PATH => $folder . '/no'})->status, 2, 'no Postfix'
        if !-x '/usr/sbin/postqueue';
};

subtest '--flush' => sub {
    write_file("$folder/queue", join '',
        (map { message("G$_", 'deferred', 1, 'a@example.com' => $MX1) }
            1 .. 300),
        message('H1', 'active', 1, 'a@example.com' => undef),
        message('H2', 'hold', 1, 'a@example.com' => undef),
        message('H3', 'deferred', 1, 'a@x.ours.example' => 'x',
            'a@elsewhere.example' => 'y'),
        message('H4', 'deferred', 1, 'a@elsewhere.example' => $MX1));
    unlink "$folder/tried";
    my $run = queue({}, '--flush', 'mx1.example.com');
    is $run->status, 0, 'exit status' or diag $run->stderr;
    is $run->stdout, "300 messages are tried now\n", 'it says so';
    is_deeply [sort split /\n/, read_file("$folder/tried")],
        [sort map { "G$_" } 1 .. 300], 'each once';
    unlink "$folder/tried";
    is queue({}, '--flush', '.ours.example')->stdout,
        "1 message is tried now\n", 'a route';
    is read_file("$folder/tried"), "H3\n", 'its message';
    is queue({}, '--flush', 'no.example')->stdout,
        "0 messages are tried now\n", 'none';
    $run = queue({STANDIN_BAD => 'G7'}, '--flush');
    is $run->status, 2, 'one fails: exit status';
    like $run->stderr, qr/^smtproutectl: postqueue: fatal: no such thing$/m,
        'in its words';
};

subtest 'usage' => sub {
    for my $arguments (['--json', '--check'], ['--flush', '--json'],
        ['-w', '1'], ['--check', '-w', 'x'], ['--check', '-c', '1,'],
        ['--check', '-w', '0'], ['--check', '-w', '1,0d'],
        ['--check', '-w', '1,101d'], ['--what']) {
        my $run = queue({}, @{$arguments});
        is $run->status, 2, "@{$arguments}: exit status";
        like $run->stderr, qr/^smtproutectl: usage: smtproutectl \[-c conf\] queue /m,
            'usage';
    }
};

done_testing;
