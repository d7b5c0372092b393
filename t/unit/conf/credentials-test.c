/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is hidden of a host's words if they are ours.
 */
#include <config.h>

#include <string.h>

#include "conf/credentials.h"
#include "unit/table.h"

#define PASSWORD "open sesame, please"
#define TOKEN    "ya29.a0AfB_byC"

/* base64 of NUL, relay, NUL, PASSWORD; of PASSWORD; of TOKEN */
#define PLAIN     "AHJlbGF5AG9wZW4gc2VzYW1lLCBwbGVhc2U="
#define ENCODED   "b3BlbiBzZXNhbWUsIHBsZWFzZQ=="
#define TOKEN_B64 "eWEyOS5hMEFmQl9ieUM="

struct row {
	const char *says;
	const char *password; /* NULL: TOKEN */
	const char *text;
	const char *masked;
};

static const struct row rows[] = {
    {"words of the host's own stay", PASSWORD, "535 5.7.8 bad credentials",
	"535 5.7.8 bad credentials"},
    {"the password", PASSWORD, "no " PASSWORD "!", "no *******************!"},
    {"its beginning", PASSWORD, "no open sesa", "no *********"},
    {"its end", PASSWORD, "me, please?", "**********?"},
    {"twice", PASSWORD, "open sesame open sesame", "*********** ***********"},
    {"in base64", PASSWORD, "got " ENCODED, "got ****************************"},
    {"PLAIN's response", PASSWORD, "got " PLAIN,
	"got ************************************"},
    {"a piece of that", PASSWORD, "AG9wZW4gc2Vz", "************"},
    {"a few bytes may be chance", PASSWORD, "please open", "please open"},
    {"a short password", "abc", "abc, ABC or xabcx", "***, ABC or x***x"},
    {"a repetitive one", "aaaaaaaaaa", "aaaaaa aaa aaaaaaaaaaaaa",
	"aaaaaa aaa *************"},
    {"as a log shows it", "caf\xc3\xa9 au lait", "cafe au lait!",
	"************!"},
    {"nothing", PASSWORD, "", ""},
    {"a token", NULL, "token " TOKEN " expired",
	"token ************** expired"},
    {"a token in base64", NULL, TOKEN_B64, "********************"},
};

static void
test_mask(gconstpointer data)
{
	const struct row *row = data;
	char name[] = "relay";
	char token[] = TOKEN;
	g_autofree char *password = g_strdup(row->password);
	g_autofree char *text = g_strdup(row->text);
	struct credentials credentials = {
	    .username = name,
	    .password = password,
	    .token = password == NULL ? token : NULL,
	};

	credentials_mask(&credentials, text);
	g_assert_cmpstr(text, ==, row->masked);
}

/* The whole first line of AUTH, wherever the token begins in it. */
static void
test_bearer(void)
{
	char name[] = "a=b,c";
	char token[] = TOKEN;
	struct credentials credentials = {.username = name, .token = token};
	g_autofree char *xoauth2 = credentials_xoauth2(&credentials);
	g_autofree char *bearer = credentials_oauthbearer(&credentials);
	const char *const messages[] = {xoauth2, bearer};

	g_assert_cmpstr(xoauth2, ==,
	    "user=a=b,c\001auth=Bearer " TOKEN "\001\001");
	g_assert_cmpstr(bearer, ==,
	    "n,a=a=3Db=2Cc,\001auth=Bearer " TOKEN "\001\001");
	for (gsize i = 0; i < G_N_ELEMENTS(messages); i++) {
		g_autofree char *encoded =
		    g_base64_encode((const guchar *)messages[i],
			strlen(messages[i]));

		credentials_mask(&credentials, encoded);
		g_assert_cmpuint(strspn(encoded, "*"), ==, strlen(encoded));
	}
}

static void
test_nothing(void)
{
	char text[] = "anything";

	credentials_mask(NULL, text);
	credentials_mask(NULL, NULL);
	g_assert_cmpstr(text, ==, "anything");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("credentials/mask", rows, test_mask);
	g_test_add_func("/credentials/OAuth's messages", test_bearer);
	g_test_add_func("/credentials/none", test_nothing);
	return g_test_run();
}
