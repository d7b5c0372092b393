# SPDX-License-Identifier: BSD-2-Clause
#
# A private Postfix: folders of its own, no port but a free one on 127.0.0.1,
# nothing of /etc/postfix.  Needs root.
#
#   my $sink = SmtpHost->new;
#   my $postfix = PostfixInstance->new(
#       agent => Agent->new(user => 'nobody', routes => ...),
#       relay => $sink,                        # all that has no transport
#   );
#   my $id = $postfix->inject(recipients => ['user@example.com']);
#   $postfix->wait_for(qr/ $id: .*status=sent/);
#
# new: agent (its user must not be root; transport_maps and master.cf are
# then as the manual has them), relay (a SmtpHost; without one such mail is
# deferred), lmtp => 1 (lmtp(8) to spawn(8) in place of pipe(8)),
# main => {parameter => value}, master => 'more of master.cf',
# syslog => Syslog (instead of a file of its own), stopped => 1, patient => 1
# (it tries nothing again by itself, while a test runs), flushes => 1
# (the agent's user may run postqueue -i: in a mount namespace the default
# main.cf lists our folder).
#
#   $postfix->start, ->stop, ->reload      stop dies of a sanitizer's report
#   $postfix->inject(sender, recipients, message; mail_options, rcpt_options)
#                              by SMTP; returns the queue id
#   $postfix->command($program, @arguments)   postqueue, postsuper, sendmail ...
#                              on this instance: (exit status, output)
#   $postfix->flush            tries all deferred mail now, when it is deferred
#   $postfix->queue            what postqueue -j shows, a list of hashes
#   $postfix->settled          the same when nothing is under way: status= is
#                              logged before qmgr(8) moves the message
#   $postfix->maillog          all of the log, which comes by postlogd(8): later
#   $postfix->wait_for($regex, $n)   until $n (1) lines of the log match; these.
#                              In vain if nothing is logged for a minute
#   $postfix->folder, ->port, ->smtproute   (path of the agent it runs)
#   PostfixInstance->missing   why there cannot be one, undef if there can

package PostfixInstance;

use strict;
use warnings;
use parent -norequire, 'Fixture::Guarded';

use Carp qw(croak);
use File::Copy qw(copy);
use IO::Socket::IP ();
use IO::Socket::UNIX ();
use JSON::PP ();
use Socket qw(SOCK_DGRAM);

use Fixture;

my $DAEMONS = '/usr/lib/postfix/sbin';

my $SERVICES = <<'EOF_MASTER';
pickup    unix  n  -  n  60    1  pickup
cleanup   unix  n  -  n  -     0  cleanup
qmgr      unix  n  -  n  300   1  qmgr
rewrite   unix  -  -  n  -     -  trivial-rewrite
bounce    unix  -  -  n  -     0  bounce
defer     unix  -  -  n  -     0  bounce
trace     unix  -  -  n  -     0  bounce
verify    unix  -  -  n  -     1  verify
flush     unix  n  -  n  1000? 0  flush
proxymap  unix  -  -  n  -     -  proxymap
proxywrite unix -  -  n  -     1  proxymap
smtp      unix  -  -  n  -     -  smtp
lmtp      unix  -  -  n  -     -  lmtp
showq     unix  n  -  n  -     -  showq
error     unix  -  -  n  -     -  error
retry     unix  -  -  n  -     -  error
discard   unix  -  -  n  -     -  discard
anvil     unix  -  -  n  -     1  anvil
scache    unix  -  -  n  -     1  scache
tlsmgr    unix  -  -  n  1000? 1  tlsmgr
postlog   unix-dgram n - n -   1  postlogd
EOF_MASTER

my @QUEUES = qw(active bounce corrupt defer deferred flush hold incoming
    private saved trace);

accessors(__PACKAGE__, qw(folder port smtproute));

sub missing {
    return 'Postfix is not installed' if !-x '/usr/sbin/postfix';
    return 'a private Postfix needs root' if $> != 0;
    return;
}

sub new {
    my ($class, %option) = @_;
    my $folder = new_folder('postfix');

    my $reserved = reserve_port('127.0.0.1');
    my $self = guard(bless {
        folder   => $folder,
        port     => $reserved->sockport,
        reserved => $reserved,
        agent    => $option{agent},
        syslog   => $option{syslog},
        prefix   => $option{syslog} ? [$option{syslog}->prefix] : [],
        log      => $option{syslog} ? $option{syslog}->path : "$folder/maillog",
    }, $class);
    $self->_make_folders;
    $self->_list_folder if $option{flushes};
    $self->_copy_agent if $option{agent};
    write_file("$folder/main.cf", $self->_main(%option));
    write_file("$folder/master.cf", $self->_master($option{master}));
    $self->start if !$option{stopped};
    return $self;
}

# As postfix-files(5) has them; "postfix start" would take seconds.
sub _make_folders {
    my ($self) = @_;
    my $queue = "$self->{folder}/queue";

    my $uid = getpwnam 'postfix';
    my $drop = getgrnam 'postdrop';
    mkdir $_ or die "$_: $!\n" for $queue, "$queue/pid";
    my %modes = (
        "$self->{folder}/data" => 0700,
        "$queue/maildrop"      => 0730,
        "$queue/public"        => 0710,
        map { ("$queue/$_" => 0700) } @QUEUES,
    );
    for my $path (sort keys %modes) {
        mkdir $path or die "$path: $!\n";
        chown $uid, $drop, $path or die "$path: $!\n";
        chmod $modes{$path}, $path or die "$path: $!\n";
    }
    return;
}

# postqueue(1) believes a folder that the default main.cf lists, if the user
# is not root.
sub _list_folder {
    my ($self) = @_;
    my $etc = "$self->{folder}/etc";

    mkdir $etc or die "$etc: $!\n";
    write_file("$etc/main.cf",
        "compatibility_level = 3.6\n"
        . "alternate_config_directories = $self->{folder}\n");
    $self->{prefix} = [@{ $self->{prefix} }, 'unshare', '--mount',
        '--propagation', 'private', '--', 'sh', '-c',
        'mount --bind "$0" /etc/postfix && exec "$@"', $etc];
    return;
}

# The build folder may be closed to the agent's user.
sub _copy_agent {
    my ($self) = @_;

    my $copy = $self->{smtproute} = "$self->{folder}/smtproute";
    copy($self->{agent}->binary, $copy) or die "$copy: $!\n";
    chmod 0755, $copy or die "$copy: $!\n";
    return;
}

sub _main {
    my ($self, %option) = @_;
    my ($folder, $agent) = @{$self}{qw(folder agent)};

    my %main = (
        compatibility_level     => '3.6',
        queue_directory         => "$folder/queue",
        data_directory          => "$folder/data",
        mail_owner              => 'postfix',
        setgid_group            => 'postdrop',
        myhostname              => 'test.example',
        mydestination           => '',
        mynetworks              => '127.0.0.0/8',
        inet_interfaces         => '127.0.0.1',
        inet_protocols          => 'ipv4',
        smtpd_peername_lookup   => 'no',
        smtpd_relay_restrictions => 'permit_mynetworks, reject',
        smtp_dns_support_level  => 'disabled',
        alias_maps              => '',
        alias_database          => '',
        notify_classes          => '',
        message_size_limit      => 0,
        mailbox_size_limit      => 0,
        default_transport       => $option{relay}
            ? 'smtp:' . $option{relay}->destination
            : 'retry:the test has no relay',
    );
    if (!$self->{syslog}) {
        @main{qw(maillog_file maillog_file_prefixes)} = ($self->{log}, $folder);
    }
    if ($agent) {
        my %reports = $agent->report_environment;
        my $next = $option{lmtp} ? 'lmtp:unix:private/smtproute-lmtp'
            : 'smtproute:';
        $main{smtproute_destination_recipient_limit} = 1;
        $main{transport_maps} = 'pipemap:{texthash:' . $agent->routes
            . ", static:{$next}}";
        @main{qw(smtproute-lmtp_time_limit lmtp_send_xforward_command)}
            = qw(1d yes) if $option{lmtp};
        $main{export_environment} = join ' ', 'TZ MAIL_CONFIG LANG',
            map { "{$_=$reports{$_}}" } sort keys %reports;
    }
    @main{qw(minimal_backoff_time maximal_backoff_time queue_run_delay)}
        = ('1h') x 3 if $option{patient};
    %main = (%main, %{ $option{main} // {} });
    return join '', map { "$_ = $main{$_}\n" } sort keys %main;
}

sub _master {
    my ($self, $more) = @_;

    my $text = "127.0.0.1:$self->{port} inet n - n - - smtpd\n" . $SERVICES;
    if ($self->{agent}) {
        my ($user, $conf) = ($self->{agent}->user, $self->{agent}->conf);
        $text .= <<"EOF_MASTER";
smtproute unix  -  n  n  -  50  pipe
  flags=hq user=$user null_sender=
  argv=$self->{smtproute} -c $conf
    -q \${queue_id} -f \${sender} -n \${nexthop} -- \${recipient}
smtproute-lmtp unix  -  n  n  -  50  spawn
  user=$user argv=$self->{smtproute} -L -c $conf
EOF_MASTER
    }
    return $text . ($more // '');
}

sub command {
    my ($self, $program, @arguments) = @_;

    local $ENV{MAIL_CONFIG} = $self->{folder};
    local $ENV{PATH} = '/usr/sbin:/usr/bin:/sbin:/bin';
    return capture(@{ $self->{prefix} }, $program, @arguments);
}

sub start {
    my ($self) = @_;
    my $folder = $self->{folder};

    return if defined $self->{pid};
    $self->{pid} = daemon($folder, @{ $self->{prefix} }, "$DAEMONS/master", '-s', '-c',
        $folder);
    my $news = qr/ daemon started -- .* configuration \Q$folder\E$/;
    $self->wait_for($news, ++$self->{starts});
    return;
}

sub reload {
    my ($self) = @_;
    my $news = qr/ reload -- .* configuration \Q$self->{folder}\E$/;

    kill 'HUP', $self->{pid};
    $self->wait_for($news, ++$self->{reloads});
    return;
}

sub stop {
    my ($self) = @_;

    if (defined $self->{pid}) {
        end_child(delete $self->{pid});
        $self->_await_postlogd;
    }
    $self->{agent}->check_reports if $self->{agent};
    return;
}

# It outlives master(8) for a moment, and then takes, and loses, what the next
# one says.
sub _await_postlogd {
    my ($self) = @_;

    wait_until('postlogd(8) to end', sub {
        return !IO::Socket::UNIX->new(
            Type => SOCK_DGRAM,
            Peer => "$self->{folder}/queue/public/postlog",
        );
    });
    return;
}

sub inject {
    my ($self, %option) = @_;
    my $message = $option{message} // "Subject: test\n\ntest\n";

    $message =~ s/\r?\n/\r\n/g;
    $message =~ s/^\./../mg;
    $message .= "\r\n" if $message !~ /\r\n\z/;
    my $smtp = IO::Socket::IP->new(
        PeerHost => '127.0.0.1',
        PeerPort => $self->{port},
    ) // die "smtpd: $@\n";
    _dialogue($smtp, '220', '');
    _dialogue($smtp, '250', "EHLO test.example\r\n");
    _dialogue($smtp, '250', _path('MAIL FROM',
        $option{sender} // 'sender@example.org', $option{mail_options}));
    for my $recipient (@{ $option{recipients} // ['user@example.com'] }) {
        _dialogue($smtp, '250',
            _path('RCPT TO', $recipient, $option{rcpt_options}));
    }
    _dialogue($smtp, '354', "DATA\r\n");
    my $reply = _dialogue($smtp, '250', "$message.\r\n");
    _dialogue($smtp, '221', "QUIT\r\n");
    return $reply =~ /queued as (\w+)/ ? $1 : die "no queue id in: $reply";
}

sub _path {
    my ($command, $path, $options) = @_;

    return "$command:<$path>" . (defined $options ? " $options" : '') . "\r\n";
}

sub _dialogue {
    my ($smtp, $expected, $command) = @_;

    print {$smtp} $command or die "smtpd: $!\n";
    while (my $line = <$smtp>) {
        next if $line =~ /^\d+-/;
        return $line if $line =~ /^$expected /;
        croak "smtpd: $line";
    }
    croak "smtpd hangs up";
}

# A message that is not in the deferred queue yet would be left out.
sub flush {
    my ($self) = @_;

    $self->settled;
    my ($status, $output) = $self->command('postqueue', '-f');
    die "postqueue -f: $output" if $status != 0;
    return;
}

sub queue {
    my ($self) = @_;

    my ($status, $output) = $self->command('postqueue', '-j');
    die "postqueue -j: $output" if $status != 0;
    return map { JSON::PP::decode_json($_) } split /\n/, $output;
}

sub settled {
    my ($self) = @_;
    my @queue;

    wait_until('a settled queue', sub {
        @queue = $self->queue;
        return !grep { $_->{queue_name} !~ /^(?:deferred|hold)$/ } @queue;
    });
    return @queue;
}

sub maillog {
    my ($self) = @_;

    return -e $self->{log} ? read_file($self->{log}) : '';
}

sub wait_for {
    my ($self, $regex, $count) = @_;
    my ($log, @lines) = ('');

    $count //= 1;
    while (eval {
        wait_until("$count lines with $regex", sub {
            my $before = length $log;
            $log = $self->maillog;
            return length $log > $before;
        });
    }) {
        @lines = grep { $_ =~ $regex } split /\n/, $log;
        return @lines if @lines >= $count;
    }
    my $output = "$self->{folder}/output";
    croak $@, $self->maillog, -e $output ? read_file($output) : ();
}

1;
