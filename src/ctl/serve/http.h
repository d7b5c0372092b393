/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As much of HTTP/1.1 (RFC 9110, RFC 9112) as one answer over one connection
 * needs, which then ends: a request for GET or HEAD without a body.
 */
#ifndef SMTPROUTE_CTL_HTTP_H
#define SMTPROUTE_CTL_HTTP_H

#include <glib.h>

/* Browsers send one, monitoring systems a tenth of it. */
#define HTTP_HEAD_MAX 8192

/* What a server says. */
enum http_status {
	HTTP_NOTHING = 0, /* the client has sent nothing, and gets nothing */
	HTTP_OK = 200,
	HTTP_BAD_REQUEST = 400,
	HTTP_NOT_FOUND = 404,
	HTTP_NO_METHOD = 405,
	HTTP_TIMEOUT = 408,
	HTTP_TOO_LARGE = 431,
	HTTP_TROUBLE = 503,
	HTTP_NO_VERSION = 505,
};

struct http_request {
	char *path; /* as it was sent, without what is behind a '?' */
	gboolean head;
};

struct http_answer {
	enum http_status status;
	const char *type;   /* of the body */
	const char *policy; /* Content-Security-Policy; NULL: of no content */
	GString *body;
};

/* "404 Not Found" without the number. */
const char *
http_reason(enum http_status status);

/*
 * Reads a head up to its empty line, at most HTTP_HEAD_MAX bytes of it, and
 * takes it apart.  HTTP_OK: *ret is set, ret->path a new string.  After any
 * other *ret->head may be.
 */
enum http_status
http_receive(int fd, gint64 deadline, struct http_request *ret);

/* The same of a head that has been read; @text need not end with a NUL. */
enum http_status
http_parse(const char *text, gsize length, struct http_request *ret);

/*
 * Sends the answer, without its body for HEAD, and then takes what the client
 * still sends, lest the system reset the connection and the answer be lost.
 * What a client does not take by @deadline is dropped.
 */
void
http_send(int fd, gint64 deadline, const struct http_answer *answer,
    gboolean head);

#endif
