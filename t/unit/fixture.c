/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "unit/fixture.h"

struct settings *
fixture_settings(const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *path = NULL;
	struct settings *settings;
	int fd = g_file_open_tmp(NULL, &path, &error);

	g_assert_no_error(error);
	close(fd);
	g_file_set_contents(path, text, -1, &error);
	g_assert_no_error(error);
	settings = settings_load(path, &error);
	g_unlink(path);
	g_assert_no_error(error);
	return settings;
}

struct route *
fixture_route(const char *text)
{
	const struct route_origin origin = {"test", 1, 1};
	g_autoptr(GError) error = NULL;
	struct route *route = route_parse(text, strlen(text), &origin, &error);

	g_assert_no_error(error);
	return route;
}
