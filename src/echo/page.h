/*
 * echo/page - the page and the pictures that a browser gets from a stand-in.
 *
 * For this folder's own files. Pure. Whatever a client sent is escaped.
 */
#pragma once

#include "echo/answer.h"

/* With `resources` pictures that the browser has to ask for one by one. */
void echo_page_write(struct buf *b, const struct echo_identity *who, const struct echo_request *rq,
                     uint32_t resources);
/* A picture that shows the version. */
void echo_picture_write(struct buf *b, const struct echo_identity *who);
/* Does this path ask for such a picture: ".../r/N.svg"? */
bool echo_path_is_picture(struct str path);
