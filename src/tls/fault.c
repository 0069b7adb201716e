#include "tls/fault.h"

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <stdio.h>

struct str fault_reason(char *out, size_t size, const char *otherwise)
{
    unsigned long e = ERR_peek_error();
    const char *text = e ? ERR_reason_error_string(e) : NULL;

    snprintf(out, size, "%s", text ? text : otherwise);
    ERR_clear_error();
    return str_of(out);
}

/* BoringSSL's number of a reason, where people search for it; alerts are the same in both. */
static unsigned reason_number(int reason)
{
    static const struct {
        int ours;
        unsigned boring;
    } rows[] = {
        { SSL_R_WRONG_VERSION_NUMBER, 247 }, { SSL_R_UNSUPPORTED_PROTOCOL, 240 },
        { SSL_R_NO_SHARED_CIPHER, 184 },     { SSL_R_CERTIFICATE_VERIFY_FAILED, 125 },
        { SSL_R_HTTP_REQUEST, 155 },
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        if (rows[i].ours == reason)
            return rows[i].boring;
    }
    return (unsigned)reason;
}

/* The log shows it without spaces. */
static void join_words(char *text)
{
    for (; *text; text++)
        *text = *text == ' ' ? '_' : *text;
}

struct str fault_envoy(unsigned long code, const char *detail, char *out, size_t size,
                       const char *otherwise)
{
    const char *text = code ? ERR_reason_error_string(code) : NULL;
    char name[96];

    if (code == 0) {
        snprintf(out, size, "%s", otherwise);
        return str_of(out);
    }
    snprintf(name, sizeof(name), "%s", text ? text : "unknown");
    for (char *c = name; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    snprintf(out, size, "TLS_error:|%u:SSL_routines:OPENSSL_internal:%s%s%s:TLS_error_end",
             0x10000000u + reason_number(ERR_GET_REASON(code)), name, *detail ? ":" : "", detail);
    join_words(out);
    return str_of(out);
}
