/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Room for what is to be written.
 */
#ifndef SMTPROUTE_ROOM_H
#define SMTPROUTE_ROOM_H

/*
 * Why nobody but root can write where @path is, whatever the rights: the file
 * system is read-only or full.  NULL: there is room, or no such path.
 */
const char *
room_trouble(const char *path);

#endif
