/*
 * api/check_route - rules of a VirtualService's HTTP routes, some of them shared with
 * MeshConfig. For src/api only. Source: istio-api.md 8, VS http and below.
 */
#pragma once

#include "api/check.h"
#include "api/virtualservice.h"

void api_check_http_routes(struct api_checker *c, const struct api_virtualservice *vs);
void api_check_retries(struct api_checker *c, const struct api_retries *r);
void api_check_destination(struct api_checker *c, const struct api_destination *d);
void api_check_weights(struct api_checker *c, const struct api_at *rule, size_t n, int64_t total);

/* What one rule does with a request beside the match (check_action.c). */
void api_check_actions(struct api_checker *c, const struct api_virtualservice *vs,
                       const struct api_http_route *r);
/* Its conditions (check_match.c). */
void api_check_match(struct api_checker *c, const struct api_virtualservice *vs,
                     const struct api_http_match *m);
void api_check_percent(struct api_checker *c, const struct api_percent *p);
/* A regex of a field: RE2, not longer than 1024 octets, not empty. */
void api_check_pattern(struct api_checker *c, struct api_spot spot, struct str regex);
