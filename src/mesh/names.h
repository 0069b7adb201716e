/*
 * mesh/names - Istio's rules for names: hosts, Gateway references, labels.
 *
 * Pure. Results lie in the arena given, or in the arguments.
 * Source: istio-api.md 1.2 (short names, Gateway references), 1.3.2 (intersection).
 */
#pragma once

#include "api/schema.h"
#include "base/arena.h"

#define CLUSTER_DOMAIN "cluster.local"

/* "reviews" in namespace ns: "reviews.ns.svc.cluster.local". What holds a dot, begins with
 * "*" or is an address is left alone. In lower case. */
struct str name_host(struct arena *a, struct str host, struct str namespace);
struct str name_lower(struct arena *a, struct str s);

/* Is each name that `a` stands for one of those of `b`? "*.a.x" of "*.x", "b.x" of "*.x",
 * everything of "*". Both in lower case. */
bool name_is_subset(struct str a, struct str b);
/* The more specific of the two where one covers the other. */
MUST_USE bool name_intersect(struct str a, struct str b, struct str *ret);

/* The wildcards that cover `host`, beside itself, one after another from the longest to "*": of
 * "a.b.x" "*.b.x", "*.x", "*". `at` starts at 0. */
MUST_USE bool name_wider(struct arena *a, struct str host, size_t *at, struct str *ret);

/* A Gateway's server host "[ns/]dnsName". `ns` is STR_NONE where any may use it; "." is
 * resolved to the Gateway's own. */
void name_server_host(struct str written, struct str own_namespace, struct str *ret_ns,
                      struct str *ret_host);

/* A VirtualService's reference to a Gateway, as "ns/name"; "mesh" stays. */
struct str name_gateway(struct arena *a, struct str written, struct str own_namespace);

/* Does `labels` hold all of `wanted`? */
bool labels_hold(const struct str_map *labels, const struct str_map *wanted);

/* exportTo as seen from namespace `from`. Empty: to all. */
bool name_is_exported(const struct str_list *export_to, struct str own_namespace, struct str from);
