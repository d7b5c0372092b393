/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "address/domain.h"
#include "address/mailbox.h"

/* RFC 5321 section 4.1.2: Dot-string is Atom *("." Atom). */
#define ATEXT G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "!#$%&'*+-/=?^_`{|}~"

/* As long as RFC 5321 section 4.5.3.1.2 lets a domain be. */
#define SENDER_DOMAIN_MAX 255

G_DEFINE_QUARK(smtproute_mailbox_error, mailbox_error)

static void *
refuse(const char *fault, GError **error)
{
	g_set_error_literal(error, MAILBOX_ERROR, MAILBOX_ERROR_SYNTAX, fault);
	return NULL;
}

/* What is not ASCII is atext, too (RFC 6531 section 3.3), where it may be. */
static gsize
atom_length(const char *text)
{
	gsize length = 0;

	while (text[length] != '\0' &&
	    ((guchar)text[length] >= 0x80 || strchr(ATEXT, text[length])))
		length++;
	return length;
}

static gboolean
is_dot_string(const char *local)
{
	for (;;) {
		gsize length = atom_length(local);

		if (length == 0)
			return FALSE;
		if (local[length] == '\0')
			return TRUE;
		if (local[length] != '.')
			return FALSE;
		local += length + 1;
	}
}

/* qtext and quoted-pair take any printable ASCII, and no more comes here. */
static gboolean
is_quoted_string(const char *local)
{
	const char *p = local;

	if (*p++ != '"')
		return FALSE;
	while (*p != '\0' && *p != '"') {
		if (*p == '\\' && *++p == '\0')
			return FALSE;
		p++;
	}
	return p[0] == '"' && p[1] == '\0';
}

static void
quote(char **local)
{
	GString *quoted = g_string_new("\"");

	for (const char *p = *local; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			g_string_append_c(quoted, '\\');
		g_string_append_c(quoted, *p);
	}
	g_string_append_c(quoted, '"');
	g_free(*local);
	*local = g_string_free(quoted, FALSE);
}

/* The domain as it goes into the path; *canonical as it is compared. */
static char *
spell_domain(const char *text, char **canonical, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autofree char *domain = NULL;
	gsize length = strlen(text);

	if (*text == '[')
		domain = domain_literal_canonical(text, &why);
	else
		domain = domain_canonical(text, &why);
	if (domain == NULL) {
		g_set_error(error, MAILBOX_ERROR, MAILBOX_ERROR_SYNTAX,
		    "domain: %s", why->message);
		return NULL;
	}
	*canonical = g_steal_pointer(&domain);
	if (!g_str_is_ascii(text))
		return g_strdup(*canonical);
	return g_strndup(text, text[length - 1] == '.' ? length - 1 : length);
}

static gboolean
has_control(const char *text)
{
	while (*text != '\0' && !g_ascii_iscntrl(*text))
		text++;
	return *text != '\0';
}

/* Those of Unicode that are not ASCII's; @text: UTF-8. */
static gboolean
has_wide_control(const char *text)
{
	while (*text != '\0' && !g_unichar_iscntrl(g_utf8_get_char(text)))
		text += g_utf8_skip[(guchar)*text];
	return *text != '\0';
}

static struct mailbox *
parse(const char *text, gboolean utf8, GError **error)
{
	g_autoptr(Mailbox) mailbox = g_new0(struct mailbox, 1);
	g_autofree char *local = NULL;
	g_autofree char *domain = NULL;
	const char *at = strrchr(text, '@');

	if (has_control(text))
		return refuse("control character", error);
	if (!g_utf8_validate(text, -1, NULL))
		return refuse("not UTF-8", error);
	if (at == NULL)
		return refuse("no '@'", error);
	if (at == text)
		return refuse("no local part", error);
	local = g_strndup(text, (gsize)(at - text));
	if (has_wide_control(local))
		return refuse("control character", error);
	if (!utf8 && !g_str_is_ascii(local)) {
		g_set_error_literal(error, MAILBOX_ERROR, MAILBOX_ERROR_UTF8,
		    "local part needs SMTPUTF8");
		return NULL;
	}
	if (!is_dot_string(local) && !is_quoted_string(local))
		quote(&local);
	domain = spell_domain(at + 1, &mailbox->domain, error);
	if (domain == NULL)
		return NULL;
	mailbox->path = g_strconcat(local, "@", domain, NULL);
	if (strlen(mailbox->path) > MAILBOX_MAX)
		return refuse("longer than " G_STRINGIFY(MAILBOX_MAX) " bytes",
		    error);
	return g_steal_pointer(&mailbox);
}

struct mailbox *
mailbox_parse(const char *text, GError **error)
{
	return parse(text, FALSE, error);
}

struct mailbox *
mailbox_parse_utf8(const char *text, GError **error)
{
	return parse(text, TRUE, error);
}

/* What would end or change the command that a domain stands in. */
static const char *
sender_domain_fault(const char *domain)
{
	if (strlen(domain) > SENDER_DOMAIN_MAX)
		return "domain: longer than " G_STRINGIFY(
		    SENDER_DOMAIN_MAX) " bytes";
	if (strpbrk(domain, "<> ") != NULL)
		return "domain: blank or angle bracket";
	return NULL;
}

/*
 * A sender that is no address, as sendmail -f lets through: with a bare
 * address for a domain, an empty label, or nothing but a local part.  It is
 * for the next host to judge: a bounce of ours would have nowhere to go.
 */
static struct mailbox *
parse_odd_sender(const char *text, GError **error)
{
	g_autoptr(Mailbox) mailbox = g_new0(struct mailbox, 1);
	const char *at = is_quoted_string(text) ? NULL : strrchr(text, '@');
	g_autofree char *local = NULL;
	const char *fault;

	local =
	    at != NULL ? g_strndup(text, (gsize)(at - text)) : g_strdup(text);
	fault = at != NULL ? sender_domain_fault(at + 1) : NULL;
	if (fault != NULL)
		return refuse(fault, error);
	if (!is_dot_string(local) && !is_quoted_string(local))
		quote(&local);
	mailbox->domain = g_ascii_strdown(at != NULL ? at + 1 : "", -1);
	mailbox->path = g_strconcat(local, at, NULL);
	if (strlen(mailbox->path) > MAILBOX_MAX)
		return refuse("longer than " G_STRINGIFY(MAILBOX_MAX) " bytes",
		    error);
	return g_steal_pointer(&mailbox);
}

static struct mailbox *
parse_sender(const char *text, gboolean utf8, GError **error)
{
	static const char *const null_forms[] = {"", "<>", "mailer-daemon",
	    NULL};
	g_autofree char *lower = g_ascii_strdown(text, -1);
	g_autoptr(GError) reason = NULL;
	struct mailbox *sender;

	if (g_strv_contains(null_forms, lower)) {
		sender = g_new0(struct mailbox, 1);
		sender->path = g_strdup("");
		return sender;
	}
	sender = parse(text, utf8, &reason);
	if (sender != NULL)
		return sender;
	if (!has_control(text) && g_str_is_ascii(text))
		return parse_odd_sender(text, error);
	g_propagate_error(error, g_steal_pointer(&reason));
	return NULL;
}

struct mailbox *
mailbox_parse_sender(const char *text, GError **error)
{
	return parse_sender(text, FALSE, error);
}

struct mailbox *
mailbox_parse_sender_utf8(const char *text, GError **error)
{
	return parse_sender(text, TRUE, error);
}

void
mailbox_free(struct mailbox *mailbox)
{
	if (mailbox == NULL)
		return;
	g_free(mailbox->path);
	g_free(mailbox->domain);
	g_free(mailbox->dsn);
	g_free(mailbox);
}
