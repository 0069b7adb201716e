/*
 * api/workload - Pod, Deployment, StatefulSet, DaemonSet: what Lateen reads.
 *
 * Source: istio-api.md 3.1; Kubernetes core/v1, apps/v1.
 */
#pragma once

#include "api/schema.h"
#include "api/common.h"
#include "api/core.h"
#include "api/meta.h"

/* A port of a container */
struct api_container_port {
    struct api_at at;
    struct str name;
    struct opt_int container_port;
    struct opt_enum protocol;
};
extern const struct api_record rec_container_port;

/* A container */
struct api_container {
    struct api_at at;
    struct str name;
    struct str image;
    API_LIST(struct api_container_port) ports;
};
extern const struct api_record rec_container;

/* What a pod runs */
struct api_pod_spec {
    struct api_at at;
    API_LIST(struct api_container) containers;
    struct str node_name;
    struct str service_account_name;
    struct str service_account;
    struct opt_bool host_network;
    struct str hostname;
    struct str subdomain;
};
extern const struct api_record rec_pod_spec;

/* An address of a pod */
struct api_pod_ip {
    struct api_at at;
    struct str ip;
};
extern const struct api_record rec_pod_ip;

/* A condition of a pod */
struct api_pod_condition {
    struct api_at at;
    struct str type;
    struct str status;
};
extern const struct api_record rec_pod_condition;

/* What became of a pod */
struct api_pod_status {
    struct api_at at;
    struct str phase;
    struct str pod_ip;
    API_LIST(struct api_pod_ip) pod_ips;
    struct str host_ip;
    API_LIST(struct api_pod_condition) conditions;
};
extern const struct api_record rec_pod_status;

/* A pod */
struct api_pod {
    struct api_at at;
    struct api_pod_spec *spec;
    struct api_pod_status *status;
};
extern const struct api_record rec_pod;

/* Pods to be made */
struct api_pod_template {
    struct api_at at;
    struct api_meta *metadata;
    struct api_pod_spec *spec;
};
extern const struct api_record rec_pod_template;

/* Pods of one template: of a Deployment, StatefulSet or DaemonSet */
struct api_deployment {
    struct api_at at;
    struct opt_int replicas;
    struct api_label_selector *selector;
    struct api_pod_template *template;
};
extern const struct api_record rec_deployment;

/* Pods with names of their own */
struct api_statefulset {
    struct api_at at;
    struct opt_int replicas;
    struct api_label_selector *selector;
    struct str service_name;
    struct api_pod_template *template;
};
extern const struct api_record rec_statefulset;

/* A pod on every node */
struct api_daemonset {
    struct api_at at;
    struct api_label_selector *selector;
    struct api_pod_template *template;
};
extern const struct api_record rec_daemonset;
