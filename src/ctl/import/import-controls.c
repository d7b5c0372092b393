/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file has a group [DEFAULT] and one for each domain, with the keys of
 * the appliance's manual (Destination Control Configuration File Parameters).
 * It counts by the recipients' domain, smtproute by the host that a route
 * names: where the route is USEDNS, or a name, these are the same.
 */

#include <config.h>

#include <string.h>

#include "address/domain.h"
#include "ctl/import/import-controls.h"
#include "ctl/import/import-text.h"
#include "util/printable.h"

#define SHOWN 60

struct controls {
	const char *name;
	char *group;      /* as the file has it, printable; NULL: none yet */
	gboolean skipped; /* it cannot be said */
	GString *limit;   /* recipient_limit and _minutes of this group */
	GString *minutes;
	GString *said; /* the settings so far */
	guint groups;
	guint left_out;
};

static void G_GNUC_PRINTF(3, 4)
    leave_out(struct controls *controls, unsigned line, const char *format, ...)
{
	g_autofree char *why = NULL;
	va_list arguments;

	va_start(arguments, format);
	why = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	controls->left_out++;
	complain("%s:%u: %s", controls->name, line, why);
	g_string_append_printf(controls->said, "# %s:%u: left out: %s\n",
	    controls->name, line, why);
}

static void
unsaid(struct controls *controls, unsigned line, const char *key,
    const char *why)
{
	leave_out(controls, line, "%s: cannot be said here: %s: %s",
	    controls->group, key, why);
}

static gboolean
is_number(const char *text, guint64 max)
{
	guint64 number;

	return g_ascii_string_to_unsigned(text, 10, 1, max, &number, NULL);
}

/* Both are needed, in whatever order. */
static void
end_group(struct controls *controls)
{
	if (controls->limit->len > 0 && controls->minutes->len > 0)
		g_string_append_printf(controls->said,
		    "rate-recipients = %s:%sm\n", controls->limit->str,
		    controls->minutes->str);
	g_string_truncate(controls->limit, 0);
	g_string_truncate(controls->minutes, 0);
}

/* @text: between the brackets. */
static void
begin_group(struct controls *controls, unsigned line, const char *text)
{
	g_autofree char *domain = domain_canonical(text, NULL);

	end_group(controls);
	g_free(controls->group);
	controls->group = printable(text, SHOWN);
	controls->groups++;
	controls->skipped = FALSE;
	if (strcmp(text, "DEFAULT") == 0) {
		g_string_append(controls->said, "\n[smtproute]\n");
	} else if (domain != NULL) {
		g_string_append_printf(controls->said, "\n[host %s]\n", domain);
	} else {
		controls->skipped = TRUE;
		g_string_append_c(controls->said, '\n');
		leave_out(controls, line,
		    "%s: cannot be said here: a group is for one host",
		    controls->group);
	}
}

/* Values of a key, and what they are here; NULL: they cannot be said. */
struct choice {
	const char *value;
	const char *said; /* "": nothing has to be */
};

static const struct choice families[] = {
    {"PREFER_V6", "prefer-ipv6"},
    {"REQUIRE_V6", "ipv6"},
    {"PREFER_V4", "prefer-ipv4"},
    {"REQUIRE_V4", "ipv4"},
    {NULL, NULL},
};

static const struct choice levels[] = {
    {"0", "none"},
    {"off", "none"},
    {"1", "may"},
    {"on", "may"},
    {"2", "encrypt"},
    {"required", "encrypt"},
    {"4", "secure"},
    {"require_verify", "secure"},
    {"required_verify", "secure"},
    {NULL, NULL},
};

static const struct choice off[] = {
    {"0", ""},
    {"off", ""},
    {"host", ""},
    {"system", ""},
    {NULL, NULL},
};

static const struct control {
	const char *key;
	const struct choice *choices; /* NULL: a number, or see take() */
	const char *said;             /* the setting */
	guint64 max;
	const char *why; /* what of other values; static */
} table[] = {
    {"max_host_concurrency", NULL, "max-connections", 10000,
	"expected 1 to 10000"},
    {"max_messages_per_connection", NULL, "max-messages", 1000,
	"expected 1 to 1000"},
    {"ip_sort_pref", families, "address-family", 0, "no such preference here"},
    {"table_tls", levels, "tls", 0, "no such level of TLS here"},
    {"limit_type", off, NULL, 0,
	"limits are for a host here, not for each of its addresses"},
    {"limit_apply", off, NULL, 0, "limits are for all source addresses here"},
    {"bounce_validation", off, NULL, 0, "no addresses are tagged here"},
    {"send_tls_req_alert", off, NULL, 0, "the log has what fails"},
    {"bounce_profile", NULL, NULL, 0, "Postfix's queue does the retrying"},
    {"certificate", NULL, NULL, 0, "set tls-cert-file"},
};

static void
take_choice(struct controls *controls, unsigned line,
    const struct control *control, const char *value)
{
	const struct choice *choice = control->choices;

	while (choice->value != NULL &&
	    g_ascii_strcasecmp(choice->value, value) != 0)
		choice++;
	if (choice->value == NULL)
		unsaid(controls, line, control->key, control->why);
	else if (control->said != NULL)
		g_string_append_printf(controls->said, "%s = %s\n",
		    control->said, choice->said);
}

/* FALSE: it is none of these two. */
static gboolean
take_recipients(struct controls *controls, unsigned line, const char *key,
    const char *value)
{
	gboolean limit = strcmp(key, "recipient_limit") == 0;

	if (!limit && strcmp(key, "recipient_minutes") != 0)
		return FALSE;
	/* Without a number there is no limit. */
	if (value[0] == '\0' || strcmp(value, "0") == 0)
		return TRUE;
	if (is_number(value, limit ? 1000000000 : 60))
		g_string_assign(limit ? controls->limit : controls->minutes,
		    value);
	else
		unsaid(controls, line, key, "not a number of that kind");
	return TRUE;
}

static void
take(struct controls *controls, unsigned line, const char *key,
    const char *value)
{
	g_autofree char *shown = printable(key, SHOWN);

	if (take_recipients(controls, line, key, value))
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		const struct control *control = &table[i];

		if (strcmp(control->key, key) != 0)
			continue;
		if (control->choices != NULL)
			take_choice(controls, line, control, value);
		else if (control->said != NULL &&
		    is_number(value, control->max))
			g_string_append_printf(controls->said, "%s = %s\n",
			    control->said, value);
		else
			unsaid(controls, line, key, control->why);
		return;
	}
	unsaid(controls, line, shown, "unknown, or without a match here");
}

static void
read_line(struct controls *controls, const struct import_text *given)
{
	g_autofree char *line = import_dup(given);
	char *text = line == NULL ? NULL : g_strstrip(line);
	char *sign;

	if (text == NULL) {
		leave_out(controls, given->line, "NUL byte; expected text");
	} else if (text[0] == '\0' || text[0] == '#' || text[0] == ';') {
		return;
	} else if (text[0] == '[' && g_str_has_suffix(text, "]")) {
		text[strlen(text) - 1] = '\0';
		begin_group(controls, given->line, text + 1);
	} else if ((sign = strpbrk(text, "=:")) != NULL &&
	    controls->group != NULL) {
		*sign = '\0';
		if (!controls->skipped)
			take(controls, given->line, g_strchomp(text),
			    g_strchug(sign + 1));
	} else {
		leave_out(controls, given->line,
		    "no line of Destination Controls; expected [domain] or "
		    "key = value");
	}
}

enum ctl_status
import_controls(const char *name, const char *text, gsize length)
{
	struct controls controls = {.name = name};
	struct import_walk walk;
	struct import_text line;

	controls.limit = g_string_new(NULL);
	controls.minutes = g_string_new(NULL);
	controls.said = g_string_new(NULL);
	import_walk_begin(&walk, text, length);
	while (import_next_line(&walk, &line))
		read_line(&controls, &line);
	end_group(&controls);
	if (controls.groups == 0)
		complain("%s: no Destination Controls in it", name);
	else
		say("# %s, format " IMPORT_CONTROLS ", for smtproute.conf\n%s",
		    name, controls.said->str);
	g_string_free(controls.limit, TRUE);
	g_string_free(controls.minutes, TRUE);
	g_string_free(controls.said, TRUE);
	g_free(controls.group);
	if (controls.groups == 0)
		return CTL_TROUBLE;
	return controls.left_out == 0 ? CTL_OK : CTL_NO;
}

gboolean
import_is_controls(const char *text, gsize length)
{
	return g_strstr_len(text, (gssize)length, "\nmax_host_concurrency") !=
	    NULL;
}
