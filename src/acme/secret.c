#include "acme/secret.h"

#include "base/hash.h"
#include "base/jsontext.h"

#include <stdio.h>

#define NAME_SHOWN 120

void secret_hash(uint64_t hash, char out[static SECRET_HASH_LEN + 1])
{
    snprintf(out, SECRET_HASH_LEN + 1, "%016llx", (unsigned long long)hash);
}

void secret_file(const struct mesh_wanted *w, char out[static SECRET_FILE_MAX])
{
    if (w->secret_name.n <= NAME_SHOWN)
        snprintf(out, SECRET_FILE_MAX, "%.*s.%.*s.yaml", STRF(w->namespace), STRF(w->secret_name));
    else
        snprintf(out, SECRET_FILE_MAX, "%.*s.%.*s-%016llx.yaml", STRF(w->namespace), NAME_SHOWN,
                 w->secret_name.p, (unsigned long long)hash_stable(w->secret_name));
}

static void add_pair(struct buf *b, struct str key, struct str value)
{
    buf_add(b, STR("    "));
    json_add_string(b, key);
    buf_add(b, STR(": "));
    json_add_string(b, value);
    buf_addc(b, '\n');
}

static void add_map(struct buf *b, const struct str_map *map)
{
    for (size_t i = 0; map && i < map->n; i++)
        add_pair(b, map->v[i].key, map->v[i].value);
}

static void add_block(struct buf *b, const char *key, struct str pem)
{
    if (!pem.n)
        return;
    buf_printf(b, "  %s: |\n", key);
    while (pem.n) {
        struct str line = str_cut(&pem, '\n');

        buf_printf(b, "    %.*s\n", STRF(line));
    }
}

void secret_manifest(struct buf *b, const struct mesh_wanted *w, const struct issued_secret *s)
{
    char hash[SECRET_HASH_LEN + 1];

    secret_hash(w->hash, hash);
    buf_add(b, STR("# Issued for a Certificate; renewed by itself.\n"
                   "apiVersion: v1\nkind: Secret\nmetadata:\n  name: "));
    json_add_string(b, w->secret_name);
    buf_add(b, STR("\n  namespace: "));
    json_add_string(b, w->namespace);
    buf_add(b, STR("\n  labels:\n"));
    add_map(b, w->labels);
    add_pair(b, STR("controller.cert-manager.io/fao"), STR("true"));
    buf_add(b, STR("  annotations:\n"));
    add_map(b, w->annotations);
    add_pair(b, STR("cert-manager.io/certificate-name"), w->name);
    add_pair(b, STR("cert-manager.io/issuer-name"), w->issuer_name);
    add_pair(b, STR("cert-manager.io/issuer-kind"), w->issuer_kind);
    add_pair(b, STR("cert-manager.io/issuer-group"), w->issuer_group);
    add_pair(b, STR(WANTED_REQUEST), str_of(hash));
    buf_add(b, STR("type: kubernetes.io/tls\nstringData:\n"));
    add_block(b, "tls.crt", s->chain);
    add_block(b, "tls.key", s->key);
    add_block(b, "ca.crt", s->root);
}
