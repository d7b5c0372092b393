/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <glib.h>

#include "hosts/suspicion.h"

static void
test_senders(void)
{
	guint64 a = suspicion_sender("a@example.org");

	g_assert_cmpuint(suspicion_sender(""), !=, 0);
	g_assert_cmpuint(suspicion_sender("b@example.org"), !=, a);
	g_assert_cmpuint(suspicion_sender("a@example.org"), ==, a);
}

static void
test_another_sender(void)
{
	struct suspicion suspicion = {0};

	g_assert_false(suspicion_confirmed(&suspicion, 1));
	g_assert_false(suspicion_confirmed(&suspicion, 1));
	g_assert_cmpuint(suspicion.sender, ==, 1);
	g_assert_false(suspicion_is_reason(&suspicion, 1));
	g_assert_true(suspicion_confirmed(&suspicion, 2));
	g_assert_cmpuint(suspicion.sender, ==, 0);
	g_assert_true(suspicion_is_reason(&suspicion, 1));
	g_assert_true(suspicion_is_reason(&suspicion, 2));
	g_assert_false(suspicion_is_reason(&suspicion, 3));
}

/* Who is not known is nobody's reason. */
static void
test_nobody(void)
{
	struct suspicion suspicion = {0};

	g_assert_false(suspicion_is_reason(&suspicion, 0));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/suspicion/senders", test_senders);
	g_test_add_func("/suspicion/another sender", test_another_sender);
	g_test_add_func("/suspicion/nobody", test_nobody);
	return g_test_run();
}
