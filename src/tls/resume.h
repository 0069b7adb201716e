/*
 * tls/resume - the last session with a server, so that the next handshake costs it and us less.
 *
 * One per server and worker. A session is good for one key only: name asked for, trust and
 * certificate of that time; whoever resumes under another key would get around its checks. A TLS
 * 1.3 ticket is used once (RFC 8446, C.4).
 */
#pragma once

#include "base/must.h"

struct ssl_session_st;

struct tls_resume {
    struct ssl_session_st *session; /* NULL: none */
    uint64_t key;
};

void tls_resume_drop(struct tls_resume *r);
