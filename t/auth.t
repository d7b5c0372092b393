#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# AUTH: what hosts are told, and what they may make of it.  Whatever goes
# wrong, no mail goes out without it.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Test::More;

use Fixture;
use Profiles;
use Sasl;
use Secrets;
use SmtpHost;
use TestCa;
use Trial;

# What a host sees that takes a message.
my $TAKEN = 'MAIL RCPT DATA content QUIT';

#
# What a host is told.
#

# Name, mechanisms, options of the host (and username, password or token), what
# was said, the story before MAIL, settings.
my @told = (
    ['PLAIN', ['PLAIN'], {},
        ['PLAIN', "\0$USERNAME\0$PASSWORD"], 'EHLO AUTH'],
    ['LOGIN', ['LOGIN'], {},
        ['LOGIN', $USERNAME, $PASSWORD], qr/^EHLO AUTH \+( \+)?$/],
    ['CRAM-MD5', ['CRAM-MD5'], {},
        ['CRAM-MD5', "$USERNAME "
            . Sasl::hmac_md5_hex($Sasl::CHALLENGE, $PASSWORD)],
        'EHLO AUTH +'],
    (map { my $mechanism = $_;
        ["$mechanism within TLS", [$mechanism], {tls => $TLS},
            qr/^$mechanism\n/, qr/^EHLO STARTTLS tls EHLO AUTH( \+)*$/] }
        qw(PLAIN LOGIN CRAM-MD5)),
    ['within TLS from the first byte', ['PLAIN'],
        {tls => {%{$TLS}, wrapper => 1}, keywords => ['AUTH PLAIN']},
        qr/^PLAIN\n/, 'tls EHLO AUTH', 'host FIRST' => {
            'auth' => 'ex', 'tls' => 'wrapper',
            'tls-name' => 'first.example'}],
    ['the best within TLS', [qw(NTLM CRAM-MD5 GSSAPI LOGIN PLAIN)],
        {tls => $TLS}, qr/^PLAIN\n/, qr/AUTH$/],
    ['the second best within TLS', [qw(CRAM-MD5 LOGIN)],
        {tls => $TLS}, qr/^LOGIN\n/, qr/AUTH/],
    ['the best in clear text', [qw(NTLM PLAIN GSSAPI LOGIN CRAM-MD5)], {},
        qr/^CRAM-MD5\n/, 'EHLO AUTH +'],
    ['the second best in clear text', [qw(LOGIN PLAIN)], {},
        qr/^PLAIN\n/, 'EHLO AUTH'],
    ['what is offered before TLS does not count', ['LOGIN'],
        {tls => $TLS, keywords => ['AUTH PLAIN'],
            keywords_tls => ['AUTH LOGIN']},
        qr/^LOGIN\n/, qr/^EHLO STARTTLS tls EHLO AUTH/],
    ['offered in lower case', ['PLAIN'], {keywords => ['auth plain']},
        qr/^PLAIN\n/, 'EHLO AUTH'],
    ['offered twice, for old clients too', ['PLAIN'],
        {keywords => ['AUTH PLAIN', 'AUTH=PLAIN']},
        qr/^PLAIN\n/, 'EHLO AUTH'],
    ['offered to old clients only', ['LOGIN', 'PLAIN'],
        {keywords => ['AUTH=LOGIN PLAIN']},
        qr/^PLAIN\n/, 'EHLO AUTH'],
    ['the same in small letters', ['LOGIN'],
        {keywords => ['auth=login']},
        qr/^LOGIN\n/, qr/^EHLO AUTH \+/],
    ['different mechanisms for old clients', ['PLAIN', 'LOGIN'],
        {keywords => ['AUTH LOGIN', 'AUTH=NTLM PLAIN']},
        qr/^PLAIN\n/, 'EHLO AUTH'],
    ['a user name and a password that are not ASCII', ['PLAIN'],
        {username => "j\xc3\xbcrgen", password => "p\xe4\xdf wort\xff"},
        ['PLAIN', "\0j\xc3\xbcrgen\0p\xe4\xdf wort\xff"], 'EHLO AUTH'],
    ['the same by CRAM-MD5', ['CRAM-MD5'],
        {username => "j\xc3\xbcrgen", password => "p\xe4\xdf wort\xff"},
        qr/^CRAM-MD5\nj\xc3\xbcrgen [0-9a-f]{32}$/, 'EHLO AUTH +'],
    ['a password with blanks around it', ['PLAIN'],
        {password => ' two  words '},
        ['PLAIN', "\0$USERNAME\0 two  words "], 'EHLO AUTH'],
    ['the longest user name and password', ['PLAIN'],
        {username => 'u' x 255, password => 'p' x 255},
        ['PLAIN', "\0" . 'u' x 255 . "\0" . 'p' x 255], qr/^EHLO AUTH( \+)?$/],
    ['the same by LOGIN', ['LOGIN'],
        {username => 'u' x 255, password => 'p' x 255},
        ['LOGIN', 'u' x 255, 'p' x 255], qr/^EHLO AUTH \+( \+)?$/],
    ['the same by CRAM-MD5', ['CRAM-MD5'],
        {username => 'u' x 255, password => 'p' x 255},
        qr/^CRAM-MD5\nu{255} [0-9a-f]{32}$/, 'EHLO AUTH +'],
    ['a host that asks for what PLAIN has said', ['PLAIN'],
        {auth => ['334 ', '235 2.7.0 welcome'], mail => undef},
        qr/^PLAIN\n/, qr/^EHLO AUTH( [+*])?$/],
    ['a success in odd words', ['PLAIN'],
        {auth => "235-gr\xfc\xdf\n235 5.7.8 gott", mail => undef},
        qr/^PLAIN\n/, 'EHLO AUTH'],
    ['a success without a word', ['PLAIN'], {auth => '235', mail => undef},
        qr/^PLAIN\n/, 'EHLO AUTH'],
    ['the mechanism is too weak, the next one is not', [qw(CRAM-MD5 PLAIN)],
        {auth => undef, keywords => ['AUTH CRAM-MD5 PLAIN'],
            refuses => 'CRAM-MD5'},
        qr/^CRAM-MD5\nPLAIN\n/, 'EHLO AUTH AUTH'],
    ['XOAUTH2', ['XOAUTH2'], {token => $TOKEN},
        ['XOAUTH2', "user=$USERNAME\1auth=Bearer $TOKEN\1\1"],
        qr/^EHLO AUTH( \+)?$/],
    ['OAUTHBEARER', ['OAUTHBEARER'], {token => $TOKEN},
        ['OAUTHBEARER', "n,a=$USERNAME,\1auth=Bearer $TOKEN\1\1"],
        qr/^EHLO AUTH( \+)?$/],
    ['OAUTHBEARER before XOAUTH2, and no password',
        [qw(PLAIN XOAUTH2 LOGIN OAUTHBEARER CRAM-MD5)], {token => $TOKEN},
        qr/^OAUTHBEARER\n/, qr/^EHLO AUTH( \+)?$/],
    ['a long token within TLS', ['XOAUTH2'],
        {tls => $TLS, token => 'x' x 4_000},
        ['XOAUTH2', "user=$USERNAME\1auth=Bearer " . 'x' x 4_000 . "\1\1"],
        qr/^EHLO STARTTLS tls EHLO AUTH( \+)?$/],
    ['the longest token', ['OAUTHBEARER'], {token => 'x' x 8_192},
        ['OAUTHBEARER', "n,a=$USERNAME,\1auth=Bearer " . 'x' x 8_192
            . "\1\1"], qr/^EHLO AUTH( \+)?$/],
);

# For a mechanism: 504.
sub refusing {
    my ($mechanism, %script) = @_;
    my $auth = $script{auth};

    return (%script, auth => sub {
        return $_[0] =~ /^AUTH \Q$mechanism\E\b/ ? '504 5.5.4 too weak'
            : $auth->(@_);
    });
}

sub start_told {
    my ($row) = @_;
    my (undef, $mechanisms, $options, undef, undef, %more) = @{$row};
    my %options = (username => $USERNAME, password => $PASSWORD, %{$options});
    my $refuses = delete $options{refuses};
    delete $options{auth} if !defined $options{auth};
    my %script = Sasl::script(mechanisms => $mechanisms, %options);

    %script = refusing($refuses, %script) if defined $refuses;
    return [Trial->new(
        hosts    => {FIRST => \%script},
        route    => 'FIRST',
        settings => settings(
            'auth ex' => {
                'username' => $options{username},
                defined $options{token}
                    ? ('token-file' => secret_file("$options{token}\n"))
                    : ('password-file' => secret_file($options{password})),
            },
            'host FIRST' => {auth => 'ex', tls => 'may'},
            %more,
        ),
    )->start];
}

sub check_told {
    my ($row, $trial) = @_;
    my ($name, undef, undef, $said, $story) = @{$row};

    is $trial->wait->status, 0, 'delivered' or diag $trial->line;
    my ($connection) = $trial->host('FIRST')->connections;
    my @said = Sasl::said($connection);
    ref $said eq 'ARRAY' ? is_deeply(\@said, [$said], 'what was said')
        : like(join("\n", map { @{$_} } @said), $said, 'what was said');
    my $story_got = Sasl::story($connection);
    ok $story_got =~ s/ \Q$TAKEN\E$//, 'MAIL and all that follows'
        or diag $story_got;
    is_like($story_got, $story, 'before');
    my $mechanism = @said ? $said[-1][0] : 'none';
    is scalar(grep { /^DCID 1 AUTH success profile ex mechanism $mechanism$/ }
        $trial->log), 1, 'log' or diag join "\n", $trial->log;
    is_discreet($trial);
    return;
}

try_all(\&start_told, \&check_told, @told);

# A host that offers CRAM-MD5 and cannot do it: what it says to each mechanism,
# options of the host, the line, what was told in each connection.
my $NO_DIGEST = '535 5.7.8 no digest here';
my @undone = (
    ['CRAM-MD5 is refused, and PLAIN is not', [qw(CRAM-MD5 LOGIN PLAIN)], {},
        qr/^2\.0\.0 FIRST: 250 /, 'CRAM-MD5', 'PLAIN'],
    ['CRAM-MD5 is refused, and LOGIN is not', [qw(CRAM-MD5 LOGIN)], {},
        qr/^2\.0\.0 FIRST: 250 /, 'CRAM-MD5', 'LOGIN'],
    ['CRAM-MD5 is refused, and so is PLAIN', [qw(CRAM-MD5 LOGIN PLAIN)],
        {password => 'another'},
        '4.7.8 FIRST: 535 5.7.8 who are you (in reply to AUTH)',
        'CRAM-MD5', 'PLAIN'],
    ['CRAM-MD5 is refused, and is all there is', ['CRAM-MD5'], {},
        "4.7.8 FIRST: $NO_DIGEST (in reply to AUTH)", 'CRAM-MD5'],
    ['CRAM-MD5 is refused within TLS', ['CRAM-MD5'], {tls => $TLS},
        "4.7.8 FIRST: $NO_DIGEST (in reply to AUTH)", 'CRAM-MD5'],
    ['PLAIN is refused, and there is LOGIN', [qw(PLAIN LOGIN)],
        {password => 'another'},
        '4.7.8 FIRST: 535 5.7.8 who are you (in reply to AUTH)', 'PLAIN'],
);

sub start_undone {
    my ($row) = @_;
    my (undef, $mechanisms, $options) = @{$row};
    my %script = Sasl::script(mechanisms => $mechanisms,
        username => $USERNAME, password => $PASSWORD, %{$options});
    my $auth = $script{auth};

    return [Trial->new(
        hosts    => {FIRST => {%script, auth => sub {
            return $_[0] =~ /^AUTH CRAM-MD5\b/ ? $NO_DIGEST : $auth->(@_);
        }}},
        route    => 'FIRST/auth=ex',
        settings => settings(),
    )->start];
}

sub check_undone {
    my ($row, $trial) = @_;
    my (undef, undef, undef, $line, @told) = @{$row};

    $trial->wait;
    is_like($trial->line, $line, 'the line');
    my @connections = $trial->host('FIRST')->connections;
    is_deeply [map { [map { $_->[0] } Sasl::said($_)] } @connections],
        [map { [$_] } @told], 'what was said in each connection';
    is scalar(grep { $_ eq "DCID 1 AUTH failed: $NO_DIGEST (in reply to AUTH); "
        . 'trying the next mechanism' } $trial->log), @told - 1, 'log';
    is_discreet($trial);
    return;
}

try_all(\&start_undone, \&check_undone, @undone);

subtest 'the bytes of AUTH' => sub {
    my $trial = Trial->new(
        hosts    => {FIRST => {Sasl::script(username => $USERNAME,
            password => $PASSWORD)}},
        route    => 'FIRST/auth=ex',
        settings => settings(),
    );

    is $trial->wait->status, 0, 'delivered';
    my ($connection) = $trial->host('FIRST')->connections;
    my $auth = 'AUTH PLAIN ' . Sasl::encoded("\0$USERNAME\0$PASSWORD");
    is $connection->input =~ s/^MAIL .*//msr,
        "EHLO agent.example\r\n$auth\r\n", 'to the last one';
};

#
# What a host makes of it.
#

my $NOT_AUTH = 'EHLO QUIT';
my $REFUSED = 'EHLO AUTH QUIT';

sub reply {
    my ($reply) = @_;

    return "$reply (in reply to AUTH)";
}

# Name; the first host's script, over that of one that offers PLAIN; DSN and
# text of the line; what the host saw; options: reason in the log, settings of
# the host.  The next host, with other credentials, gets the mail.
my @troubles = (
    ['AUTH is not offered', {keywords => []}, '4.7.8', 'AUTH: not offered',
        $NOT_AUTH],
    ['HELO only', {ehlo => '502 what'}, '4.7.8', 'AUTH: not offered',
        qr/^EHLO( HELO)? QUIT$/],
    ['no mechanism is', {keywords => ['AUTH']}, '4.7.8', qr/^AUTH: no/,
        $NOT_AUTH],
    ['no usable mechanism', {keywords => ['AUTH GSSAPI NTLM']}, '4.7.8',
        'AUTH: no usable mechanism offered (GSSAPI NTLM)', $NOT_AUTH],
    ['mechanisms for tokens only', {keywords => ['AUTH XOAUTH2 OAUTHBEARER']},
        '4.7.8', 'AUTH: no usable mechanism offered (XOAUTH2 OAUTHBEARER)',
        $NOT_AUTH],
    ['EXTERNAL and ANONYMOUS', {keywords => ['AUTH EXTERNAL ANONYMOUS']},
        '4.7.8', 'AUTH: no usable mechanism offered (EXTERNAL ANONYMOUS)',
        $NOT_AUTH],
    ['mechanisms with hostile names',
        {keywords => ['AUTH ../../tmp/x PLAI N/../x ' . 'Y' x 300]},
        '4.7.8', qr/^AUTH: no usable mechanism offered/, $NOT_AUTH],
    (map { ["the password is refused: $_", {auth => $_}, '4.7.8', reply($_),
            $REFUSED] }
        '535 5.7.8 authentication failed', '535', '454 4.7.0 not now',
        '432 4.7.12 transition needed', '534 5.7.9 too weak',
        '538 5.7.11 encryption required', '530 5.7.0 what',
        '500 5.5.1 what', '501 5.5.2 what', '503 5.5.1 what',
        '550 5.7.1 account disabled', '451 4.3.0 later'),
    ['the password is refused, and other mechanisms are not tried',
        {auth => '535 5.7.8 no', keywords => ['AUTH PLAIN LOGIN']},
        '4.7.8', reply('535 5.7.8 no'), $REFUSED],
    ['the password is refused after the user name',
        {auth => ['334 VXNlcm5hbWU6', '535 5.7.8 no'],
            keywords => ['AUTH LOGIN']},
        '4.7.8', reply('535 5.7.8 no'), 'EHLO AUTH + QUIT'],
    ['the digest is refused',
        {auth => ['334 ' . Sasl::encoded($Sasl::CHALLENGE), '535 5.7.8 no'],
            keywords => ['AUTH CRAM-MD5']},
        '4.7.8', reply('535 5.7.8 no'), 'EHLO AUTH + QUIT'],
    ['no mechanism is strong enough',
        {auth => '504 5.5.4 too weak', keywords => ['AUTH PLAIN LOGIN']},
        '4.7.8', reply('504 5.5.4 too weak'), 'EHLO AUTH AUTH QUIT'],
    ['the host goes down', {auth => '421 4.3.2 closing'},
        '4.3.2', reply('421 4.3.2 closing'), 'EHLO AUTH'],
    ['the host goes down amid AUTH',
        {auth => ['334 VXNlcm5hbWU6', '421 4.3.2 closing'],
            keywords => ['AUTH LOGIN']},
        '4.3.2', reply('421 4.3.2 closing'), 'EHLO AUTH +'],
    (map { my ($how, $text) = @{$_};
        (["$how at AUTH", {auth => $how}, '4.4.2', "AUTH: $text",
            'EHLO AUTH'],
        ["$how amid AUTH", {auth => ['334 VXNlcm5hbWU6', $how],
                keywords => ['AUTH LOGIN']}, '4.4.2', "AUTH: $text",
            'EHLO AUTH +']) }
        ['close', 'connection lost'],
        ['reset', 'connection lost: Connection reset by peer'],
        ['silence', 'timed out after 5 s'],
        ['hello', 'not an SMTP reply: hello'],
        ["235-ok\n535 no", 'reply lines with different codes: 535 no'],
        ['250 2.0.0 ok', 'unexpected reply: 250 2.0.0 ok'],
        ['220 2.0.0 ok', 'unexpected reply: 220 2.0.0 ok'],
        ['354 go ahead', 'unexpected reply: 354 go ahead']),
    ['a success and more', {auth => \"235 ok\r\n250 ok\r\n"}, '4.4.2',
        qr/\S/, 'EHLO AUTH'],
    ['a challenge that is no Base64',
        {auth => ['334 @@@@', '501 5.5.2 cancelled'],
            keywords => ['AUTH CRAM-MD5']},
        qr/^4\.[47]\.\d$/, qr/AUTH/, qr/^EHLO AUTH( \*)?( QUIT)?$/],
    ['a long challenge',
        {auth => ['334 ' . Sasl::encoded('x' x 3_000), '535 5.7.8 no'],
            keywords => ['AUTH CRAM-MD5']},
        qr/^4\.[47]\.\d$/, qr/AUTH/, qr/^EHLO AUTH( [+*])?( QUIT)?$/],
    ['a challenge in several lines',
        {auth => ["334-YQ==\n334 YQ==", '535 5.7.8 no'],
            keywords => ['AUTH CRAM-MD5']},
        qr/^4\.[47]\.\d$/, qr/AUTH/, qr/^EHLO AUTH( [+*])?( QUIT)?$/],
    (map { ["$_: challenges without end",
            {auth => '334 YQ==', keywords => ["AUTH $_"]},
            qr/^4\.[47]\.\d$/, qr/AUTH/,
            qr/^EHLO AUTH( [+*])*( QUIT)?$/] }
        qw(PLAIN LOGIN CRAM-MD5)),
    ['MAIL wants AUTH after AUTH', {mail => '530 5.7.0 authenticate'},
        '4.7.8', '530 5.7.0 authenticate (in reply to MAIL FROM)',
        'EHLO AUTH MAIL RCPT DATA QUIT', delayed => 1],
    ['MAIL refuses the password after AUTH', {mail => '535 5.7.8 no'},
        '4.7.8', '535 5.7.8 no (in reply to MAIL FROM)',
        'EHLO AUTH MAIL RCPT DATA QUIT', delayed => 1],
    ['AUTH is offered only before TLS',
        {tls => $TLS, keywords => ['AUTH PLAIN'], keywords_tls => []},
        '4.7.8', 'AUTH: not offered', 'EHLO STARTTLS tls EHLO QUIT'],
    ['STARTTLS is not offered, and in clear text AUTH may not be',
        {}, '4.7.4',
        'STARTTLS: not offered, but AUTH needs it (auth-in-clear = no)',
        $NOT_AUTH, host => {'auth-in-clear' => 'no'}],
    ['the handshake fails, and in clear text AUTH may not be',
        {tls => $TLS, handshake => 'close'}, '4.7.5',
        'TLS: handshake failed: connection lost', 'EHLO STARTTLS -tls',
        host => {'auth-in-clear' => 'no'}],
    ['STARTTLS is refused, and in clear text AUTH may not be',
        {tls => $TLS, starttls => '454 4.7.0 not now'}, '4.7.4',
        '454 4.7.0 not now (in reply to STARTTLS)', 'EHLO STARTTLS QUIT',
        host => {'auth-in-clear' => 'no'}],
    ['it is not who it must be', {tls => $TLS}, '4.7.5',
        qr/^TLS: certificate verification failed: /,
        qr/^EHLO STARTTLS -?tls( QUIT)?$/, host => {tls => 'secure'}],
);

sub start_trouble {
    my ($row) = @_;
    my (undef, $script, undef, undef, undef, %option) = @{$row};
    my %more = (settings => settings('host FIRST' => {
        'auth'            => 'ex',
        'command-timeout' => $row->[3] =~ /timed out/ ? '5s' : '10s',
        %{ $option{host} // {} },
    }));
    my %first = (Sasl::script(username => $USERNAME, password => $PASSWORD),
        %{$script});

    my $alone = Trial->new(hosts => {FIRST => \%first}, route => 'FIRST',
        %more)->start;
    my $pair = Trial->new(
        hosts => {
            FIRST  => \%first,
            SECOND => {Sasl::script(@OTHER)},
        },
        route => 'FIRST/pri=0, SECOND/pri=10/auth=other',
        %more,
    )->start;
    return [$alone, $pair];
}

sub check_trouble {
    my ($row, $alone, $pair) = @_;
    my (undef, undef, $dsn, $text, $story, %option) = @{$row};

    $_->wait for $alone, $pair;
    is $alone->status, 75, 'alone: deferred';
    my ($got_dsn, $got_text) = $alone->line =~ /^(\S+) FIRST: (.*)\z/
        or diag $alone->line;
    is_like($got_dsn, $dsn, 'alone: DSN');
    is_like($got_text, $text, 'alone: why');
    is $pair->status, 0, 'delivered' or diag $pair->line;
    like $pair->line, qr/^2\.0\.0 SECOND: 250 /, 'by the second host';
    for my $trial ($alone, $pair) {
        my @connections = $trial->host('FIRST')->connections;
        is scalar @connections, 1, 'one connection with the first host';
        is_like(Sasl::story($connections[0]), $story, 'which saw');
        is scalar(() = $connections[0]->messages), 0, 'and got no message';
        is state_of($trial, 'FIRST'), 'down', 'it is down';
        is_discreet($trial);
    }
    my ($second) = $pair->host('SECOND')->connections;
    is_deeply [Sasl::said($second)],
        [['PLAIN', "\0$OTHER[1]\0$OTHER[3]"]], 'the second host was told';
    my $log = join "\n", $pair->log;
    my $kind = $option{delayed} ? 'Delayed' : 'Connection Error';
    like $log, qr/^$kind: DCID 1 /m, 'log: the first host';
    my $details = "details: $got_text interface: 127.0.0.1 reason:";
    my $reason = $got_text =~ /\(in reply to (?:AUTH|STARTTLS)\)$/
        ? 'unexpected SMTP response'
        : $got_dsn eq '4.4.2' ? 'network error'
        : $got_text =~ /^AUTH:/ ? 'AUTH failed' : 'TLS failed';
    like $log, qr/^Connection Error: .* \Q$details $reason\E$/m,
        'log: why' if !$option{delayed};
    like $log, qr/^DCID 2 AUTH success profile other mechanism PLAIN$/m,
        'log: the second host';
    return;
}

try_all(\&start_trouble, \&check_trouble, @troubles);

subtest 'the next host has no AUTH' => sub {
    my $trial = Trial->new(
        hosts    => {
            FIRST  => {Sasl::script(username => $USERNAME,
                password => $PASSWORD), auth => '535 5.7.8 no'},
            SECOND => {},
        },
        route    => 'FIRST/auth=ex, SECOND/pri=1',
        settings => settings(),
    );

    is $trial->wait->status, 0, 'delivered';
    my ($second) = $trial->host('SECOND')->connections;
    is Sasl::story($second), "EHLO $TAKEN", 'as always';
};

# A host that asks for both, whatever came with AUTH: not to be told the
# password in the user name's place.
subtest 'LOGIN at a host that takes no initial response' => sub {
    my $trial = Trial->new(
        hosts    => {FIRST => {
            keywords => ['AUTH LOGIN'],
            auth     => sub {
                my ($line, $number) = @_;
                return '334 VXNlcm5hbWU6' if $number == 1;
                return '334 UGFzc3dvcmQ6' if $number == 2;
                return '235 2.7.0 welcome';
            },
        }},
        route    => 'FIRST/auth=ex',
        settings => settings(),
    );

    is $trial->wait->status, 0, 'delivered';
    my ($connection) = $trial->host('FIRST')->connections;
    my @commands = grep { !/^(?:EHLO|MAIL|RCPT|DATA|QUIT)/ }
        $connection->commands;
    is_deeply \@commands, ['AUTH LOGIN', Sasl::encoded($USERNAME),
        Sasl::encoded($PASSWORD)], 'each where it was asked for';
};

for my $mechanism (qw(XOAUTH2 OAUTHBEARER)) {
    subtest "$mechanism: the token is refused" => sub {
        my $json = Sasl::encoded('{"status":"401","schemes":"bearer"}');
        my $trial = Trial->new(
            hosts    => {FIRST => {
                keywords => ["AUTH $mechanism"],
                auth     => sub {
                    my ($line) = @_;
                    return "334 $json" if $line =~ /^AUTH \S+ ./;
                    return '334 ' if $line =~ /^AUTH/;
                    return length $line > 20 ? "334 $json"
                        : '535 5.7.8 token expired';
                },
            }},
            route    => 'FIRST/auth=ex',
            settings => settings('auth ex' => {
                'username'   => $USERNAME,
                'token-file' => secret_file($TOKEN),
            }),
        );

        is $trial->wait->status, 75, 'deferred';
        is $trial->line,
            '4.7.8 FIRST: 535 5.7.8 token expired (in reply to AUTH)', 'why';
        my ($connection) = $trial->host('FIRST')->connections;
        my ($said) = Sasl::said($connection);
        is $said->[-1], $mechanism eq 'XOAUTH2' ? '' : "\1",
            'the error is answered';
        is state_of($trial, 'FIRST'), 'down', 'the host is down';
        is_discreet($trial);
    };
}

done_testing;
