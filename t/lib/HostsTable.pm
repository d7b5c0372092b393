# SPDX-License-Identifier: BSD-2-Clause
#
# smtproutectl hosts, and what its forms have for one host.
#
#   my $run = hosts($agent, '--down');         # a run of Ctl
#   like line($run, label($host)), qr/^up /;   # of the table, behind the name
#   is json(hosts($agent, '--json'))->[0]{state}, 'up';
#   my $text = hosts($agent, '--openmetrics')->stdout;
#   is sample($text, 'failures_total', $host->destination,
#       ',stage="connect"'), 1;                # smtproute_host_failures_total

package HostsTable;

use strict;
use warnings;

use Exporter qw(import);
use JSON::PP ();

use Ctl ();
use Fixture;

our @EXPORT =
    qw(%LONG has_lint hosts json label line lint_metrics sample samples);

# Settings: whoever is down stays so until the test's end.
our %LONG = ('retry-min' => '5m', 'retry-max' => '5m');

my $PYTHON = '/usr/bin/python3';

sub hosts {
    my ($agent, @arguments) = @_;

    return Ctl->run(
        conf      => $agent->conf,
        arguments => ['hosts', @arguments],
    );
}

sub json {
    my ($run) = @_;

    return JSON::PP->new->ascii->decode($run->stdout);
}

# What a sample of the exposition has for a host, by its label of a route.
sub sample {
    my ($text, $name, $destination, $more) = @_;
    my ($host, $port) = $destination =~ /^\[(.*)\]:(\d+)$/;

    $more //= '';
    my $series = "smtproute_host_$name\{host=\"$host\",port=\"$port\"$more}";
    my ($value) = $text =~ /^\Q$series\E (\S+)$/m;
    return $value;
}

# A host as the table has it.
sub label {
    my ($host) = @_;

    return $host->address . ':' . $host->port;
}

# The table's line of a host, its label cut off.
sub line {
    my ($run, $label) = @_;
    my @lines = grep { /^\Q$label\E / } $run->lines;

    return "no line or several: @lines" if @lines != 1;
    return $lines[0] =~ s/^\S+ +//r;
}

# Complains of the text as Prometheus's own parsers do, of samples of no family,
# and of counters that promtool would not take; undef: nothing.
sub lint_metrics {
    my ($form, $text) = @_;
    my $program = <<'EOF_PYTHON';
import re
import sys
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics
text = sys.stdin.read()
read = {"--metrics": parser, "--openmetrics": openmetrics}[sys.argv[1]]
families = list(read.text_string_to_metric_families(text))
names = re.findall("^# TYPE (.*) counter$", text, re.M)
total = [name for name in names if name.endswith("_total")]
if not names or len(total) != (len(names) if read is parser else 0):
    sys.exit("names of counters: %s" % names)
for family in families:
    if family.type in ("unknown", "untyped") or not family.documentation:
        sys.exit("%s: %s: %s"
                 % (family.name, family.type, family.documentation))
lines = re.findall("^[^#]", text, re.M)
if sum(len(family.samples) for family in families) != len(lines):
    sys.exit("samples are lost")
EOF_PYTHON
    my $folder = new_folder('metrics');

    write_file("$folder/metrics", $text);
    my ($status, $said) = capture('/bin/sh', '-c',
        'exec "$0" -c "$1" "$2" <"$3"', $PYTHON, $program, $form,
        "$folder/metrics");
    return $status == 0 && $said eq '' ? undef : "status $status: $said";
}

# But for what time does to them.
sub samples {
    my ($text) = @_;

    return map { s/^(\S+_(?:next_try|oldest_age)_seconds\S* ).*/$1/r } grep { !/^#/ }
        split /\n/, $text;
}

sub has_lint {
    my ($status) = capture($PYTHON, '-c',
        'import prometheus_client.openmetrics.parser');

    return $status == 0;
}

1;
