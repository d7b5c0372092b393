/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mail that waits for a host which is free again by its rate: nobody delivers
 * to the host until somebody comes by, and that may be a command.
 */

#include <config.h>

#include "agent/wakeup.h"
#include "ctl/ctl.h"
#include "util/guard.h"
#include "util/maillog.h"

/* Settings, postconf(1) and a state that others hold: all have less. */
#define SECONDS 60

/* For guard_detach(); what is complained of is heard by nobody. */
static void
look(void *data)
{
	const struct ctl *ctl = data;
	g_autoptr(Settings) settings = settings_load(ctl->conf, NULL);

	if (settings == NULL || settings->wake != ANSWER_YES ||
	    !ctl_become_agent(ctl, settings))
		return;
	maillog_detach();
	maillog_open(settings->log, settings->syslog_name);
	wakeup_due(settings);
}

void
ctl_wake(const struct ctl *ctl)
{
	struct ctl copy = *ctl;

	guard_detach(look, &copy, SECONDS);
}
