# SPDX-License-Identifier: BSD-2-Clause
#
# What a scripted host does that wants AUTH, and what it was told.
#
#   my $host = SmtpHost->new(Sasl::script(
#       username   => 'relay',
#       password   => 'open sesame',
#       mechanisms => [qw(PLAIN LOGIN CRAM-MD5)],
#       tls        => {certificate => $certificate},
#   ));
#   is_deeply [Sasl::said($host->connections)],
#       [['PLAIN', "\0relay\0open sesame"]];
#
#   script(...)  stages and keywords for SmtpHost.  username; password or token;
#                mechanisms: PLAIN LOGIN CRAM-MD5 XOAUTH2 OAUTHBEARER; with tls
#                (or tls_only => 1) AUTH is offered within TLS only; all else is
#                passed on.  MAIL without AUTH is refused with 530.
#   said($connection)    a list of [mechanism, decoded responses...]
#   story($connection)   its story, each response as "+"
#   encoded($text)       Base64
#   hmac_md5_hex($text, $key)    RFC 2104

package Sasl;

use strict;
use warnings;

use Digest::MD5 qw(md5 md5_hex);
use MIME::Base64 qw(decode_base64 encode_base64);

our $CHALLENGE = '<1896.697170952@host.example>';

my $VERB = qr/^(?:EHLO|HELO|STARTTLS|AUTH|MAIL|RCPT|DATA|RSET|NOOP|QUIT)\b/;

sub encoded {
    return encode_base64($_[0], '');
}

sub hmac_md5_hex {
    my ($text, $key) = @_;

    $key = md5($key) if length $key > 64;
    $key .= "\0" x (64 - length $key);
    return md5_hex($key ^ "\x5c" x 64, md5($key ^ "\x36" x 64, $text));
}

# The questions after AUTH, and what the answers must be together; a question
# that the initial response has answered is not asked.
sub _questions {
    my ($mechanism, %option) = @_;
    my ($username, $password, $token) = @option{qw(username password token)};

    return {
        'PLAIN' => sub { [''], ["\0$username\0$password"] },
        'LOGIN' => sub {
            ['Username:', 'Password:'], [$username, $password];
        },
        'CRAM-MD5' => sub {
            [$CHALLENGE], ["$username " . hmac_md5_hex($CHALLENGE, $password)];
        },
        'XOAUTH2' => sub {
            [''], ["user=$username\1auth=Bearer $token\1\1"];
        },
        'OAUTHBEARER' => sub {
            [''], ["n,a=$username,\1auth=Bearer $token\1\1"];
        },
    }->{$mechanism}->();
}

sub script {
    my (%option) = @_;
    my @mechanisms = @{ delete $option{mechanisms} // ['PLAIN'] };
    my %user = map { $_ => delete $option{$_} } qw(username password token);
    my $tls_only = delete $option{tls_only} // $option{tls};
    my ($questions, $answers, @given, $authenticated);

    my $ask = sub {
        return '334 ' . encoded($questions->[@given]) if @given < @{$answers};
        $authenticated = join("\n", @given) eq join "\n", @{$answers};
        undef $answers;
        return $authenticated ? '235 2.7.0 welcome'
            : '535 5.7.8 who are you';
    };
    my $auth = sub {
        my ($line) = @_;

        if ($answers) {
            push @given, decode_base64($line);
            return $ask->() if $line ne '*';
            undef $answers;
            return '501 5.7.0 cancelled';
        }
        my (undef, $mechanism, $response) = split ' ', $line;
        return '504 5.5.4 what' if !grep { $_ eq $mechanism } @mechanisms;
        ($questions, $answers) = _questions($mechanism, %user);
        @given = defined $response ? decode_base64($response) : ();
        return $ask->();
    };
    my @keywords = ('PIPELINING', '8BITMIME', 'ENHANCEDSTATUSCODES');
    my $offer = "AUTH @mechanisms";
    return (
        keywords => [@keywords, $tls_only ? () : $offer],
        $tls_only ? (keywords_tls => [@keywords, $offer]) : (),
        auth => $auth,
        mail => sub {
            return $authenticated ? undef : '530 5.7.0 authenticate first';
        },
        %option,
    );
}

sub said {
    my ($connection) = @_;
    my @said;

    for my $line ($connection->commands) {
        if ($line =~ /^AUTH (\S+)(?: (.*))?$/) {
            push @said, [$1, defined $2 ? decode_base64($2) : ()];
        } elsif ($line !~ $VERB) {
            push @{ $said[-1] }, $line eq '*' ? $line : decode_base64($line);
        }
    }
    return @said;
}

sub story {
    my ($connection) = @_;

    return join ' ', map {
        $_ eq '*' || /$VERB|^-?tls$|^content$|^part$/ ? $_ : '+'
    } split / /, $connection->story, -1;
}

1;
