#include "tls/peer.h"

#include "base/arena.h"
#include "base/buf.h"
#include "tls/x509text.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define PEER_TEXT_MAX (256u << 10) /* of one header; what does not fit is left out */

static struct str take_text(struct arena *a, struct buf *b)
{
    struct str s = b->full ? STR("") : arena_dup(a, buf_str(b));

    buf_fini(b);
    return s;
}

/* What a header cannot carry, or a list would be misread at. */
static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] > '~')
            return false;
    }
    return s.n > 0;
}

/* ---- names ---- */

typedef void name_fn(struct buf *b, struct str name, size_t i);

static size_t each_name(X509 *cert, int type, struct buf *b, name_fn *fn)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    size_t n = 0;

    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);
        struct str name;

        if (g->type != type)
            continue;
        name = str_make((const char *)ASN1_STRING_get0_data(g->d.ia5),
                        (size_t)ASN1_STRING_length(g->d.ia5));
        if (is_plain(name))
            fn(b, name, n++);
    }
    GENERAL_NAMES_free(all);
    return n;
}

static void add_listed(struct buf *b, struct str name, size_t i)
{
    if (i)
        buf_addc(b, ',');
    buf_add(b, name);
}

static struct str names_of(struct arena *a, X509 *cert, int type)
{
    struct buf b;

    buf_init(&b, PEER_TEXT_MAX);
    each_name(cert, type, &b, add_listed);
    return take_text(a, &b);
}

/* ---- the certificate in a header ---- */

static struct str escaped_pem(struct arena *a, X509 *cert)
{
    BIO *out = BIO_new(BIO_s_mem());
    struct buf b;
    char *p;
    long n;

    MUST(out != NULL && PEM_write_bio_X509(out, cert) == 1);
    n = BIO_get_mem_data(out, &p);
    buf_init(&b, PEER_TEXT_MAX);
    for (long i = 0; i < n; i++) {
        if (strchr("\n +/=", p[i]))
            buf_printf(&b, "%%%02X", (unsigned)p[i]);
        else
            buf_addc(&b, p[i]);
    }
    BIO_free(out);
    return take_text(a, &b);
}

/* ---- x-forwarded-client-cert ---- */

/* A value that could be taken for the next part is quoted. */
static void add_value(struct buf *b, const char *key, struct str value)
{
    bool quoted = false;

    for (size_t i = 0; i < value.n; i++)
        quoted |= strchr(",;=\"\\", value.p[i]) != NULL;
    buf_printf(b, ";%s=%s", key, quoted ? "\"" : "");
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '"' || value.p[i] == '\\')
            buf_addc(b, '\\');
        buf_addc(b, value.p[i]);
    }
    if (quoted)
        buf_addc(b, '"');
}

static void add_by(struct buf *b, struct str name, __attribute__((unused)) size_t i)
{
    add_value(b, "By", name);
}

static void add_uri(struct buf *b, struct str name, __attribute__((unused)) size_t i)
{
    add_value(b, "URI", name);
}

static void add_dns(struct buf *b, struct str name, __attribute__((unused)) size_t i)
{
    add_value(b, "DNS", name);
}

static struct str forwarded_of(struct arena *a, const struct tls_peer *p, X509 *cert, X509 *local)
{
    struct buf b;

    buf_init(&b, PEER_TEXT_MAX);
    if (local)
        each_name(local, GEN_URI, &b, add_by);
    buf_printf(&b, ";Hash=%.*s;Cert=\"%.*s\";Subject=\"%.*s\"", STRF(p->fingerprint), STRF(p->cert),
               STRF(p->subject));
    if (each_name(cert, GEN_URI, &b, add_uri) == 0)
        buf_add(&b, STR(";URI=")); /* as Envoy: the key is always there */
    each_name(cert, GEN_DNS, &b, add_dns);
    return str_from(take_text(a, &b), 1);
}

/* ---- the object ---- */

static struct str lower(struct arena *a, struct str s)
{
    char *out = arena_alloc(a, s.n + 1);

    for (size_t i = 0; i < s.n; i++)
        out[i] = ascii_lower(s.p[i]);
    return str_make(out, s.n);
}

struct tls_peer *tls_peer_of(const struct engine *e)
{
    X509 *cert = SSL_get0_peer_certificate(e->ssl), *local = SSL_get_certificate(e->ssl);
    struct tls_cert_info info, own = { .subject = STR("") };
    struct arena *a;
    struct tls_peer *p;

    if (!cert)
        return NULL;
    a = arena_new(4096);
    p = ARENA_NEW(a, struct tls_peer);
    x509text_describe(cert, a, &info);
    if (local)
        x509text_describe(local, a, &own);
    *p = (struct tls_peer){ .arena = a,
                            .refs = 1,
                            .subject = info.subject,
                            .issuer = info.issuer,
                            .serial = lower(a, info.serial),
                            .fingerprint = info.fingerprint,
                            .cert = escaped_pem(a, cert),
                            .uris = names_of(a, cert, GEN_URI),
                            .dns_names = names_of(a, cert, GEN_DNS),
                            .local_uris = local ? names_of(a, local, GEN_URI) : STR(""),
                            .local_subject = own.subject };
    p->forwarded = forwarded_of(a, p, cert, local);
    return p;
}

struct tls_peer *tls_peer_ref(struct tls_peer *p)
{
    if (p)
        p->refs++;
    return p;
}

void tls_peer_unref(struct tls_peer *p)
{
    if (p && --p->refs == 0)
        arena_free(p->arena);
}
