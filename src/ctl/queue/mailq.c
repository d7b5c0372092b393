/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include <jansson.h>

#include "ctl/command.h"
#include "ctl/lines.h"
#include "ctl/queue/mailq.h"
#include "hosts/deferred.h"
#include "util/printable.h"

/* Of a message: 10,000 recipients with long reasons. */
#define MESSAGE_MAX (8 * 1024 * 1024)

/* So many recipients are handed over at a time: some 2 MB. */
#define BATCH 4000

/* A long queue on a slow disk. */
#define TIME (10 * G_TIME_SPAN_MINUTE)

/* Why it was deferred; Postfix has room for 4096. */
#define REASON_MAX 4096

#define PARSING (JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL)

struct reader {
	void (*take)(const GPtrArray *messages, gpointer data);
	gpointer data;
	GPtrArray *messages; /* for the next call */
	guint recipients;    /* of them */
	guint64 faults;      /* lines that are no message */
};

static void
recipient_free(gpointer data)
{
	struct mailq_recipient *recipient = data;

	g_free(recipient->domain);
	g_free(recipient->reason);
	g_free(recipient);
}

static void
message_free(gpointer data)
{
	struct mailq_message *message = data;

	g_free(message->id);
	g_ptr_array_unref(message->recipients);
	g_free(message);
}

static struct mailq_recipient *
read_recipient(const json_t *from)
{
	const char *address =
	    json_string_value(json_object_get(from, "address"));
	const char *reason =
	    json_string_value(json_object_get(from, "delay_reason"));
	const char *at = address != NULL ? strrchr(address, '@') : NULL;
	struct mailq_recipient *recipient = g_new0(struct mailq_recipient, 1);

	recipient->domain = g_ascii_strdown(at != NULL ? at + 1 : "", -1);
	if (reason != NULL && reason[0] != '\0')
		recipient->reason = printable(reason, REASON_MAX);
	return recipient;
}

static enum mailq_place
place_of(const char *queue)
{
	if (strcmp(queue, "deferred") == 0)
		return MAILQ_DEFERRED;
	return strcmp(queue, "hold") == 0 ? MAILQ_HELD : MAILQ_ACTIVE;
}

/* NULL: it is none. */
static struct mailq_message *
read_message(const json_t *from)
{
	const char *queue =
	    json_string_value(json_object_get(from, "queue_name"));
	const char *id = json_string_value(json_object_get(from, "queue_id"));
	const json_t *recipients = json_object_get(from, "recipients");
	struct mailq_message *message;

	if (queue == NULL || id == NULL || !deferred_is_id(id) ||
	    !json_is_array(recipients))
		return NULL;
	message = g_new0(struct mailq_message, 1);
	message->id = g_strdup(id);
	message->place = place_of(queue);
	message->arrival =
	    json_integer_value(json_object_get(from, "arrival_time"));
	message->recipients = g_ptr_array_new_with_free_func(recipient_free);
	for (gsize i = 0; i < json_array_size(recipients); i++)
		g_ptr_array_add(message->recipients,
		    read_recipient(json_array_get(recipients, i)));
	return message;
}

static json_t *
parse(const char *line, gsize length)
{
	json_t *value = json_loadb(line, length, PARSING, NULL);
	g_autofree char *valid = NULL;

	if (value != NULL)
		return value;
	/* An address may have any byte in it. */
	valid = g_utf8_make_valid(line, (gssize)length);
	return json_loads(valid, PARSING, NULL);
}

static void
hand_over(struct reader *reader)
{
	if (reader->messages->len > 0)
		reader->take(reader->messages, reader->data);
	g_ptr_array_set_size(reader->messages, 0);
	reader->recipients = 0;
}

static void
take_line(char *line, gsize length, gpointer data)
{
	struct reader *reader = data;
	json_t *value = parse(line, length);
	struct mailq_message *message =
	    value != NULL ? read_message(value) : NULL;

	json_decref(value);
	if (message == NULL) {
		reader->faults++;
		return;
	}
	g_ptr_array_add(reader->messages, message);
	reader->recipients += 1 + message->recipients->len;
	if (reader->recipients >= BATCH)
		hand_over(reader);
}

gboolean
mailq_read(void (*take)(const GPtrArray *messages, gpointer data),
    gpointer data, guint64 *ret_unread, GError **error)
{
	static const char *const argv[] = {"postqueue", "-j", NULL};
	const struct command command = {.argv = argv, .time = TIME};
	g_autoptr(GPtrArray) messages =
	    g_ptr_array_new_with_free_func(message_free);
	struct reader reader = {take, data, messages, 0, 0};
	struct lines lines = {MESSAGE_MAX, take_line, &reader, 0, NULL, FALSE};
	g_autofree char *complaint = NULL;
	int status =
	    command_stream(&command, lines_take, &lines, &complaint, error);

	lines_end(&lines);
	hand_over(&reader);
	*ret_unread = reader.faults + lines.left_out;
	if (status > 0)
		return command_failed(&command, complaint, error);
	return status == 0;
}
