/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A GKeyFile that knows the line of every key and collects the faults of its
 * file, up to a number of them.
 */
#ifndef SMTPROUTE_KEYFILE_H
#define SMTPROUTE_KEYFILE_H

#include <glib.h>

#define SETTINGS_ERROR (settings_error_quark())

enum settings_error {
	SETTINGS_ERROR_FILE,   /* cannot be read */
	SETTINGS_ERROR_SYNTAX, /* not a key file */
	SETTINGS_ERROR_KEY,    /* unknown group or key */
	SETTINGS_ERROR_VALUE,
};

GQuark
settings_error_quark(void);

/* More than anybody writes by hand; what is larger is another file. */
#define SETTINGS_SIZE_MAX (1024 * 1024)

/* One fault of a file of settings. */
struct settings_fault {
	guint line;      /* 0: the file cannot be read */
	const char *key; /* whose value is bad; NULL: something else is */
	GError *error;   /* as for settings_load() */
};

struct keyfile {
	char *path;          /* as messages show it */
	GKeyFile *file;      /* with its groups as in brackets.h */
	GPtrArray *groups;   /* for keyfile_groups() only */
	GHashTable *lines;   /* for keyfile_line() only */
	GHashTable *columns; /* for keyfile_column() only */
	GHashTable *secrets; /* for keyfile_secret() only */
	GPtrArray *faults;   /* of struct settings_fault */
	guint faults_max;
	gboolean byte_order_mark; /* began the file, and was left out */
};

struct keyfile *
keyfile_new(const char *path, guint faults_max);

/*
 * Reads @path.  FALSE: it cannot be read, or has faults_max faults; otherwise
 * all but the lines at fault is there.
 */
gboolean
keyfile_load(struct keyfile *keyfile, const char *path);

/* The names of all groups, each once, as they stand there. */
const GPtrArray *
keyfile_groups(const struct keyfile *keyfile);

/* The keys of one of them, NULL at their end; a new array. */
char **
keyfile_keys(const struct keyfile *keyfile, const char *group);

/* Of a group, if @key is NULL; 0: there is none. */
guint
keyfile_line(const struct keyfile *keyfile, const char *group, const char *key);

/* Of the value, from 1, in bytes; 0: there is no such key. */
guint
keyfile_column(const struct keyfile *keyfile, const char *group,
    const char *key);

/*
 * The value as it stands there, without blanks at its ends; nothing is an
 * escape.  A new string, NULL: there is no such key.
 */
char *
keyfile_value(const struct keyfile *keyfile, const char *group,
    const char *key);

/* The same as messages show it: "path:line", a new string. */
char *
keyfile_place(const struct keyfile *keyfile, const char *group,
    const char *key);

/*
 * Adds a fault, "path:line: " and the rest; @key may be NULL.  For the caller
 * to return: FALSE says that these were faults enough.
 */
gboolean
keyfile_refuse(const struct keyfile *keyfile, guint line, const char *key,
    enum settings_error code, const char *format, ...) G_GNUC_PRINTF(5, 6);

/*
 * Passwords - the key "password" in a group "auth NAME" - do not get into the
 * GKeyFile, which would leave copies of them behind: there is a mask of the
 * same length in their place.  This is the group's, NULL: it has none.
 */
const char *
keyfile_secret(const struct keyfile *keyfile, const char *group);

/* Is one of its faults in this line? */
gboolean
keyfile_has_fault(const struct keyfile *keyfile, guint line);

/* All of them, of struct settings_fault, by line. */
const GPtrArray *
keyfile_faults(const struct keyfile *keyfile);

void
keyfile_free(struct keyfile *keyfile);

/* For g_autoptr(), which wants one word. */
typedef struct keyfile Keyfile;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Keyfile, keyfile_free)

#endif
