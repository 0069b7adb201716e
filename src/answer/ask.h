/*
 * answer/ask - the question: one request, as a client would send it.
 *
 * Everything lies in the arena given or is borrowed from the arguments.
 */
#pragma once

#include "http/message.h"

struct ask {
    struct str method, url; /* the URL as given, with its scheme */
    struct str host;        /* where it connects to and, with TLS, the SNI: lower case, no port */
    struct str sni;         /* STR_NONE: clear text, or an IP address */
    uint16_t port;
    bool is_tls;
    struct str authority; /* Host: the URL's, or the header's */
    struct str target;    /* path and query, "/" without */
    struct str upgrade;   /* STR_NONE: none */
    struct headers headers;
};

/* "https://host[:port][/path][?query]"; without a scheme http is meant. `lines` are headers,
 * "name: value". False: `ret_why` says what is wrong. */
MUST_USE bool ask_parse(struct str method, struct str url, const struct str *lines, size_t n,
                        struct arena *a, struct ask *ret, struct str *ret_why);

/* A head as the codec would give it; each call makes a new one, as deciding changes it. */
struct head *ask_head(const struct ask *q, struct arena *a);
