/*
 * api/core - Namespace, Service, Endpoints, EndpointSlice, Secret, ConfigMap: what Lateen reads.
 *
 * Source: istio-api.md 3.1; Kubernetes core/v1, discovery.k8s.io/v1.
 */
#pragma once

#include "api/schema.h"
#include "api/common.h"

enum api_k8s_protocol {
    K8S_PROTO_TCP = 0,
    K8S_PROTO_UDP = 1,
    K8S_PROTO_SCTP = 2,
};
extern const struct api_enum api_enum_k8s_proto;

enum api_service_type {
    SVC_TYPE_CLUSTERIP = 0,
    SVC_TYPE_NODEPORT = 1,
    SVC_TYPE_LOADBALANCER = 2,
    SVC_TYPE_EXTERNALNAME = 3,
};
extern const struct api_enum api_enum_svc_type;

enum api_slice_type {
    SLICE_TYPE_IPV4 = 0,
    SLICE_TYPE_IPV6 = 1,
    SLICE_TYPE_FQDN = 2,
};
extern const struct api_enum api_enum_slice_type;

/* A namespace: only its metadata matters */
struct api_namespace {
    struct api_at at;
};
extern const struct api_record rec_namespace;

/* A port of a Service */
struct api_service_port {
    struct api_at at;
    struct str name;
    struct opt_enum protocol;
    struct str app_protocol;
    struct opt_int port;
    struct int_or_str target_port;
    struct opt_int node_port;
};
extern const struct api_record rec_service_port;

/* A Service */
struct api_service {
    struct api_at at;
    API_LIST(struct api_service_port) ports;
    struct str_map selector;
    struct str cluster_ip;
    struct str_list cluster_ips;
    struct opt_enum type;
    struct str_list external_ips;
    struct str external_name;
    struct str internal_traffic_policy;
    struct str traffic_distribution;
    struct opt_bool publish_not_ready_addresses;
};
extern const struct api_record rec_service;

/* Another object */
struct api_object_ref {
    struct api_at at;
    struct str kind;
    struct str namespace;
    struct str name;
};
extern const struct api_record rec_object_ref;

/* An address of an Endpoints object */
struct api_endpoint_address {
    struct api_at at;
    struct str ip;
    struct str hostname;
    struct str node_name;
    struct api_object_ref *target_ref;
};
extern const struct api_record rec_endpoint_address;

/* A port of endpoints */
struct api_endpoint_port {
    struct api_at at;
    struct str name;
    struct opt_int port;
    struct opt_enum protocol;
    struct str app_protocol;
};
extern const struct api_record rec_endpoint_port;

/* Addresses with the same ports */
struct api_endpoint_subset {
    struct api_at at;
    API_LIST(struct api_endpoint_address) addresses;
    API_LIST(struct api_endpoint_address) not_ready_addresses;
    API_LIST(struct api_endpoint_port) ports;
};
extern const struct api_record rec_endpoint_subset;

/* The endpoints of the Service of the same name */
struct api_endpoints {
    struct api_at at;
    API_LIST(struct api_endpoint_subset) subsets;
};
extern const struct api_record rec_endpoints;

/* State of an endpoint */
struct api_slice_conditions {
    struct api_at at;
    struct opt_bool ready;
    struct opt_bool serving;
    struct opt_bool terminating;
};
extern const struct api_record rec_slice_conditions;

/* An endpoint of a slice */
struct api_slice_endpoint {
    struct api_at at;
    struct str_list addresses;
    struct api_slice_conditions *conditions;
    struct str hostname;
    struct api_object_ref *target_ref;
    struct str node_name;
    struct str zone;
};
extern const struct api_record rec_slice_endpoint;

/* Some endpoints of the Service that its label names */
struct api_endpointslice {
    struct api_at at;
    struct opt_enum address_type;
    API_LIST(struct api_slice_endpoint) endpoints;
    API_LIST(struct api_endpoint_port) ports;
};
extern const struct api_record rec_endpointslice;

/* Keys and certificates */
struct api_secret {
    struct api_at at;
    struct str_map data;
    struct str_map string_data;
    struct str type;
    struct opt_bool immutable;
};
extern const struct api_record rec_secret;

/* Configuration */
struct api_configmap {
    struct api_at at;
    struct str_map data;
    struct str_map binary_data;
    struct opt_bool immutable;
};
extern const struct api_record rec_configmap;
