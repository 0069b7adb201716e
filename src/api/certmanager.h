/*
 * api/certmanager - Certificate, Issuer, ClusterIssuer, cert-manager.io/v1.
 *
 * Source: cert-manager's CRDs; observed.md for what they refuse.
 */
#pragma once

#include "api/schema.h"
#include "api/common.h"

enum api_cert_key_algorithm {
    CERT_KEY_RSA = 0,
    CERT_KEY_ECDSA = 1,
    CERT_KEY_ED25519 = 2,
};
extern const struct api_enum api_enum_cert_key;

enum api_cert_key_encoding {
    CERT_ENCODING_PKCS1 = 0,
    CERT_ENCODING_PKCS8 = 1,
};
extern const struct api_enum api_enum_cert_encoding;

enum api_cert_rotation {
    CERT_ROTATION_NEVER = 0,
    CERT_ROTATION_ALWAYS = 1,
};
extern const struct api_enum api_enum_cert_rotation;

/* The issuer of a certificate */
struct api_issuer_ref {
    struct api_at at;
    struct str name;
    struct str kind;
    struct str group;
};
extern const struct api_record rec_issuer_ref;

/* The key */
struct api_cert_private_key {
    struct api_at at;
    struct opt_enum rotation_policy;
    struct opt_enum encoding;
    struct opt_enum algorithm;
    struct opt_int size;
};
extern const struct api_record rec_cert_private_key;

/* Labels for the Secret */
struct api_cert_secret_template {
    struct api_at at;
    struct str_map annotations;
    struct str_map labels;
};
extern const struct api_record rec_cert_secret_template;

/* Name in the certificate */
struct api_cert_subject {
    struct api_at at;
    struct str_list organizations;
    struct str_list countries;
    struct str_list organizational_units;
    struct str_list localities;
    struct str_list provinces;
    struct str_list street_addresses;
    struct str_list postal_codes;
    struct str serial_number;
};
extern const struct api_record rec_cert_subject;

/* A certificate to be had and renewed */
struct api_certificate {
    struct api_at at;
    struct api_cert_subject *subject;
    struct str literal_subject;
    struct str common_name;
    struct opt_dur duration;
    struct opt_dur renew_before;
    struct opt_int renew_before_percentage;
    struct str_list dns_names;
    struct str_list ip_addresses;
    struct str_list uris;
    const struct node *other_names;
    struct str_list email_addresses;
    struct str secret_name;
    struct api_cert_secret_template *secret_template;
    const struct node *keystores;
    struct api_issuer_ref *issuer_ref;
    struct opt_bool is_ca;
    struct str_list usages;
    struct api_cert_private_key *private_key;
    struct str signature_algorithm;
    struct opt_bool encode_usages_in_request;
    struct opt_int revision_history_limit;
    const struct node *additional_output_formats;
    const struct node *name_constraints;
};
extern const struct api_record rec_certificate;

/* A key of a Secret */
struct api_secret_key_ref {
    struct api_at at;
    struct str name;
    struct str key;
};
extern const struct api_record rec_secret_key_ref;

/* Account at the CA */
struct api_acme_eab {
    struct api_at at;
    struct str key_id;
    struct api_secret_key_ref *key_secret_ref;
    struct str key_algorithm;
};
extern const struct api_record rec_acme_eab;

/* Which names a solver is for */
struct api_acme_selector {
    struct api_at at;
    struct str_map match_labels;
    struct str_list dns_names;
    struct str_list dns_zones;
};
extern const struct api_record rec_acme_selector;

/* Answer through an Ingress: here by the gateway itself */
struct api_acme_ingress {
    struct api_at at;
    struct str service_type;
    struct str ingress_class_name;
    struct str class;
    struct str name;
    const struct node *pod_template;
    const struct node *ingress_template;
};
extern const struct api_record rec_acme_ingress;

/* Proof over HTTP */
struct api_acme_http01 {
    struct api_at at;
    struct api_acme_ingress *ingress;
    const struct node *gateway_http_route;
};
extern const struct api_record rec_acme_http01;

/* How a name is proved */
struct api_acme_solver {
    struct api_at at;
    struct api_acme_selector *selector;
    struct api_acme_http01 *http01;
    const struct node *dns01;
};
extern const struct api_record rec_acme_solver;

/* A CA that speaks ACME */
struct api_acme_issuer {
    struct api_at at;
    struct str email;
    struct str server;
    struct str preferred_chain;
    struct str ca_bundle;
    struct opt_bool skip_tls_verify;
    struct api_acme_eab *external_account_binding;
    struct api_secret_key_ref *private_key_secret_ref;
    API_LIST(struct api_acme_solver) solvers;
    struct opt_bool disable_account_key_generation;
    struct opt_bool enable_duration_feature;
    struct str profile;
};
extern const struct api_record rec_acme_issuer;

/* A CA whose key is in a Secret */
struct api_ca_issuer {
    struct api_at at;
    struct str secret_name;
    struct str_list crl_distribution_points;
    struct str_list ocsp_servers;
    struct str_list issuing_certificate_urls;
};
extern const struct api_record rec_ca_issuer;

/* Certificates signed by themselves */
struct api_self_signed {
    struct api_at at;
    struct str_list crl_distribution_points;
};
extern const struct api_record rec_self_signed;

/* Who issues certificates */
struct api_issuer {
    struct api_at at;
    struct api_acme_issuer *acme;
    struct api_ca_issuer *ca;
    struct api_self_signed *self_signed;
    const struct node *vault;
    const struct node *venafi;
};
extern const struct api_record rec_issuer;
