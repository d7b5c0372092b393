/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "route": which route an address or a nexthop has, and what the next delivery
 * would do.
 */

#include <config.h>

#include <getopt.h>
#include <string.h>

#include "address/domain.h"
#include "address/mailbox.h"
#include "ctl/ctl.h"
#include "ctl/match.h"
#include "ctl/route/question.h"
#include "route/routemap.h"
#include "util/printable.h"

/* As much of an argument as is shown. */
#define ARGUMENT_SHOWN 300

/* The address, or a domain alone. */
static struct mailbox *
parse_address(const char *text)
{
	g_autofree char *address = strchr(text, '@') != NULL
	    ? g_strdup(text)
	    : g_strconcat("postmaster@", text, NULL);
	g_autofree char *shown = printable(text, ARGUMENT_SHOWN);
	g_autoptr(GError) error = NULL;
	struct mailbox *mailbox = mailbox_parse(address, &error);

	if (mailbox == NULL)
		complain("%s: %s", shown, error->message);
	return mailbox;
}

/* Those of USEDNS depend on whom the mail is for. */
static gboolean
has_hosts(const struct question *question, const struct route *route)
{
	return route->kind == ROUTE_HOSTS ||
	    (route->kind == ROUTE_DNS && question->domain != NULL);
}

static enum ctl_status
explain(const struct question *question, const struct route *route)
{
	g_autoptr(Roster) roster = NULL;

	if (has_hosts(question, route))
		roster = roster_new(route, question->domain, question->settings,
		    question->resolver);
	if (question->json)
		question_say_json(question, route, roster, NULL);
	else
		question_say_text(question, route, roster);
	if (roster == NULL || roster->trouble == NULL)
		return CTL_OK;
	complain("%s; health and order are unknown", roster->trouble);
	return CTL_TROUBLE;
}

/* @why, and that a domain's own mail does not need a route of this name. */
static void
say_missing(const struct question *question, const char *why, const char *keys)
{
	g_autofree char *domain = question->domain == NULL
	    ? domain_canonical(question->nexthop, NULL)
	    : NULL;

	say("%s; looked for: %s\n", why, keys);
	if (domain != NULL)
		say("Mail for %s itself is looked up by its domain: "
		    "smtproutectl route %s\n",
		    domain, domain);
}

static enum ctl_status
answer(const struct question *question)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *keys = NULL;
	g_autoptr(Route) route = routemap_find(question->settings->routes,
	    question->nexthop, question->domain, &error);

	if (route != NULL)
		return explain(question, route);
	if (!g_error_matches(error, ROUTEMAP_ERROR, ROUTEMAP_ERROR_MISSING)) {
		complain("%s", error->message);
		return CTL_TROUBLE;
	}
	keys = match_keys(question->nexthop, question->domain);
	if (question->json)
		question_say_json(question, NULL, NULL, keys);
	else
		say_missing(question, error->message, keys);
	return CTL_NO;
}

/* What Postfix's tables have for @domain; NULL: nothing. */
static struct nexthop *
find_table(struct question *question, const char *domain)
{
	g_autoptr(GError) error = NULL;
	struct nexthop *nexthop = nexthop_find(domain, &error);

	if (error != NULL)
		complain("warning: transport_maps cannot be asked: %s",
		    error->message);
	if (nexthop != NULL)
		question->nexthop = nexthop->text;
	question->table = nexthop;
	return nexthop;
}

/* FALSE: not as the usage says. */
static gboolean
parse_options(int argc, char **argv, struct question *question,
    char **ret_nexthop)
{
	static const struct option options[] = {
	    {"json", no_argument, NULL, 'j'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "n:", options, NULL)) != -1) {
		if (option == 'j') {
			question->json = TRUE;
			continue;
		}
		if (option != 'n')
			return FALSE;
		g_free(*ret_nexthop);
		*ret_nexthop = g_ascii_strdown(optarg, -1);
		question->lowered = strcmp(*ret_nexthop, optarg) != 0;
		question->nexthop = *ret_nexthop;
	}
	return argc - optind == 1 ||
	    (argc == optind && question->nexthop != NULL);
}

enum ctl_status
ctl_route(const struct ctl *ctl, int argc, char **argv)
{
	struct question question = {.ctl = ctl};
	g_autoptr(Mailbox) mailbox = NULL;
	g_autoptr(Settings) settings = NULL;
	g_autoptr(Resolver) resolver = NULL;
	g_autoptr(Nexthop) table = NULL;
	g_autoptr(GHashTable) seen =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autofree char *nexthop = NULL;

	if (!parse_options(argc, argv, &question, &nexthop))
		return CTL_USAGE;
	if (optind < argc) {
		mailbox = parse_address(argv[optind]);
		if (mailbox == NULL)
			return CTL_TROUBLE;
		question.domain = mailbox->domain;
	}
	settings = ctl_settings(ctl);
	if (settings == NULL)
		return CTL_TROUBLE;
	/* Before root is gone: there are passwords in Postfix's files. */
	if (question.nexthop == NULL)
		table = find_table(&question, question.domain);
	if (!ctl_become_agent(ctl, settings))
		return CTL_TROUBLE;
	resolver = resolver_new(settings->dns_servers);
	question.settings = settings;
	question.resolver = resolver;
	question.seen = seen;
	return answer(&question);
}
