/*
 * proxy/shadow - copies of requests that go to mirrors besides.
 *
 * A copy is fed as the request is sent, by reference, and never waited for: where it gets no
 * connection at once, falls behind by more than the buffer limit or breaks off, it is given up,
 * and nobody hears of it. Its answer is dropped. It outlives its request. Source: Istio
 * VirtualService http[].mirrors; Envoy's request_mirror_policies.
 */
#pragma once

#include "proxy/request.h"

/* Its head is as the backend gets it: starts the copies that are drawn. */
void shadows_start(struct request *r);
/* Octets of its body are on their way; they stay the caller's. */
void shadows_feed(struct request *r, const struct bufq *octets);
/* All of it is; harmless again. */
void shadows_finish(struct request *r);
/* It ends; copies that did not get all of it break off. */
void shadows_leave(struct request *r);
