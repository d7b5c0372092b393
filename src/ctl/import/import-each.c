/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "ctl/import/import-each.h"

/* The lines that maptext_next() skips though they say something. */
static void
report_lost_lines(struct import *import, const char *text, gsize length)
{
	struct import_walk walk;
	struct import_text line;

	import_walk_begin(&walk, text, length);
	while (import_next_line(&walk, &line)) {
		gsize blanks = 0;

		while (blanks < line.length && g_ascii_isspace(line.at[blanks]))
			blanks++;
		if (blanks == line.length || line.at[blanks] == '#')
			continue;
		if (blanks == 0)
			return;
		import_fault(import, import_begin_keyless(import, line.line),
		    &line, "blanks before the first entry", "its key");
	}
}

void
import_each_line(struct import *import, const char *text, gsize length,
    void (*read_line)(struct import *import, struct import_text *line))
{
	struct import_walk walk;
	struct import_text line;

	import_walk_begin(&walk, text, length);
	while (import_next_line(&walk, &line)) {
		if (line.length > 0 && line.at[0] != '#')
			read_line(import, &line);
	}
}

void
import_each_entry(struct import *import, const char *text, gsize length,
    void (
	*read_entry)(struct import *import, const struct maptext_entry *entry))
{
	struct maptext map;
	struct maptext_entry entry;

	report_lost_lines(import, text, length);
	maptext_begin(&map, text, length);
	while (maptext_next(&map, &entry))
		read_entry(import, &entry);
}
