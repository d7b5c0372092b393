/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix: prints what Postfix's configuration needs for smtproute, or has it
 * put there.
 */

#include <config.h>

#include <getopt.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/postfix/postfix-apply.h"
#include "ctl/transport.h"

static void
print(const struct postfix *postfix)
{
	g_autofree char *command = postfix_command(postfix);
	g_autofree char *map = transport_pipemap(postfix->routes, SERVICE_NAME);

	say("# master.cf\n"
	    "%s unix  -  n  n  -  %s  pipe\n"
	    "  flags=hq user=%s null_sender=\n"
	    "  argv=%s\n\n",
	    SERVICE_NAME, POSTFIX_PROCESSES, SERVICE_USER, command);
	say("# main.cf\n"
	    "%s = 1\n"
	    "transport_maps = %s\n",
	    POSTFIX_LIMIT, map);
}

/* The same for lmtp(8) and spawn(8). */
static void
print_lmtp(const struct postfix *postfix)
{
	gboolean plain = g_str_equal(postfix->conf, SETTINGS_PATH);

	say("# master.cf\n"
	    "%s unix  -  n  n  -  %s  spawn\n"
	    "  user=%s argv=%s/smtproute -L%s%s\n\n",
	    SERVICE_LMTP, POSTFIX_PROCESSES, SERVICE_USER, SBINDIR,
	    plain ? "" : " -c ", plain ? "" : postfix->conf);
	say("# main.cf\n"
	    "%s_time_limit = 1d\n"
	    "lmtp_send_xforward_command = yes\n"
	    "transport_maps = pipemap:{texthash:%s, "
	    "static:{lmtp:unix:private/%s}}\n",
	    SERVICE_LMTP, postfix->routes, SERVICE_LMTP);
}

/* Can the paths stand in Postfix's files? */
static gboolean
check_paths(const struct postfix *postfix)
{
	const char *const paths[] = {postfix->conf, postfix->routes};

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		if (transport_path_is_plain(paths[i]))
			continue;
		complain("%s: Postfix's files cannot have this path; expected "
			 "one without blanks, commas, braces, quotes and the "
			 "like",
		    paths[i]);
		return FALSE;
	}
	return TRUE;
}

static gboolean
take_options(int argc, char **argv, gboolean *ret_apply, gboolean *ret_lmtp)
{
	static const struct option options[] = {
	    {"apply", no_argument, NULL, 'a'},
	    {"lmtp", no_argument, NULL, 'l'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'a' && option != 'l')
			return FALSE;
		*(option == 'a' ? ret_apply : ret_lmtp) = TRUE;
	}
	/* What LMTP needs is printed only. */
	return optind == argc && !(*ret_apply && *ret_lmtp);
}

enum ctl_status
ctl_postfix(const struct ctl *ctl, int argc, char **argv)
{
	g_autoptr(Settings) settings = NULL;
	g_autofree char *conf = NULL;
	struct postfix postfix;
	gboolean apply = FALSE;
	gboolean lmtp = FALSE;

	if (!take_options(argc, argv, &apply, &lmtp))
		return CTL_USAGE;
	settings = ctl_settings(ctl);
	if (settings == NULL)
		return CTL_TROUBLE;
	conf = g_canonicalize_filename(ctl->conf, NULL);
	postfix = (struct postfix){conf, settings->routes};
	if (!check_paths(&postfix))
		return CTL_TROUBLE;
	if (apply)
		return postfix_apply(&postfix) ? CTL_OK : CTL_TROUBLE;
	if (lmtp)
		print_lmtp(&postfix);
	else
		print(&postfix);
	return CTL_OK;
}
