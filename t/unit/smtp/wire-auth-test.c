/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * STARTTLS and AUTH before a message, and what is tried instead of them.
 */
#include <config.h>

#include <glib.h>

#include "unit/table.h"
#include "unit/trial.h"

/* AUTH PLAIN: "\0me\0geheim77" */
#define PLAIN ";AUTH PLAIN AG1lAGdlaGVpbTc3"
/* AUTH LOGIN, and its answers. */
#define LOGIN ";AUTH LOGIN;bWU=;Z2VoZWltNzc="
/* The token's. */
#define XOAUTH2 ";AUTH XOAUTH2 dXNlcj1tZQFhdXRoPUJlYXJlciB0b2tlbjEyMwEB"

static const struct trial_row rows[] = {
    {"TLS is a must", WITH_TLS, 1, HI "221 o", EHLO QUIT,
	"Nh STARTTLS: not offered, but required (tls=secure)", "greeted"},
    {"TLS is refused", WITH_TLS_MAY, 1,
	"220 b|250-b\n250 STARTTLS|454 4.7.0 o|" OK, EHLO ";STARTTLS" ALL, SENT,
	"greeted;unsecured 454 4.7.0 o (in reply to STARTTLS);begun;accepted"},

    {"AUTH", WITH_PASSWORD | WITH_IN_CLEAR, 1, AUTH("PLAIN") "235 o|" OK,
	EHLO PLAIN ALL, SENT, "greeted;authenticated PLAIN;begun;accepted"},
    {"AUTH in pieces", WITH_PASSWORD | WITH_IN_CLEAR, 1,
	AUTH("LOGIN") "334 VXNlcm5hbWU6|334 UGFzc3dvcmQ6|235 o|" OK,
	EHLO LOGIN ALL, SENT, "greeted;authenticated LOGIN;begun;accepted"},
    {"AUTH is refused", WITH_PASSWORD | WITH_IN_CLEAR, 1,
	AUTH("PLAIN") "535 5.7.8 o|221 o", EHLO PLAIN QUIT,
	"Nh 535 5.7.8 o (in reply to AUTH)", "greeted"},
    {"AUTH is refused with what it said", WITH_PASSWORD | WITH_IN_CLEAR, 1,
	AUTH("PLAIN") "535 5.7.8 not " SECRET "|221 o", EHLO PLAIN QUIT,
	"Nh 535 5.7.8 not ******** (in reply to AUTH)", "greeted"},
    {"AUTH is to wait", WITH_PASSWORD | WITH_IN_CLEAR, 1,
	AUTH("PLAIN") "454 4.7.0 o|221 o", EHLO PLAIN QUIT,
	"Nh 454 4.7.0 o (in reply to AUTH)", "greeted"},
    {"the host closes at AUTH", WITH_PASSWORD | WITH_IN_CLEAR, 1,
	AUTH("PLAIN") "421 4.7.0 o|221 o", EHLO PLAIN,
	"Nh 421 4.7.0 o (in reply to AUTH)", "greeted"},
    {"it is lost there", WITH_PASSWORD | WITH_IN_CLEAR, 1, AUTH("PLAIN") "!",
	EHLO PLAIN, "Nh AUTH: connection lost", "greeted"},
    {"AUTH is not offered", WITH_PASSWORD | WITH_IN_CLEAR, 1, HI "221 o",
	EHLO QUIT, "Nh AUTH: not offered", "greeted"},
    {"AUTH is not for clear text", WITH_PASSWORD, 1, AUTH("PLAIN") "221 o",
	EHLO QUIT, "Nh AUTH: not in clear text", "greeted"},
    {"HELO has no AUTH", WITH_PASSWORD | WITH_IN_CLEAR, 1, "220 b|502 o|221 o",
	EHLO QUIT, "Nh AUTH: not offered", "greeted"},
    {"a mechanism that it has not", WITH_PASSWORD | WITH_IN_CLEAR, 1,
	AUTH("PLAIN LOGIN") "504 o|334 VXNlcm5hbWU6|334 UGFzc3dvcmQ6|235 o|" OK,
	EHLO PLAIN LOGIN ALL, SENT,
	"greeted;authenticated LOGIN;begun;accepted"},
    {"none that it has", WITH_PASSWORD | WITH_IN_CLEAR, 1,
	AUTH("PLAIN") "504 5.5.4 o|221 o", EHLO PLAIN QUIT,
	"Nh 504 5.5.4 o (in reply to AUTH)", "greeted"},
    {"not by CRAM-MD5", WITH_PASSWORD | WITH_IN_CLEAR | WITHOUT_CRAM_MD5, 1,
	AUTH("CRAM-MD5 PLAIN") "235 o|" OK, EHLO PLAIN ALL, SENT,
	"greeted;authenticated PLAIN;begun;accepted"},
    {"a token", WITH_TOKEN | WITH_IN_CLEAR, 1,
	AUTH("XOAUTH2 PLAIN") "235 o|" OK, EHLO XOAUTH2 ALL, SENT,
	"greeted;authenticated XOAUTH2;begun;accepted"},
    {"a token is refused", WITH_TOKEN | WITH_IN_CLEAR, 1,
	AUTH("XOAUTH2") "535 5.7.8 o|221 o", EHLO XOAUTH2 QUIT,
	"Nh 535 5.7.8 o (in reply to AUTH)", "greeted"},
    {"a token, and nobody takes any", WITH_TOKEN | WITH_IN_CLEAR, 1,
	AUTH("PLAIN") "221 o", EHLO QUIT,
	"Nh AUTH: no usable mechanism offered (PLAIN)", "greeted"},
};

/* Another mechanism may do, on another connection. */
static void
test_again(void)
{
	static const char challenge[] = "334 PDEyM0BiLmV4YW1wbGU+|535 5.7.8 ";
	const guint with = WITH_PASSWORD | WITH_IN_CLEAR;
	g_autofree char *both = g_strconcat(AUTH("CRAM-MD5 PLAIN"), challenge,
	    SECRET "|221 o", NULL);
	g_autofree char *one =
	    g_strconcat(AUTH("CRAM-MD5"), challenge, "o|221 o", NULL);
	g_autofree char *later =
	    g_strconcat(AUTH("CRAM-MD5 PLAIN"), "454 4.7.0 o|221 o", NULL);
	struct trial trial;

	trial_make(&trial, both);
	trial_send(&trial, with, 2);
	g_assert_cmpstr(trial.again.why, ==,
	    "535 5.7.8 ******** (in reply to AUTH)");
	g_assert_cmpint(trial.again.stage, ==, STAGE_AUTH);
	g_assert_false(trial.again.late);
	trial_end(&trial);
	g_assert_true(
	    g_str_has_prefix(trial.host.heard->str, "EHLO;AUTH CRAM-MD5;"));
	g_assert_true(g_str_has_suffix(trial.host.heard->str, QUIT));
	trial_clear(&trial);
	/* There is no other, not even where it is to be left out. */
	for (guint i = 0; i < 2; i++) {
		trial_make(&trial, one);
		trial_send(&trial, i == 0 ? with : with | WITHOUT_CRAM_MD5, 1);
		g_assert_cmpstr(trial.outcomes->str, ==,
		    "Nh 535 5.7.8 o (in reply to AUTH)");
		g_assert_null(trial.again.why);
		trial_clear(&trial);
	}
	/* TLS that comes to nothing, and need not be. */
	trial_make(&trial, "220 b|250-b\n250 STARTTLS|220 go!");
	trial_send(&trial, WITH_TLS_MAY, 1);
	g_assert_nonnull(trial.again.why);
	g_assert_cmpint(trial.again.stage, ==, STAGE_TLS);
	g_assert_false(trial.again.late);
	trial_clear(&trial);
	/* Nor is it a matter of passwords. */
	trial_make(&trial, later);
	trial_send(&trial, with, 1);
	g_assert_cmpstr(trial.outcomes->str, ==,
	    "Nh 454 4.7.0 o (in reply to AUTH)");
	g_assert_null(trial.again.why);
	trial_clear(&trial);
}

int
main(int argc, char **argv)
{
	trial_init(&argc, &argv);
	TABLE_ADD("wire/session", rows, trial_test_row);
	g_test_add_func("/wire/what may be tried again", test_again);
	return g_test_run();
}
