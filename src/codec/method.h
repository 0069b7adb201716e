/*
 * codec/method - the request methods that are served: those of Envoy's HTTP/1 parser.
 *
 * Methods are case-sensitive; what is not in the table is refused with 400 (RFC 9110, 9.1
 * would say 501; Istio's gateway says 400).
 */
#pragma once

#include "base/str.h"

/* name, text, idempotent (RFC 9110, 9.2.2; the others as IANA's registry says). */
#define METHOD_MAP(XX)                                                                             \
    XX(GET, "GET", true)                                                                           \
    XX(HEAD, "HEAD", true)                                                                         \
    XX(POST, "POST", false)                                                                        \
    XX(PUT, "PUT", true)                                                                           \
    XX(DELETE, "DELETE", true)                                                                     \
    XX(CONNECT, "CONNECT", false)                                                                  \
    XX(OPTIONS, "OPTIONS", true)                                                                   \
    XX(TRACE, "TRACE", true)                                                                       \
    XX(PATCH, "PATCH", false)                                                                      \
    XX(ACL, "ACL", true)                                                                           \
    XX(BIND, "BIND", true)                                                                         \
    XX(CHECKOUT, "CHECKOUT", true)                                                                 \
    XX(COPY, "COPY", true)                                                                         \
    XX(LINK, "LINK", true)                                                                         \
    XX(LOCK, "LOCK", false)                                                                        \
    XX(MERGE, "MERGE", true)                                                                       \
    XX(MKACTIVITY, "MKACTIVITY", true)                                                             \
    XX(MKCALENDAR, "MKCALENDAR", true)                                                             \
    XX(MKCOL, "MKCOL", true)                                                                       \
    XX(MOVE, "MOVE", true)                                                                         \
    XX(M_SEARCH, "M-SEARCH", false)                                                                \
    XX(NOTIFY, "NOTIFY", false)                                                                    \
    XX(PROPFIND, "PROPFIND", true)                                                                 \
    XX(PROPPATCH, "PROPPATCH", true)                                                               \
    XX(PURGE, "PURGE", false)                                                                      \
    XX(REBIND, "REBIND", true)                                                                     \
    XX(REPORT, "REPORT", true)                                                                     \
    XX(SEARCH, "SEARCH", true)                                                                     \
    XX(SOURCE, "SOURCE", false)                                                                    \
    XX(SUBSCRIBE, "SUBSCRIBE", false)                                                              \
    XX(UNBIND, "UNBIND", true)                                                                     \
    XX(UNLINK, "UNLINK", true)                                                                     \
    XX(UNLOCK, "UNLOCK", true)                                                                     \
    XX(UNSUBSCRIBE, "UNSUBSCRIBE", false)

enum method {
    METHOD_UNKNOWN,
#define XX(name, text, idempotent) METHOD_##name,
    METHOD_MAP(XX)
#undef XX
        METHOD_COUNT
};

enum method method_of(struct str text);
struct str method_text(enum method m); /* STR_NONE for METHOD_UNKNOWN */
bool method_is_idempotent(enum method m);
