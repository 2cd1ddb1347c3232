/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_IMPORT_LINES_H
#define CLI_IMPORT_LINES_H

#include "cli/import/plan.h"

/* Texts by lines, as the readers of cli/import share them. */

/* Calls take with each line, which it may change, without its newline.  A NUL in the
 * text refuses the file: what is behind it would be seen by one program and not by another. */
typedef void (*line_func)(void *userdata, struct place at, char *line);
void lines_read(struct plan *p, const char *file, const char *text, size_t n, line_func take, void *userdata);

#endif
