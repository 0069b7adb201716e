/*
 * codec/url - paths and hosts as Istio's gateway reads them.
 *
 * Pure. One normal form serves routing, policies and the backend alike, so that no two of
 * them can read a request differently. Source: observed.md "Paths", "Hosts"; RFC 3986;
 * MeshConfig.pathNormalization.
 */
#pragma once

#include "base/arena.h"

#define URL_TARGET_MAX 8192 /* octets of a request's target, whatever the version of HTTP */

enum url_normalize {
    URL_NONE,
    URL_BASE,                     /* Istio's default */
    URL_MERGE_SLASHES,            /* behind BASE: "//" to "/" */
    URL_DECODE_AND_MERGE_SLASHES, /* before both: "%2F" and "%5C" to "/" */
};

/* The normal form of an origin-form target ("/path?query"), fragment cut whatever `how`:
 * BASE resolves "." and "..", makes "\" a "/", decodes escapes of unreserved octets and
 * escapes what a path may not hold; other escapes and the query stay as they are. The
 * result is `target` itself, a part of it, or in the arena. False: no path, or "%00" in it. */
MUST_USE bool url_path_normalize(struct str target, enum url_normalize how, struct arena *a,
                                 struct str *ret);

/* Splits at the first "?". Without one the query is STR_NONE. */
void url_path_split(struct str target, struct str *ret_path, struct str *ret_query);

/* The value of the first parameter of that name, no escape decoded; "?v" has an empty one.
 * STR_NONE: no such parameter. */
struct str url_query_get(struct str query, struct str name);

/* Only octets that an authority may have (RFC 3986, 3.2), no user information, not empty. */
bool url_authority_is_valid(struct str authority);

/* The host to look up virtual hosts by: without a port, its case kept. The port is what
 * follows the last colon behind any "]", whatever it is: "x.test:" is "x.test" and
 * "x.test:80:80" is "x.test:80", which no virtual host has. A trailing dot stays. */
struct str url_host_of(struct str authority);

struct url_authority {
    struct str host; /* IPv6 without its brackets */
    int32_t port;    /* -1: none */
    bool is_ipv6;
};

/* Splits an authority strictly: the port is empty or a number up to 65535, "[" only around
 * an IPv6 address. */
MUST_USE bool url_authority_parse(struct str authority, struct url_authority *ret);

/* The host in lower case: itself, or a copy in the arena. */
struct str url_lower(struct str host, struct arena *a);
