#include "acme/desk.h"

#include "acme/secret.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/map.h"
#include "ca/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PEM_MAX (1u << 20)
#define FRESH_MS 5000 /* what was written is read within that; nobody writes over it meanwhile */
/* As cert-manager: an hour after the first failure, twice as long after each that follows. */
#define RETRY_FIRST_MS (INT64_C(3600) * 1000)
#define RETRY_MOST_MS (32 * RETRY_FIRST_MS)

/* What is remembered of a Certificate. */
struct order {
    char *key;       /* "ns/name", heap */
    uint64_t inputs; /* of the last try */
    int64_t fails, next_ms;
    bool seen; /* in this round */
};

struct desk {
    char *dir;
    struct map orders; /* key -> struct order */
    int64_t due_ms;
};

/* ---- why ---- */

static int64_t renewal_ms(const struct mesh_wanted *w, const struct tls_cert_info *info)
{
    int64_t life = info->not_after_ms - info->not_before_ms;
    int64_t before = w->renew_before_ms > 0 && w->renew_before_ms < life ? w->renew_before_ms
                                                                         : life / 3;
    int64_t most = MIN(before / 20, (life - before) / 2);
    /* Many that were issued together are not renewed together. */
    int64_t spread = (int64_t)((hash_stable(w->name) ^ hash_stable(w->namespace)) % 1000);

    return info->not_after_ms - before - most * spread / 1000;
}

/* Why it is to be issued, in cert-manager's words; NULL: it is not, until `ret_ms`. */
static const char *reason_to_issue(const struct mesh_wanted *w, int64_t now_ms, int64_t *ret_ms)
{
    char hash[SECRET_HASH_LEN + 1], issuer[600];
    struct tls_keypair *kp;
    struct str why;
    const char *reason = NULL;

    if (!w->has_secret)
        return "DoesNotExist";
    kp = tls_keypair_parse(w->secret_chain, w->secret_key, &why);
    if (!kp)
        return "InvalidKeyPair";
    secret_hash(w->hash, hash);
    snprintf(issuer, sizeof(issuer), "%.*s/%.*s", STRF(w->issuer_kind), STRF(w->issuer_name));
    *ret_ms = renewal_ms(w, tls_keypair_info(kp));
    if (!str_eq(w->secret_issuer, str_of(issuer)))
        reason = "IncorrectIssuer";
    else if (!str_eq(w->secret_request, str_of(hash)))
        reason = "RequestChanged";
    else if (now_ms >= tls_keypair_info(kp)->not_after_ms)
        reason = "Expired";
    else if (now_ms >= *ret_ms)
        reason = "Renewing";
    tls_keypair_unref(kp);
    return reason;
}

/* ---- issuing ---- */

struct paper {
    struct buf cert, key, root;
};

static void paper_init(struct paper *p)
{
    buf_init(&p->cert, PEM_MAX);
    buf_init(&p->key, PEM_MAX);
    buf_init(&p->root, PEM_MAX);
}

static void paper_fini(struct paper *p)
{
    buf_fini(&p->cert);
    buf_fini(&p->root);
    buf_fini_secret(&p->key);
}

/* rotationPolicy Never: what there is must be what is asked for. */
static bool old_key(const struct mesh_wanted *w, struct str *ret_key, struct str *ret_why)
{
    static const char *const kinds[] = { [ISSUE_EC_P256] = "EC P-256",
                                         [ISSUE_EC_P384] = "EC P-384",
                                         [ISSUE_EC_P521] = "EC P-521",
                                         [ISSUE_ED25519] = "Ed25519" };
    struct tls_keypair *kp;
    char rsa[32];
    bool fits;

    if (!w->keeps_key || !w->secret_key.n)
        return true;
    kp = tls_keypair_parse(w->secret_chain, w->secret_key, ret_why);
    if (!kp)
        return false;
    snprintf(rsa, sizeof(rsa), "RSA %u", w->request.rsa_bits ? w->request.rsa_bits : 2048);
    fits = str_eq(tls_keypair_info(kp)->key_type,
                  str_of(w->request.key == ISSUE_RSA ? rsa : kinds[w->request.key]));
    tls_keypair_unref(kp);
    *ret_key = w->secret_key;
    if (!fits)
        *ret_why = STR("rotationPolicy is Never, and the key that is there is of another kind or "
                       "size");
    return fits;
}

static bool issue(const struct mesh_wanted *w, int64_t now_ms, struct paper *p, struct str *ret_why)
{
    struct issue_request r = w->request;
    struct tls_keypair *ca = NULL;
    bool fine;

    if (w->issuer == MESH_ISSUER_CA && !(ca = tls_keypair_parse(w->ca_chain, w->ca_key, ret_why)))
        return false;
    r.issuer = ca;
    r.not_before_ms = now_ms;
    r.not_after_ms = now_ms + w->lifetime_ms;
    if (ca) /* beyond its issuer nobody would believe it */
        r.not_after_ms = MIN(r.not_after_ms, tls_keypair_info(ca)->not_after_ms);
    fine = r.not_after_ms > now_ms;
    if (!fine)
        *ret_why = STR("the CA's certificate has expired");
    fine = fine && old_key(w, &r.old_key_pem, ret_why) &&
           issue_certificate(&r, &p->cert, &p->key, ret_why);
    if (fine &&
        !(ca ? issue_chain(ca, &p->cert, &p->root) : buf_add(&p->root, buf_str(&p->cert)))) {
        *ret_why = STR("the chain is too long");
        fine = false;
    }
    tls_keypair_unref(ca);
    return fine;
}

/* The line of a certificate that its serial number stands in. */
static struct str serial_line(struct str chain)
{
    (void)str_cut(&chain, '\n');
    return str_cut(&chain, '\n');
}

/* Written a moment ago, and not read yet: by another program on this directory, or by us. */
static bool is_unread(int dir_fd, const char *file, const struct mesh_wanted *w, int64_t now_ms)
{
    struct str line = serial_line(w->secret_chain);
    struct stat st;
    struct buf b;
    int64_t age_ms;
    bool known;

    if (fstatat(dir_fd, file, &st, 0) != 0)
        return false;
    age_ms = now_ms - (int64_t)st.st_mtim.tv_sec * 1000 - st.st_mtim.tv_nsec / 1000000;
    if (age_ms < 0 || age_ms >= FRESH_MS)
        return false;
    buf_init(&b, 4 * PEM_MAX);
    known = line.n && store_read(dir_fd, file, &b) == ERR_OK &&
            str_find_str(buf_str(&b), line) < b.n;
    buf_fini_secret(&b);
    return !known;
}

static bool keep(struct desk *d, const struct mesh_wanted *w, const struct paper *p, int64_t now_ms,
                 struct str *ret_why)
{
    const struct issued_secret s = { buf_str(&p->cert), buf_str(&p->key), buf_str(&p->root) };
    char file[SECRET_FILE_MAX];
    int fd = store_lock(str_of(d->dir));
    enum err e = ERR_IO;
    struct buf b;

    if (fd < 0) {
        *ret_why = STR("the state directory cannot be written to");
        return false;
    }
    secret_file(w, file);
    buf_init(&b, 4 * PEM_MAX);
    secret_manifest(&b, w, &s);
    if (is_unread(fd, file, w, now_ms))
        e = ERR_OK;
    else if (!b.full)
        e = store_write(fd, file, 0600, buf_str(&b));
    buf_fini_secret(&b);
    close(fd);
    if (e != ERR_OK)
        *ret_why = str_of(err_text(e));
    return e == ERR_OK;
}

/* ---- one Certificate ---- */

static uint64_t inputs_of(const struct mesh_wanted *w)
{
    uint64_t h = hash_mix(w->hash, w->issuer);

    h = hash_mix(h, hash_stable(w->ca_chain));
    return hash_mix(h, hash_stable(w->secret_chain));
}

static struct order *order_of(struct desk *d, const struct mesh_wanted *w)
{
    char key[600];
    struct order *o;

    snprintf(key, sizeof(key), "%.*s/%.*s", STRF(w->namespace), STRF(w->name));
    o = map_get(&d->orders, str_of(key));
    if (o)
        return o;
    o = must_alloc(sizeof(*o));
    o->key = heap_strz(str_of(key));
    map_put(&d->orders, str_of(o->key), o);
    return o;
}

static void order_free(struct order *o)
{
    free(o->key);
    free(o);
}

static void failed(struct order *o, const struct mesh_wanted *w, int64_t now_ms, struct str why)
{
    int64_t wait = RETRY_FIRST_MS << MIN(o->fails, 5);

    o->fails++;
    o->next_ms = now_ms + MIN(wait, RETRY_MOST_MS);
    log_error("certificates", "a certificate cannot be issued", KV("certificate", str_of(o->key)),
              KV("issuer", w->issuer_name), KV("reason", why),
              KVN("again_in_s", (o->next_ms - now_ms) / 1000));
}

static bool carry_out(struct desk *d, struct order *o, const struct mesh_wanted *w,
                      const char *reason, int64_t now_ms)
{
    struct paper p;
    struct str why;
    bool fine;

    paper_init(&p);
    fine = issue(w, now_ms, &p, &why) && keep(d, w, &p, now_ms, &why);
    paper_fini(&p);
    if (!fine) {
        failed(o, w, now_ms, why);
        return false;
    }
    o->fails = 0;
    o->next_ms = now_ms + FRESH_MS;
    log_info("certificates", "issued", KV("certificate", str_of(o->key)),
             KV("secret", w->secret_name), KV("issuer", w->issuer_name), KVZ("reason", reason));
    return true;
}

static bool attend(struct desk *d, const struct mesh_wanted *w, int64_t now_ms)
{
    struct order *o = order_of(d, w);
    int64_t due_ms = INT64_MAX;
    const char *reason;
    bool wrote = false;

    o->seen = true;
    if (w->issuer == MESH_ISSUER_NONE || str_is_set(w->problem))
        return false;
    if (o->inputs != inputs_of(w)) {
        o->inputs = inputs_of(w);
        o->fails = 0;
        o->next_ms = 0;
    }
    reason = reason_to_issue(w, now_ms, &due_ms);
    if (reason && now_ms >= o->next_ms)
        wrote = carry_out(d, o, w, reason, now_ms);
    d->due_ms = MIN(d->due_ms, reason ? o->next_ms : due_ms);
    return wrote;
}

/* ---- the desk ---- */

struct desk *desk_new(struct str dir)
{
    int fd = store_lock(dir);
    struct desk *d;

    if (fd < 0)
        return NULL;
    close(fd);
    d = must_alloc(sizeof(*d));
    d->dir = heap_strz(dir);
    d->due_ms = INT64_MAX;
    map_init(&d->orders);
    return d;
}

void desk_free(struct desk *d)
{
    const struct map_entry *e;

    if (!d)
        return;
    for (size_t at = 0; (e = map_next(&d->orders, &at));)
        order_free(e->value);
    map_fini(&d->orders);
    free(d->dir);
    free(d);
}

static void forget_gone(struct desk *d)
{
    const struct map_entry *e;

    for (size_t at = 0; (e = map_next(&d->orders, &at));) {
        struct order *o = e->value;
        bool seen = o->seen;

        o->seen = false;
        if (seen)
            continue;
        map_del(&d->orders, e->key);
        order_free(o);
    }
}

bool desk_round(struct desk *d, const struct mesh_wanted *v, size_t n, int64_t now_ms)
{
    bool wrote = false;

    d->due_ms = INT64_MAX;
    for (size_t i = 0; i < n; i++)
        wrote |= attend(d, &v[i], now_ms);
    forget_gone(d);
    return wrote;
}

int64_t desk_due_ms(const struct desk *d)
{
    return d->due_ms;
}
