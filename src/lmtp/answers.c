/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <unistd.h>

#include "lmtp/answers.h"
#include "smtp/reply.h"
#include "util/deadline.h"
#include "util/printable.h"

/* Postfix's lmtp(8) reads lines of up to 2,048 bytes (line_length_limit). */
#define TEXT_MAX 1900

/* A client that is there reads. */
#define WRITE_SPAN (60 * G_USEC_PER_SEC)

struct answers {
	int fd;
	gboolean failed;
	GString *text;
};

struct answers *
answers_new(int fd)
{
	struct answers *answers = g_new0(struct answers, 1);

	answers->fd = fd;
	answers->text = g_string_new(NULL);
	return answers;
}

void
answers_free(struct answers *answers)
{
	g_string_free(answers->text, TRUE);
	g_free(answers);
}

static void
add_line(struct answers *answers, int code, char mark, const char *text)
{
	g_autofree char *clean = printable(text, TEXT_MAX);

	reply_append_code(answers->text, code);
	g_string_append_c(answers->text, mark);
	g_string_append(answers->text, clean);
	g_string_append(answers->text, "\r\n");
}

void
answers_add(struct answers *answers, int code, const char *text)
{
	add_line(answers, code, ' ', text);
}

void
answers_add_lines(struct answers *answers, int code, const char *const *texts)
{
	for (; *texts != NULL; texts++)
		add_line(answers, code, texts[1] != NULL ? '-' : ' ', *texts);
}

/* FALSE: it cannot be sent. */
static gboolean
send_text(const struct answers *answers)
{
	gint64 deadline = deadline_in(WRITE_SPAN);
	gsize sent = 0;

	while (sent < answers->text->len) {
		struct pollfd pollfd = {.fd = answers->fd, .events = POLLOUT};
		gssize n = write(answers->fd, answers->text->str + sent,
		    answers->text->len - sent);

		if (n >= 0)
			sent += (gsize)n;
		else if (errno == EINTR)
			continue;
		else if (errno != EAGAIN ||
		    deadline_poll(&pollfd, 1, deadline) <= 0)
			return FALSE;
	}
	return TRUE;
}

gboolean
answers_flush(struct answers *answers)
{
	if (!answers->failed)
		answers->failed = !send_text(answers);
	g_string_truncate(answers->text, 0);
	return !answers->failed;
}
