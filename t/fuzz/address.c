/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses: what is taken is safe in a command, and has one form, which is
 * taken as it stands.
 */
#include <config.h>

#include "address/domain.h"
#include "address/endpoint.h"
#include "address/mailbox.h"
#include "fuzz/fuzz.h"

static void
check_refused(const GError *error)
{
	fuzz_assert_error(error);
}

static void
check_domain(const char *text,
    char *(*canonical)(const char *text, GError **error))
{
	g_autoptr(GError) error = NULL;
	g_autofree char *form = canonical(text, &error);
	g_autofree char *again = NULL;

	if (form == NULL) {
		check_refused(error);
		return;
	}
	fuzz_assert_line(form);
	again = canonical(form, NULL);
	g_assert_cmpstr(again, ==, form);
}

static void
check_endpoint(const char *text)
{
	g_autofree char *form = endpoint_canonical(text);
	g_autofree char *again = NULL;
	struct endpoint parsed;
	struct endpoint other;

	g_assert_cmpint(form != NULL, ==, endpoint_is_address(text));
	if (form == NULL)
		return;
	again = endpoint_canonical(form);
	g_assert_cmpstr(again, ==, form);
	g_assert_true(endpoint_parse(text, 25, &parsed));
	g_assert_true(endpoint_parse(form, 25, &other));
	g_assert_true(endpoint_equal(&parsed, &other));
}

/* Between < and >, nothing ends the command or the path. */
static void
check_path(const struct mailbox *mailbox)
{
	fuzz_assert_line(mailbox->path);
	g_assert_cmpuint(strlen(mailbox->path), <=, MAILBOX_MAX);
	if (strchr(mailbox->path, '"') == NULL)
		g_assert_null(strpbrk(mailbox->path, "<> "));
	if (mailbox->domain != NULL)
		g_assert_null(strpbrk(mailbox->domain, "<> "));
}

static void
check_recipient(const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Mailbox) mailbox = mailbox_parse(text, &error);
	g_autoptr(Mailbox) again = NULL;

	if (mailbox == NULL) {
		check_refused(error);
		return;
	}
	check_path(mailbox);
	again = mailbox_parse(mailbox->path, NULL);
	g_assert_nonnull(again);
	g_assert_cmpstr(again->path, ==, mailbox->path);
	g_assert_cmpstr(again->domain, ==, mailbox->domain);
}

static void
check_sender(const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Mailbox) sender = mailbox_parse_sender(text, &error);
	g_autoptr(Mailbox) again = NULL;
	g_autoptr(Mailbox) last = NULL;

	if (sender == NULL) {
		check_refused(error);
		return;
	}
	check_path(sender);
	/* A domain may be one only with the local part that it got. */
	again = mailbox_parse_sender(sender->path, NULL);
	g_assert_nonnull(again);
	check_path(again);
	last = mailbox_parse_sender(again->path, NULL);
	g_assert_nonnull(last);
	g_assert_cmpstr(last->path, ==, again->path);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autofree char *text = fuzz_string(data, size);

	check_domain(text, domain_canonical);
	check_domain(text, domain_literal_canonical);
	check_endpoint(text);
	check_recipient(text);
	check_sender(text);
	return 0;
}
