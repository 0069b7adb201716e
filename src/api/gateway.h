/*
 * api/gateway - Gateway, networking.istio.io.
 *
 * Source: istio-api.md 1.3.
 */
#pragma once

#include "api/schema.h"

enum api_gw_tls_mode {
    GW_TLS_PASSTHROUGH = 0,
    GW_TLS_SIMPLE = 1,
    GW_TLS_MUTUAL = 2,
    GW_TLS_AUTO_PASSTHROUGH = 3,
    GW_TLS_ISTIO_MUTUAL = 4,
    GW_TLS_OPTIONAL_MUTUAL = 5,
};
extern const struct api_enum api_enum_gw_tls;

enum api_gw_tls_protocol {
    GW_PROTO_TLS_AUTO = 0,
    GW_PROTO_TLSV1_0 = 1,
    GW_PROTO_TLSV1_1 = 2,
    GW_PROTO_TLSV1_2 = 3,
    GW_PROTO_TLSV1_3 = 4,
};
extern const struct api_enum api_enum_gw_proto;

/* A port of a server */
struct api_gw_port {
    struct api_at at;
    struct opt_int number;
    struct str protocol;
    struct str name;
    struct opt_int target_port;
};
extern const struct api_record rec_gw_port;

/* A certificate of a server, in files */
struct api_gw_tls_certificate {
    struct api_at at;
    struct str server_certificate;
    struct str private_key;
    struct str ca_certificates;
};
extern const struct api_record rec_gw_tls_certificate;

/* TLS of a server */
struct api_gw_tls {
    struct api_at at;
    struct opt_bool https_redirect;
    struct opt_enum mode;
    struct str server_certificate;
    struct str private_key;
    struct str ca_certificates;
    struct str ca_crl;
    struct str credential_name;
    struct str_list credential_names;
    struct str ca_cert_credential_name;
    API_LIST(struct api_gw_tls_certificate) tls_certificates;
    struct str_list subject_alt_names;
    struct str_list verify_certificate_spki;
    struct str_list verify_certificate_hash;
    struct opt_enum min_protocol_version;
    struct opt_enum max_protocol_version;
    struct str_list cipher_suites;
    struct opt_bool insecure_skip_verify;
    struct str_list ecdh_curves;
};
extern const struct api_record rec_gw_tls;

/* A port with the hosts served on it */
struct api_gw_server {
    struct api_at at;
    struct api_gw_port *port;
    struct str bind;
    struct str_list hosts;
    struct api_gw_tls *tls;
    struct str default_endpoint;
    struct str name;
};
extern const struct api_record rec_gw_server;

/* A load balancer at the edge of the mesh */
struct api_gateway {
    struct api_at at;
    struct str_map selector;
    API_LIST(struct api_gw_server) servers;
};
extern const struct api_record rec_gateway;
