/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole deliveries to hosts that follow scripts.
 */
#include <config.h>

#include <string.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "agent/delivery.h"
#include "hosts/statefile.h"
#include "unit/fixture.h"
#include "unit/scripted.h"
#include "unit/statefolder.h"
#include "unit/table.h"
#include "util/deadline.h"
#include "util/maillog.h"

#define HOSTS 3
#define S     ((gint64)G_USEC_PER_SEC)

/* What a delivery has to do with, and what it leaves. */
struct trial {
	struct statefolder place;
	struct settings *settings;
	struct scripted hosts[HOSTS];
	char *peers[HOSTS]; /* as a verdict has them */
	guint count;
	struct route *route;
	GPtrArray *recipients;
	struct mailbox *sender;
	struct message *message;
	GString *verdicts; /* of all recipients */
	gint64 deadline;
	const char *queue_id;
};

/* "A, B/pri=1": a letter is a host, its script NULL: nobody listens there. */
static void
add_route(struct trial *trial, const char *route, const char *const *scripts)
{
	g_autoptr(GString) text = g_string_new(route);

	for (guint i = 0; i < HOSTS && strchr(route, 'A' + (char)i) != NULL;
	     i++) {
		const char letter[] = {'A' + (char)i, '\0'};
		guint16 port = scripted_listen(&trial->hosts[i],
		    scripts[i] != NULL ? scripts[i] : "");
		g_autofree char *name =
		    g_strdup_printf("127.0.0.1:%u", (guint)port);

		if (scripts[i] == NULL)
			scripted_end(&trial->hosts[i]);
		g_string_replace(text, letter, name, 0);
		trial->peers[i] =
		    g_strdup_printf("127.0.0.1[127.0.0.1]:%u", (guint)port);
		trial->count++;
	}
	trial->route = fixture_route(text->str);
}

static void
trial_make(struct trial *trial, const char *settings, const char *route,
    const char *const *scripts, guint recipients)
{
	g_autofree char *conf = NULL;

	*trial = (struct trial){
	    .verdicts = g_string_new(NULL),
	    .recipients =
		g_ptr_array_new_with_free_func((GDestroyNotify)mailbox_free),
	    .sender = mailbox_parse_sender("me@a.example", NULL),
	    .message = message_new("/nonexistent"),
	    .deadline = deadline_in(600 * S),
	};
	statefolder_make(&trial->place);
	conf = g_strdup_printf("[smtproute]\ntls = none\npatience = 0\n"
			       "helo-name = me.example\nwake = no\n"
			       "state-directory = %s\n%s",
	    trial->place.folder, settings);
	trial->settings = fixture_settings(conf);
	for (guint i = 0; i < recipients; i++) {
		g_autofree char *path = g_strdup_printf("to%u@b.example", i);

		g_ptr_array_add(trial->recipients, mailbox_parse(path, NULL));
	}
	g_assert_true(message_add(trial->message, "S: t\n\nb\n", 8, NULL));
	g_assert_true(message_end(trial->message, NULL));
	add_route(trial, route, scripts);
}

static void
trial_clear(struct trial *trial)
{
	for (guint i = 0; i < trial->count; i++) {
		scripted_clear(&trial->hosts[i]);
		g_free(trial->peers[i]);
	}
	settings_free(trial->settings);
	route_free(trial->route);
	g_ptr_array_unref(trial->recipients);
	mailbox_free(trial->sender);
	message_free(trial->message);
	g_string_free(trial->verdicts, TRUE);
	statefolder_remove(&trial->place);
}

/* As the line for Postfix, with the hosts' letters. */
static void
note_verdict(struct trial *trial, struct verdict *verdict)
{
	g_autofree char *line = verdict_line(verdict);
	GString *text = trial->verdicts;

	g_string_append_printf(text, "%s%s", text->len > 0 ? "|" : "", line);
	for (guint i = 0; i < trial->count; i++) {
		const char letter[] = {'A' + (char)i, '\0'};

		g_string_replace(text, trial->peers[i], letter, 0);
	}
	verdict_clear(verdict);
}

static void
trial_deliver(struct trial *trial)
{
	struct envelope envelope = {trial->sender, trial->recipients, FALSE};
	struct wakeup wakeup = {.queue_id = trial->queue_id};
	struct verdict verdict = {0};

	g_string_truncate(trial->verdicts, 0);
	deliver(trial->settings, &envelope, trial->route, trial->message,
	    trial->deadline, &wakeup, &verdict);
	note_verdict(trial, &verdict);
	wakeup_clear(&wakeup);
}

static void
trial_deliver_each(struct trial *trial)
{
	struct envelope envelope = {trial->sender, trial->recipients, FALSE};
	guint count = trial->recipients->len;
	g_autofree struct verdict *verdicts = g_new0(struct verdict, count);
	g_autoptr(Station) station = station_new(trial->settings, FALSE);
	struct delivery_span span =
	    delivery_span(trial->deadline, trial->deadline);
	g_autoptr(GArray) rids = g_array_new(FALSE, FALSE, sizeof(guint));
	struct wakeup wakeup = {.queue_id = trial->queue_id};

	for (guint i = 0; i < count; i++)
		g_array_append_val(rids, i);
	deliver_each(station, &envelope, trial->route, rids, trial->message,
	    &span, &wakeup, verdicts);
	for (guint i = 0; i < count; i++)
		note_verdict(trial, &verdicts[i]);
	wakeup_clear(&wakeup);
}

/* Each host's commands. */
static void
assert_heard(struct trial *trial, const char *const *heard)
{
	for (guint i = 0; i < trial->count; i++) {
		scripted_end(&trial->hosts[i]);
		g_assert_cmpstr(trial->hosts[i].heard->str, ==, heard[i]);
	}
}

#define HI   "220 h|250 h|"
#define OK   HI "250 o|250 o|354 o|250 2.0.0 Ok|221 o"
#define OK2  HI "250 o|250 o|250 o|354 o|250 2.0.0 Ok|221 o"
#define MAIL "EHLO;MAIL FROM:<me@a.example>"
#define ALL  MAIL ";RCPT;DATA;.;QUIT"
#define ALL2 MAIL ";RCPT;RCPT;DATA;.;QUIT"
#define NO   "550 5.1.1 no"

static const struct row {
	const char *says;
	const char *settings;
	const char *route;
	guint recipients;
	gboolean each;
	const char *scripts[HOSTS];
	const char *heard[HOSTS];
	const char *verdicts;
} rows[] = {
    {"a host takes it", "", "A, B/pri=1", 1, FALSE, {OK, OK}, {ALL, ""},
	"2.0.0 A: 250 2.0.0 Ok"},
    {"two recipients", "", "A, B/pri=1", 2, FALSE, {OK2, OK2}, {ALL2, ""},
	"2.0.0 A: 250 2.0.0 Ok"},
    {"a host refuses it for good", "", "A, B/pri=1", 1, FALSE,
	{HI "250 o|" NO "|221 o", OK}, {MAIL ";RCPT;QUIT", ""},
	"5.1.1 A: 550 5.1.1 no (in reply to RCPT TO)"},
    {"a host refuses it for now", "", "A, B/pri=1", 1, FALSE,
	{HI "451 4.7.1 no|221 o", OK}, {MAIL ";QUIT", ALL},
	"2.0.0 B: 250 2.0.0 Ok"},
    {"a host does not greet", "", "A, B/pri=1", 1, FALSE, {"554 no|221 o", OK},
	{"QUIT", ALL}, "2.0.0 B: 250 2.0.0 Ok"},
    {"nobody listens there", "", "A, B/pri=1", 1, FALSE, {NULL, OK}, {"", ALL},
	"2.0.0 B: 250 2.0.0 Ok"},
    {"all refuse it for now", "", "A, B/pri=1", 1, FALSE,
	{HI "451 4.7.1 no|221 o", HI "250 o|452 4.2.2 full|221 o"},
	{MAIL ";QUIT", MAIL ";RCPT;QUIT"},
	"4.2.2 A: 451 4.7.1 no (in reply to MAIL FROM); "
	"B: 452 4.2.2 full (in reply to RCPT TO)"},
    {"the second refuses it for good", "", "A, B/pri=1, C/pri=2", 1, FALSE,
	{HI "451 4.7.1 no|221 o", HI "250 o|" NO "|221 o", OK},
	{MAIL ";QUIT", MAIL ";RCPT;QUIT", ""},
	"5.1.1 B: 550 5.1.1 no (in reply to RCPT TO)"},
    {"nobody is there", "", "A, B/pri=1", 1, FALSE, {NULL, NULL}, {"", ""},
	"4.4.1 A: connect: Connection refused; B: connect: Connection "
	"refused"},
    {"it may have been taken", "", "A, B/pri=1", 1, FALSE,
	{HI "250 o|250 o|354 o|!", OK}, {MAIL ";RCPT;DATA;.", ""},
	"4.4.2 A: end of DATA: connection lost; no other host was tried, since "
	"this one may have accepted it"},
    {"it may, and twice is better than late", "when-unsure = next\n",
	"A, B/pri=1", 1, FALSE, {HI "250 o|250 o|354 o|!", OK},
	{MAIL ";RCPT;DATA;.", ALL}, "2.0.0 B: 250 2.0.0 Ok"},
    {"all are drained", "", "A/drain, B/drain", 1, FALSE, {OK, OK}, {"", ""},
	"4.3.2 all hosts of the route are drained"},
    {"it is to go nowhere", "", "/dev/null", 1, FALSE, {NULL}, {NULL},
	"2.0.0 dropped: the route is /dev/null"},
    {"nowhere, for each", "", "/dev/null", 2, TRUE, {NULL}, {NULL},
	"2.0.0 dropped: the route is /dev/null|"
	"2.0.0 dropped: the route is /dev/null"},

    {"each its own: taken and refused", "", "A, B/pri=1", 2, TRUE,
	{HI "250 o|250 o|" NO "|354 o|250 2.0.0 Ok|221 o", OK}, {ALL2, ""},
	"2.0.0 A: 250 2.0.0 Ok|5.1.1 A: 550 5.1.1 no (in reply to RCPT TO)"},
    {"each its own: one goes on to the next host", "", "A, B/pri=1", 2, TRUE,
	{HI "250 o|450 4.2.0 no|250 o|354 o|250 2.0.0 Ok|221 o", OK},
	{ALL2, ALL}, "2.0.0 B: 250 2.0.0 Ok|2.0.0 A: 250 2.0.0 Ok"},
    {"each its own: too many at once", "", "A, B/pri=1", 2, TRUE,
	{HI "250 o|250 o|452 4.5.3 no|354 o|250 2.0.0 Ok|221 o||" OK, OK},
	{ALL2 ";" ALL, ""}, "2.0.0 A: 250 2.0.0 Ok|2.0.0 A: 250 2.0.0 Ok"},
    {"each its own: the first is too many", "", "A, B/pri=1", 2, TRUE,
	{HI "250 o|452 4.5.3 no|250 o|354 o|250 2.0.0 Ok|221 o||" OK, OK},
	{ALL2 ";" ALL, ""}, "2.0.0 A: 250 2.0.0 Ok|2.0.0 A: 250 2.0.0 Ok"},
    {"each its own: all are too many, so the host is full", "", "A, B/pri=1", 2,
	TRUE, {HI "250 o|452 4.5.3 no|452 4.5.3 no|221 o", OK2},
	{MAIL ";RCPT;RCPT;QUIT", ALL2},
	"2.0.0 B: 250 2.0.0 Ok|2.0.0 B: 250 2.0.0 Ok"},
    {"each its own: none anywhere", "", "A, B/pri=1", 2, TRUE, {NULL, NULL},
	{"", ""},
	"4.4.1 A: connect: Connection refused; B: connect: Connection refused|"
	"4.4.1 A: connect: Connection refused; B: connect: Connection refused"},
};

static void
test_row(gconstpointer data)
{
	const struct row *row = data;
	struct trial trial;

	trial_make(&trial, row->settings, row->route, row->scripts,
	    row->recipients);
	if (row->each)
		trial_deliver_each(&trial);
	else
		trial_deliver(&trial);
	g_assert_cmpstr(trial.verdicts->str, ==, row->verdicts);
	assert_heard(&trial, row->heard);
	trial_clear(&trial);
}

/* In the last tenth no host is begun. */
static void
test_late(void)
{
	static const char *const scripts[HOSTS] = {OK};
	static const char *const heard[HOSTS] = {""};
	struct trial trial;

	trial_make(&trial, "", "A", scripts, 1);
	trial.deadline = deadline_in(-1);
	trial_deliver(&trial);
	g_assert_cmpstr(trial.verdicts->str, ==,
	    "4.4.1 time-limit near, no host was begun");
	assert_heard(&trial, heard);
	trial_clear(&trial);
}

static void
test_span(void)
{
	gint64 now = g_get_monotonic_time();
	struct delivery_span span =
	    delivery_span(now + 990 * S, now + 1000 * S);

	g_assert_cmpint(span.deadline, ==, now + 1000 * S);
	/* Some time has passed. */
	g_assert_cmpint(span.begin_by, >=, now + 900 * S);
	g_assert_cmpint(span.begin_by, <, now + 910 * S);
	span = delivery_span(now + 100 * S, now + 1000 * S);
	g_assert_cmpint(span.begin_by, ==, now + 100 * S);
}

static void
late_work(struct statefile_view *view, void *data)
{
	GString *ids = data;
	const void *value;
	gsize size;
	const char *key = statefile_seek(view, "late ", &value, &size);

	g_string_truncate(ids, 0);
	if (key != NULL && g_str_has_prefix(key, "late "))
		g_string_append(ids, strrchr(key, ' ') + 1);
}

/* The first message that waits for a host. */
static void
assert_waits(const struct trial *trial, const char *expected)
{
	g_autoptr(Statefile) file = statefile_new(trial->place.folder);
	g_autoptr(GString) id = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	statefile_run(file, STATEFILE_WRITE, late_work, id, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(id->str, ==, expected);
}

/* Who is deferred on account of hosts is remembered, and nobody else. */
static void
test_remembered(void)
{
	static const char *const nobody[HOSTS] = {NULL};
	static const char *const full[HOSTS] = {HI "452 4.2.2 no|221 o"};
	struct trial trial;

	trial_make(&trial, "", "A", nobody, 1);
	trial_deliver(&trial);
	assert_waits(&trial, "");
	trial.queue_id = "4F1B";
	trial_deliver(&trial);
	g_assert_true(g_str_has_prefix(trial.verdicts->str,
	    "4.4.1 all hosts of the route are down: "));
	assert_waits(&trial, "4F1B");
	trial_clear(&trial);
	trial_make(&trial, "", "A", full, 1);
	trial.queue_id = "4F1B";
	trial_deliver(&trial);
	assert_waits(&trial, "");
	trial_clear(&trial);
}

/* The log has each recipient's number, whoever was in a transaction. */
static void
test_log(void)
{
	static const char *const scripts[HOSTS] = {HI
	    "250 o|250 o|450 4.2.0 no|250 o|354 o|250 2.0.0 Ok|221 o",
	    OK};
	static const char *const lines[] = {
	    "Delivered: DCID \\d+ to RID \\[0\\] ",
	    "Delayed: DCID \\d+ to RID \\[1\\] ",
	    "Delivered: DCID \\d+ to RID \\[2\\] ",
	    "Delivered: DCID \\d+ to RID \\[1\\] ",
	};
	g_autofree char *log = NULL;
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	struct trial trial;
	int fd = g_file_open_tmp(NULL, &log, &error);

	g_assert_no_error(error);
	close(fd);
	trial_make(&trial, "", "A, B/pri=1", scripts, 3);
	maillog_open(log, NULL);
	trial_deliver_each(&trial);
	g_assert_null(maillog_close());
	maillog_open("/dev/null", NULL);
	g_file_get_contents(log, &text, NULL, &error);
	g_assert_no_error(error);
	for (gsize k = 0; k < G_N_ELEMENTS(lines); k++)
		g_assert_true(g_regex_match_simple(lines[k], text, 0, 0));
	g_unlink(log);
	trial_clear(&trial);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	maillog_open("/dev/null", NULL);
	TABLE_ADD("delivery", rows, test_row);
	g_test_add_func("/delivery/numbers of recipients", test_log);
	g_test_add_func("/delivery/time is short", test_late);
	g_test_add_func("/delivery/the last tenth", test_span);
	g_test_add_func("/delivery/messages to be woken", test_remembered);
	return g_test_run();
}
