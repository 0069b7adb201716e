#include "api/workload.h"

#include "api/check.h"
#include "api/rows.h"

#define THIS struct api_container_port
static const struct api_field container_port_fields[] = {
    STRING(NOTE, name, "name", "Its name", .check = api_check_port_name),
    INT(NOTE, container_port, "containerPort", 1, 65535, "The number", .flags = API_REQUIRED),
    ENUM(NOTE, protocol, "protocol", api_enum_k8s_proto, "TCP, UDP or SCTP", .dflt = "TCP"),
    SKIP("hostPort"),
    SKIP("hostIP"),
};
RECORD(rec_container_port, "ContainerPort", container_port_fields, "A port of a container");
#undef THIS

#define THIS struct api_container
static const struct api_field container_fields[] = {
    STRING(NOTE, name, "name", "Its name", .flags = API_REQUIRED),
    STRING(NOTE, image, "image", "Its image"),
    MSGS(NOTE, ports, "ports", struct api_container_port, rec_container_port, "Its ports"),
    SKIP("args"),
    SKIP("command"),
    SKIP("env"),
    SKIP("envFrom"),
    SKIP("imagePullPolicy"),
    SKIP("lifecycle"),
    SKIP("livenessProbe"),
    SKIP("readinessProbe"),
    SKIP("startupProbe"),
    SKIP("resizePolicy"),
    SKIP("resources"),
    SKIP("restartPolicy"),
    SKIP("restartPolicyRules"),
    SKIP("securityContext"),
    SKIP("stdin"),
    SKIP("stdinOnce"),
    SKIP("terminationMessagePath"),
    SKIP("terminationMessagePolicy"),
    SKIP("tty"),
    SKIP("volumeDevices"),
    SKIP("volumeMounts"),
    SKIP("workingDir"),
};
RECORD(rec_container, "Container", container_fields, "A container");
#undef THIS

#define THIS struct api_pod_spec
static const struct api_field pod_spec_fields[] = {
    MSGS(NOTE, containers, "containers", struct api_container, rec_container, "Its containers",
         .flags = API_REQUIRED),
    STRING(NOTE, node_name, "nodeName", "Its node"),
    STRING(NOTE, service_account_name, "serviceAccountName", "Its identity"),
    STRING(NOTE, service_account, "serviceAccount", "Its identity, the old name"),
    BOOL(NOTE, host_network, "hostNetwork", "Uses the node's addresses"),
    STRING(NOTE, hostname, "hostname", "Its name"),
    STRING(NOTE, subdomain, "subdomain", "Its subdomain"),
    SKIP("activeDeadlineSeconds"),
    SKIP("affinity"),
    SKIP("automountServiceAccountToken"),
    SKIP("dnsConfig"),
    SKIP("dnsPolicy"),
    SKIP("enableServiceLinks"),
    SKIP("ephemeralContainers"),
    SKIP("hostAliases"),
    SKIP("hostIPC"),
    SKIP("hostPID"),
    SKIP("hostUsers"),
    SKIP("hostnameOverride"),
    SKIP("imagePullSecrets"),
    SKIP("initContainers"),
    SKIP("nodeSelector"),
    SKIP("os"),
    SKIP("overhead"),
    SKIP("preemptionPolicy"),
    SKIP("priority"),
    SKIP("priorityClassName"),
    SKIP("readinessGates"),
    SKIP("resourceClaims"),
    SKIP("resources"),
    SKIP("restartPolicy"),
    SKIP("runtimeClassName"),
    SKIP("schedulerName"),
    SKIP("schedulingGates"),
    SKIP("securityContext"),
    SKIP("setHostnameAsFQDN"),
    SKIP("shareProcessNamespace"),
    SKIP("terminationGracePeriodSeconds"),
    SKIP("tolerations"),
    SKIP("topologySpreadConstraints"),
    SKIP("volumes"),
    SKIP("workloadRef"),
};
RECORD(rec_pod_spec, "PodSpec", pod_spec_fields, "What a pod runs");
#undef THIS

#define THIS struct api_pod_ip
static const struct api_field pod_ip_fields[] = {
    STRING(NOTE, ip, "ip", "The address"),
};
RECORD(rec_pod_ip, "PodIP", pod_ip_fields, "An address of a pod");
#undef THIS

#define THIS struct api_pod_condition
static const struct api_field pod_condition_fields[] = {
    STRING(NOTE, type, "type", "Ready..."),
    STRING(NOTE, status, "status", "True, False or Unknown"),
    SKIP("lastProbeTime"),
    SKIP("lastTransitionTime"),
    SKIP("message"),
    SKIP("reason"),
    SKIP("observedGeneration"),
};
RECORD(rec_pod_condition, "PodCondition", pod_condition_fields, "A condition of a pod");
#undef THIS

#define THIS struct api_pod_status
static const struct api_field pod_status_fields[] = {
    STRING(NOTE, phase, "phase", "Running..."),
    STRING(NOTE, pod_ip, "podIP", "Its address"),
    MSGS(NOTE, pod_ips, "podIPs", struct api_pod_ip, rec_pod_ip, "Its addresses"),
    STRING(NOTE, host_ip, "hostIP", "Its node's address"),
    MSGS(NOTE, conditions, "conditions", struct api_pod_condition, rec_pod_condition,
         "Its conditions"),
    SKIP("containerStatuses"),
    SKIP("allocatedResources"),
    SKIP("resources"),
    SKIP("ephemeralContainerStatuses"),
    SKIP("extendedResourceClaimStatus"),
    SKIP("hostIPs"),
    SKIP("initContainerStatuses"),
    SKIP("message"),
    SKIP("nominatedNodeName"),
    SKIP("observedGeneration"),
    SKIP("qosClass"),
    SKIP("reason"),
    SKIP("resize"),
    SKIP("resourceClaimStatuses"),
    SKIP("startTime"),
};
RECORD(rec_pod_status, "PodStatus", pod_status_fields, "What became of a pod");
#undef THIS

#define THIS struct api_pod
static const struct api_field pod_fields[] = {
    MSG(NOTE, spec, "spec", struct api_pod_spec, rec_pod_spec, "What it runs"),
    MSG(NOTE, status, "status", struct api_pod_status, rec_pod_status, "What became of it"),
};
RECORD(rec_pod, "Pod", pod_fields, "A pod");
#undef THIS

#define THIS struct api_pod_template
static const struct api_field pod_template_fields[] = {
    MSG(NOTE, metadata, "metadata", struct api_meta, rec_meta, "Labels and annotations"),
    MSG(NOTE, spec, "spec", struct api_pod_spec, rec_pod_spec, "What they run"),
};
RECORD(rec_pod_template, "PodTemplateSpec", pod_template_fields, "Pods to be made");
#undef THIS

#define THIS struct api_deployment
static const struct api_field deployment_fields[] = {
    INT(NOTE, replicas, "replicas", 0, I32_MAX, "How many", .dflt = "1"),
    MSG(NOTE, selector, "selector", struct api_label_selector, rec_label_selector,
        "Labels of its pods"),
    MSG(NOTE, template, "template", struct api_pod_template, rec_pod_template, "The pods",
        .flags = API_REQUIRED),
    SKIP("minReadySeconds"),
    SKIP("paused"),
    SKIP("progressDeadlineSeconds"),
    SKIP("revisionHistoryLimit"),
    SKIP("strategy"),
};
RECORD(rec_deployment, "DeploymentSpec", deployment_fields,
       "Pods of one template: of a Deployment, StatefulSet or DaemonSet");
#undef THIS

#define THIS struct api_statefulset
static const struct api_field statefulset_fields[] = {
    INT(NOTE, replicas, "replicas", 0, I32_MAX, "How many", .dflt = "1"),
    MSG(NOTE, selector, "selector", struct api_label_selector, rec_label_selector,
        "Labels of its pods"),
    STRING(NOTE, service_name, "serviceName", "Its headless Service"),
    MSG(NOTE, template, "template", struct api_pod_template, rec_pod_template, "The pods",
        .flags = API_REQUIRED),
    SKIP("minReadySeconds"),
    SKIP("ordinals"),
    SKIP("persistentVolumeClaimRetentionPolicy"),
    SKIP("podManagementPolicy"),
    SKIP("revisionHistoryLimit"),
    SKIP("updateStrategy"),
    SKIP("volumeClaimTemplates"),
};
RECORD(rec_statefulset, "StatefulSetSpec", statefulset_fields, "Pods with names of their own");
#undef THIS

#define THIS struct api_daemonset
static const struct api_field daemonset_fields[] = {
    MSG(NOTE, selector, "selector", struct api_label_selector, rec_label_selector,
        "Labels of its pods"),
    MSG(NOTE, template, "template", struct api_pod_template, rec_pod_template, "The pods",
        .flags = API_REQUIRED),
    SKIP("minReadySeconds"),
    SKIP("revisionHistoryLimit"),
    SKIP("updateStrategy"),
};
RECORD(rec_daemonset, "DaemonSetSpec", daemonset_fields, "A pod on every node");
#undef THIS
