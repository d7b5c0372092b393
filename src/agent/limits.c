/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "agent/limits.h"

struct health_limits
limits_health(const struct settings *settings)
{
	return (struct health_limits){
	    .min = settings->retry_min,
	    .max = settings->retry_max,
	};
}
