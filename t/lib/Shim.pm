# SPDX-License-Identifier: BSD-2-Clause
#
# The library that has system calls fail (t/fault/shim.c says by what).
#
#   $agent->deliver(environment => faults('mmap', Errno::ENOMEM));
#   $agent->deliver(environment => {LD_PRELOAD => $SHIM, FAULT_DAY => 86_400});
#
# faults($call, $error, $at): the $at-th (1) and all later ones of $call.
# unhurried($pace): all time-outs are so many times (30) as long, for tests of
# what is done before one that no setting has: a machine may stand still for
# seconds.

package Shim;

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);

our @EXPORT = qw($SHIM faults unhurried);

our $SHIM = abs_path(($ENV{top_builddir} // '.') . '/t/fault/shim.so');

sub unhurried {
    my ($pace) = @_;

    return {LD_PRELOAD => $SHIM, FAULT_PACE => $pace // 30};
}

sub faults {
    my ($call, $error, $at) = @_;

    return {
        LD_PRELOAD  => $SHIM,
        FAULT_CALL  => $call,
        FAULT_AT    => $at // 1,
        FAULT_ERROR => $error,
        FAULT_SAYS  => '/dev/null',
        FAULT_STAYS => 1,
    };
}

1;
