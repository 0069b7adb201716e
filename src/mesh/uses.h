/*
 * mesh/uses - tells the trace which fields made a part what it is (design 5.4).
 *
 * Called where the part is made; nothing where nobody asked for verdicts. That it tells the
 * truth is shown by tests/unit/mesh/every_leaf_test.c: a field that is told of and changes
 * nothing fails there.
 */
#pragma once

#include "mesh/compile.h"

struct api_gw_server;

void uses_server(struct compile *c, const struct api_object *gw, const struct api_gw_server *s,
                 bool is_tls, bool is_closed);
void uses_manager(struct compile *c);
/* The VirtualService as a whole, and one of its rules with one of its matches. */
void uses_virtualservice(struct compile *c, const struct api_object *vs);
void uses_rule(struct compile *c, const struct rule_ref *r);
/* A cluster of a port, its subset's (NULL: none), and each of its endpoints. */
void uses_cluster(struct compile *c, const struct service *s, const struct service_port *port,
                  const struct found *found, const struct rule_subset *subset);
void uses_policy(struct compile *c, const struct policy *p, const struct service_port *port);
void uses_endpoint(struct compile *c, const struct service *s, const struct service_port *port,
                   const struct found_endpoint *e);
/* A credential that is shown: a Secret or a Certificate. */
/* A key of a Secret that is read for what else it holds. */
void uses_secret_key(struct compile *c, const struct api_object *secret, struct str key);
void uses_credential(struct compile *c, const struct api_object *o);
/* A Certificate that is carried out (mesh/wanted.h), and who issues it. */
void uses_certificate(struct compile *c, const struct api_object *o);
void uses_issuer(struct compile *c, const struct api_object *o);
