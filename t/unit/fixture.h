/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Routes and settings for tests, from the text a user would write.  What does
 * not parse fails the test.
 */
#ifndef SMTPROUTE_FIXTURE_H
#define SMTPROUTE_FIXTURE_H

#include "conf/settings.h"
#include "route/route.h"

struct route *
fixture_route(const char *text);

struct settings *
fixture_settings(const char *text);

#endif
