/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>
#include <sys/stat.h>

#include "ctl/service.h"

/* More than any command line has; a line of nothing but blanks costs less. */
#define WORDS_MAX 1000

struct service *
service_new(const char *name, const char *type)
{
	struct service *service = g_new0(struct service, 1);

	service->name = g_strdup(name);
	service->type = g_strdup(type);
	service->private = g_strdup("-");
	service->unprivileged = g_strdup("-");
	service->chroot = g_strdup("-");
	service->wakeup = g_strdup("-");
	service->limit = g_strdup("-");
	service->daemon = g_strdup("");
	service->options = g_ptr_array_new_with_free_func(g_free);
	service->attributes = g_ptr_array_new_with_free_func(g_free);
	service->argv = g_ptr_array_new_with_free_func(g_free);
	return service;
}

char *
service_word(const char **at, const char *separators)
{
	const char *begin = *at + strspn(*at, separators);
	const char *end = begin;
	guint depth = 0;

	for (; *end != '\0'; end++) {
		if (depth == 0 && strchr(separators, *end) != NULL)
			break;
		if (*end == '{')
			depth++;
		else if (*end == '}' && depth > 0)
			depth--;
	}
	*at = end;
	return end == begin ? NULL : g_strndup(begin, (gsize)(end - begin));
}

/* The same of a command, where "{ two words }" are one. */
static char *
next_word(const char **at)
{
	char *word = service_word(at, " \t");
	gsize length = word != NULL ? strlen(word) : 0;

	if (length < 2 || word[0] != '{' || word[length - 1] != '}')
		return word;
	word[length - 1] = '\0';
	word[0] = ' ';
	return g_strstrip(word);
}

static void
set_command(struct service *service, const char *text)
{
	char *word = next_word(&text);

	if (word != NULL) {
		g_free(service->daemon);
		service->daemon = word;
	}
	while (service->argv->len < WORDS_MAX &&
	    (word = next_word(&text)) != NULL) {
		gboolean value = service->options->len > 0 &&
		    strcmp(service->options->pdata[service->options->len - 1],
			"-o") == 0;

		if (service->argv->len > 0)
			g_ptr_array_add(service->argv, word);
		else if (value ||
		    (word[0] == '-' && service->attributes->len == 0))
			g_ptr_array_add(service->options, word);
		else if (!g_str_has_prefix(word, "argv="))
			g_ptr_array_add(service->attributes, word);
		else {
			g_ptr_array_add(service->argv,
			    g_strdup(word + strlen("argv=")));
			g_free(word);
		}
	}
}

void
service_set(struct service *service, const char *field, const char *value)
{
	const struct {
		const char *name;
		char **text;
	} columns[] = {
	    {"private", &service->private},
	    {"unprivileged", &service->unprivileged},
	    {"chroot", &service->chroot},
	    {"wakeup", &service->wakeup},
	    {"process_limit", &service->limit},
	};

	if (strcmp(field, "command") == 0)
		set_command(service, value);
	for (gsize i = 0; i < G_N_ELEMENTS(columns); i++) {
		if (strcmp(field, columns[i].name) != 0)
			continue;
		g_free(*columns[i].text);
		*columns[i].text = g_strdup(value);
	}
}

static gboolean
runs_smtproute(const struct service *service, const char *daemon)
{
	g_autofree char *base = NULL;

	if (strcmp(service->daemon, daemon) != 0 || service->argv->len == 0)
		return FALSE;
	base = g_path_get_basename(service->argv->pdata[0]);
	return strcmp(base, "smtproute") == 0;
}

gboolean
service_is_ours(const struct service *service)
{
	return runs_smtproute(service, "pipe");
}

gboolean
service_speaks_lmtp(const struct service *service)
{
	return runs_smtproute(service, "spawn");
}

gboolean
service_is_smtproute(const struct service *service)
{
	return service_is_ours(service) || service_speaks_lmtp(service);
}

char *
service_transport(const struct service *service)
{
	if (!service_speaks_lmtp(service))
		return g_strdup(service->name);
	if (strcmp(service->type, "unix") != 0)
		return g_strdup_printf("lmtp:%s:%s", service->type,
		    service->name);
	return g_strdup_printf("lmtp:unix:%s/%s",
	    strcmp(service->private, "n") == 0 ? "public" : "private",
	    service->name);
}

/* What follows "name=" in the last word of @words that begins so. */
static const char *
value_in(const GPtrArray *words, const char *name)
{
	gsize length = strlen(name);

	for (guint i = words->len; i > 0; i--) {
		const char *word = words->pdata[i - 1];

		/* "-o name=value" may be one word. */
		if (g_str_has_prefix(word, "-o"))
			word += strlen("-o");
		if (strncmp(word, name, length) == 0 && word[length] == '=')
			return word + length + 1;
	}
	return NULL;
}

const char *
service_attribute(const struct service *service, const char *name)
{
	return value_in(service->attributes, name);
}

const char *
service_option(const struct service *service, const char *name)
{
	return value_in(service->options, name);
}

gboolean
service_word_is_macro(const char *word, const char *name)
{
	static const char *const forms[][2] = {{"${", "}"}, {"$", ""},
	    {"$(", ")"}};

	for (gsize i = 0; i < G_N_ELEMENTS(forms); i++) {
		g_autofree char *macro =
		    g_strconcat(forms[i][0], name, forms[i][1], NULL);

		if (strcmp(word, macro) == 0)
			return TRUE;
	}
	return FALSE;
}

/* Where the value of the option in @word goes; NULL: it takes none. */
static const char **
value_place(struct service_call *call, const char *word)
{
	switch (word[1]) {
	case 'c':
		return &call->conf;
	case 'q':
		return &call->queue_id;
	case 'f':
		return &call->sender;
	case 'n':
		return &call->nexthop;
	default:
		return NULL;
	}
}

struct service_call
service_call(const struct service *service)
{
	const GPtrArray *argv = service->argv;
	struct service_call call = {0};
	guint i = 1;

	for (; i < argv->len; i++) {
		const char *word = argv->pdata[i];
		const char **value;

		if (word[0] != '-' || word[1] == '\0')
			break;
		if (strcmp(word, "--") == 0) {
			call.separator = TRUE;
			i++;
			break;
		}
		value = value_place(&call, word);
		call.other = call.other || value == NULL;
		call.attached =
		    call.attached || (word[1] == 'f' && word[2] != '\0');
		if (value != NULL && word[2] != '\0')
			*value = word + 2;
		else if (value != NULL && i + 1 < argv->len)
			*value = argv->pdata[++i];
	}
	call.first = i;
	return call;
}

char *
service_place(const struct service *service)
{
	return g_strdup_printf("master.cf: %s/%s", service->name,
	    service->type);
}

gboolean
service_reads(const struct service *service, const char *conf)
{
	struct service_call call = service_call(service);
	const char *path = call.conf != NULL ? call.conf : SETTINGS_PATH;
	struct stat theirs;
	struct stat ours;

	if (strcmp(path, conf) == 0)
		return TRUE;
	return stat(path, &theirs) == 0 && stat(conf, &ours) == 0 &&
	    theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

void
service_free(struct service *service)
{
	g_free(service->name);
	g_free(service->type);
	g_free(service->private);
	g_free(service->unprivileged);
	g_free(service->chroot);
	g_free(service->wakeup);
	g_free(service->limit);
	g_free(service->daemon);
	g_ptr_array_unref(service->options);
	g_ptr_array_unref(service->attributes);
	g_ptr_array_unref(service->argv);
	g_free(service);
}
