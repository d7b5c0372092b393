/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "unit/table.h"
#include "unit/tlspeer.h"

#define NAME  "mx.example.com"
#define OTHER "other.example.com"

/* Far more than all of these take, in seconds. */
#define PATIENCE 120

/* With so many files a folder has all of the system's authorities. */
#define MANY_FILES 20

/* Files of authorities, in a folder of their own. */
enum place {
	PLACE_NONE, /* nothing is there */
	PLACE_OURS, /* the server's */
	PLACE_OTHERS,
	PLACE_MANY, /* those of many, the server's not among them */
	PLACE_COUNT,
};

static struct identity identity;
static struct identity other_identity;
static char *folder;
static char *files[PLACE_COUNT];
static char *folders[PLACE_COUNT];

#define NO_ERROR -1 /* enum tls_error: none, there is TLS */

/* ---- the system's authorities ---- */

static const struct system {
	const char *says;
	enum place folder;
	enum place file;
	enum tls_level level;
	int error; /* enum tls_error, or NO_ERROR */
} systems[] = {
    {"none", PLACE_NONE, PLACE_NONE, TLS_SECURE, TLS_ERROR_LOCAL},
    {"none, who are not needed", PLACE_NONE, PLACE_NONE, TLS_ENCRYPT, NO_ERROR},
    {"in a file", PLACE_NONE, PLACE_OURS, TLS_SECURE, NO_ERROR},
    {"in a folder", PLACE_OURS, PLACE_NONE, TLS_SECURE, NO_ERROR},
    {"in a file, and others in a folder", PLACE_OTHERS, PLACE_OURS, TLS_SECURE,
	NO_ERROR},
    {"in a folder, and others in a file", PLACE_OURS, PLACE_OTHERS, TLS_SECURE,
	NO_ERROR},
    {"others in both", PLACE_OTHERS, PLACE_OTHERS, TLS_SECURE,
	TLS_ERROR_VERIFY},
    {"in a file that a full folder stands for", PLACE_MANY, PLACE_OURS,
	TLS_SECURE, TLS_ERROR_VERIFY},
};

static void
test_system(gconstpointer data)
{
	const struct system *row = data;
	const struct tls_policy policy = {
	    .level = row->level,
	    .sni = NAME,
	    .expected = NAME,
	    .min_protocol = TLS1_2_VERSION,
	};
	g_autoptr(Tlspeer) server = tlspeer_over(talk_new(), &identity);
	g_autoptr(GError) error = NULL;
	g_autoptr(Tls) tls = NULL;

	/* While there is no other thread; nothing else here looks at them. */
	setenv(X509_get_default_cert_dir_env(), folders[row->folder], 1);
	setenv(X509_get_default_cert_file_env(), files[row->file], 1);
	tlspeer_start(server, tlspeer_accept);
	tls = tls_connect(server->talk->ours, &policy, FOREVER, &error);
	if (row->error == NO_ERROR) {
		g_assert_no_error(error);
		g_assert_nonnull(tls);
	} else {
		g_assert_null(tls);
		g_assert_error(error, TLS_ERROR, row->error);
	}
}

/* ---- settings ---- */

static const struct setting {
	const char *says;
	const char *ciphers;
	const char *ca_file; /* in our folder, unless absolute */
	const char *names;   /* the setting at fault; NULL: none */
} settings[] = {
    {"nothing", NULL, NULL, NULL},
    {"a group of ciphers", "HIGH", NULL, NULL},
    {"ciphers and a level", "ECDHE+AESGCM:@SECLEVEL=1", NULL, NULL},
    {"a cipher that is none", "no-such-cipher", NULL, "tls-ciphers: "},
    {"ciphers without certificates", "aNULL", NULL, "tls-ciphers: "},
    {"ciphers that do not encrypt", "eNULL", NULL, "tls-ciphers: "},
    {"a file of authorities", NULL, "ours.pem", NULL},
    {"both", "HIGH", "ours.pem", NULL},
    {"a file that is not there", NULL, "none.pem", "tls-ca-file /"},
    {"a file without authorities", NULL, "/dev/null", "tls-ca-file /"},
    {"a folder of authorities", NULL, "ours", "tls-ca-file /"},
    {"a file that is not there, and good ciphers", "HIGH", "none.pem",
	"tls-ca-file /"},
    {"a cipher that is none, and a good file", "no-such-cipher", "ours.pem",
	"tls-ciphers: "},
};

static void
test_setting(gconstpointer data)
{
	const struct setting *row = data;
	g_autofree char *path = row->ca_file != NULL
	    ? g_canonicalize_filename(row->ca_file, folder)
	    : NULL;
	g_autoptr(GError) error = NULL;
	gboolean good = tls_context_check(path, row->ciphers, &error);

	if (row->names == NULL) {
		g_assert_no_error(error);
		g_assert_true(good);
		return;
	}
	g_assert_false(good);
	g_assert_error(error, TLS_ERROR, TLS_ERROR_LOCAL);
	g_assert_true(g_str_has_prefix(error->message, row->names));
}

/* ---- files ---- */

/* As openssl-rehash(1) does it. */
static void
save_hashed(const struct identity *whom, const char *path)
{
	g_autofree char *name = g_strdup_printf("%s/%08lx.0", path,
	    X509_subject_name_hash(whom->certificate));

	identity_save(whom, name);
}

static void
make_places(void)
{
	static const char *const names[] = {"none", "ours", "others", "many"};

	for (gsize i = 0; i < PLACE_COUNT; i++) {
		folders[i] = g_build_filename(folder, names[i], NULL);
		files[i] = g_strconcat(folders[i], ".pem", NULL);
		g_assert_no_errno(g_mkdir(folders[i], 0700));
	}
	identity_save(&identity, files[PLACE_OURS]);
	identity_save(&other_identity, files[PLACE_OTHERS]);
	save_hashed(&identity, folders[PLACE_OURS]);
	save_hashed(&other_identity, folders[PLACE_OTHERS]);
	for (int i = 0; i < MANY_FILES; i++) {
		g_autofree char *name =
		    g_strdup_printf("%s/%08x.0", folders[PLACE_MANY], i);

		identity_save(&other_identity, name);
	}
}

static void
remove_folder(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		if (g_file_test(file, G_FILE_TEST_IS_DIR))
			remove_folder(file);
		else
			g_assert_no_errno(g_unlink(file));
	}
	g_dir_close(dir);
	g_assert_no_errno(g_rmdir(path));
}

static void
set_up(void)
{
	/* OpenSSL writes to sockets without MSG_NOSIGNAL. */
	signal(SIGPIPE, SIG_IGN);
	alarm(PATIENCE);
	identity_make(&identity, "DNS:" NAME "");
	identity_make(&other_identity, "DNS:" OTHER);
	folder = g_dir_make_tmp("tlscontext-test.XXXXXX", NULL);
	g_assert_nonnull(folder);
	make_places();
}

static void
tear_down(void)
{
	remove_folder(folder);
	for (gsize i = 0; i < PLACE_COUNT; i++) {
		g_free(folders[i]);
		g_free(files[i]);
	}
	g_free(folder);
	identity_clear(&identity);
	identity_clear(&other_identity);
}

int
main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	set_up();
	TABLE_ADD("the system's authorities", systems, test_system);
	TABLE_ADD("settings", settings, test_setting);
	status = g_test_run();
	tear_down();
	return status;
}
