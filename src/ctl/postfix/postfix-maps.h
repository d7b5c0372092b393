/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * transport_maps, as it should be.
 */
#ifndef SMTPROUTE_CTL_POSTFIX_MAPS_H
#define SMTPROUTE_CTL_POSTFIX_MAPS_H

#include <glib.h>

#include "ctl/postfix/postfix-service.h"

/*
 * *ret_maps: the edit that leads the routes' mail to the service, a new string;
 * NULL: there is nothing to be done.  @folder: of main.cf.  Says what stays and
 * may surprise.
 */
gboolean
postfix_maps(const struct postfix *postfix, const char *folder, char **ret_maps,
    GError **error);

#endif
