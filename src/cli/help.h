/*
 * cli/help - help texts, generated from the command tables, at most 80 columns wide.
 */
#pragma once

#include "base/buf.h"

struct command;

#define HELP_COLUMNS 80

void help_write_overview(struct buf *b);
void help_write_command(struct buf *b, const struct command *c);
/* `text` in lines of at most HELP_COLUMNS; the first continues at column `at`, the others
 * are indented by `indent`. "\n" in the text ends a line, "\n\n" a paragraph. */
void help_wrap(struct buf *b, struct str text, size_t at, size_t indent);
