#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# smtproutectl check: a map that Postfix has not read yet, and routes for
# domains that it delivers itself, or does not accept.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Agent;
use Checked;
use Ctl;
use Fixture;
use PostfixInstance;

# At an address that no route leads to.
my $SMTPD = ['pickup ', "192.0.2.9:smtp inet n - n - - smtpd\npickup "];
my $DENIED = "for which there are routes: others than mynetworks get 'Relay access denied'; expected them there, unless only mynetworks send to them";

# What check says of @change to a configuration with smtpd(8).
sub says {
    my ($says, $change, @lines) = @_;
    my $dir = configuration(master => $SMTPD, %{$change});

    finds($says, check($dir), $dir, @lines);
    return;
}

subtest 'domains that Postfix delivers itself' => sub {
    my $gw = 'gw1.example.com';
    my @mine = (main => ['mydestination =', "mydestination = \$myhostname, localhost"]);

    says('the default route takes their mail', {@mine},
        map { "main.cf: mydestination: warning: has $_, whose mail goes along the route '*'; expected '$_ local:' in a table before it in transport_maps, if Postfix is to deliver it" }
            $gw, 'localhost');
    says('so does a route for subdomains',
        {@mine, routes => ".example.com [127.0.0.1]\n"},
        "main.cf: mydestination: warning: has $gw, whose mail goes along the route '.example.com'; expected '$gw local:' in a table before it in transport_maps, if Postfix is to deliver it");
    says('a domain in both',
        {@mine, routes => "example.com [127.0.0.1]\n$gw [127.0.0.1]\n"},
        "main.cf: mydestination: warning: has $gw, and the route map too, which takes its mail away; expected one of the two");
    says('no route of theirs', {@mine, routes => "example.com [127.0.0.1]\n"});
    says('virtual domains', {main => ['mydestination =',
            "mydestination =\nvirtual_mailbox_domains = example.org"]},
        "main.cf: virtual_mailbox_domains: warning: has example.org, whose mail goes along the route '*'; expected 'example.org virtual:' in a table before it in transport_maps, if Postfix is to deliver it");

    my $dir = configuration(@mine, master => $SMTPD);
    write_file("$dir/main.cf", read_file("$dir/main.cf")
        =~ s/^(transport_maps =)/$1 inline:{gw1.example.com=local:, localhost=local:},/mr);
    finds('entries before it', check($dir), $dir);
};

# postmap(1) reads all of a text each time: one run a table.
subtest 'tables are asked once' => sub {
    my $dir = configuration(routes => "example.org [127.0.0.1]\n",
        main => ['mydestination =', 'mydestination = a.example.com, b.example.com, c.example.org'],
        master => $SMTPD);
    my $bin = new_folder('bin');
    my ($postmap) = grep { -x } map { "$_/postmap" } qw(/usr/sbin /usr/bin);

    write_file("$bin/postmap", "#! /bin/sh\necho \"\$*\" >>$bin/asked\nexec $postmap \"\$@\"\n");
    chmod 0755, "$bin/postmap" or die "chmod: $!\n";
    check($dir, environment => {PATH => "$bin:/usr/bin:/bin"});
    my @asked = map { s/^-q \S+ //r } split /\n/, read_file("$bin/asked");
    ok @asked > 0, 'the tables are asked';
    is scalar(@asked), scalar(keys %{{map { ($_ => 1) } @asked}}), 'each once'
        or diag join "\n", @asked;
};

subtest 'domains that Postfix does not accept' => sub {
    my $relay = ['example.com, example.net', 'example.net'];

    says('in no list', {main => $relay},
        "main.cf: relay_domains: warning: has not example.com, $DENIED");
    says('a parent is', {routes => "mail.example.com [127.0.0.1]\n.example.net [127.0.0.1]\n"});
    says('a name that only ends like it', {routes => "anexample.com [127.0.0.1]\n"},
        "main.cf: relay_domains: warning: has not anexample.com, $DENIED");
    says('many', {routes => join '', map { "d$_.example.org [127.0.0.1]\n" } 1 .. 8},
        "main.cf: relay_domains: warning: has not d1.example.org, d2.example.org, d3.example.org, d4.example.org, d5.example.org and 3 more, $DENIED");
    says('in another list', {main => ['relay_domains',
            "virtual_alias_domains = example.org\nrelay_domains"],
        routes => "example.org [127.0.0.1]\n"});
    says('others\' own', {routes => "example.org USEDNS\nexample.edu /dev/null\ncluster [127.0.0.1]\n[192.0.2.1] [127.0.0.1]\n"});
    for my $row (['example.com ok', ''], ['example.net ok', "has not example.com"]) {
        my ($entry, $said) = @{$row};
        my $dir = configuration(master => $SMTPD, main => ['example.com, example.net', 'texthash:DIR/relay']);
        write_file("$dir/relay", "$entry\n");
        finds("a table with $entry", check($dir), $dir,
            $said ? "main.cf: relay_domains: warning: $said, $DENIED" : ());
    }
    my $dir = configuration(main => $relay);
    finds('no smtpd', check($dir), $dir);
};

# What a first set-up has wrong, all at once: each with its remedy.
subtest 'everything at once, and nothing' => sub {
    my $dir = configuration(
        master => $SMTPD,
        main   => ['mydestination =', 'mydestination = example.com, localhost'],
        routes => "\xef\xbb\xbf  # indented\n  [127.0.0.9]\nexample.com [127.0.0.1]\n"
            . "example.org [127.0.0.1]:465\n* [127.0.0.1]:587/tls=wrapper\n");
    my @said = said(check($dir));

    for my $remedy ("routes:1:1: warning: .*; expected none: sed -i '1s/\\^\\.\\.\\.//' $dir/routes",
        'routes:2:1: warning: .*; expected the key in the first column',
        'routes:4:13: warning: port 465 .*; expected tls=wrapper',
        'routes:5:3: warning: tls=wrapper at port 587, .*; expected port 465, or tls=secure',
        'mydestination: warning: has example\.com, .*; expected one of the two',
        "mydestination: warning: has localhost, .*; expected 'localhost local:' in a table before it .*",
        'relay_domains: warning: has not example\.org, .*; expected them there, .*') {
        is scalar(grep { /\b$remedy$/ } @said), 1, $remedy;
    }
    is scalar(@said), 8, 'and no more but the sum';
    $dir = configuration(master => $SMTPD);
    is_deeply [said(check($dir))], ['no faults found: 2 routes, 2 hosts'],
        'a good one has nothing';
};

subtest 'an index that is not made anew' => sub {
    for my $type (qw(hash btree cdb lmdb)) {
        my $suffix = {lmdb => 'lmdb', cdb => 'cdb'}->{$type} // 'db';
        my $dir = configuration(main => ['texthash:', "$type:"]);
        local $ENV{MAIL_CONFIG} = $dir;
        my ($status) = capture('postmap', "$type:$dir/routes");
        if ($status != 0) {
            note "Postfix has no $type";
            next;
        }
        finds("$type, made", check($dir), $dir);
        utime time + 10, time + 10, "$dir/routes" or die "utime: $!\n";
        finds("$type, older", check($dir), $dir,
            "DIR/routes.$suffix: warning: is older than DIR/routes; expected postmap $type:DIR/routes, without which the change is not in effect");
        unlink "$dir/routes.$suffix" or die "unlink: $!\n";
        my ($first) = grep { m{/routes\.} } check($dir)->lines;
        is $first, "$dir/routes.$suffix: is not there; expected postmap $type:$dir/routes to make it",
            "$type, none";
    }
};

subtest 'a table that Postfix has read before' => sub {
    skip_or_fail(PostfixInstance->missing);
    my $agent = Agent->new(user => 'nobody', routes => "example.com [127.0.0.1]:9\n");
    my $postfix = PostfixInstance->new(agent => $agent);
    my $stale = qr/^\Q${\ $agent->routes}\E: warning: changed since Postfix's trivial-rewrite has read it, so that keys which came or went are not yet in effect; expected postfix reload$/m;
    my $told = sub {
        return Ctl->run(conf => $agent->conf, arguments => ['check'],
            environment => {MAIL_CONFIG => $postfix->folder})->stdout;
    };

    unlike $told->(), $stale, 'not read yet';
    $postfix->inject(recipients => ['user@example.com']);
    unlike $told->(), $stale, 'read';
    # Not as old as write_file() makes it, for postconf(1).
    write_file($agent->routes, read_file($agent->routes) . "example.net [127.0.0.1]:9\n");
    utime undef, undef, $agent->routes or die "utime: $!\n";
    like $told->(), $stale, 'changed';
    $postfix->reload;
    wait_until('trivial-rewrite to end', sub { $told->() !~ $stale });
    $postfix->inject(recipients => ['user@example.net']);
    unlike $told->(), $stale, 'read again';
};

done_testing;
