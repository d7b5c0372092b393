#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# smtproutectl edit: the map is the old one or the new one, whatever happens.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Cwd qw(abs_path);
use IO::Handle ();
use POSIX ();
use Test::More;

use Agent ();
use Ctl ();
use Fixture;
use PostfixInstance ();

my $OLD = "example.com  [127.0.0.1]:25\n";
my $NEW = "example.com  [127.0.0.1]:26\n";
my $BAD = "example.com  [127.0.0.1]:x\n";

# An editor that does as a shell script says, with the draft as its $1.
sub editor {
    my ($script) = @_;
    my $path = new_folder('editor') . '/editor';

    write_file($path, "#!/bin/sh\n$script\n");
    chmod 0755, $path or die "$path: $!\n";
    return $path;
}

# One that leaves this text.
sub types {
    my ($text) = @_;
    my $path = new_folder('text') . '/text';

    write_file($path, $text);
    return editor("cat '$path' >\"\$1\"");
}

sub edit {
    my ($agent, $editor, %option) = @_;
    my $environment = delete $option{environment} // {};

    return Ctl->run(conf => $agent->conf, arguments => ['edit'],
        environment => {VISUAL => $editor, TMPDIR => $ENV{TMPDIR} // '/tmp',
            MAIL_CONFIG => '/nonexistent', %{$environment}}, %option);
}

# What is beside the map, but for what Agent has there.
sub beside {
    my ($agent) = @_;
    my @names = map { s{.*/}{}r } glob $agent->folder . '/{*,.*}';

    return grep { !/^(?:\.|\.\.|reports|routes|smtproute\.conf|var)$/ } @names;
}

sub is_kept {
    my ($agent, $run, $name) = @_;

    is $run->status, 2, "$name: exit status";
    is read_file($agent->routes), $OLD, "$name: the map is as it was";
    is_deeply [beside($agent)], [], "$name: nothing is beside it";
    return;
}

# Where a text that was not installed is kept.
sub draft {
    my ($run) = @_;

    return $run->stderr =~ /your text is in (\S+)/ ? $1 : '';
}

# It is not the test's own folder.
sub forget_draft {
    my ($run) = @_;
    my $path = draft($run);

    unlink $path or die "$path: $!\n";
    rmdir $path =~ s{/[^/]+$}{}r or die "$path: $!\n";
    return;
}

subtest 'a new text' => sub {
    my $agent = Agent->new(routes => $OLD);
    my ($uid, $gid) = $> == 0 ? (getpwnam 'nobody')[2, 3] : ($>, $) + 0);

    chmod 0640, $agent->routes or die $!;
    chown $uid, $gid, $agent->routes or die $!;
    my $run = edit($agent, types($NEW));
    is $run->status, 0, 'exit status';
    is $run->stdout, $agent->routes . ": installed\n", 'says so';
    is $run->stderr, '', 'and nothing else';
    is read_file($agent->routes), $NEW, 'the map';
    my @st = stat $agent->routes;
    is sprintf('%04o %d %d', $st[2] & 07777, @st[4, 5]), "0640 $uid $gid",
        'mode and owner';
    is_deeply [beside($agent)], [], 'nothing is beside it';
};

subtest 'no change' => sub {
    my $agent = Agent->new(routes => $OLD);
    my $before = join ' ', (stat $agent->routes)[0 .. 7, 9, 10];
    my $run = edit($agent, 'true');

    is $run->status, 0, 'exit status';
    is $run->stdout, $agent->routes . ": no change\n", 'says so';
    is join(' ', (stat $agent->routes)[0 .. 7, 9, 10]), $before,
        'the file is the same';
};

subtest 'an editor with arguments, and which one' => sub {
    my $agent = Agent->new(routes => $OLD);
    my $run = edit($agent, q{sed -i -e 's/:25 *$/:26/'});

    is read_file($agent->routes), $NEW, 'arguments';
    $run = edit($agent, types($OLD), environment => {EDITOR => 'false'});
    is read_file($agent->routes), $OLD, '$VISUAL comes before $EDITOR';
    $run = edit($agent, undef, environment => {EDITOR => types($NEW)});
    is read_file($agent->routes), $NEW, '$EDITOR';
};

subtest 'a link is followed, and stays' => sub {
    my $agent = Agent->new(routes => '');
    my $real = new_folder('real') . '/map';

    write_file($real, $OLD);
    unlink $agent->routes or die $!;
    symlink $real, $agent->routes or die $!;
    is edit($agent, types($NEW))->status, 0, 'exit status';
    is readlink $agent->routes, $real, 'the link';
    is read_file($real), $NEW, 'the file';
};

my @failing = (
    ['an editor that fails', editor("echo x >\"\$1\"\nexit 3"),
        qr/editor \S+: fails with status 3\n/],
    ['an editor that is killed', editor("echo x >\"\$1\"\nkill -9 \$\$"),
        qr/editor \S+: ended by signal 9\n/],
    ['no such editor', '/nonexistent/editor', qr/editor \S+: .*No such file/],
    ['no editor that can be parsed', q{vi '}, qr/editor vi ': /],
    ['no editor and no terminal', undef,
        qr/no editor; expected one in \$VISUAL or \$EDITOR, or a terminal/],
    ['an editor that removes the text', editor('rm "$1"'),
        qr/No such file or directory/],
    ['an editor that makes a folder of it', editor('rm "$1"; mkdir "$1"'),
        qr/Is a directory/],
);

for my $row (@failing) {
    my ($name, $editor, $says) = @{$row};
    my $agent = Agent->new(routes => $OLD);
    my $run = edit($agent, $editor);

    is_kept($agent, $run, $name);
    like $run->stderr, $says, "$name: why";
    system 'rm', '-rf', glob(($ENV{TMPDIR} // '/tmp') . '/smtproutectl-*')
        if $name =~ /folder/;
}

subtest 'faults, and nobody to ask' => sub {
    my $agent = Agent->new(routes => $OLD);
    my $run = edit($agent, types($BAD));

    is $run->status, 1, 'exit status';
    is read_file($agent->routes), $OLD, 'the map is as it was';
    like $run->stdout, qr/^\S+:1:26: bad port 'x'; expected 1 to 65535$/m,
        'what is wrong';
    like $run->stderr, qr/the map has errors, and there is no terminal/,
        'why nothing is asked';
    is read_file(draft($run)), $BAD, 'the text is kept';
    forget_draft($run);
    is edit($agent, types("$NEW$NEW"))->status, 0, 'a warning is none';
};

subtest 'somebody else' => sub {
    my $agent = Agent->new(routes => $OLD);
    my $folder = new_folder('wait');
    my $first = Ctl->start(conf => $agent->conf, arguments => ['edit'],
        environment => {MAIL_CONFIG => '/nonexistent',
            TMPDIR => $ENV{TMPDIR} // '/tmp', VISUAL => editor(<<"END")});
touch $folder/open
while ! test -e $folder/go; do sleep 0.05; done
printf '%s' '$NEW' >"\$1"
END

    wait_until('the first editor', sub { -e "$folder/open" });
    my $second = edit($agent, types("$OLD# mine\n"));
    is_kept($agent, $second, 'the second one');
    like $second->stderr, qr/: somebody else edits it$/m, 'why';
    write_file("$folder/go", '');
    is $first->wait->status, 0, 'the first one goes on';
    is read_file($agent->routes), $NEW, 'the map is its own';

    # By hand, in place or by rename.
    my $path = $agent->routes;
    for my $change (
        "printf '%s' '${OLD}# by hand' >$path",
        "printf '%s' '${OLD}# by hand' >$path.new; mv $path.new $path",
    ) {
        my $run = edit($agent, editor("$change\nprintf '%s' '$BAD' >\"\$1\""),
            environment => {});
        forget_draft($run);
        $run = edit($agent, editor("$change\necho '# x' >>\"\$1\""));
        is $run->status, 2, 'changed meanwhile';
        is read_file($path), "${OLD}# by hand", 'what was written by hand';
        like $run->stderr, qr/was changed meanwhile by somebody else/, 'why';
        like read_file(draft($run)), qr/# x/, 'the text is kept';
        forget_draft($run);
    }
};

# The map's folder takes nothing more, or the draft's does not.
subtest 'a full disk' => sub {
    skip_or_fail($> == 0 ? undef : 'only root can mount one');
    my $folder = new_folder('full');
    my ($status) = capture('unshare', '-m', 'true');
    skip_or_fail($status == 0 ? undef : 'no mount namespaces here');
    my $agent = Agent->new(routes => $OLD);
    my $new = types($NEW . '# ' . 'x' x 200_000 . "\n");
    my $ctl = abs_path(($ENV{top_builddir} // '.') . '/src/smtproutectl');
    my $run = sub {
        my ($script) = @_;
        return capture('unshare', '-m', 'sh', '-ec', <<"END");
mount -t tmpfs -o size=64k none $folder
cp -p ${\$agent->routes} $folder/routes
sed 's|^routes *=.*|routes = $folder/routes|' ${\$agent->conf} >$folder/conf
export MAIL_CONFIG=/nonexistent VISUAL=$new
$script || echo "status \$?"
cat $folder/routes
ls $folder
END
    };
    my (undef, $said) = $run->("$ctl -c $folder/conf edit 2>&1");

    like $said, qr/routes\.\w+: No space left on device$/m, 'the map\'s: why';
    like $said, qr/your text is in (\S+)\nstatus 2\n\Q$OLD\E(?:conf\nroutes\n)\z/,
        'the map is as it was, and nothing is beside it';
    my ($path) = $said =~ /your text is in (\S+)/;
    is read_file($path), read_file($new =~ s/editor$//r && _text($new)),
        'the text is kept';
    unlink $path;
    rmdir $path =~ s{/[^/]+$}{}r;
    (undef, $said) = $run->("TMPDIR=$folder $ctl -c $folder/conf edit 2>&1");
    like $said, qr/editor \S+: fails with status|No space left/,
        'the draft\'s: why';
    like $said, qr/status 2\n\Q$OLD\E(?:conf\nroutes\n)\z/,
        'the map is as it was, and nothing is beside it';
};

sub _text {
    my ($editor) = @_;

    return read_file($editor) =~ /cat '(.*?)'/ ? $1 : die "no text\n";
}

subtest 'killed at any moment' => sub {
    my $agent = Agent->new(routes => $OLD);
    my $folder = new_folder('kill');
    my $run = Ctl->start(conf => $agent->conf, arguments => ['edit'],
        environment => {MAIL_CONFIG => '/nonexistent',
            TMPDIR => $folder, VISUAL => editor(<<"END")});
printf '%s' '$NEW' >"\$1"
touch $folder/open
exec sleep 60
END

    wait_until('the editor', sub { -e "$folder/open" });
    kill 'KILL', $run->pid;
    $run->wait;
    is read_file($agent->routes), $OLD, 'the map is as it was';
    is edit($agent, types($NEW))->status, 0, 'nobody is locked out';
};

subtest 'at a terminal' => sub {
    my $agent = Agent->new(routes => $OLD);
    my ($status) = capture('script', '--version');
    skip_or_fail($status == 0 ? undef : 'no script(1)');
    my $ctl = abs_path(($ENV{top_builddir} // '.') . '/src/smtproutectl');
    my $again = new_folder('again') . '/again';
    my $twice = editor("if test -e $again; then printf '%s' '$NEW' >\"\$1\"; "
        . "else printf '%s' '$BAD' >\"\$1\"; touch $again; fi");
    my $type = sub {
        my ($editor, $keys) = @_;
        return capture('sh', '-c', "printf '$keys' | MAIL_CONFIG=/nonexistent "
            . "VISUAL=$editor script -qec '$ctl -c " . $agent->conf
            . " edit' /dev/null");
    };
    my $said;

    ($status, $said) = $type->($twice, 'x\\ne\\n');
    is $status, 0, 'edit again: exit status';
    like $said, qr/bad port 'x'.*Edit again \(e\), install it all the same/s,
        'edit again: asks';
    is read_file($agent->routes), $NEW, 'edit again: the map';
    ($status, $said) = $type->(types($BAD), 'l\\n');
    is $status, 1, 'leave: exit status';
    is read_file($agent->routes), $NEW, 'leave: the map';
    my ($path) = $said =~ /your text is in ([^\s\r]+)/;
    unlink $path;
    rmdir $path =~ s{/[^/]+$}{}r;
    ($status, $said) = $type->(types($BAD), 'i\\n');
    is $status, 0, 'install: exit status';
    is read_file($agent->routes), $BAD, 'install: the map';
};

subtest 'no map, no right' => sub {
    my $agent = Agent->new(routes => $OLD);

    unlink $agent->routes or die $!;
    my $run = edit($agent, 'true');
    is $run->status, 2, 'no map';
    is $run->stderr, 'smtproutectl: ' . $agent->routes
        . ": No such file or directory\n", 'says so';
};

# ---- with a Postfix ----

my $missing = PostfixInstance->missing;

subtest 'Postfix reads a text map anew, if keys came or went' => sub {
    skip_or_fail($missing);
    my $agent = Agent->new(user => 'nobody', routes => $OLD);
    my $postfix = PostfixInstance->new(agent => $agent);
    my %environment = (MAIL_CONFIG => $postfix->folder);
    my $reloads = sub { scalar(() = $postfix->maillog =~ /: reload -- /g) };
    my $run = edit($agent, types($NEW), environment => \%environment);

    is $run->status, 0, 'the same keys';
    is $reloads->(), 0, 'no reload';
    $run = edit($agent, types("${NEW}example.org /dev/null\n"),
        environment => \%environment);
    is $run->stdout, $agent->routes . ": installed\npostfix reload: done\n",
        'another key';
    my $id = $postfix->inject(recipients => ['user@example.org']);
    $postfix->wait_for(qr/ $id: to=.*relay=smtproute.*status=sent/);
    pass 'and it works';
    $postfix->stop;
    $run = edit($agent, types($NEW), environment => \%environment);
    is $run->status, 2, 'Postfix does not run';
    like $run->stderr, qr/postfix reload: .*; the map is installed, but/,
        'says what is left to do';
    is read_file($agent->routes), $NEW, 'the map is installed';
};

subtest 'an index is made anew' => sub {
    skip_or_fail($missing);
    my $agent = Agent->new(user => 'nobody', routes => $OLD);
    my $map = 'lmdb:' . $agent->routes;
    $agent->configure(settings => {routes => $map});
    my $postfix = PostfixInstance->new(agent => $agent,
        main => {transport_maps => "pipemap:{$map, static:{smtproute:}}"},
        stopped => 1);
    my ($status, $said) = $postfix->command('postmap', $map);
    skip_or_fail($status == 0 ? undef : "postmap: $said");
    my %environment = (MAIL_CONFIG => $postfix->folder);

    my $run = edit($agent, types("example.org /dev/null\n"),
        environment => \%environment);
    is $run->stdout, $agent->routes . ": installed\npostmap $map: done\n",
        'text and index';
    is $agent->deliver(recipients => ['user@example.org'])->status, 0,
        'the agent has the new route';
    is_deeply [$postfix->command('postmap', '-q', 'example.org', $map)],
        [0, "/dev/null\n"], 'and so has Postfix';
    $run = edit($agent, types("example.net /dev/null\n"),
        environment => {MAIL_CONFIG => '/nonexistent'});
    is $run->status, 2, 'postmap fails';
    like $run->stderr, qr/postmap \S+: .*; the map is installed, but this is/,
        'says what is left to do';
};

done_testing;
