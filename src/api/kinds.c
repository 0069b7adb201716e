#include "api/certmanager.h"
#include "api/check.h"
#include "api/core.h"
#include "api/destinationrule.h"
#include "api/gateway.h"
#include "api/serviceentry.h"
#include "api/virtualservice.h"
#include "api/workload.h"

#define ISTIO_VERSIONS                                                                             \
    {                                                                                              \
        STR_INIT("v1"), STR_INIT("v1beta1"), STR_INIT("v1alpha3")                                  \
    }
#define V1                                                                                         \
    {                                                                                              \
        STR_INIT("v1")                                                                             \
    }

#define ISTIO(var, text, rec, check)                                                               \
    static const struct api_kind var = { STR_INIT("networking.istio.io"),                          \
                                         STR_INIT(text),                                           \
                                         ISTIO_VERSIONS,                                           \
                                         true,                                                     \
                                         true,                                                     \
                                         STR_INIT("spec"),                                         \
                                         &(rec),                                                   \
                                         (check) }
#define KUBERNETES(var, group, text, namespaced, key, rec, check)                                  \
    static const struct api_kind var = { STR_INIT(group), STR_INIT(text), V1,     (namespaced),    \
                                         false,           STR_INIT(key),  &(rec), (check) }

ISTIO(kind_gateway, "Gateway", rec_gateway, api_check_gateway);
ISTIO(kind_virtualservice, "VirtualService", rec_virtualservice, api_check_virtualservice);
ISTIO(kind_destinationrule, "DestinationRule", rec_destinationrule, api_check_destinationrule);
ISTIO(kind_serviceentry, "ServiceEntry", rec_serviceentry, api_check_serviceentry);
ISTIO(kind_workloadentry, "WorkloadEntry", rec_workloadentry, api_check_workloadentry);

KUBERNETES(kind_namespace, "", "Namespace", false, "spec", rec_namespace, NULL);
KUBERNETES(kind_service, "", "Service", true, "spec", rec_service, api_check_service);
KUBERNETES(kind_endpoints, "", "Endpoints", true, "", rec_endpoints, NULL);
KUBERNETES(kind_pod, "", "Pod", true, "", rec_pod, api_check_pod);
KUBERNETES(kind_secret, "", "Secret", true, "", rec_secret, NULL);
KUBERNETES(kind_configmap, "", "ConfigMap", true, "", rec_configmap, NULL);
KUBERNETES(kind_endpointslice, "discovery.k8s.io", "EndpointSlice", true, "", rec_endpointslice,
           api_check_endpointslice);
KUBERNETES(kind_deployment, "apps", "Deployment", true, "spec", rec_deployment,
           api_check_deployment);
KUBERNETES(kind_statefulset, "apps", "StatefulSet", true, "spec", rec_statefulset,
           api_check_statefulset);
KUBERNETES(kind_daemonset, "apps", "DaemonSet", true, "spec", rec_daemonset, api_check_daemonset);

KUBERNETES(kind_certificate, "cert-manager.io", "Certificate", true, "spec", rec_certificate,
           api_check_certificate);
KUBERNETES(kind_issuer, "cert-manager.io", "Issuer", true, "spec", rec_issuer, api_check_issuer);
KUBERNETES(kind_clusterissuer, "cert-manager.io", "ClusterIssuer", false, "spec", rec_issuer,
           api_check_issuer);

const struct api_kind *const api_kinds[] = {
    &kind_gateway,      &kind_virtualservice, &kind_destinationrule,
    &kind_serviceentry, &kind_workloadentry,  &kind_namespace,
    &kind_service,      &kind_endpoints,      &kind_endpointslice,
    &kind_pod,          &kind_secret,         &kind_configmap,
    &kind_deployment,   &kind_statefulset,    &kind_daemonset,
    &kind_certificate,  &kind_issuer,         &kind_clusterissuer,
};
const size_t api_kind_count = LEN(api_kinds);

const struct api_kind *api_kind_find(struct str group, struct str kind)
{
    for (size_t i = 0; i < LEN(api_kinds); i++)
        if (str_eq(api_kinds[i]->kind, kind) && str_eq(api_kinds[i]->group, group))
            return api_kinds[i];
    return NULL;
}

const struct api_field *api_field_by_path(const struct api_kind *k, struct str path)
{
    const struct api_record *r = k->body;
    const struct api_field *f = NULL;

    while (str_is_set(path)) {
        f = r ? api_field_find(r, str_cut(&path, '.')) : NULL;
        if (!f)
            return NULL;
        r = f->type == API_MSG ? f->record : NULL;
    }
    return f;
}
