/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The head of a request, whoever sent it, and a text on a page: a path comes
 * with HTTP_OK alone, and nothing of a text means anything in HTML.
 */
#include <config.h>

#include "ctl/serve/html.h"
#include "ctl/serve/http.h"
#include "fuzz/fuzz.h"

static void
check_request(const guint8 *data, gsize size)
{
	/* Bytes behind it are not its own: sanitizers see them read. */
	g_autofree char *copy = g_memdup2(data, size);
	struct http_request request;
	enum http_status status = http_parse(copy, size, &request);

	g_assert_cmpstr(http_reason(status), !=, "");
	g_assert_true((status == HTTP_OK) == (request.path != NULL));
	if (request.path == NULL)
		return;
	g_assert_cmpint(request.path[0], ==, '/');
	g_assert_null(strpbrk(request.path, "?\r\n\t "));
	g_assert_cmpuint(strlen(request.path), <, size);
	g_free(request.path);
}

static void
check_text(const char *text)
{
	g_autoptr(GString) page = g_string_new(NULL);

	html_text(page, text);
	fuzz_assert_line(page->str);
	g_assert_null(strpbrk(page->str, "<>\"'"));
	for (const char *at = page->str; (at = strchr(at, '&')) != NULL; at++)
		g_assert_nonnull(strchr(at, ';'));
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autofree char *text = fuzz_string(data, size);

	if (size > 0)
		check_request(data, size);
	check_text(text);
	return 0;
}
