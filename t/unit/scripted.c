/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "unit/scripted.h"
#include "util/autofd.h"

/* FALSE: it is to close. */
static gboolean
host_say(struct scripted *host, gboolean *ret_content)
{
	const char *text = host->script[host->next];
	g_auto(GStrv) lines = NULL;
	g_autofree char *joined = NULL;
	g_autofree char *all = NULL;
	gboolean going;

	*ret_content = FALSE;
	if (text == NULL)
		return FALSE;
	host->next++;
	if (g_str_equal(text, "-"))
		return TRUE;
	going = !g_str_has_suffix(text, "!");
	lines = g_strsplit_set(text, "\n!", 0);
	joined = g_strjoinv("\r\n", lines);
	/* "!" has left an empty last line. */
	all = g_strconcat(joined, going ? "\r\n" : "", NULL);
	*ret_content = g_str_has_prefix(text, "354");
	/* In one piece: the other side may close behind it. */
	if (!g_str_equal(text, "!") &&
	    send(host->fd, all, strlen(all), MSG_NOSIGNAL) < 0)
		return FALSE;
	return going;
}

/* What comes up to @end, a new string; NULL: it has ended. */
static char *
host_hear(struct scripted *host, const char *end)
{
	char buffer[4096];
	const char *found;
	char *text;

	while ((found = strstr(host->input->str, end)) == NULL) {
		gssize n = recv(host->fd, buffer, sizeof(buffer), 0);

		if (n <= 0)
			return NULL;
		g_string_append_len(host->input, buffer, n);
	}
	text = g_strndup(host->input->str, (gsize)(found - host->input->str));
	g_string_erase(host->input, 0, (gssize)(strlen(text) + strlen(end)));
	return text;
}

static void
host_note(struct scripted *host, const char *line)
{
	gboolean whole = g_str_has_prefix(line, "MAIL ") ||
	    g_str_has_prefix(line, "AUTH ") || strchr(line, ' ') == NULL;

	g_string_append_printf(host->heard, "%s%.*s",
	    host->heard->len > 0 ? ";" : "",
	    whole ? (int)strlen(line) : (int)strcspn(line, " "), line);
}

static void
host_talk(struct scripted *host)
{
	gboolean content;

	while (host_say(host, &content)) {
		g_autofree char *heard =
		    host_hear(host, content ? ".\r\n" : "\r\n");

		if (heard == NULL)
			break;
		if (content)
			g_string_append(host->content, heard);
		host_note(host, content ? "." : heard);
	}
	shutdown(host->fd, SHUT_RDWR);
}

static gpointer
host_run(gpointer data)
{
	struct scripted *host = data;

	for (guint i = 0; host->scripts[i] != NULL; i++) {
		if (host->listener >= 0) {
			autofd_clear(&host->fd);
			host->fd =
			    accept4(host->listener, NULL, NULL, SOCK_CLOEXEC);
			if (host->fd < 0)
				break;
		}
		g_strfreev(host->script);
		host->script = g_strsplit(host->scripts[i], "|", 0);
		host->next = 0;
		g_string_truncate(host->input, 0);
		host_talk(host);
	}
	return NULL;
}

static void
host_make(struct scripted *host, const char *script)
{
	*host = (struct scripted){
	    .listener = -1,
	    .fd = -1,
	    .scripts = g_strsplit(script, "||", 0),
	    .input = g_string_new(NULL),
	    .heard = g_string_new(NULL),
	    .content = g_string_new(NULL),
	};
}

int
scripted_pair(struct scripted *host, const char *script)
{
	int pair[2];

	g_assert_no_errno(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	g_assert_no_errno(fcntl(pair[0], F_SETFL, O_NONBLOCK));
	host_make(host, script);
	host->fd = pair[1];
	host->thread = g_thread_new("host", host_run, host);
	return pair[0];
}

guint16
scripted_listen(struct scripted *host, const char *script)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr *any = (struct sockaddr *)&address;
	socklen_t length = sizeof(address);

	host_make(host, script);
	host->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_no_errno(bind(host->listener, any, length));
	g_assert_no_errno(listen(host->listener, 5));
	g_assert_no_errno(getsockname(host->listener, any, &length));
	host->thread = g_thread_new("host", host_run, host);
	return ntohs(address.sin_port);
}

void
scripted_end(struct scripted *host)
{
	if (host->listener >= 0)
		shutdown(host->listener, SHUT_RDWR);
	g_clear_pointer(&host->thread, g_thread_join);
}

void
scripted_clear(struct scripted *host)
{
	scripted_end(host);
	autofd_clear(&host->listener);
	autofd_clear(&host->fd);
	g_strfreev(host->scripts);
	g_strfreev(host->script);
	g_string_free(host->input, TRUE);
	g_string_free(host->heard, TRUE);
	g_string_free(host->content, TRUE);
}
