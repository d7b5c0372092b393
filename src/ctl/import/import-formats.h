/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The formats there are, each in the file of its name.
 */
#ifndef SMTPROUTE_CTL_IMPORT_FORMATS_H
#define SMTPROUTE_CTL_IMPORT_FORMATS_H

#include "ctl/import/import-format.h"

extern const struct import_format import_esa;
extern const struct import_format import_qmail;
extern const struct import_format import_mailertable;
extern const struct import_format import_transport;

#endif
