/*
 * base/err - why something failed, where more than one way exists. 0 is ERR_OK.
 */
#pragma once

#include "base/must.h"

#define ERR_MAP(XX)                                                                                \
    XX(OK, "fine")                                                                                 \
    XX(AGAIN, "would block")                                                                       \
    XX(EOF, "end of input")                                                                        \
    XX(RESET, "connection reset by the other side")                                                \
    XX(REFUSED, "connection refused")                                                              \
    XX(TIMEOUT, "timed out")                                                                       \
    XX(UNREACHABLE, "network is unreachable")                                                      \
    XX(ADDRESS_IN_USE, "address already in use")                                                   \
    XX(ADDRESS, "no such address on this machine")                                                 \
    XX(ACCESS, "permission denied")                                                                \
    XX(LIMIT, "a limit was reached")                                                               \
    XX(OVERFLOW, "a configured limit was reached")                                                 \
    XX(SYNTAX, "cannot be parsed")                                                                 \
    XX(NOT_FOUND, "not found")                                                                     \
    XX(TLS, "TLS failed")                                                                          \
    XX(IO, "input/output error")                                                                   \
    XX(UNSUPPORTED, "not supported")

enum err {
#define XX(name, text) ERR_##name,
    ERR_MAP(XX)
#undef XX
};

const char *err_name(enum err e); /* "ADDRESS_IN_USE" */
const char *err_text(enum err e);
enum err err_of_errno(int number);
