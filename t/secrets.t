#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Passwords and tokens are nowhere but on the wire: not in what is said or
# stored, nor in memory or core files once they have done their work.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use MIME::Base64 ();
use Test::More;

use Agent;
use Ctl;
use Fixture;
use Profiles;
use Sasl;
use Secrets;
use SmtpHost;

my @FORMS = secret_forms($USERNAME, $PASSWORD);
my @TOKEN_FORMS = secret_forms($USERNAME, $TOKEN);

my %BY_TOKEN = ('auth ex' => {
    'username'   => $USERNAME,
    'token-file' => secret_file($TOKEN),
});

sub agent_for {
    my ($routes, %more) = @_;

    return Agent->new(
        routes   => $routes,
        settings => settings(%more),
    );
}

# What the tool needs to know of Postfix.
my $POSTFIX = new_folder('postfix');
write_file("$POSTFIX/main.cf", "compatibility_level = 3.6\n");
write_file("$POSTFIX/master.cf", "pickup unix n - n 60 1 pickup\n");

sub tool_says {
    my ($agent, @arguments) = @_;

    my $run = Ctl->run(
        conf        => $agent->conf,
        arguments   => \@arguments,
        environment => {MAIL_CONFIG => $POSTFIX},
    );
    return $run->stdout . $run->stderr;
}

#
# What is said and stored.
#

# All that anybody gets to see of one delivery to such a host, and of the tool
# afterwards.
sub shown {
    my ($agent, $destination) = @_;
    my @texts = $agent->deliver->output;

    for my $arguments (['hosts'], ['hosts', '--json'],
        ['hosts', '--openmetrics'], ['check'], ['route', 'user@example.com'],
        ['probe', 'example.com'], ['probe', $destination], ['retry'],
        ['hosts']) {
        push @texts, tool_says($agent, @{$arguments});
    }
    return (@texts, texts_of($agent->var));
}

# A host that shows what it gets, decoded and as it came.
sub echo {
    my ($code) = @_;

    return sub {
        my ($line) = @_;
        my ($last) = $line =~ /(\S*)$/;
        my $decoded = MIME::Base64::decode_base64($last) =~ tr/\0\r\n\1/    /r;
        return "$code 5.7.8 what is '$line', $decoded?";
    };
}

# A host that takes it, and shows it later.
sub late_echo {
    my $told = '';

    return (
        auth => sub { $told = $_[0]; return '235 2.7.0 welcome' },
        mail => sub { return "535 5.7.8 what was '$told'?" },
    );
}

my %host = Sasl::script(username => $USERNAME, password => $PASSWORD);
my %login = (%host, keywords => ['AUTH LOGIN']);
my %cram = (%host, keywords => ['AUTH CRAM-MD5']);
my %token = Sasl::script(username => $USERNAME, token => $TOKEN,
    mechanisms => ['XOAUTH2']);
my $CHALLENGE = '334 ' . Sasl::encoded($Sasl::CHALLENGE);

# Name, the host, what Agent is given.
my @rows = (
    ['PLAIN', \%host],
    ['LOGIN', \%login],
    ['CRAM-MD5', \%cram],
    ['within TLS', {%host, tls => $TLS}],
    ['XOAUTH2', \%token, %BY_TOKEN],
    ['refused', {%host, auth => '535 5.7.8 no'}],
    ['the connection breaks', {%host, auth => 'close'}],
    ['PLAIN at a host that shows what it gets', {%host, auth => echo(535)}],
    ['the same after AUTH', {%host, late_echo()}],
    ['LOGIN at a host that shows the user name',
        {%login, auth => ['334 VXNlcm5hbWU6', echo(535)]}],
    ['LOGIN at a host that shows the password',
        {%login, auth => ['334 VXNlcm5hbWU6', '334 UGFzc3dvcmQ6', echo(535)]}],
    ['a rubbish reply that shows it', {%host, auth => sub { $_[0] }}],
    ['XOAUTH2 at a host that shows the token', {%token, auth => echo(535)},
        %BY_TOKEN],
    ['in the settings', \%host, 'auth ex' => {
        username => $USERNAME, password => $PASSWORD}, mode => 0600],
    ['in settings that everybody may read', \%host, 'auth ex' => {
        username => $USERNAME, password => $PASSWORD}],
);

for my $row (@rows) {
    my ($name, $script, %more) = @{$row};
    subtest "shown: $name" => sub {
        my $mode = delete $more{mode};
        my $host = SmtpHost->new(%{$script});
        my $agent = agent_for(
            'example.com ' . $host->destination . "/auth=ex\n", %more);
        chmod $mode, $agent->conf or die "chmod: $!\n" if defined $mode;

        my @texts = shown($agent, $host->destination);
        my $port = $host->port;
        cmp_ok scalar(grep { /\b$port\b/ } @texts), '>', 4,
            'there is something to see';
        is_deeply [secrets_in([@FORMS, @TOKEN_FORMS], @texts)], [],
            'but nothing secret';
    };
}

# What a slip in smtproute.conf makes the agent and the tool say.
subtest 'shown: faults beside a password' => sub {
    my $host = SmtpHost->new(%host);
    my %lines = (
        'a misspelt key'       => "pasword = $PASSWORD",
        'no equals sign'       => "password $PASSWORD",
        'a colon instead'      => "password: $PASSWORD",
        'a key twice'          => "password = $PASSWORD\npassword = x",
        'in upper case'        => "Password = $PASSWORD",
        'a control character'  => "password = $PASSWORD\1",
        'bytes that are no UTF-8' => "password = $PASSWORD\xff",
        'an unknown key after it' => "password = $PASSWORD\nuser = x",
        'too long'             => 'password = ' . "$PASSWORD " x 20,
        'with a language'      => "password[de] = $PASSWORD",
        'in the file\'s place' => "password-file = $PASSWORD",
        'in two lines'         => "password =\n $PASSWORD",
        'under another group'  => "[host x]\npassword = $PASSWORD",
        'under no such group'  => "[auht ex]\npassword = $PASSWORD",
        'behind a bad group'   => "[auth two\npassword = $PASSWORD",
        'with a file as well'  =>
            "password = $PASSWORD\npassword-file = /nonexistent",
    );

    for my $name (sort keys %lines) {
        my $agent = agent_for(
            'example.com ' . $host->destination . "/auth=ex\n",
            'auth ex' => undef);
        write_file($agent->conf, read_file($agent->conf)
            . "[auth ex]\nusername = $USERNAME\n$lines{$name}\n");
        chmod 0600, $agent->conf or die "chmod: $!\n";
        my @said = $agent->deliver->output;
        for my $command (['check'], ['hosts'], ['probe', 'example.com'],
            ['route', 'user@example.com']) {
            push @said, tool_says($agent, @{$command});
        }
        cmp_ok length "@said", '>', 100, "$name: much is said";
        is_deeply [secrets_in(\@FORMS, @said, $agent->log_lines)], [],
            "$name: nothing secret";
    }
};

#
# Memory.
#

# Memory and limits of a sanitizer or valgrind are not the agent's.
my $foreign = defined $ENV{SMTPROUTE_WRAPPER}
    || read_file(Agent->new->binary) =~ /__asan_/;

# Name, the first host, what Agent is given, what must not be found.
my @remains = (
    ['PLAIN', {}],
    ['LOGIN', {keywords => ['AUTH LOGIN']}],
    ['CRAM-MD5', {keywords => ['AUTH CRAM-MD5']}],
    ['PLAIN within TLS', {tls => $TLS}],
    ['LOGIN within TLS', {tls => $TLS, keywords_tls => ['AUTH LOGIN']}],
    ['CRAM-MD5 within TLS',
        {tls => $TLS, keywords_tls => ['AUTH CRAM-MD5']}],
    ['refused', {auth => '535 5.7.8 no'}],
    ['refused by a host that shows it', {auth => echo(535)}],
    ['cut off', {auth => 'close'}],
    ['cut off amid LOGIN', {keywords => ['AUTH LOGIN'],
        auth => ['334 VXNlcm5hbWU6', '334 UGFzc3dvcmQ6', 'close']}],
    ['the mechanism is too weak', {auth => '504 5.5.4 too weak',
        keywords => ['AUTH PLAIN LOGIN CRAM-MD5']}],
    ['no mechanism', {keywords => []}],
    ['the longest password', {}, 'auth ex' => {username => $USERNAME,
        'password-file' => secret_file(substr "$PASSWORD," x 20, 0, 255)}],
    ['XOAUTH2', {keywords => ['AUTH XOAUTH2']}, %BY_TOKEN],
    ['OAUTHBEARER within TLS',
        {tls => $TLS, keywords_tls => ['AUTH OAUTHBEARER']}, %BY_TOKEN],
);

# The agent, which waits for the greeting of a second host.
sub start_remains {
    my ($row) = @_;
    my (undef, $script, %more) = @{$row};
    my $mode = delete $more{mode};
    my $profile = $more{'auth ex'} // {};
    my $password = defined $profile->{'password-file'}
        ? read_file($profile->{'password-file'}) : $PASSWORD;

    my $first = SmtpHost->new(
        Sasl::script(username => $USERNAME, password => $password,
            token => $TOKEN, mechanisms =>
                [qw(PLAIN LOGIN CRAM-MD5 XOAUTH2 OAUTHBEARER)]),
        keywords     => ['AUTH PLAIN'],
        keywords_tls => ['AUTH PLAIN'],
        mail         => '451 4.7.1 later',
        %{$script},
    );
    my $second = SmtpHost->new(greeting => 'silence');
    my $agent = agent_for('example.com ' . $first->destination . '/auth=ex, '
        . $second->destination . "/pri=1\n", %more);
    chmod $mode, $agent->conf or die "chmod: $!\n" if defined $mode;
    return [$first, $second, $agent->start];
}

sub check_remains {
    my ($row, $first, $second, $run) = @_;

    $second->wait_for('greeting');
    my @texts = texts_in_memory($run->pid);
    is scalar(secrets_in(['agent.example'], @texts)), 1,
        'the search finds what is there';
    is_deeply [secrets_in([@FORMS, @TOKEN_FORMS], @texts)], [],
        'but nothing secret';
    $run->kill('KILL');
    $run->wait;
    my ($connection) = $first->connections;
    cmp_ok scalar($connection->commands), '>', 1, 'the first host was asked';
    return;
}

subtest 'memory' => sub {
    skip_or_fail(is_blind());
    pass 'can be looked at';
} if !$foreign && $> == 0;

if (!$foreign && $> == 0 && !is_blind()) {
    try_all(\&start_remains, \&check_remains,
        map { ["memory: $_->[0]", @{$_}[1 .. $#{$_}]] } @remains);

    # The search can find them.
    subtest 'memory: amid AUTH' => sub {
        my $host = SmtpHost->new(%cram, auth => [$CHALLENGE, 'silence']);
        my $agent = agent_for(
            'example.com ' . $host->destination . "/auth=ex\n");
        my $run = $agent->start;

        $host->wait_for('auth', 2);
        is scalar(secrets_in([$PASSWORD], texts_in_memory($run->pid))), 1,
            'the password is there';
        $run->kill('KILL');
        $run->wait;
    };
}

#
# Core files.
#

# The limit and the owner of what /proc shows of a process.
sub exposure {
    my ($pid) = @_;

    my ($soft, $hard) = read_file("/proc/$pid/limits")
        =~ /^Max core file size +(\S+) +(\S+)/m;
    return ($soft, scalar getpwuid((stat "/proc/$pid/environ")[4]));
}

subtest 'core files' => sub {
    my $silent = SmtpHost->new(greeting => 'silence');
    my $host = SmtpHost->new(%host, auth => 'silence');
    my %pids;

    for my $there ($silent, $host) {
        my $agent = Agent->new(
            user     => 'nobody',
            prefix   => ['prlimit', '--core=4096', '--'],
            routes   => 'example.com ' . $there->destination
                . ($there == $host ? '/auth=ex' : '') . "\n",
            settings => settings('auth ex' => {
                'username'      => $USERNAME,
                'password-file' => nobodys_file(),
            }),
        );
        my $run = $agent->start;
        $there->wait_for($there == $host ? 'auth' : 'greeting');
        $there == $host
            ? is_deeply([exposure($run->pid)], ['0', 'root'],
                'with a password: none, nor anything for its user')
            : is_deeply([exposure($run->pid)], ['4096', 'nobody'],
                'without one: as usual');
        $run->kill('KILL');
        $run->wait;
    }
} if !$foreign && $> == 0;

sub nobodys_file {
    my $path = secret_file($PASSWORD);

    chown scalar getpwnam('nobody'), -1, $path or die "$path: $!\n";
    return $path;
}

done_testing;
