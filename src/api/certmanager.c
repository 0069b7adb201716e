#include "api/certmanager.h"

#include "api/check.h"
#include "api/rows.h"

static const struct api_enum_value cert_key_values[] = {
    { STR_INIT("RSA"), CERT_KEY_RSA },
    { STR_INIT("ECDSA"), CERT_KEY_ECDSA },
    { STR_INIT("Ed25519"), CERT_KEY_ED25519 },
};
ENUM_TABLE(api_enum_cert_key, "PrivateKeyAlgorithm", cert_key_values);

static const struct api_enum_value cert_encoding_values[] = {
    { STR_INIT("PKCS1"), CERT_ENCODING_PKCS1 },
    { STR_INIT("PKCS8"), CERT_ENCODING_PKCS8 },
};
ENUM_TABLE(api_enum_cert_encoding, "PrivateKeyEncoding", cert_encoding_values);

static const struct api_enum_value cert_rotation_values[] = {
    { STR_INIT("Never"), CERT_ROTATION_NEVER },
    { STR_INIT("Always"), CERT_ROTATION_ALWAYS },
};
ENUM_TABLE(api_enum_cert_rotation, "PrivateKeyRotationPolicy", cert_rotation_values);

#define THIS struct api_issuer_ref
static const struct api_field issuer_ref_fields[] = {
    STRING(YES, name, "name", "Its name", .flags = API_REQUIRED),
    STRING(YES, kind, "kind", "Issuer or ClusterIssuer", .dflt = "Issuer"),
    STRING(YES, group, "group", "Its API group", .dflt = "cert-manager.io"),
};
RECORD(rec_issuer_ref, "IssuerReference", issuer_ref_fields, "The issuer of a certificate");
#undef THIS

#define THIS struct api_cert_private_key
static const struct api_field cert_private_key_fields[] = {
    ENUM(YES, rotation_policy, "rotationPolicy", api_enum_cert_rotation,
         "A new key at each renewal", .dflt = "Always"),
    ENUM(YES, encoding, "encoding", api_enum_cert_encoding, "Form in the Secret", .dflt = "PKCS1"),
    ENUM(YES, algorithm, "algorithm", api_enum_cert_key, "Kind of key", .dflt = "RSA"),
    INT(YES, size, "size", I32_MIN, I32_MAX, "Bits"),
};
RECORD(rec_cert_private_key, "CertificatePrivateKey", cert_private_key_fields, "The key");
#undef THIS

#define THIS struct api_cert_secret_template
static const struct api_field cert_secret_template_fields[] = {
    STRING_MAP(NOTE, annotations, "annotations", "Annotations"),
    STRING_MAP(NOTE, labels, "labels", "Labels", .check_key = api_check_label_key,
               .check = api_check_label_value),
};
RECORD(rec_cert_secret_template, "CertificateSecretTemplate", cert_secret_template_fields,
       "Labels for the Secret");
#undef THIS

#define THIS struct api_cert_subject
static const struct api_field cert_subject_fields[] = {
    STRINGS(YES, organizations, "organizations", "O"),
    STRINGS(YES, countries, "countries", "C"),
    STRINGS(YES, organizational_units, "organizationalUnits", "OU"),
    STRINGS(YES, localities, "localities", "L"),
    STRINGS(YES, provinces, "provinces", "ST"),
    STRINGS(YES, street_addresses, "streetAddresses", "Street"),
    STRINGS(YES, postal_codes, "postalCodes", "Postal code"),
    STRING(YES, serial_number, "serialNumber", "Serial number"),
};
RECORD(rec_cert_subject, "X509Subject", cert_subject_fields, "Name in the certificate");
#undef THIS

#define THIS struct api_certificate
static const struct api_field certificate_fields[] = {
    MSG(YES, subject, "subject", struct api_cert_subject, rec_cert_subject,
        "Name in the certificate"),
    STRING(NOT, literal_subject, "literalSubject", "Name in LDAP form"),
    STRING(YES, common_name, "commonName", "CN"),
    DUR(YES, duration, "duration", "Lifetime asked for; default 2160h", .flags = API_GO_DUR),
    DUR(YES, renew_before, "renewBefore", "Time before expiry; default a third of the lifetime",
        .flags = API_GO_DUR, .group = 1),
    INT(YES, renew_before_percentage, "renewBeforePercentage", I32_MIN, I32_MAX,
        "The same in percent of the lifetime", .group = 1),
    STRINGS(YES, dns_names, "dnsNames", "Names"),
    STRINGS(YES, ip_addresses, "ipAddresses", "Addresses", .check = api_check_ip),
    STRINGS(YES, uris, "uris", "URIs"),
    TREE(NOT, other_names, "otherNames", "Other names"),
    STRINGS(YES, email_addresses, "emailAddresses", "Mail addresses"),
    STRING(YES, secret_name, "secretName", "Secret for certificate and key", .flags = API_REQUIRED,
           .check = api_check_dns_subdomain),
    MSG(NOTE, secret_template, "secretTemplate", struct api_cert_secret_template,
        rec_cert_secret_template, "Labels for the Secret"),
    TREE(NOT, keystores, "keystores", "Java and PKCS#12 key stores"),
    MSG(YES, issuer_ref, "issuerRef", struct api_issuer_ref, rec_issuer_ref, "Who issues it",
        .flags = API_REQUIRED),
    BOOL(YES, is_ca, "isCA", "A CA's certificate"),
    STRINGS(YES, usages, "usages", "Key usages"),
    MSG(YES, private_key, "privateKey", struct api_cert_private_key, rec_cert_private_key,
        "The key"),
    STRING(NOT, signature_algorithm, "signatureAlgorithm", "Algorithm of the request"),
    BOOL(NOTE, encode_usages_in_request, "encodeUsagesInRequest", "Usages in the request"),
    INT(NOTE, revision_history_limit, "revisionHistoryLimit", I32_MIN, I32_MAX, "Requests kept"),
    TREE(NOT, additional_output_formats, "additionalOutputFormats", "More forms in the Secret"),
    TREE(NOT, name_constraints, "nameConstraints", "Of a CA"),
};
RECORD(rec_certificate, "Certificate", certificate_fields, "A certificate to be had and renewed");
#undef THIS

#define THIS struct api_secret_key_ref
static const struct api_field secret_key_ref_fields[] = {
    STRING(NOT, name, "name", "The Secret", .flags = API_REQUIRED),
    STRING(NOT, key, "key", "The key in it"),
};
RECORD(rec_secret_key_ref, "SecretKeySelector", secret_key_ref_fields, "A key of a Secret");
#undef THIS

#define THIS struct api_acme_eab
static const struct api_field acme_eab_fields[] = {
    STRING(NOT, key_id, "keyID", "Name of the key", .flags = API_REQUIRED),
    MSG(NOT, key_secret_ref, "keySecretRef", struct api_secret_key_ref, rec_secret_key_ref,
        "The key", .flags = API_REQUIRED),
    STRING(NOTE, key_algorithm, "keyAlgorithm", "Not used any more"),
};
RECORD(rec_acme_eab, "ACMEExternalAccountBinding", acme_eab_fields, "Account at the CA");
#undef THIS

#define THIS struct api_acme_selector
static const struct api_field acme_selector_fields[] = {
    STRING_MAP(NOT, match_labels, "matchLabels", "Labels of the Certificate"),
    STRINGS(NOT, dns_names, "dnsNames", "Names"),
    STRINGS(NOT, dns_zones, "dnsZones", "Zones"),
};
RECORD(rec_acme_selector, "CertificateDNSNameSelector", acme_selector_fields,
       "Which names a solver is for");
#undef THIS

#define THIS struct api_acme_ingress
static const struct api_field acme_ingress_fields[] = {
    STRING(NOTE, service_type, "serviceType", "Not used here"),
    STRING(NOTE, ingress_class_name, "ingressClassName", "Not used here"),
    STRING(NOTE, class, "class", "Not used here"),
    STRING(NOTE, name, "name", "Not used here"),
    TREE(NOTE, pod_template, "podTemplate", "Not used here"),
    TREE(NOTE, ingress_template, "ingressTemplate", "Not used here"),
};
RECORD(rec_acme_ingress, "ACMEChallengeSolverHTTP01Ingress", acme_ingress_fields,
       "Answer through an Ingress: here by the gateway itself");
#undef THIS

#define THIS struct api_acme_http01
static const struct api_field acme_http01_fields[] = {
    MSG(NOT, ingress, "ingress", struct api_acme_ingress, rec_acme_ingress, "By an Ingress",
        .group = 1),
    TREE(NOT, gateway_http_route, "gatewayHTTPRoute", "By an HTTPRoute", .group = 1),
};
RECORD(rec_acme_http01, "ACMEChallengeSolverHTTP01", acme_http01_fields, "Proof over HTTP");
#undef THIS

#define THIS struct api_acme_solver
static const struct api_field acme_solver_fields[] = {
    MSG(NOT, selector, "selector", struct api_acme_selector, rec_acme_selector,
        "For which names; none: all"),
    MSG(NOT, http01, "http01", struct api_acme_http01, rec_acme_http01, "Over HTTP"),
    TREE(NOT, dns01, "dns01", "By DNS"),
};
RECORD(rec_acme_solver, "ACMEChallengeSolver", acme_solver_fields, "How a name is proved");
#undef THIS

#define THIS struct api_acme_issuer
static const struct api_field acme_issuer_fields[] = {
    STRING(NOT, email, "email", "Contact"),
    STRING(NOT, server, "server", "Its directory", .flags = API_REQUIRED,
           .check = api_check_https_url),
    STRING(NOT, preferred_chain, "preferredChain", "Chain by the name of its root"),
    BYTES(NOT, ca_bundle, "caBundle", "Root of the server's own certificate"),
    BOOL(NOT, skip_tls_verify, "skipTLSVerify", "Trust any server"),
    MSG(NOT, external_account_binding, "externalAccountBinding", struct api_acme_eab, rec_acme_eab,
        "Account at the CA"),
    MSG(NOT, private_key_secret_ref, "privateKeySecretRef", struct api_secret_key_ref,
        rec_secret_key_ref, "Key of the account", .flags = API_REQUIRED),
    MSGS(NOT, solvers, "solvers", struct api_acme_solver, rec_acme_solver, "Proofs"),
    BOOL(NOT, disable_account_key_generation, "disableAccountKeyGeneration", "Use an existing key"),
    BOOL(NOT, enable_duration_feature, "enableDurationFeature", "Ask for a lifetime"),
    STRING(NOT, profile, "profile", "Profile of certificates"),
};
RECORD(rec_acme_issuer, "ACMEIssuer", acme_issuer_fields, "A CA that speaks ACME");
#undef THIS

#define THIS struct api_ca_issuer
static const struct api_field ca_issuer_fields[] = {
    STRING(YES, secret_name, "secretName", "The Secret", .flags = API_REQUIRED,
           .check = api_check_dns_subdomain),
    STRINGS(NOT, crl_distribution_points, "crlDistributionPoints", "Revocation lists"),
    STRINGS(NOT, ocsp_servers, "ocspServers", "OCSP"),
    STRINGS(NOT, issuing_certificate_urls, "issuingCertificateURLs",
            "Where the CA's certificate is"),
};
RECORD(rec_ca_issuer, "CAIssuer", ca_issuer_fields, "A CA whose key is in a Secret");
#undef THIS

#define THIS struct api_self_signed
static const struct api_field self_signed_fields[] = {
    STRINGS(NOT, crl_distribution_points, "crlDistributionPoints", "Revocation lists"),
};
RECORD(rec_self_signed, "SelfSignedIssuer", self_signed_fields,
       "Certificates signed by themselves");
#undef THIS

#define THIS struct api_issuer
static const struct api_field issuer_fields[] = {
    MSG(NOT, acme, "acme", struct api_acme_issuer, rec_acme_issuer, "By ACME"),
    MSG(YES, ca, "ca", struct api_ca_issuer, rec_ca_issuer, "By a CA of your own"),
    MSG(YES, self_signed, "selfSigned", struct api_self_signed, rec_self_signed, "Self-signed"),
    TREE(NOT, vault, "vault", "By Vault"),
    TREE(NOT, venafi, "venafi", "By Venafi"),
};
RECORD(rec_issuer, "Issuer", issuer_fields, "Who issues certificates");
#undef THIS
