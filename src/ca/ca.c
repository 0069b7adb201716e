#include "ca/ca.h"

#include "base/arena.h"
#include "base/hash.h"
#include "ca/store.h"
#include "tls/issue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOT_NAME "Lateen local CA"
#define ROOT_LIFETIME_MS (INT64_C(3652) * 24 * 3600 * 1000)
#define BACKDATED_MS (INT64_C(5) * 60 * 1000) /* clocks differ */
#define PEM_MAX 65536
#define NAMES_MAX 256

struct ca {
    struct arena arena;
    struct str dir, root_path, root_pem;
    struct tls_keypair *root;
};

/* ---- messages ---- */

static struct str say(const char *fmt, ...) PRINTF_LIKE(1, 2);

static struct str say(const char *fmt, ...)
{
    static _Thread_local char text[1024];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return str_of(text);
}

/* ---- the root ---- */

/* One certificate and its key on the way between disk and memory. */
struct pems {
    struct buf cert, key;
};

static void pems_init(struct pems *p)
{
    buf_init(&p->cert, PEM_MAX);
    buf_init(&p->key, PEM_MAX);
}

static void pems_fini(struct pems *p)
{
    buf_fini(&p->cert);
    buf_fini_secret(&p->key);
}

static enum err root_make(int dir_fd, int64_t now_ms, struct pems *p, struct str *rettext)
{
    struct issue_request r = {
        .common_name = STR(ROOT_NAME),
        .not_before_ms = now_ms - BACKDATED_MS,
        .not_after_ms = now_ms + ROOT_LIFETIME_MS,
        .is_ca = true,
    };
    enum err e;

    if (!issue_certificate(&r, &p->cert, &p->key, rettext))
        return ERR_TLS;
    /* the certificate last: without it the next run begins anew */
    e = store_write(dir_fd, "root.key", 0600, buf_str(&p->key));
    if (e == ERR_OK)
        e = store_write(dir_fd, "root.pem", 0644, buf_str(&p->cert));
    return e;
}

static enum err root_read(int dir_fd, struct pems *p)
{
    enum err e = store_read(dir_fd, "root.pem", &p->cert);

    if (e != ERR_OK)
        return e;
    e = store_read(dir_fd, "root.key", &p->key);
    return e == ERR_NOT_FOUND ? ERR_SYNTAX : e;
}

/* Reads or makes the PEMs. */
static enum err root_get(struct ca *ca, int64_t now_ms, struct pems *p, struct str *rettext)
{
    int fd = store_lock(ca->dir);
    enum err e;

    if (fd < 0) {
        *rettext = say("cannot use the directory %.*s: %s", STRF(ca->dir), strerror(errno));
        return err_of_errno(errno);
    }
    e = root_read(fd, p);
    if (e == ERR_SYNTAX)
        *rettext = say("%.*s has lost its key root.key: remove it and a new authority is made",
                       STRF(ca->root_path));
    else if (e != ERR_OK && e != ERR_NOT_FOUND)
        *rettext = say("cannot read %.*s or its key: %s", STRF(ca->root_path), err_text(e));
    if (e == ERR_NOT_FOUND) {
        *rettext = STR_NONE;
        e = root_make(fd, now_ms, p, rettext);
        if (e != ERR_OK && !str_is_set(*rettext))
            *rettext = say("cannot write into %.*s: %s", STRF(ca->dir), err_text(e));
    }
    close(fd);
    return e;
}

static bool root_use(struct ca *ca, const struct pems *p, int64_t now_ms, struct str *rettext)
{
    struct str why = STR_NONE;

    ca->root = tls_keypair_parse(buf_str(&p->cert), buf_str(&p->key), &why);
    if (!ca->root)
        *rettext = say("%.*s: %.*s; remove it and a new authority is made", STRF(ca->root_path),
                       STRF(why));
    else if (tls_keypair_info(ca->root)->not_after_ms <= now_ms)
        *rettext = say("%.*s has expired: remove it and a new authority is made",
                       STRF(ca->root_path));
    else {
        ca->root_pem = arena_dup(&ca->arena, buf_str(&p->cert));
        return true;
    }
    return false;
}

struct ca *ca_open(struct str dir, int64_t now_ms, enum err *reterr, struct str *rettext)
{
    struct ca *ca = must_alloc(sizeof(*ca));
    struct pems p;
    enum err e;

    arena_init(&ca->arena, 4096);
    ca->dir = arena_printf(&ca->arena, "%.*s/ca", STRF(dir));
    ca->root_path = arena_printf(&ca->arena, "%.*s/root.pem", STRF(ca->dir));
    pems_init(&p);
    e = root_get(ca, now_ms, &p, rettext);
    if (e == ERR_OK && !root_use(ca, &p, now_ms, rettext))
        e = ERR_SYNTAX;
    pems_fini(&p);
    if (e == ERR_OK)
        return ca;
    ca_free(ca);
    *reterr = e;
    return NULL;
}

void ca_free(struct ca *ca)
{
    if (!ca)
        return;
    tls_keypair_unref(ca->root);
    arena_fini(&ca->arena);
    free(ca);
}

struct str ca_root_path(const struct ca *ca)
{
    return ca->root_path;
}

struct str ca_root_pem(const struct ca *ca)
{
    return ca->root_pem;
}

/* ---- the set of names ---- */

/* Sorted, lower case, each once: what a file of issued certificates goes by. */
struct names {
    struct str v[NAMES_MAX];
    size_t n;
};

static int name_order(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static struct str lower(struct arena *a, struct str s)
{
    char *p = arena_raw(a, s.n + 1);

    for (size_t i = 0; i < s.n; i++)
        p[i] = ascii_lower(s.p[i]);
    return str_make(p, s.n);
}

static void names_sort(struct names *to)
{
    size_t kept = 0;

    qsort(to->v, to->n, sizeof(to->v[0]), name_order);
    for (size_t i = 0; i < to->n; i++) {
        if (kept == 0 || !str_eq(to->v[kept - 1], to->v[i]))
            to->v[kept++] = to->v[i];
    }
    to->n = kept;
}

static void names_of(struct names *to, struct arena *a, const struct str *v, size_t n)
{
    to->n = 0;
    for (size_t i = 0; i < MIN(n, NAMES_MAX); i++)
        to->v[to->n++] = lower(a, v[i]);
    names_sort(to);
}

static bool names_eq(const struct names *a, const struct names *b)
{
    for (size_t i = 0; i < MIN(a->n, b->n); i++) {
        if (!str_eq(a->v[i], b->v[i]))
            return false;
    }
    return a->n == b->n;
}

/* ---- issuing ---- */

/* A request, put in order. */
struct order {
    struct arena arena;
    struct names dns, ips;
    struct str first; /* shown as the subject */
    bool client_auth;
    int64_t lifetime_ms;
    char file[40];
};

static void order_init(struct order *o, const struct ca_request *r)
{
    uint64_t hash = r->client_auth;

    arena_init(&o->arena, 4096);
    names_of(&o->dns, &o->arena, r->dns_names, r->dns_name_count);
    names_of(&o->ips, &o->arena, r->ip_names, r->ip_name_count);
    o->first = r->dns_name_count ? lower(&o->arena, r->dns_names[0]) : STR("");
    o->client_auth = r->client_auth;
    o->lifetime_ms = r->lifetime_ms ? r->lifetime_ms : CA_LIFETIME_MS;
    for (size_t i = 0; i < o->dns.n; i++)
        hash = hash_mix(hash, hash_stable(o->dns.v[i]));
    for (size_t i = 0; i < o->ips.n; i++)
        hash = hash_mix(hash, hash_stable(o->ips.v[i]));
    snprintf(o->file, sizeof(o->file), "issued-%016llx.pem", (unsigned long long)hash);
}

/* Is what lies on the disk still what would be issued now? */
static bool still_fits(const struct ca *ca, struct order *o, const struct tls_keypair *kp,
                       int64_t now_ms)
{
    const struct tls_cert_info *info = tls_keypair_info(kp);
    struct names dns, ips;
    int64_t life = info->not_after_ms - info->not_before_ms;

    names_of(&dns, &o->arena, info->dns_names, info->dns_name_count);
    names_of(&ips, &o->arena, info->ip_names, info->ip_name_count);
    return names_eq(&dns, &o->dns) && names_eq(&ips, &o->ips) &&
           issue_has_client_auth(kp) == o->client_auth && issue_is_signed_by(kp, ca->root) &&
           now_ms >= info->not_before_ms && now_ms < info->not_before_ms + life / 3 * 2 &&
           life <= o->lifetime_ms + BACKDATED_MS;
}

/* The file holds the key behind the certificate: one file, so that they always match. */
static bool split_pem(struct str both, struct buf *cert_pem, struct buf *key_pem)
{
    size_t at = str_find_str(both, STR("-----BEGIN PRIVATE KEY-----"));

    return at > 0 && at < both.n && buf_add(cert_pem, str_sub(both, 0, at)) &&
           buf_add(key_pem, str_from(both, at));
}

static bool issued_before(const struct ca *ca, int dir_fd, struct order *o, int64_t now_ms,
                          struct buf *cert_pem, struct buf *key_pem)
{
    struct tls_keypair *kp = NULL;
    struct str why;
    struct buf both;
    bool fits = false;

    buf_init(&both, PEM_MAX);
    if (store_read(dir_fd, o->file, &both) == ERR_OK)
        kp = tls_keypair_parse(buf_str(&both), buf_str(&both), &why);
    if (kp)
        fits = still_fits(ca, o, kp, now_ms) && split_pem(buf_str(&both), cert_pem, key_pem);
    tls_keypair_unref(kp);
    buf_fini_secret(&both);
    return fits;
}

static bool issue_new(const struct ca *ca, const struct order *o, int64_t now_ms,
                      struct buf *cert_pem, struct buf *key_pem, struct str *rettext)
{
    int64_t root_end = tls_keypair_info(ca->root)->not_after_ms;
    struct issue_request r = {
        .common_name = o->first.n <= 64 ? o->first : STR(""),
        .dns_names = o->dns.v,
        .dns_name_count = o->dns.n,
        .ip_names = o->ips.v,
        .ip_name_count = o->ips.n,
        .not_before_ms = now_ms - BACKDATED_MS,
        .not_after_ms = MIN(now_ms + o->lifetime_ms, root_end),
        .usages = o->client_auth ? USAGES_SERVER | USAGE_CLIENT_AUTH : USAGES_SERVER,
        .issuer = ca->root,
    };

    return issue_certificate(&r, cert_pem, key_pem, rettext);
}

static enum err keep_issued(int dir_fd, const struct order *o, const struct buf *cert_pem,
                            const struct buf *key_pem)
{
    struct buf both;
    enum err e = ERR_LIMIT;

    buf_init(&both, PEM_MAX);
    if (buf_add(&both, buf_str(cert_pem)) && buf_add(&both, buf_str(key_pem)))
        e = store_write(dir_fd, o->file, 0600, buf_str(&both));
    buf_fini_secret(&both);
    return e;
}

static bool issue_locked(const struct ca *ca, int dir_fd, struct order *o, int64_t now_ms,
                         struct buf *cert_pem, struct buf *key_pem, struct str *rettext)
{
    enum err e;

    if (issued_before(ca, dir_fd, o, now_ms, cert_pem, key_pem))
        return true;
    if (!issue_new(ca, o, now_ms, cert_pem, key_pem, rettext))
        return false;
    e = keep_issued(dir_fd, o, cert_pem, key_pem);
    if (e != ERR_OK)
        *rettext = say("cannot write %.*s/%s: %s", STRF(ca->dir), o->file, err_text(e));
    return e == ERR_OK;
}

bool ca_issue(struct ca *ca, const struct ca_request *r, int64_t now_ms, struct buf *cert_pem,
              struct buf *key_pem, struct str *rettext)
{
    struct order o;
    int fd;
    bool fine;

    if (r->dns_name_count + r->ip_name_count == 0 || r->dns_name_count > NAMES_MAX ||
        r->ip_name_count > NAMES_MAX) {
        *rettext = say("a certificate needs 1 to %d names", NAMES_MAX);
        return false;
    }
    fd = store_lock(ca->dir);
    if (fd < 0) {
        *rettext = say("cannot use the directory %.*s: %s", STRF(ca->dir), strerror(errno));
        return false;
    }
    buf_reset(cert_pem);
    buf_reset(key_pem);
    order_init(&o, r);
    fine = issue_locked(ca, fd, &o, now_ms, cert_pem, key_pem, rettext);
    arena_fini(&o.arena);
    close(fd);
    return fine;
}
