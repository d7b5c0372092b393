# SPDX-License-Identifier: BSD-2-Clause
#
# A certificate authority that the test makes for itself, with EC keys.
#
#   my $ca = TestCa->new;
#   my $certificate = $ca->certificate(names => ['mx1.example.com']);
#   my $host = SmtpHost->new(tls => {certificate => $certificate});
#   settings => {'tls-ca-file' => $ca->file}
#
#   TestCa->new($name)      a root
#   $ca->intermediate($name)  an authority that $ca has signed
#   $ca->certificate(...)   a host's; the same for the same options
#     names => [DNS names], addresses => [IP addresses]: the SAN
#     common_name           "host.example"; with neither of the above the
#                           certificate has no SAN
#     expired, early        valid until an hour ago, valid in an hour from now
#     self_signed           by its own key, not by $ca
#     days => 30            for how long
#     client => 1           for who connects, not for a host
#     chain => 0            without the certificates between it and the root
#     with_root => 1        its chain has the root at its end
#   TestCa->missing         why there cannot be one, undef if there can
#
# Authorities and certificates have  file (PEM: of a host with its chain),
# key_file, pem (without the chain), name (in the subject), and
# tlsa($usage, $selector, $matching): a record's data, like "3 1 1 0a1b...".

package TestCa;

use strict;
use warnings;

use Digest::SHA ();
use MIME::Base64 qw(decode_base64);

use Fixture;

accessors(__PACKAGE__, qw(file key_file pem name));

my $HOUR = 3600;
my $DAY = 24 * $HOUR;

my $folder;
my $serial = 0;

# Loaded late, since tests without TLS need not have it.
sub missing {
    return if eval { require IO::Socket::SSL::Utils; 1 };
    return 'IO::Socket::SSL is not installed';
}

sub new {
    my ($class, $name) = @_;

    return $class->_make(CA => 1, name => $name // 'Test Root', chain => 0);
}

sub intermediate {
    my ($self, $name) = @_;

    return $self->_make(CA => 1, name => $name // 'Test Intermediate',
        issuer => $self);
}

sub certificate {
    my ($self, %option) = @_;

    my $key = join ' ', map {
        my $value = $option{$_};
        ($_, ref $value ? "[@{$value}]" : $value);
    } sort keys %option;
    return $self->{made}{$key} //= $self->_make(
        name   => delete $option{common_name} // 'host.example',
        issuer => delete $option{self_signed} ? undef : $self,
        %option,
    );
}

# Signed by its own key if there is no issuer.
sub _make {
    my ($any, %option) = @_;
    my $class = ref $any || $any;
    my $issuer = $option{issuer};

    die missing() . "\n" if defined missing();
    my @san = (
        (map { ['DNS', $_] } @{ $option{names} // [] }),
        (map { ['IP', $_] } @{ $option{addresses} // [] }),
    );
    my $key = IO::Socket::SSL::Utils::KEY_create_ec();
    my ($certificate) = IO::Socket::SSL::Utils::CERT_create(
        key        => $key,
        serial     => ++$serial,
        subject    => {commonName => $option{name}},
        not_before => time + ($option{early} ? $HOUR : -2 * $DAY),
        not_after  => time + ($option{expired} ? -$HOUR
            : ($option{days} // 30) * $DAY + $HOUR),
        @san ? (subjectAltNames => \@san) : (),
        $option{CA} ? (CA => 1) : (purpose =>
            $option{client} ? 'client' : 'server'),
        $issuer ? (issuer_cert => $issuer->{certificate},
            issuer_key => $issuer->{key}) : (),
    );
    $folder //= new_folder('ca');
    my $self = bless {
        certificate => $certificate,
        key         => $key,
        name        => $option{name},
        issuer      => $issuer,
        pem         => IO::Socket::SSL::Utils::PEM_cert2string($certificate),
        file        => "$folder/$serial.pem",
        key_file    => "$folder/$serial.key",
        made        => {},
    }, $class;
    write_file($self->{file}, join '', $self->{pem},
        $option{chain} // 1 ? $self->_chain($option{with_root}) : ());
    write_file($self->{key_file},
        IO::Socket::SSL::Utils::PEM_key2string($key));
    return $self;
}

# Its authorities; the last one is the root.
sub _chain {
    my ($self, $with_root) = @_;
    my @chain;

    for (my $ca = $self->{issuer}; $ca; $ca = $ca->{issuer}) {
        push @chain, $ca->{pem};
    }
    pop @chain if !$with_root;
    return @chain;
}

sub tlsa {
    my ($self, $usage, $selector, $matching) = @_;
    my ($base64) = $self->{pem} =~ /-----\n(.*?)-----/s;

    my $bytes = $selector ? Net::SSLeay::X509_get_X509_PUBKEY(
        $self->{certificate}) : decode_base64($base64);
    my $data = $matching == 0 ? unpack 'H*', $bytes
        : $matching == 1 ? Digest::SHA::sha256_hex($bytes)
        : Digest::SHA::sha512_hex($bytes);
    return "$usage $selector $matching $data";
}

1;
