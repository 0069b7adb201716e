/*
 * proxy/redirect - the route actions that need no upstream: redirect and direct response.
 *
 * Source: VirtualService http[].redirect and directResponse, Gateway httpsRedirect
 * (observed.md, Rewrite and redirect).
 */
#pragma once

#include "http/message.h"
#include "model/parts.h"

struct request;
void redirect_answer(struct request *r);

/* The Location of a redirect, in `a` or borrowed from the head. */
struct str redirect_location(const struct redirect *to, const struct head *head, struct str query,
                             struct arena *a);
