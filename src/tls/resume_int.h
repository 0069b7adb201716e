/*
 * tls/resume_int - sessions as OpenSSL gives and takes them; for this folder only.
 */
#pragma once

#include "tls/resume.h"

#include <openssl/ssl.h>

/* For SSL_CTX_sess_set_new_cb. */
int resume_keep(SSL *ssl, SSL_SESSION *session);
/* Offers the session of `key`, if there is one. */
void resume_offer(struct tls_resume *r, uint64_t key, SSL *ssl);
