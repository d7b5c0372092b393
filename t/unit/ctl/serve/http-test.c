/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "ctl/serve/http.h"
#include "unit/table.h"

/* A head, or a part of one: t/serve.t has what comes over a connection. */
static const struct row {
	const char *says;
	const char *head;
	enum http_status status;
	const char *path;
	gboolean asks_for_head;
} rows[] = {
    {"nothing", "", HTTP_BAD_REQUEST, NULL, FALSE},
    {"a line without an end", "GET / HTTP/1.0", HTTP_BAD_REQUEST, NULL, FALSE},
    {"a line", "GET /x HTTP/1.0\n", HTTP_OK, "/x", FALSE},
    {"HEAD", "HEAD /x HTTP/1.0\r\n\r\n", HTTP_OK, "/x", TRUE},
    {"of another method nothing is known", "PUT /x HTTP/1.0\r\n\r\n",
	HTTP_NO_METHOD, NULL, FALSE},
    {"the query is no part of it", "GET /x?y=/z HTTP/1.0\n\n", HTTP_OK, "/x",
	FALSE},
    {"nor is the host", "GET http://a.example:80/x HTTP/1.0\n\n", HTTP_OK, "/x",
	FALSE},
    {"a field without an end", "GET / HTTP/1.0\nHost: a", HTTP_OK, "/", FALSE},
    {"HTTP/1.1 has to name a host", "GET / HTTP/1.1\nX: a\n\n",
	HTTP_BAD_REQUEST, NULL, FALSE},
};

static void
test_row(gconstpointer data)
{
	const struct row *row = data;
	gsize length = strlen(row->head);
	/* What is behind it is not to be read. */
	g_autofree char *head = g_strconcat(row->head, "\r\n\r\n", NULL);
	struct http_request request;

	g_assert_cmpint(http_parse(head, length, &request), ==, row->status);
	g_assert_cmpstr(request.path, ==, row->path);
	if (row->status == HTTP_OK)
		g_assert_cmpint(request.head, ==, row->asks_for_head);
	g_free(request.path);
}

/* All statuses can be said. */
static void
test_reason(void)
{
	static const enum http_status all[] = {HTTP_OK, HTTP_BAD_REQUEST,
	    HTTP_NOT_FOUND, HTTP_NO_METHOD, HTTP_TIMEOUT, HTTP_TOO_LARGE,
	    HTTP_TROUBLE, HTTP_NO_VERSION};

	for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
		g_assert_cmpstr(http_reason(all[i]), !=, "");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("http/parse", rows, test_row);
	g_test_add_func("/http/reason", test_reason);
	return g_test_run();
}
