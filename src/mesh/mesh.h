/*
 * mesh/mesh - the compiler: what manifests say, as the parts of a new root (design 3).
 *
 * One mesh lives on the compiler thread. It keeps the decoded objects of each file, the last
 * good version of each object, and the root it made last. What an update does is written in
 * docs/architecture.md; the rules are Istio's (istio-api.md 1.3 to 1.7, observed.md).
 *
 * A change costs what it touches (design 5.10): virtual hosts and verdicts are remembered with
 * the objects and look-ups that they were made from (mesh/memo.h), services all together
 * (registry.c), and parts that come out the same keep their old pointer.
 *
 * Nothing of a manifest is dropped in silence: what is wrong, unknown, not applicable or not
 * carried out yet is a note at its place. The codes of notes made here:
 *   LAT0301 unsupported   LAT0302 the same object twice   LAT0303 a source cannot be read
 *   LAT0304 conflict      LAT0305 nothing by that name    LAT0306 has no effect
 *   LAT0307 credential    LAT0308 kept the last good version   LAT0309 a regex that RE2 refuses
 *   LAT0310 an answer or header that cannot be
 */
#pragma once

#include "api/meshconfig.h"
#include "base/notes.h"
#include "model/root.h"
#include "source/files.h"

/* A workload that stand-ins play (surface.md 2.2). Strings are valid during the call. */
struct mesh_workload {
    struct str kind, namespace, name; /* "Deployment", "hedgus", "hedgus-app-v1" */
    struct str version;               /* its label `version`, else app.kubernetes.io/version */
    const struct str_map *labels;     /* of the pod template */
    uint32_t replicas;
};

struct mesh_certificate {
    struct str title; /* "Certificate istio-ingress/hedgus-com" */
    struct str namespace, name;
    const struct str *dns_names, *ip_addresses;
    size_t dns_name_count, ip_address_count;
    struct str common_name;
    int64_t duration_ms; /* 0: the issuer's choice */
    uint64_t hash;       /* of the request: the same names give the same hash */
};

/* What the program does for its compiler; called on the compiler thread during mesh_update.
 * Each may be NULL. */
struct mesh;
struct mesh_hooks {
    void *arg;
    /* The port to bind where a Gateway says `port` (--port, --dev). The same answer each time.
     * 0: it cannot be bound. NULL: the port itself. */
    uint16_t (*port_map)(void *arg, const struct addr *bind, uint16_t port);
    /* --dev: where replica 0..replicas-1 of a workload plays a container port; started if it
     * is not yet. False: it cannot be. */
    bool (*stand_in)(void *arg, const struct mesh_workload *w, uint32_t replica,
                     uint16_t container_port, struct addr *ret);
    /* --dev: a chain and key for a Certificate, PEM in `a`. False with a text in `ret_error`.
     * Called once for each content of a Certificate. */
    bool (*issue)(void *arg, const struct mesh_certificate *c, struct arena *a,
                  struct str *ret_chain, struct str *ret_key, struct str *ret_error);
    /* Wall clock, to tell expired certificates. NULL: nothing is said about them. */
    int64_t (*wall_ms)(void *arg);
    /* Last good versions are wanted: calls kept_read (mesh/kept.h) with what there is. Once, in
     * the first update that reads something, and only if something of it is broken. */
    void (*recall)(void *arg, struct mesh *m);
    /* A file that a manifest names (a certificate), its octets in `a`; false with a reason. */
    bool (*read_file)(void *arg, struct str path, struct arena *a, struct str *ret,
                      struct str *ret_error);
    /* A number that differs when the file does; 0: it cannot be read. */
    uint64_t (*file_stamp)(void *arg, struct str path);
    /* A clock to measure with. NULL: nothing is measured. */
    uint64_t (*now_ns)(void *arg);
};

struct mesh_options {
    const struct str_map *labels; /* --labels; NULL: every selector matches */
    struct str namespace;         /* --namespace, or STR_NONE (surface.md 2) */
    struct addr bind;             /* --bind; family 0: every address */
    bool strict;                  /* an error or an unsupported field refuses the update */
    bool dev;                     /* stand-ins, and Certificates from `issue` */
    bool certificates;            /* who runs the mesh carries out mesh/wanted.h */
    bool verdicts;                /* mesh_each_verdict will be asked: each update does all anew */
    size_t awake_max;             /* octets of objects that are awake at a time; 0: 16 MiB */
    struct str mesh_config;       /* --mesh-config: its octets; STR_NONE: ConfigMap or defaults */
    struct str mesh_config_file;  /* its name, for messages */
    struct mesh_hooks hooks;
};

/* Strings and maps of `o` are borrowed for the life of the mesh. */
struct mesh *mesh_new(const struct mesh_options *o);
void mesh_free(struct mesh *m); /* takes NULL; parts live on in the roots that hold them */

enum mesh_verdict {
    MESH_NEW,     /* *ret_root is a new root */
    MESH_SAME,    /* nothing differs from the last one */
    MESH_REFUSED, /* strict: the last good one stays; the notes say why */
};

/* Takes up a scan and compiles. `notes` gets everything that can be said about the manifests
 * as they are now, sorted. With MESH_NEW `ret_root` is one reference for the caller. */
MUST_USE enum mesh_verdict mesh_update(struct mesh *m, const struct source_scan *scan,
                                       struct notes *notes, struct root **ret_root);

/* Files that manifests name. */
size_t mesh_files(const struct mesh *m);
/* Does one of them differ from what was read of it? Then an update is due. */
bool mesh_files_changed(const struct mesh *m);

/* Before the first update: the snapshot that served last, of an earlier process. What cannot be
 * made from it is kept from it as if that process had run on. As long as nothing at all can be
 * read of the manifests updates leave it as it is (MESH_SAME, mesh_is_cold). */
void mesh_adopt(struct mesh *m, struct root *root);
bool mesh_is_cold(const struct mesh *m);

/* The next update does everything anew, but for what was last good. It comes to the same; tests
 * see to that. */
void mesh_forget(struct mesh *m);

/* ---- what the start-up block and pages show; of the last root, valid until the next update ----
 */

struct mesh_listener {
    struct str name; /* the part's: "0.0.0.0_80" */
    struct addr bind;
    uint16_t port, manifest_port;
    bool is_tls;
    bool is_redirect; /* httpsRedirect on all of its hosts */
    struct str *hosts;
    size_t host_count;
    struct origin origin; /* the first server's */
};

struct mesh_credential {
    struct str name;   /* as the Gateway says */
    struct str secret; /* "kubernetes://ns/name", or empty: none was found */
    struct str origin; /* "Secret ns/name", "Certificate ns/name" */
    struct str *dns_names;
    size_t dns_name_count;
    int64_t not_after_ms; /* 0: no certificate */
    bool is_issued_here;
    struct str *hosts; /* served with it */
    size_t host_count;
};

struct mesh_stand_in {
    struct str kind, namespace, name, version;
    uint32_t replicas;
};

struct mesh_summary {
    struct mesh_listener *listeners;
    size_t listener_count;
    struct mesh_credential *credentials;
    size_t credential_count;
    struct mesh_stand_in *stand_ins; /* in use; after MESH_NEW others may be stopped */
    size_t stand_in_count;
    size_t gateways, virtual_services, routes, clusters, endpoints;
    size_t unsupported;            /* fields noted as such */
    uint64_t store_ns, compile_ns; /* what taking up files and compiling cost; by hooks.now_ns */
};

const struct mesh_summary *mesh_summary(struct mesh *m);
/* The same without listeners and credentials, which are put together when first asked for. */
const struct mesh_summary *mesh_counts(const struct mesh *m);

/* The MeshConfig in effect: --mesh-config, ConfigMap `istio`, or the defaults; valid until the
 * next update. */
const struct api_meshconfig *mesh_config(const struct mesh *m);

/* What the mesh keeps, in rows: objects, those of them that are awake, the registry of services,
 * the results of the last update, the parts of its root. Costs nothing to tell. */
#define MESH_TALLIES 5
struct tally;
void mesh_tally(const struct mesh *m, struct tally ret[MESH_TALLIES]);
