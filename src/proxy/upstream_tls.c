#include "proxy/upstream_tls.h"

#include "base/hash.h"

static uint64_t mix_list(uint64_t hash, const struct str *v, uint32_t n)
{
    hash = hash_mix(hash, n);
    for (uint32_t i = 0; i < n; i++)
        hash = hash_mix(hash, hash_str(v[i]));
    return hash;
}

static uint64_t mix_secret(uint64_t hash, const struct root *root, slot_id slot)
{
    const struct secret *s = slot == SLOT_NONE ? NULL : root_secret(root, slot);

    return hash_mix(hash, s ? s->part.hash : slot);
}

uint64_t upstream_tls_hash(const struct cluster *c, const struct root *root)
{
    const struct client_tls *tls = c->tls;
    uint64_t hash;

    if (!tls)
        return 0;
    hash = hash_mix(hash_str(tls->sni), tls->skip_verify);
    hash = mix_list(hash, tls->names.v, tls->names.n);
    hash = mix_list(hash, tls->alpn.v, tls->alpn.n);
    hash = mix_secret(mix_secret(hash, root, tls->ca), root, tls->certificate);
    return hash ? hash : 1;
}

bool upstream_tls_name(const struct client_tls *tls, struct str authority,
                       char into[static UPSTREAM_NAME_MAX + 1], struct str *ret)
{
    struct str name = tls->sni.n ? tls->sni : url_host_of(authority);

    if (name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
        name = str_sub(name, 1, name.n - 2);
    if (name.n > UPSTREAM_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.n; i++)
        into[i] = ascii_lower(name.p[i]);
    *ret = str_make(into, name.n);
    return true;
}
