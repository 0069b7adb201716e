#include "api/serviceentry.h"

#include "api/check.h"
#include "api/rows.h"

static const struct api_enum_value se_location_values[] = {
    { STR_INIT("MESH_EXTERNAL"), SE_LOCATION_MESH_EXTERNAL },
    { STR_INIT("MESH_INTERNAL"), SE_LOCATION_MESH_INTERNAL },
};
ENUM_TABLE(api_enum_se_location, "ServiceEntry.Location", se_location_values);

static const struct api_enum_value se_resolution_values[] = {
    { STR_INIT("NONE"), SE_RESOLUTION_NONE },
    { STR_INIT("STATIC"), SE_RESOLUTION_STATIC },
    { STR_INIT("DNS"), SE_RESOLUTION_DNS },
    { STR_INIT("DNS_ROUND_ROBIN"), SE_RESOLUTION_DNS_ROUND_ROBIN },
    { STR_INIT("DYNAMIC_DNS"), SE_RESOLUTION_DYNAMIC_DNS },
};
ENUM_TABLE(api_enum_se_resolution, "ServiceEntry.Resolution", se_resolution_values);

#define THIS struct api_workloadentry
static const struct api_field workloadentry_fields[] = {
    STRING(YES, address, "address", "IP address, name, or unix:///path"),
    INT_MAP(YES, ports, "ports", 1, 65535, "Name of a port and its number here"),
    STRING_MAP(YES, labels, "labels", "Labels of the workload", .check_key = api_check_label_key,
               .check = api_check_label_value),
    STRING(NOT, network, "network", "Its network"),
    STRING(YES, locality, "locality", "region[/zone[/subzone]]"),
    INT(YES, weight, "weight", 0, U32_MAX, "Share relative to the others"),
    STRING(NOTE, service_account, "serviceAccount", "Its identity"),
};
RECORD(rec_workloadentry, "WorkloadEntry", workloadentry_fields, "One endpoint");
#undef THIS

#define THIS struct api_se_port
static const struct api_field se_port_fields[] = {
    INT(YES, number, "number", 1, 65535, "The number", .flags = API_REQUIRED),
    STRING(YES, protocol, "protocol",
           "HTTP, HTTPS, GRPC, HTTP2, MONGO, TCP, TLS...; empty: found out",
           .check = api_check_se_protocol),
    STRING(YES, name, "name", "Unique in the ServiceEntry", .flags = API_REQUIRED),
    INT(YES, target_port, "targetPort", 0, 65535, "The number at the endpoints; default: number"),
};
RECORD(rec_se_port, "ServicePort", se_port_fields, "A port of the service");
#undef THIS

#define THIS struct api_serviceentry
static const struct api_field serviceentry_fields[] = {
    STRINGS(YES, hosts, "hosts", "Its names", .flags = API_REQUIRED),
    STRINGS(NOTE, addresses, "addresses", "Its virtual addresses"),
    MSGS(YES, ports, "ports", struct api_se_port, rec_se_port, "Its ports"),
    ENUM(NOTE, location, "location", api_enum_se_location, "In or outside of the mesh",
         .dflt = "MESH_EXTERNAL"),
    ENUM(YES, resolution, "resolution", api_enum_se_resolution, "How endpoints are found",
         .dflt = "NONE"),
    MSGS(YES, endpoints, "endpoints", struct api_workloadentry, rec_workloadentry, "Its endpoints"),
    MSG(YES, workload_selector, "workloadSelector", struct api_workload_selector,
        rec_workload_selector, "Or the workloads that play it"),
    STRINGS(YES, export_to, "exportTo", "Namespaces that see it"),
    STRINGS(NOT, subject_alt_names, "subjectAltNames", "Names accepted in its certificates"),
};
RECORD(rec_serviceentry, "ServiceEntry", serviceentry_fields,
       "A service that is not in the registry");
#undef THIS
