#include "api/gateway.h"

#include "api/check.h"
#include "api/rows.h"

static const struct api_enum_value gw_tls_values[] = {
    { STR_INIT("PASSTHROUGH"), GW_TLS_PASSTHROUGH },
    { STR_INIT("SIMPLE"), GW_TLS_SIMPLE },
    { STR_INIT("MUTUAL"), GW_TLS_MUTUAL },
    { STR_INIT("AUTO_PASSTHROUGH"), GW_TLS_AUTO_PASSTHROUGH },
    { STR_INIT("ISTIO_MUTUAL"), GW_TLS_ISTIO_MUTUAL },
    { STR_INIT("OPTIONAL_MUTUAL"), GW_TLS_OPTIONAL_MUTUAL },
};
ENUM_TABLE(api_enum_gw_tls, "ServerTLSSettings.TLSmode", gw_tls_values);

static const struct api_enum_value gw_proto_values[] = {
    { STR_INIT("TLS_AUTO"), GW_PROTO_TLS_AUTO }, { STR_INIT("TLSV1_0"), GW_PROTO_TLSV1_0 },
    { STR_INIT("TLSV1_1"), GW_PROTO_TLSV1_1 },   { STR_INIT("TLSV1_2"), GW_PROTO_TLSV1_2 },
    { STR_INIT("TLSV1_3"), GW_PROTO_TLSV1_3 },
};
ENUM_TABLE(api_enum_gw_proto, "ServerTLSSettings.TLSProtocol", gw_proto_values);

#define THIS struct api_gw_port
static const struct api_field gw_port_fields[] = {
    INT(YES, number, "number", 0, 65535, "The Service's port", .flags = API_REQUIRED),
    STRING(YES, protocol, "protocol",
           "HTTP, HTTPS, GRPC, GRPC-WEB, HTTP2, MONGO, TCP, TLS, REDIS or MYSQL",
           .flags = API_REQUIRED, .check = api_check_gw_protocol),
    STRING(NOTE, name, "name", "Unique in the Gateway", .flags = API_REQUIRED),
    INT(NOT, target_port, "targetPort", 0, U32_MAX, "Not supported", .flags = 0),
};
RECORD(rec_gw_port, "Port", gw_port_fields, "A port of a server");
#undef THIS

#define THIS struct api_gw_tls_certificate
static const struct api_field gw_tls_certificate_fields[] = {
    STRING(YES, server_certificate, "serverCertificate", "Path of the certificate chain"),
    STRING(YES, private_key, "privateKey", "Path of the key"),
    STRING(NOT, ca_certificates, "caCertificates", "Ignored by Istio; the server's is used"),
};
RECORD(rec_gw_tls_certificate, "TLSCertificate", gw_tls_certificate_fields,
       "A certificate of a server, in files");
#undef THIS

#define THIS struct api_gw_tls
static const struct api_field gw_tls_fields[] = {
    BOOL(YES, https_redirect, "httpsRedirect", "Answer 301 to https on an HTTP server"),
    ENUM(YES, mode, "mode", api_enum_gw_tls, "How TLS is treated", .dflt = "PASSTHROUGH"),
    STRING(YES, server_certificate, "serverCertificate", "Path of the certificate chain"),
    STRING(YES, private_key, "privateKey", "Path of the key"),
    STRING(YES, ca_certificates, "caCertificates", "Path of the client CA"),
    STRING(YES, ca_crl, "caCrl", "Path of a revocation list"),
    STRING(YES, credential_name, "credentialName", "Secret with certificate and key"),
    STRINGS(YES, credential_names, "credentialNames",
            "One RSA and one ECDSA Secret for the same hosts"),
    STRING(YES, ca_cert_credential_name, "caCertCredentialName", "Secret with the client CA"),
    MSGS(YES, tls_certificates, "tlsCertificates", struct api_gw_tls_certificate,
         rec_gw_tls_certificate, "Certificates in files"),
    STRINGS(YES, subject_alt_names, "subjectAltNames", "Names accepted in client certificates"),
    STRINGS(YES, verify_certificate_spki, "verifyCertificateSpki",
            "Base64 SHA-256 of accepted client keys"),
    STRINGS(YES, verify_certificate_hash, "verifyCertificateHash",
            "Hex SHA-256 of accepted client certificates"),
    ENUM(YES, min_protocol_version, "minProtocolVersion", api_enum_gw_proto, "TLS_AUTO is 1.2",
         .dflt = "TLS_AUTO"),
    ENUM(YES, max_protocol_version, "maxProtocolVersion", api_enum_gw_proto, "TLS_AUTO is 1.3",
         .dflt = "TLS_AUTO"),
    STRINGS(YES, cipher_suites, "cipherSuites", "OpenSSL names, for TLS 1.2 and below"),
    BOOL(YES, insecure_skip_verify, "insecureSkipVerify",
         "Accept client chains that cannot be verified"),
    STRINGS(NOT, ecdh_curves, "ecdhCurves", "Curves allowed"),
};
RECORD(rec_gw_tls, "ServerTLSSettings", gw_tls_fields, "TLS of a server");
#undef THIS

#define THIS struct api_gw_server
static const struct api_field gw_server_fields[] = {
    MSG(YES, port, "port", struct api_gw_port, rec_gw_port, "The port", .flags = API_REQUIRED),
    STRING(YES, bind, "bind", "An address or unix:///path; empty: all addresses"),
    STRINGS(YES, hosts, "hosts", "[namespace/]name, * or a leading wildcard",
            .flags = API_REQUIRED),
    MSG(YES, tls, "tls", struct api_gw_tls, rec_gw_tls, "Needed for HTTPS and TLS"),
    STRING(NOT, default_endpoint, "defaultEndpoint", "Not implemented by Istio"),
    STRING(NOTE, name, "name", "Unique in the Gateway"),
};
RECORD(rec_gw_server, "Server", gw_server_fields, "A port with the hosts served on it");
#undef THIS

#define THIS struct api_gateway
static const struct api_field gateway_fields[] = {
    STRING_MAP(YES, selector, "selector", "Labels of the gateway's pods; empty: every gateway",
               .check_key = api_check_selector_key, .check = api_check_selector_value),
    MSGS(YES, servers, "servers", struct api_gw_server, rec_gw_server, "The servers",
         .flags = API_REQUIRED),
};
RECORD(rec_gateway, "Gateway", gateway_fields, "A load balancer at the edge of the mesh");
#undef THIS
