#include "api/core.h"

#include "api/check.h"
#include "api/rows.h"

static const struct api_enum_value k8s_proto_values[] = {
    { STR_INIT("TCP"), K8S_PROTO_TCP },
    { STR_INIT("UDP"), K8S_PROTO_UDP },
    { STR_INIT("SCTP"), K8S_PROTO_SCTP },
};
ENUM_TABLE(api_enum_k8s_proto, "Protocol", k8s_proto_values);

static const struct api_enum_value svc_type_values[] = {
    { STR_INIT("ClusterIP"), SVC_TYPE_CLUSTERIP },
    { STR_INIT("NodePort"), SVC_TYPE_NODEPORT },
    { STR_INIT("LoadBalancer"), SVC_TYPE_LOADBALANCER },
    { STR_INIT("ExternalName"), SVC_TYPE_EXTERNALNAME },
};
ENUM_TABLE(api_enum_svc_type, "ServiceType", svc_type_values);

static const struct api_enum_value slice_type_values[] = {
    { STR_INIT("IPv4"), SLICE_TYPE_IPV4 },
    { STR_INIT("IPv6"), SLICE_TYPE_IPV6 },
    { STR_INIT("FQDN"), SLICE_TYPE_FQDN },
};
ENUM_TABLE(api_enum_slice_type, "AddressType", slice_type_values);

#define THIS struct api_namespace
static const struct api_field namespace_fields[] = {
    SKIP("finalizers"),
};
RECORD(rec_namespace, "Namespace", namespace_fields, "A namespace: only its metadata matters");
#undef THIS

#define THIS struct api_service_port
static const struct api_field service_port_fields[] = {
    STRING(NOTE, name, "name", "Its name; needed where there are several",
           .check = api_check_port_name),
    ENUM(NOTE, protocol, "protocol", api_enum_k8s_proto, "TCP, UDP or SCTP", .dflt = "TCP"),
    STRING(NOTE, app_protocol, "appProtocol", "What is spoken"),
    INT(NOTE, port, "port", 1, 65535, "The number", .flags = API_REQUIRED),
    INT_OR_STR(NOTE, target_port, "targetPort", "Number or name at the pods; default: port"),
    INT(NOTE, node_port, "nodePort", 0, 65535, "Number at the nodes"),
};
RECORD(rec_service_port, "ServicePort", service_port_fields, "A port of a Service");
#undef THIS

#define THIS struct api_service
static const struct api_field service_fields[] = {
    MSGS(NOTE, ports, "ports", struct api_service_port, rec_service_port, "Its ports"),
    STRING_MAP(NOTE, selector, "selector", "Labels of its pods", .check_key = api_check_label_key,
               .check = api_check_label_value),
    STRING(NOTE, cluster_ip, "clusterIP", "Address, or None"),
    STRINGS(NOTE, cluster_ips, "clusterIPs", "Addresses"),
    ENUM(NOTE, type, "type", api_enum_svc_type, "Its type", .dflt = "ClusterIP"),
    STRINGS(NOTE, external_ips, "externalIPs", "More addresses"),
    STRING(NOTE, external_name, "externalName", "The name that an ExternalName stands for"),
    STRING(NOTE, internal_traffic_policy, "internalTrafficPolicy", "Cluster or Local"),
    STRING(NOT, traffic_distribution, "trafficDistribution", "PreferClose..."),
    BOOL(NOTE, publish_not_ready_addresses, "publishNotReadyAddresses",
         "Pods that are not ready count"),
    SKIP("sessionAffinity"),
    SKIP("loadBalancerIP"),
    SKIP("loadBalancerSourceRanges"),
    SKIP("externalTrafficPolicy"),
    SKIP("healthCheckNodePort"),
    SKIP("sessionAffinityConfig"),
    SKIP("ipFamilies"),
    SKIP("ipFamilyPolicy"),
    SKIP("allocateLoadBalancerNodePorts"),
    SKIP("loadBalancerClass"),
};
RECORD(rec_service, "Service", service_fields, "A Service");
#undef THIS

#define THIS struct api_object_ref
static const struct api_field object_ref_fields[] = {
    STRING(NOTE, kind, "kind", "Its kind"),
    STRING(NOTE, namespace, "namespace", "Its namespace"),
    STRING(NOTE, name, "name", "Its name"),
    SKIP("uid"),
    SKIP("apiVersion"),
    SKIP("resourceVersion"),
    SKIP("fieldPath"),
};
RECORD(rec_object_ref, "ObjectReference", object_ref_fields, "Another object");
#undef THIS

#define THIS struct api_endpoint_address
static const struct api_field endpoint_address_fields[] = {
    STRING(NOTE, ip, "ip", "The address", .flags = API_REQUIRED, .check = api_check_ip),
    STRING(NOTE, hostname, "hostname", "Its name"),
    STRING(NOTE, node_name, "nodeName", "Its node"),
    MSG(NOTE, target_ref, "targetRef", struct api_object_ref, rec_object_ref, "The pod"),
};
RECORD(rec_endpoint_address, "EndpointAddress", endpoint_address_fields,
       "An address of an Endpoints object");
#undef THIS

#define THIS struct api_endpoint_port
static const struct api_field endpoint_port_fields[] = {
    STRING(NOTE, name, "name", "The Service's port"),
    INT(NOTE, port, "port", 0, 65535, "The number"),
    ENUM(NOTE, protocol, "protocol", api_enum_k8s_proto, "TCP, UDP or SCTP", .dflt = "TCP"),
    STRING(NOTE, app_protocol, "appProtocol", "What is spoken"),
};
RECORD(rec_endpoint_port, "EndpointPort", endpoint_port_fields, "A port of endpoints");
#undef THIS

#define THIS struct api_endpoint_subset
static const struct api_field endpoint_subset_fields[] = {
    MSGS(NOTE, addresses, "addresses", struct api_endpoint_address, rec_endpoint_address, "Ready"),
    MSGS(NOTE, not_ready_addresses, "notReadyAddresses", struct api_endpoint_address,
         rec_endpoint_address, "Not ready"),
    MSGS(NOTE, ports, "ports", struct api_endpoint_port, rec_endpoint_port, "Ports"),
};
RECORD(rec_endpoint_subset, "EndpointSubset", endpoint_subset_fields,
       "Addresses with the same ports");
#undef THIS

#define THIS struct api_endpoints
static const struct api_field endpoints_fields[] = {
    MSGS(NOTE, subsets, "subsets", struct api_endpoint_subset, rec_endpoint_subset,
         "Addresses and ports"),
};
RECORD(rec_endpoints, "Endpoints", endpoints_fields,
       "The endpoints of the Service of the same name");
#undef THIS

#define THIS struct api_slice_conditions
static const struct api_field slice_conditions_fields[] = {
    BOOL(NOTE, ready, "ready", "Takes traffic", .dflt = "true"),
    BOOL(NOTE, serving, "serving", "Answers", .dflt = "true"),
    BOOL(NOTE, terminating, "terminating", "Is being stopped"),
};
RECORD(rec_slice_conditions, "EndpointConditions", slice_conditions_fields, "State of an endpoint");
#undef THIS

#define THIS struct api_slice_endpoint
static const struct api_field slice_endpoint_fields[] = {
    STRINGS(NOTE, addresses, "addresses", "Its addresses", .flags = API_REQUIRED),
    MSG(NOTE, conditions, "conditions", struct api_slice_conditions, rec_slice_conditions,
        "Its state"),
    STRING(NOTE, hostname, "hostname", "Its name"),
    MSG(NOTE, target_ref, "targetRef", struct api_object_ref, rec_object_ref, "The pod"),
    STRING(NOTE, node_name, "nodeName", "Its node"),
    STRING(NOTE, zone, "zone", "Its zone"),
    SKIP("hints"),
    SKIP("deprecatedTopology"),
};
RECORD(rec_slice_endpoint, "Endpoint", slice_endpoint_fields, "An endpoint of a slice");
#undef THIS

#define THIS struct api_endpointslice
static const struct api_field endpointslice_fields[] = {
    ENUM(NOTE, address_type, "addressType", api_enum_slice_type, "IPv4, IPv6 or FQDN",
         .flags = API_REQUIRED),
    MSGS(NOTE, endpoints, "endpoints", struct api_slice_endpoint, rec_slice_endpoint,
         "The endpoints"),
    MSGS(NOTE, ports, "ports", struct api_endpoint_port, rec_endpoint_port, "The ports"),
};
RECORD(rec_endpointslice, "EndpointSlice", endpointslice_fields,
       "Some endpoints of the Service that its label names");
#undef THIS

#define THIS struct api_secret
static const struct api_field secret_fields[] = {
    BYTES_MAP(NOTE, data, "data", "Values in base64", .check_key = api_check_data_key),
    STRING_MAP(NOTE, string_data, "stringData", "Values as text; they win over data",
               .check_key = api_check_data_key),
    STRING(NOTE, type, "type", "kubernetes.io/tls, Opaque..."),
    BOOL(NOTE, immutable, "immutable", "May not change"),
};
RECORD(rec_secret, "Secret", secret_fields, "Keys and certificates");
#undef THIS

#define THIS struct api_configmap
static const struct api_field configmap_fields[] = {
    STRING_MAP(NOTE, data, "data", "Values as text", .check_key = api_check_data_key),
    BYTES_MAP(NOTE, binary_data, "binaryData", "Values in base64", .check_key = api_check_data_key),
    BOOL(NOTE, immutable, "immutable", "May not change"),
};
RECORD(rec_configmap, "ConfigMap", configmap_fields, "Configuration");
#undef THIS
