/*
 * proxy/redirect - the route actions that need no upstream: redirect and direct response.
 *
 * Source: VirtualService http[].redirect and directResponse, Gateway httpsRedirect
 * (observed.md, Rewrite and redirect).
 */
#pragma once

#include "proxy/request.h"

void redirect_answer(struct request *r);
