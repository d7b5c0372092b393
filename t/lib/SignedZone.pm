# SPDX-License-Identifier: BSD-2-Clause
#
# A Dns that validates: of the zones that it knows some are signed (DNSSEC), by
# keys made for the test that it trusts, others not.
#
#   my $dns = SignedZone->new(
#       signed => {'dane.example.' => [
#           'mx.dane.example. A 127.0.0.2',
#           '_25._tcp.mx.dane.example. TLSA 3 1 1 ' . $digest,
#       ]},
#       unsigned => {'plain.example.' => [...]},
#       bogus    => ['mx.dane.example.'],
#   );
#   $dns->says('mx.dane.example.', 'A')   # "SERVFAIL"
#
# SOA and NS of a zone come by themselves; owners are full names.  bogus: owners
# in signed zones all of whose signatures are broken, also that of NSEC, which
# denies the names that follow: these are best in a zone of their own.
# Everything else is as with Dns.
#
#   $dns->says($name, $type)   what comes back for a query with the AD bit and
#                              without EDNS: the response code; AD, if that bit
#                              is set; the number of answers, if there are any
#   SignedZone->missing

package SignedZone;

use strict;
use warnings;
use parent 'Dns';

use IO::Select ();
use IO::Socket::IP ();
use Socket qw(SOCK_DGRAM);

use Fixture;

my $KEYGEN = '/usr/bin/ldns-keygen';
my $SIGNZONE = '/usr/bin/ldns-signzone';

my %TYPES = (A => 1, MX => 15, AAAA => 28, TLSA => 52);
my %RCODES = (0 => 'NOERROR', 2 => 'SERVFAIL', 3 => 'NXDOMAIN', 5 => 'REFUSED');
my $IN = 1;

# Flags of a header (RFC 1035 section 4.1.1, RFC 4035 section 3.2.3).
my $RD = 0x0100;
my $AD = 0x0020;
my $RCODE = 0x000f;

sub missing {
    my ($class) = @_;

    my @absent = grep { !-x } $KEYGEN, $SIGNZONE;
    return $class->SUPER::missing // ($absent[0] && "no $absent[0]");
}

sub _conf {
    my ($self, $folder, %option) = @_;
    my %signed = %{ delete $option{signed} // {} };
    my %unsigned = %{ delete $option{unsigned} // {} };
    my $bogus = delete $option{bogus} // [];
    my %zones = %{ delete $option{zones} // {} };
    my $more = "server:\n";

    # The data comes to the validator as if from the zones' servers
    # (for-upstream), so that it is checked.
    my %files = (
        map({ $_ => _zone_file($folder, $_, $signed{$_}) . '.signed' }
            keys %signed),
        map({ $_ => _zone_file($folder, $_, $unsigned{$_}) } keys %unsigned),
    );
    for my $zone (sort keys %signed) {
        my $key = _sign($folder, $zone);
        $more .= "    trust-anchor-file: $key\n";
    }
    _break_signatures($bogus, map { $files{$_} } sort keys %signed);
    for my $zone (sort keys %files) {
        $zones{$zone} = 'transparent';
        $more .= "auth-zone:\n    name: $zone\n    zonefile: $files{$zone}\n"
            . "    for-upstream: yes\n    for-downstream: no\n";
    }
    my $conf = $self->SUPER::_conf($folder, %option, zones => \%zones);
    $conf =~ s/module-config: iterator/module-config: "validator iterator"/
        or die "Dns has another module-config\n";
    return $conf . $more;
}

sub _zone_file {
    my ($folder, $zone, $records) = @_;
    my $path = "$folder/${zone}zone";

    write_file($path, join "\n", '$TTL 60', "\$ORIGIN $zone",
        "@ SOA ns.$zone hostmaster.$zone 1 3600 600 86400 60",
        "@ NS ns.$zone", "ns.$zone A 192.0.2.9", @{$records}, '');
    return $path;
}

# Leaves the signed zone beside the zone; returns the path of the public key.
sub _sign {
    my ($folder, $zone) = @_;

    my ($base) = _run($folder, $KEYGEN, '-k', '-a', 'ECDSAP256SHA256',
        '-r', '/dev/urandom', $zone) =~ /^(K\S+)$/m
        or die "$KEYGEN names no key\n";
    _run($folder, $SIGNZONE, "${zone}zone", $base);
    return "$folder/$base.key";
}

# They leave their files in the folder where they run.
sub _run {
    my ($folder, @command) = @_;

    my ($status, $output) = capture('/bin/sh', '-c', 'cd "$0" && exec "$@"',
        $folder, @command);
    die "@command: status $status:\n$output" if $status != 0;
    return $output;
}

# Changes the first character of each signature of these owners.
sub _break_signatures {
    my ($owners, @files) = @_;
    my %left = map { $_ => 1 } @{$owners};

    for my $file (@files) {
        my $text = read_file($file);
        for my $owner (@{$owners}) {
            delete $left{$owner} if $text =~
                s{^\Q$owner\E\s.*\sRRSIG\s.*\s\K([^\s=])(?=\S*$)}
                 { $1 eq 'A' ? 'B' : 'A' }gem;
        }
        write_file($file, $text);
    }
    die "no signatures of @{[ %left ]}\n" if %left;
    return;
}

sub says {
    my ($self, $name, $type) = @_;
    my $socket = IO::Socket::IP->new(
        PeerHost => '127.0.0.1',
        PeerPort => $self->port,
        Type     => SOCK_DGRAM,
    ) // die "DNS: $@\n";

    my $question = join '', map { pack 'C/a', $_ } split /\./, $name;
    $socket->send(pack('n6', 4711, $RD | $AD, 1, 0, 0, 0) . $question
        . pack('xn2', $TYPES{$type}, $IN)) or die "DNS: $!\n";
    IO::Select->new($socket)->can_read($Fixture::PATIENCE)
        or die "no answer about $name\n";
    $socket->recv(my $answer, 512) // die "DNS: $!\n";
    my (undef, $flags, undef, $count) = unpack 'n4', $answer;
    my $rcode = $flags & $RCODE;
    return join ' ', $RCODES{$rcode} // $rcode, $flags & $AD ? 'AD' : (),
        $count || ();
}

1;
