/*
 * ca/ca - the local authority of --dev: a root made once, and certificates for any name.
 *
 * Everything lies in the directory `ca` of the state directory (0700; keys 0600, written
 * atomically), so that browsers that trust the root go on doing so after a restart. Blocks on
 * the disk: for the compiler thread. The clock is handed in.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct ca;

#define CA_LIFETIME_MS (INT64_C(90) * 24 * 3600 * 1000)

/* Opens the authority in `dir`/ca, or makes it (and `dir`, 0700). NULL with an error and a
 * sentence for people that names the file, valid until this thread's next call. */
MUST_USE struct ca *ca_open(struct str dir, int64_t now_ms, enum err *reterr, struct str *rettext);
void ca_free(struct ca *ca); /* takes NULL */

/* For `curl --cacert`; `dir` as it was given is its beginning. */
struct str ca_root_path(const struct ca *ca);
struct str ca_root_pem(const struct ca *ca);

struct ca_request {
    const struct str *dns_names, *ip_names; /* in any order and case */
    size_t dns_name_count, ip_name_count;
    int64_t lifetime_ms; /* 0: CA_LIFETIME_MS; never beyond the root's */
    bool client_auth;    /* beside server */
};

/* Writes certificate and key (PEM) for a set of names. What was issued before for the same
 * names is given again until two thirds of its life are over. False with a text as above. */
MUST_USE bool ca_issue(struct ca *ca, const struct ca_request *r, int64_t now_ms,
                       struct buf *cert_pem, struct buf *key_pem, struct str *rettext);
