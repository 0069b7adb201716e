#include "base/err.h"

#include <errno.h>

static const struct {
    const char *name, *text;
} errs[] = {
#define XX(name, text) { #name, text },
    ERR_MAP(XX)
#undef XX
};

const char *err_name(enum err e)
{
    return (size_t)e < LEN(errs) ? errs[e].name : "?";
}

const char *err_text(enum err e)
{
    return (size_t)e < LEN(errs) ? errs[e].text : "unknown error";
}

enum err err_of_errno(int number)
{
    switch (number) {
    case 0:
        return ERR_OK;
    case EAGAIN:
        return ERR_AGAIN;
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED:
        return ERR_RESET;
    case ECONNREFUSED:
        return ERR_REFUSED;
    case ETIMEDOUT:
        return ERR_TIMEOUT;
    case ENETUNREACH:
    case EHOSTUNREACH:
        return ERR_UNREACHABLE;
    case EADDRNOTAVAIL:
        return ERR_ADDRESS;
    case EADDRINUSE:
        return ERR_ADDRESS_IN_USE;
    case EACCES:
    case EPERM:
        return ERR_ACCESS;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return ERR_LIMIT;
    case ENOENT:
        return ERR_NOT_FOUND;
    default:
        return ERR_IO;
    }
}
