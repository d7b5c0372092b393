/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "ctl/probe/stage.h"
#include "util/printable.h"

/* As much as is shown below a line, where one text may have several. */
#define BELOW_SHOWN 500

/* The labels there have as much room. */
#define LABEL_WIDTH 8

void
stage_begin(struct interview *interview, const char *stage)
{
	interview->stage = stage;
	interview->begun = g_get_monotonic_time();
}

/* @text without secrets, a new string. */
static char *
masked(const struct interview *interview, const char *text)
{
	char *copy = g_strdup(text);

	credentials_mask(interview->security.credentials, copy);
	return copy;
}

/* @span: microseconds, -1 for none. */
static void
add_stage(const struct interview *interview, gint64 span, const char *text)
{
	json_t *to = document_add_object(interview->stages);

	document_set_text(to, "stage", interview->stage);
	document_set_span_if(to, "time", span >= 0, span);
	document_set_text(to, "text", text[0] != '\0' ? text : NULL);
	document_set_array(to, "details");
}

/* The array @name of the last stage. */
static json_t *
array_of_last(const struct interview *interview, const char *name)
{
	gsize count = json_array_size(interview->stages);

	return json_object_get(json_array_get(interview->stages, count - 1),
	    name);
}

static void
add_detail(const struct interview *interview, const char *label,
    const char *text)
{
	json_t *to = document_add_object(array_of_last(interview, "details"));

	document_set_text(to, "label", label);
	document_set_text(to, "text", text);
}

void
stage_add_keyword(const struct interview *interview, const char *keyword)
{
	add_detail(interview, "keyword", keyword);
}

void
stage_say(const struct interview *interview, const char *text)
{
	gint64 span = g_get_monotonic_time() - interview->begun;
	g_autofree char *shown = masked(interview, text);

	if (interview->stages != NULL) {
		add_stage(interview, span, shown);
		return;
	}
	say("    %-8s %9.1f ms%s%s\n", interview->stage, (double)span / 1000,
	    shown[0] != '\0' ? "  " : "", shown);
	/* What follows may take its time. */
	say_flush();
}

void
stage_skip(struct interview *interview, const char *stage, const char *text)
{
	g_autofree char *shown = masked(interview, text);

	interview->stage = stage;
	if (interview->stages != NULL)
		add_stage(interview, -1, shown);
	else
		say("    %-8s %12s  %s\n", stage, "", shown);
}

/*
 * How much of @text goes on a line with room for @room bytes: to the last
 * place to break it at, or to the first, if that is too far.
 */
static gsize
fitting(const char *text, gsize room)
{
	gsize length = strlen(text);
	gsize fits = 0;

	if (length <= room)
		return length;
	for (gsize i = 1; i < length; i++) {
		if (i > room && fits > 0)
			break;
		if (text[i] == ' ' || text[i - 1] == ',')
			fits = i;
	}
	return fits > 0 ? fits : length;
}

static void
say_below(const char *label, const char *text)
{
	gsize margin = label != NULL ? LABEL_WIDTH : 0;
	gsize room = STAGE_WIDTH - strlen(STAGE_INDENT) - margin;
	const char *at = text;

	do {
		gsize length = fitting(at, room);

		say(STAGE_INDENT "%-*s%.*s\n", (int)margin,
		    label != NULL && at == text ? label : "", (int)length, at);
		at += length;
		at += strspn(at, " ");
	} while (at[0] != '\0');
}

void
stage_below(const struct interview *interview, const char *label,
    const char *text)
{
	g_autofree char *shown = printable(text, BELOW_SHOWN);

	credentials_mask(interview->security.credentials, shown);
	if (interview->stages != NULL)
		add_detail(interview, label, shown);
	else
		say_below(label, shown);
}

void
stage_trouble(struct interview *interview, const char *what)
{
	if (interview->trouble != NULL)
		return;
	interview->trouble = g_strdup_printf("%s: %s", interview->stage, what);
	credentials_mask(interview->security.credentials, interview->trouble);
}

void
stage_fail(struct interview *interview, const char *what)
{
	g_autofree char *shown = printable(what, STAGE_SHOWN);

	stage_say(interview, shown);
	stage_trouble(interview, shown);
	interview->dialogue.over = TRUE;
}

/* The stage stands at the beginning of the line as it is. */
void
stage_fail_outcome(struct interview *interview)
{
	const struct outcome *outcome = &interview->outcome;
	g_autofree char *prefix =
	    g_strconcat(stage_name(outcome->stage), ": ", NULL);
	g_autofree char *reply = NULL;

	if (outcome->reply != NULL)
		reply = g_strdup_printf("%d %s", outcome->code, outcome->reply);
	stage_fail(interview,
	    reply != NULL ? reply
		: g_str_has_prefix(outcome->text, prefix)
		? outcome->text + strlen(prefix)
		: outcome->text);
}

char *
stage_line(const struct reply *reply)
{
	const char *text = g_ptr_array_index(reply->lines, 0);
	g_autofree char *line = g_strdup_printf("%d %s", reply->code, text);

	return g_strchomp(printable(line, STAGE_SHOWN));
}

struct reply *
stage_take(struct interview *interview, struct reply *reply)
{
	g_autofree char *line = NULL;

	if (reply == NULL) {
		stage_fail_outcome(interview);
		return NULL;
	}
	line = stage_line(reply);
	stage_say(interview, line);
	return reply;
}

struct reply *
stage_await(struct interview *interview, enum stage stage)
{
	return stage_take(interview,
	    dialogue_reply(&interview->dialogue, stage));
}

struct reply *
stage_ask(struct interview *interview, const char *name, enum stage stage,
    const char *command)
{
	stage_begin(interview, name);
	return stage_take(interview,
	    dialogue_ask(&interview->dialogue, stage, command));
}

gboolean
stage_accept(struct interview *interview, enum stage stage,
    const struct reply *reply)
{
	g_autofree char *line = NULL;

	if (reply == NULL)
		return FALSE;
	if (outcome_is_success(stage, reply))
		return TRUE;
	line = stage_line(reply);
	stage_trouble(interview, line);
	/* It closes (RFC 5321 section 3.8). */
	if (reply->code == 421)
		interview->dialogue.over = TRUE;
	return FALSE;
}
