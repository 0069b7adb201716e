#include "mesh/verdict_int.h"

#include "api/core.h"
#include "api/destinationrule.h"
#include "api/gateway.h"
#include "api/virtualservice.h"
#include "api/workload.h"

/* One leaf, and what it stands in. */
struct view {
    const struct mesh *m;
    const struct api_object *o;
    const struct api_set *set;
};

/* The innermost message of a record around the leaf, its own included; NULL: none. */
static const void *around(const struct view *v, const struct api_record *r)
{
    for (size_t i = v->set->depth; i-- > 0;)
        if (v->set->levels[i].record == r)
            return v->set->levels[i].message;
    return NULL;
}

/* ---- conditions of the rows ---- */

static bool has_no_labels(const struct view *v)
{
    return !v->m->o.labels;
}

static bool has_no_namespace(const struct view *v)
{
    return !str_is_set(v->m->o.namespace);
}

static bool server_is_plain(const struct view *v)
{
    const struct api_gw_server *s = around(v, &rec_gw_server);

    return s && s->port && !str_eq_nocase(s->port->protocol, STR("HTTPS"));
}

static bool server_is_closed(const struct view *v)
{
    const struct api_gw_server *s = around(v, &rec_gw_server);

    return s && s->tls && s->tls->mode.v != GW_TLS_SIMPLE && s->tls->mode.v != GW_TLS_MUTUAL &&
           s->tls->mode.v != GW_TLS_OPTIONAL_MUTUAL;
}

static bool server_asks_nobody(const struct view *v)
{
    const struct api_gw_server *s = around(v, &rec_gw_server);

    return s && s->tls && s->tls->mode.v == GW_TLS_SIMPLE;
}

static bool client_certs_are_skipped(const struct view *v)
{
    const struct api_client_tls *t = around(v, &rec_client_tls);

    return t && t->insecure_skip_verify.v;
}

static bool client_shows_nothing(const struct view *v)
{
    const struct api_client_tls *t = around(v, &rec_client_tls);

    return t && t->mode.v == CLIENT_TLS_SIMPLE;
}

static bool client_is_plain(const struct view *v)
{
    const struct api_client_tls *t = around(v, &rec_client_tls);

    return t && t->mode.v == CLIENT_TLS_DISABLE;
}

static bool rule_replies(const struct view *v)
{
    const struct api_http_route *http = around(v, &rec_http_route);

    return http && (http->redirect || http->direct_response);
}

static bool rule_redirects_and_replies(const struct view *v)
{
    const struct api_http_route *http = around(v, &rec_http_route);

    return http && http->redirect && http->direct_response;
}

static bool retries_are_off(const struct view *v)
{
    const struct api_retries *r = around(v, &rec_retries);

    return r && r->attempts.v <= 0;
}

static bool destination_is_alone(const struct view *v)
{
    const struct api_http_route *http = around(v, &rec_http_route);

    return http && http->route.n == 1;
}

static bool destination_has_no_share(const struct view *v)
{
    const struct api_http_destination *d = around(v, &rec_http_destination);

    return d && d->weight.v <= 0 && !destination_is_alone(v);
}

static bool match_names_gateways(const struct view *v)
{
    const struct api_http_match *match = around(v, &rec_http_match);

    return match && match->gateways.n;
}

static bool path_is_no_text(const struct view *v)
{
    const struct api_http_match *match = around(v, &rec_http_match);

    return match &&
           (!match->uri || (!str_is_set(match->uri->exact) && !str_is_set(match->uri->prefix)));
}

static bool redirect_is_a_stub(const struct view *v)
{
    const struct api_redirect *r = around(v, &rec_redirect);

    return r && str_is_set(r->prefix_rewrite);
}

static bool pool_says_idle_for_http(const struct view *v)
{
    const struct api_connection_pool *p = around(v, &rec_connection_pool);

    return p && p->http && p->http->idle_timeout.set;
}

static bool port_is_not_tcp(const struct view *v)
{
    const struct api_service_port *p = around(v, &rec_service_port);

    return p && p->protocol.set && p->protocol.v != K8S_PROTO_TCP;
}

static bool object_is_used(const struct view *v)
{
    return trace_has_object(v->m->trace, v->o);
}

static bool is_dev(const struct view *v)
{
    return v->m->o.dev;
}

static bool is_mesh_configmap(const struct view *v)
{
    return str_eq(v->o->meta->name, STR("istio"));
}

/* ---- reasons, the first that fits ---- */

static const struct reason {
    const char *kind;                /* NULL: any */
    const char *field;               /* NULL: any; else of `record` */
    const struct api_record *record; /* the leaf's own message; NULL: any */
    bool (*holds)(const struct view *v);
    const char *why;
} reasons[] = {
    { "Gateway", "selector", &rec_gateway, has_no_labels,
      "without --labels every selector matches" },
    { "Gateway", NULL, &rec_gw_tls, server_is_plain, "the server does not speak TLS" },
    { "Gateway", NULL, &rec_gw_tls, server_is_closed,
      "the mode is not carried out yet: handshakes for these hosts are closed" },
    { "Gateway", NULL, &rec_gw_tls, server_asks_nobody,
      "mode SIMPLE asks clients for no certificate" },
    { "Gateway", NULL, NULL, NULL, "no listener comes of it" },

    { "VirtualService", NULL, NULL, destination_has_no_share,
      "the destination has weight 0: it gets no request" },
    { "VirtualService", "weight", &rec_http_destination, destination_is_alone,
      "the only destination gets every request" },
    { "VirtualService", "timeout", &rec_http_route, rule_replies, "the rule answers by itself" },
    { "VirtualService", NULL, &rec_retries, rule_replies, "the rule answers by itself" },
    { "VirtualService", NULL, &rec_retries, retries_are_off,
      "attempts is 0: nothing is tried again" },
    { "VirtualService", NULL, &rec_fault_delay, NULL, "the share is 0: nothing is delayed" },
    { "VirtualService", NULL, &rec_fault_abort, NULL, "the share is 0: nothing is aborted" },
    { "VirtualService", NULL, &rec_cors, rule_replies, "the rule answers by itself" },
    { "VirtualService", "allowOrigin", &rec_cors, NULL, "allowOrigins says it" },
    { "VirtualService", "uri", &rec_rewrite, NULL, "uriRegexRewrite says it" },
    { "VirtualService", "ignoreUriCase", &rec_http_match, path_is_no_text,
      "there is no exact or prefix of uri that it could be for" },
    { "VirtualService", "sourceLabels", &rec_http_match, match_names_gateways,
      "gateways decides instead" },
    { "VirtualService", "sourceNamespace", &rec_http_match, match_names_gateways,
      "gateways decides instead" },
    { "VirtualService", "sourceLabels", &rec_http_match, has_no_labels,
      "without --labels every gateway has them" },
    { "VirtualService", "sourceNamespace", &rec_http_match, has_no_namespace,
      "without --namespace every gateway is in it" },
    { "VirtualService", "derivePort", &rec_redirect, NULL,
      "it is what a redirect does without it" },
    { "VirtualService", NULL, &rec_redirect, redirect_is_a_stub,
      "prefixRewrite is not carried out yet: the rule answers 500" },
    { "VirtualService", NULL, NULL, rule_redirects_and_replies, "redirect answers instead" },
    { "VirtualService", NULL, NULL, NULL,
      "no server uses it: its hosts redirect to https there, no match of the rule fits the "
      "server, or exportTo keeps it from this gateway" },

    { "DestinationRule", "matchLabels", &rec_label_selector, has_no_labels,
      "without --labels every selector matches" },
    { "DestinationRule", "idleTimeout", &rec_tcp_settings, pool_says_idle_for_http,
      "http.idleTimeout says it" },
    { "DestinationRule", "h2UpgradePolicy", &rec_http_settings, NULL,
      "no port that it is for has the protocol HTTP" },
    { "DestinationRule", "labels", &rec_subset, NULL,
      "there are no endpoints to choose from, or no cluster comes of the subset" },
    { "DestinationRule", "number", &rec_port_selector, NULL, "no service has such a port" },
    { "DestinationRule", NULL, &rec_client_tls, client_is_plain, "mode DISABLE is clear text" },
    { "DestinationRule", NULL, &rec_client_tls, client_shows_nothing,
      "mode SIMPLE shows no certificate, or another field names the CA" },
    { "DestinationRule", NULL, &rec_client_tls, client_certs_are_skipped,
      "insecureSkipVerify checks nothing" },
    { "DestinationRule", NULL, NULL, NULL,
      "no cluster is made from it: no service has this host and port, another block or rule says "
      "it, or exportTo keeps it from this gateway" },

    { "ServiceEntry", "labels", &rec_workload_selector, NULL, "no workload has these labels" },
    { "ServiceEntry", "targetPort", NULL, NULL, "the endpoints say their ports themselves" },
    { "ServiceEntry", "ports", NULL, NULL, "no port of the service has such a name" },
    { "ServiceEntry", "name", NULL, object_is_used,
      "no workload that it selects gives a port by this name" },
    { "ServiceEntry", "resolution", NULL, object_is_used,
      "the endpoints have addresses: STATIC and DNS come to the same" },
    { "ServiceEntry", "resolution", NULL, NULL, "there are no endpoints" },
    { "ServiceEntry", NULL, NULL, object_is_used, "nothing that is served comes of it" },
    { "ServiceEntry", NULL, NULL, NULL,
      "nothing comes of it: a Service or an older ServiceEntry has this host, or exportTo keeps "
      "it from this gateway" },

    { "WorkloadEntry", "ports", NULL, object_is_used, "no port of the service has such a name" },
    { NULL, NULL, &rec_service_port, port_is_not_tcp, "only TCP is carried" },
    { "Service", "name", &rec_service_port, NULL, "appProtocol says what is spoken" },
    { "Service", "targetPort", &rec_service_port, NULL,
      "there are no endpoints, or they say their ports themselves" },
    { "Service", "selector", NULL, NULL, "no endpoint comes of it" },
    { "Service", "type", NULL, NULL, "only ExternalName makes a difference here" },
    { "Service", "externalName", NULL, NULL, "no endpoint comes of it" },
    { "Service", "publishNotReadyAddresses", NULL, NULL, "every endpoint is ready" },
    { "Service", NULL, NULL, object_is_used, "says nothing to this program" },
    { "Service", NULL, NULL, NULL, "no port of it is served" },
    { NULL, "name", &rec_container_port, object_is_used,
      "the Service's targetPort does not name it" },
    { NULL, "containerPort", &rec_container_port, object_is_used,
      "the Service gives the number itself" },
    { NULL, "matchLabels", &rec_label_selector, object_is_used, "the labels of the pods decide" },
    { "Secret", "data", &rec_secret, object_is_used, "stringData says it" },
    { "Secret", NULL, NULL, object_is_used, "says nothing to this program" },
    { "Secret", NULL, NULL, NULL, "no server shows a certificate of it" },
    { "ConfigMap", "data", NULL, is_mesh_configmap, "another ConfigMap istio is used" },
    { "ConfigMap", NULL, NULL, NULL, "only key mesh of ConfigMap istio is read" },
    { "Certificate", NULL, NULL, is_dev, "with --dev a local CA issues it, for its names alone" },
    { "Certificate", NULL, NULL, NULL, "nobody issues it" },
    { "Issuer", NULL, NULL, NULL, "nothing is issued by it" },
    { "ClusterIssuer", NULL, NULL, NULL, "nothing is issued by it" },
    { "MeshConfig", NULL, NULL, NULL, "nothing that is served depends on it" },
};

static bool fits(const struct reason *r, const struct view *v)
{
    if (r->kind && !str_eq(v->o->kind->kind, str_of(r->kind)))
        return false;
    if (r->field && !str_eq(v->set->field->name, str_of(r->field)))
        return false;
    if (r->record && v->set->levels[v->set->depth - 1].record != r->record)
        return false;
    return !r->holds || r->holds(v);
}

const char *verdict_reason(const struct mesh *m, const struct api_object *o,
                           const struct api_set *set)
{
    struct view v = { m, o, set };
    bool is_meta = set->depth && set->levels[0].record == &rec_meta;

    if (set->field->type == API_SKIP || is_meta ||
        (set->field->state == API_NOTE && o->kind->proto))
        return "says nothing to this program";
    for (size_t i = 0; i < LEN(reasons); i++)
        if (fits(&reasons[i], &v))
            return reasons[i].why;
    return object_is_used(&v) ? "says nothing to this program" : "no endpoint comes of it";
}
