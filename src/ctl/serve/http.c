/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/serve/http.h"
#include "util/deadline.h"

/* After the answer, a client that goes on sending is heard for so long. */
#define LINGER_SPAN  G_USEC_PER_SEC
#define LINGER_BYTES (1024 * 1024)

/* RFC 9110 section 5.6.2, token; the same for methods and names of fields. */
#define TOKEN                                                                  \
	"!#$%&'*+-.^_`|~0123456789"                                            \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

const char *
http_reason(enum http_status status)
{
	switch (status) {
	case HTTP_NOTHING:
		break;
	case HTTP_OK:
		return "OK";
	case HTTP_BAD_REQUEST:
		return "Bad Request";
	case HTTP_NOT_FOUND:
		return "Not Found";
	case HTTP_NO_METHOD:
		return "Method Not Allowed";
	case HTTP_TIMEOUT:
		return "Request Timeout";
	case HTTP_TOO_LARGE:
		return "Request Header Fields Too Large";
	case HTTP_TROUBLE:
		return "Service Unavailable";
	case HTTP_NO_VERSION:
		return "HTTP Version Not Supported";
	}
	g_assert_not_reached();
}

/*
 * The next line of *text without its end, a new string; a lone LF ends it, too
 * (RFC 9112 section 2.2).  NULL: there is none.
 */
static char *
take_line(const char **text, gsize *length)
{
	const char *end = memchr(*text, '\n', *length);
	gsize size;
	char *line;

	if (end == NULL)
		return NULL;
	size = (gsize)(end - *text);
	line = g_strndup(*text, size);
	*text += size + 1;
	*length -= size + 1;
	if (size > 0 && line[size - 1] == '\r')
		line[size - 1] = '\0';
	return line;
}

/* A NUL would end strings early, and a lone CR lines for others. */
static gboolean
is_plain(const char *text, gsize length)
{
	for (gsize i = 0; i < length; i++) {
		guchar c = (guchar)text[i];
		gboolean line_end = c == '\n' ||
		    (c == '\r' && i + 1 < length && text[i + 1] == '\n');

		if ((c < ' ' && c != '\t' && !line_end) || c == 0x7f)
			return FALSE;
	}
	return TRUE;
}

/* "HTTP/1.1"; any 1.x is to be answered. */
static enum http_status
check_version(const char *version)
{
	if (strlen(version) != strlen("HTTP/1.1") ||
	    !g_str_has_prefix(version, "HTTP/") ||
	    !g_ascii_isdigit(version[5]) || version[6] != '.' ||
	    !g_ascii_isdigit(version[7]))
		return HTTP_BAD_REQUEST;
	return version[5] == '1' ? HTTP_OK : HTTP_NO_VERSION;
}

/*
 * The path of a target, a new string; NULL: it is none that GET has.  The
 * absolute form has to be understood (RFC 9112 section 3.2.2).
 */
static char *
take_path(const char *target)
{
	const char *at = target;

	if (g_ascii_strncasecmp(at, "http://", 7) == 0) {
		at += 7;
		at += strcspn(at, "/?");
		if (*at != '/')
			return g_strdup("/");
	}
	return *at == '/' ? g_strndup(at, strcspn(at, "?")) : NULL;
}

static enum http_status
parse_request_line(const char *line, struct http_request *ret,
    gboolean *ret_needs_host)
{
	g_auto(GStrv) words = g_strsplit(line, " ", 4);
	enum http_status status;

	/* Others may take a tab for a blank. */
	if (g_strv_length(words) != 3 || strchr(line, '\t') != NULL ||
	    words[0][0] == '\0' || words[0][strspn(words[0], TOKEN)] != '\0')
		return HTTP_BAD_REQUEST;
	status = check_version(words[2]);
	if (status != HTTP_OK)
		return status;
	*ret_needs_host = words[2][7] != '0';
	ret->head = strcmp(words[0], "HEAD") == 0;
	if (!ret->head && strcmp(words[0], "GET") != 0)
		return HTTP_NO_METHOD;
	ret->path = take_path(words[1]);
	return ret->path != NULL ? HTTP_OK : HTTP_BAD_REQUEST;
}

/*
 * All that is read of fields is whether they are some, and name one host
 * (RFC 9112 sections 3.2 and 5.1).
 */
static gboolean
check_fields(const char *text, gsize length, gboolean needs_host)
{
	guint hosts = 0;

	for (;;) {
		g_autofree char *line = take_line(&text, &length);
		gsize name;

		if (line == NULL || line[0] == '\0')
			break;
		name = strspn(line, TOKEN);
		if (name == 0 || line[name] != ':')
			return FALSE;
		hosts += name == 4 && g_ascii_strncasecmp(line, "Host", 4) == 0;
	}
	return hosts == 1 || (hosts == 0 && !needs_host);
}

enum http_status
http_parse(const char *text, gsize length, struct http_request *ret)
{
	g_autofree char *line = NULL;
	gboolean needs_host = FALSE;
	enum http_status status;

	*ret = (struct http_request){0};
	if (!is_plain(text, length))
		return HTTP_BAD_REQUEST;
	/* Empty lines before it are to be passed over. */
	do {
		g_free(line);
		line = take_line(&text, &length);
	} while (line != NULL && line[0] == '\0');
	if (line == NULL)
		return HTTP_BAD_REQUEST;
	status = parse_request_line(line, ret, &needs_host);
	if (status == HTTP_OK && !check_fields(text, length, needs_host))
		status = HTTP_BAD_REQUEST;
	if (status != HTTP_OK)
		g_clear_pointer(&ret->path, g_free);
	return status;
}

/* Where the head ends, behind its empty line; 0: not yet. */
static gsize
end_of_head(const GString *text)
{
	gsize begin = strspn(text->str, "\r\n");

	for (const char *at = text->str + begin;
	     (at = strchr(at, '\n')) != NULL;) {
		at++;
		if (*at == '\r')
			at++;
		if (*at == '\n')
			return (gsize)(at + 1 - text->str);
	}
	return 0;
}

/* What poll(2) and then read(2) have; -1: it is over, or the time is. */
static gssize
read_some(int fd, char *to, gsize size, gint64 deadline)
{
	struct pollfd polled = {fd, POLLIN, 0};
	gssize count;

	do {
		if (deadline_poll(&polled, 1, deadline) <= 0)
			return -1;
		count = read(fd, to, size);
	} while (count < 0 && (errno == EINTR || errno == EAGAIN));
	return count;
}

enum http_status
http_receive(int fd, gint64 deadline, struct http_request *ret)
{
	g_autoptr(GString) text = g_string_new(NULL);
	char buffer[HTTP_HEAD_MAX];

	*ret = (struct http_request){0};
	while (text->len < HTTP_HEAD_MAX) {
		gssize count =
		    read_some(fd, buffer, HTTP_HEAD_MAX - text->len, deadline);
		gsize end;

		if (count < 0 && deadline_left(deadline) == 0)
			return HTTP_TIMEOUT;
		if (count <= 0)
			return text->len == 0 ? HTTP_NOTHING : HTTP_BAD_REQUEST;
		g_string_append_len(text, buffer, count);
		/* It would hide the rest from string functions. */
		if (memchr(buffer, '\0', (gsize)count) != NULL)
			return HTTP_BAD_REQUEST;
		end = end_of_head(text);
		if (end > 0)
			return http_parse(text->str, end, ret);
	}
	return HTTP_TOO_LARGE;
}

/* As much as there is room for, without a wait; any descriptor will do. */
static gssize
write_some(int fd, const char *from, gsize size)
{
	gssize count = send(fd, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (count >= 0 || errno != ENOTSOCK)
		return count;
	/* A pipe that is ready takes so much (pipe(7)). */
	return write(fd, from, MIN(size, PIPE_BUF));
}

/* FALSE: the client does not take it. */
static gboolean
write_all(int fd, const char *from, gsize size, gint64 deadline)
{
	while (size > 0) {
		struct pollfd polled = {fd, POLLOUT, 0};
		gssize count;

		if (deadline_poll(&polled, 1, deadline) <= 0)
			return FALSE;
		count = write_some(fd, from, size);
		if (count < 0 && errno != EINTR && errno != EAGAIN)
			return FALSE;
		from += MAX(count, 0);
		size -= (gsize)MAX(count, 0);
	}
	return TRUE;
}

/* What nobody asked for. */
static void
linger(int fd, gint64 deadline)
{
	gint64 end = MIN(deadline_in(LINGER_SPAN), deadline);
	char buffer[HTTP_HEAD_MAX];
	gsize left = LINGER_BYTES;

	if (shutdown(fd, SHUT_WR) < 0)
		return;
	while (left > 0) {
		gssize count = read_some(fd, buffer, sizeof(buffer), end);

		if (count <= 0)
			return;
		left -= MIN(left, (gsize)count);
	}
}

static void
add_head(GString *to, const struct http_answer *answer)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *date =
	    g_date_time_format(now, "%a, %d %b %Y %H:%M:%S GMT");

	g_string_append_printf(to,
	    "HTTP/1.1 %u %s\r\n"
	    "Date: %s\r\n"
	    "Content-Type: %s\r\n"
	    "Content-Length: %" G_GSIZE_FORMAT "\r\n"
	    "Connection: close\r\n"
	    "Cache-Control: no-store\r\n"
	    "Content-Security-Policy: %s\r\n"
	    "Cross-Origin-Resource-Policy: same-origin\r\n"
	    "Referrer-Policy: no-referrer\r\n"
	    "X-Content-Type-Options: nosniff\r\n"
	    "X-Frame-Options: DENY\r\n"
	    "%s\r\n",
	    (guint)answer->status, http_reason(answer->status), date,
	    answer->type, answer->body->len,
	    answer->policy != NULL
		? answer->policy
		: "default-src 'none'; frame-ancestors 'none'",
	    answer->status == HTTP_NO_METHOD ? "Allow: GET, HEAD\r\n" : "");
}

void
http_send(int fd, gint64 deadline, const struct http_answer *answer,
    gboolean head)
{
	g_autoptr(GString) text = g_string_new(NULL);

	add_head(text, answer);
	if (!head)
		g_string_append_len(text, answer->body->str,
		    (gssize)answer->body->len);
	if (write_all(fd, text->str, text->len, deadline))
		linger(fd, deadline);
}
