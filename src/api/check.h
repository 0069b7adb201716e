/*
 * api/check - the rules for objects alone that no table can say, and checks of single strings
 * that the tables name.
 *
 * Source: istio-api.md 8 and 8.1 (observed verdicts win), 1.2; Kubernetes' own validation.
 */
#pragma once

#include "api/object.h"

/* What the rules of a kind are run with. */
struct api_checker {
    struct api_object *o;
    struct notes *notes;
};

void api_error(struct api_checker *c, struct api_spot spot, const char *fmt, ...) PRINTF_LIKE(3, 4);
void api_warn(struct api_checker *c, struct api_spot spot, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Checks of one string (struct api_field, check): true, or false and `why` says what to do. */
api_check_fn api_check_regex;         /* RE2, at most 1024 octets */
api_check_fn api_check_dns_label;     /* RFC 1123 label; empty passes */
api_check_fn api_check_dns_subdomain; /* labels with dots */
api_check_fn api_check_label_key;     /* [prefix/]name of Kubernetes */
api_check_fn api_check_label_value;
api_check_fn api_check_selector_key; /* of a map of labels to select by: no * */
api_check_fn api_check_selector_value;
api_check_fn api_check_subset; /* DNS label-like: no dots */
api_check_fn api_check_header_name;
api_check_fn api_check_cidr; /* address or CIDR */
api_check_fn api_check_ip;
api_check_fn api_check_gw_protocol;
api_check_fn api_check_se_protocol;
api_check_fn api_check_port_name; /* of Kubernetes: IANA service name, 15 octets */
api_check_fn api_check_data_key;  /* of Secret and ConfigMap */
api_check_fn api_check_https_url;
/* A name with at least one label; `*` or a leading wildcard label where allowed. */
bool api_check_fqdn(struct str name, struct buf *why);
bool api_check_wildcard_fqdn(struct str name, struct buf *why);

/* The kinds' own rules (struct api_kind, validate). */
void api_check_gateway(struct api_checker *c, const void *body);
void api_check_virtualservice(struct api_checker *c, const void *body);
void api_check_destinationrule(struct api_checker *c, const void *body);
void api_check_serviceentry(struct api_checker *c, const void *body);
void api_check_workloadentry(struct api_checker *c, const void *body);
void api_check_service(struct api_checker *c, const void *body);
void api_check_endpointslice(struct api_checker *c, const void *body);
void api_check_pod(struct api_checker *c, const void *body);
void api_check_deployment(struct api_checker *c, const void *body);
void api_check_statefulset(struct api_checker *c, const void *body);
void api_check_daemonset(struct api_checker *c, const void *body);
void api_check_certificate(struct api_checker *c, const void *body);
void api_check_issuer(struct api_checker *c, const void *body);
void api_check_meshconfig(struct api_checker *c, const void *body);

/* Rules that kinds share. */
void api_check_export_to(struct api_checker *c, const struct api_at *at,
                         const struct str_list *list, bool nobody_allowed);
