/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLSA records in DNS messages, well made or not.
 */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "dns/tlsa.h"
#include "unit/lookup.h"
#include "unit/table.h"

#define NONE      "no TLSA records"
#define UNUSABLE  "no usable TLSA records"
#define MALFORMED "malformed"

/* Header and question: IN TLSA _2525._tcp.mx.test, which begins at 0x0c. */
#define HEADER   "\x12\x34\x81\xa0\0\1\0\0\0\0\0\0"
#define QUESTION "\5_2525\4_tcp\2mx\4test\0\0\x34\0\1"

/* Where the first record begins. */
#define FIRST "\x24"

#define RR(type, class, length, rdata)                                         \
	"\xc0\x0c\0" type "\0" class "\0\0\0\x3c" length rdata
#define TLSA(length, rdata) RR("\x34", "\x01", length, rdata)

/* What comes behind a name. */
#define REST "\0\x34\0\1\0\0\0\0\0\4\3\1\1x"

#define DIGEST   "0123456789abcdef0123456789abcdef"
#define KEY      TLSA("\0\x23", "\3\1\1" DIGEST)
#define CA_KEY   TLSA("\0\x23", "\2\1\1" DIGEST)
#define KEY_TEXT "3 1 1 [32]"

#define BYTES(text) text, sizeof(text) - 1

/* How many records are announced in the answer section, and further on. */
static const struct message {
	const char *says;
	guint16 count;
	guint16 elsewhere;
	const char *records;
	gsize length;
	const char *expected;
} messages[] = {
    {"no record", 0, 0, BYTES(""), NONE},
    {"a record", 1, 0, BYTES(KEY), KEY_TEXT},
    {"two records", 2, 0, BYTES(KEY CA_KEY), KEY_TEXT ", 2 1 1 [32]"},
    {"a record twice", 2, 0, BYTES(KEY KEY), KEY_TEXT ", " KEY_TEXT},
    {"rdata of no bytes", 1, 0, BYTES(TLSA("\0\0", "")), UNUSABLE},
    {"rdata of 1 byte", 1, 0, BYTES(TLSA("\0\1", "\3")), UNUSABLE},
    {"rdata of 2 bytes", 1, 0, BYTES(TLSA("\0\2", "\3\1")), UNUSABLE},
    {"rdata of 3 bytes", 1, 0, BYTES(TLSA("\0\3", "\3\1\1")), UNUSABLE},
    {"rdata of 4 bytes", 1, 0, BYTES(TLSA("\0\4", "\3\1\1x")), "3 1 1 [1]"},
    {"rdata of 3 bytes beside a record", 2, 0,
	BYTES(TLSA("\0\3", "\3\1\1") KEY), KEY_TEXT},
    {"usages that are not for SMTP", 4, 0,
	BYTES(TLSA("\0\4", "\0\1\1x") TLSA("\0\4", "\1\1\1x")
		TLSA("\0\4", "\4\1\1x") TLSA("\0\4", "\xff\1\1x")),
	UNUSABLE},
    {"selectors and matching types are passed on", 1, 0,
	BYTES(TLSA("\0\5", "\3\xfe\xffxy")), "3 254 255 [2]"},
    {"another type", 1, 0, BYTES(RR("\x01", "\x01", "\0\4", "\x7f\0\0\1")),
	NONE},
    {"another class", 1, 0, BYTES(RR("\x34", "\x03", "\0\4", "\3\1\1x")), NONE},
    {"an alias, and a record of what it stands for", 2, 0,
	BYTES(RR("\5", "\1", "\0\4", "\1k\xc0\x0c") "\1k" KEY), KEY_TEXT},
    {"a record in another section", 0, 1, BYTES(KEY), NONE},

    {"a record longer than the answer", 1, 0,
	BYTES(TLSA("\xff\xff", "\3\1\1x")), MALFORMED},
    {"a record that is one byte too long", 1, 0, BYTES(TLSA("\0\5", "\3\1\1x")),
	MALFORMED},
    {"a record without an end", 1, 0, BYTES("\xc0\x0c\0\x34\0"), MALFORMED},
    {"bytes behind the last record", 1, 0, BYTES(KEY "x"), MALFORMED},
    {"fewer records than announced", 2, 0, BYTES(KEY), MALFORMED},
    {"65535 records announced", 0xffff, 0, BYTES(KEY), MALFORMED},
    {"records, none announced", 0, 0, BYTES(KEY), MALFORMED},
    {"a name that points at itself", 1, 0, BYTES("\xc0" FIRST REST), MALFORMED},
    {"names that point at each other", 1, 0, BYTES("\xc0\x26\xc0" FIRST REST),
	MALFORMED},
    {"a name that points behind the answer", 1, 0, BYTES("\xff\xff" REST),
	MALFORMED},
    {"a name of an unknown form", 1, 0, BYTES("\x80\x0c" REST), MALFORMED},
};

static GByteArray *
new_message(guint16 count, guint16 elsewhere, const char *records, gsize length)
{
	static const char head[] = HEADER QUESTION;
	GByteArray *message = g_byte_array_new();

	g_byte_array_append(message, (const guint8 *)head, sizeof(head) - 1);
	g_byte_array_append(message, (const guint8 *)records, (guint)length);
	message->data[6] = (guint8)(count >> 8);
	message->data[7] = (guint8)count;
	message->data[11] = (guint8)elsewhere;
	return message;
}

/* From memory of that size, so that a sanitizer sees who reads behind it. */
static char *
parse_text(const guint8 *bytes, gsize length)
{
	g_autoptr(TlsaSet) set = tlsa_set_new();
	g_autofree guint8 *copy = g_memdup2(bytes, length);

	if (!tlsa_parse(set, copy, length))
		return g_strdup(MALFORMED);
	return lookup_tlsa_text(set);
}

static void
test_message(gconstpointer data)
{
	const struct message *row = data;
	g_autoptr(GByteArray) message =
	    new_message(row->count, row->elsewhere, row->records, row->length);
	g_autofree char *text = parse_text(message->data, message->len);

	g_assert_cmpstr(text, ==, row->expected);
}

/* The data is that of the record, to the byte. */
static void
test_data(void)
{
	g_autoptr(TlsaSet) set = tlsa_set_new();
	g_autoptr(GByteArray) message = new_message(1, 0, KEY, sizeof(KEY) - 1);
	const struct tlsa *record;
	gsize length;
	const char *bytes;

	g_assert_true(tlsa_parse(set, message->data, message->len));
	g_assert_cmpuint(set->records->len, ==, 1);
	record = g_ptr_array_index(set->records, 0);
	bytes = g_bytes_get_data(record->data, &length);
	g_assert_cmpmem(bytes, length, DIGEST, sizeof(DIGEST) - 1);
}

/* A message that ends too early, wherever. */
static void
test_every_prefix(void)
{
	static const char records[] = KEY CA_KEY;
	g_autoptr(GByteArray) message =
	    new_message(2, 0, records, sizeof(records) - 1);

	for (guint length = 0; length < message->len; length++) {
		g_autofree char *text = parse_text(message->data, length);

		g_assert_cmpstr(text, ==, MALFORMED);
	}
}

/* A message with any one byte of it changed to any other. */
static void
test_every_byte(void)
{
	static const char records[] =
	    RR("\5", "\1", "\0\4", "\1k\xc0\x0c") "\1k" TLSA("\0\4", "\3\1\1x");
	g_autoptr(GByteArray) message =
	    new_message(2, 0, records, sizeof(records) - 1);

	for (guint i = 0; i < message->len; i++) {
		guint8 before = message->data[i];

		for (guint byte = 0; byte <= G_MAXUINT8; byte++) {
			g_autofree char *text = NULL;

			message->data[i] = (guint8)byte;
			text = parse_text(message->data, message->len);
			g_assert_nonnull(text);
		}
		message->data[i] = before;
	}
}

/* As many records as there are, only the first of them are kept. */
static void
test_thousand_records(void)
{
	g_autoptr(GString) records = g_string_new(NULL);
	g_autoptr(GByteArray) message = NULL;
	g_autoptr(TlsaSet) set = tlsa_set_new();

	for (guint i = 0; i < 1000; i++)
		g_string_append_len(records, KEY, sizeof(KEY) - 1);
	message = new_message(1000, 0, records->str, records->len);
	g_assert_true(tlsa_parse(set, message->data, message->len));
	g_assert_cmpuint(set->records->len, ==, TLSA_MAX);
}

/* Data of the largest size, and of one byte more. */
static void
test_large_data(void)
{
	for (guint more = 0; more <= 1; more++) {
		guint length = 3 + TLSA_DATA_MAX + more;
		g_autoptr(GString) record =
		    g_string_new_len(BYTES(TLSA("\0\0", "\3\1\0")));
		g_autoptr(GByteArray) message = NULL;
		g_autofree char *text = NULL;

		g_string_set_size(record, record->len + TLSA_DATA_MAX + more);
		memset(record->str + 15, 'x', TLSA_DATA_MAX + more);
		record->str[10] = (char)(length >> 8);
		record->str[11] = (char)(length & 0xff);
		message = new_message(1, 0, record->str, record->len);
		text = parse_text(message->data, message->len);
		g_assert_cmpstr(text, ==, more > 0 ? UNUSABLE : "3 1 0 [8192]");
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("tlsa/message", messages, test_message);
	g_test_add_func("/tlsa/data", test_data);
	g_test_add_func("/tlsa/every prefix", test_every_prefix);
	g_test_add_func("/tlsa/every byte", test_every_byte);
	g_test_add_func("/tlsa/a thousand records", test_thousand_records);
	g_test_add_func("/tlsa/large data", test_large_data);
	return g_test_run();
}
