#include "api/effects.h"

const struct api_effect_row api_effects[] = {
    { "Gateway", "spec.selector", EFFECT_LISTENER },
    { "Gateway", "spec.servers.port.number", EFFECT_LISTENER },
    { "Gateway", "spec.servers.port.protocol", EFFECT_LISTENER },
    { "Gateway", "spec.servers.bind", EFFECT_LISTENER },
    { "Gateway", "spec.servers.hosts", EFFECT_REQUEST },
    { "Gateway", "spec.servers.tls.httpsRedirect", EFFECT_REQUEST },
    { "Gateway", "spec.servers.tls", EFFECT_HANDSHAKE },

    { "VirtualService", "spec", EFFECT_REQUEST },

    { "DestinationRule", "*connectionPool.tcp.maxConnections", EFFECT_LIMIT },
    { "DestinationRule", "*connectionPool.tcp", EFFECT_DIAL },
    { "DestinationRule", "*connectionPool.http.h2UpgradePolicy", EFFECT_PROTOCOL },
    { "DestinationRule", "*connectionPool.http.http1MaxPendingRequests", EFFECT_REQUEST },
    { "DestinationRule", "*connectionPool.http.http2MaxRequests", EFFECT_REQUEST },
    { "DestinationRule", "*connectionPool.http.maxRetries", EFFECT_REQUEST },
    { "DestinationRule", "*connectionPool.http", EFFECT_DIAL },
    { "DestinationRule", "*loadBalancer", EFFECT_REQUEST },
    { "DestinationRule", "spec.subsets.labels", EFFECT_BACKEND },
    { "DestinationRule", "spec", EFFECT_REQUEST },

    { "ServiceEntry", "spec.ports.protocol", EFFECT_PROTOCOL },
    { "ServiceEntry", "spec", EFFECT_BACKEND },
    { "WorkloadEntry", "spec", EFFECT_BACKEND },
    { "Service", "spec.ports.name", EFFECT_PROTOCOL },
    { "Service", "spec.ports.appProtocol", EFFECT_PROTOCOL },
    { "Service", "", EFFECT_BACKEND },
    { "Endpoints", "", EFFECT_BACKEND },
    { "EndpointSlice", "", EFFECT_BACKEND },
    { "Pod", "", EFFECT_BACKEND },
    { "Deployment", "", EFFECT_BACKEND },
    { "StatefulSet", "", EFFECT_BACKEND },
    { "DaemonSet", "", EFFECT_BACKEND },

    { "Secret", "", EFFECT_HANDSHAKE },
    { "Certificate", "spec", EFFECT_HANDSHAKE },
    { "Issuer", "spec", EFFECT_HANDSHAKE },
    { "ClusterIssuer", "spec", EFFECT_HANDSHAKE },

    { "MeshConfig", "accessLogFile", EFFECT_START },
    { "MeshConfig", "accessLogFormat", EFFECT_START },
    { "MeshConfig", "accessLogEncoding", EFFECT_START },
    { "MeshConfig", "connectTimeout", EFFECT_DIAL },
    { "MeshConfig", "h2UpgradePolicy", EFFECT_PROTOCOL },
    { "MeshConfig", "defaultConfig.connectionSettings", EFFECT_CONNECTION },
    { "MeshConfig", "defaultConfig.proxyHeaders.preserveHttp1HeaderCase", EFFECT_CONNECTION },
    { "MeshConfig", "", EFFECT_REQUEST },
};
const size_t api_effect_count = LEN(api_effects);

static const char *const effect_texts[EFFECT_KINDS] = {
    [EFFECT_REQUEST] = "the next request",
    [EFFECT_BACKEND] = "the next request; a connection to a backend that is gone ends behind the "
                       "requests that it has",
    [EFFECT_PROTOCOL] = "the next request; a connection that speaks the old protocol ends behind "
                        "the requests that it has",
    [EFFECT_HANDSHAKE] = "the next TLS handshake; a connection keeps what it was opened with",
    [EFFECT_CONNECTION] = "the next connection of a client; one that stands keeps its own",
    [EFFECT_DIAL] = "the next connection to a backend; one that stands keeps its own",
    [EFFECT_LIMIT] = "the next request, and connections that stand count; idle ones beyond it end",
    [EFFECT_LISTENER] = "at once; connections of a port that is gone, or that speaks TLS no more "
                        "or only now, end behind the requests that they have",
    [EFFECT_START] = "the next start of the program",
};

static bool path_fits(struct str row, struct str path)
{
    if (!row.n)
        return true;
    if (row.p[0] == '*') {
        size_t at = str_find_str(path, str_from(row, 1));

        return at < path.n && path_fits(str_from(row, 1), str_from(path, at));
    }
    return str_starts(path, row) && (path.n == row.n || path.p[row.n] == '.');
}

const struct api_effect_row *api_effect_of(struct str kind, struct str path)
{
    for (size_t i = 0; i < api_effect_count; i++) {
        const struct api_effect_row *r = &api_effects[i];

        if (str_eq(str_of(r->kind), kind) && path_fits(str_of(r->path), path))
            return r;
    }
    return NULL;
}

/* "all others" where rows of the same kind stand before it. */
static void print_path(struct buf *out, const struct api_effect_row *r)
{
    bool is_first = r == api_effects || strcmp(r[-1].kind, r->kind) != 0;

    if (*r->path && strcmp(r->path, "spec") != 0)
        buf_printf(out, "`%s`", r->path);
    else
        buf_printf(out, "%s", is_first ? "all" : "all others");
}

void api_effects_print(struct buf *out)
{
    buf_add(out, STR("| kind | fields | a change takes effect with |\n|---|---|---|\n"));
    for (size_t i = 0; i < api_effect_count; i++) {
        buf_printf(out, "| %s | ", api_effects[i].kind);
        print_path(out, &api_effects[i]);
        buf_printf(out, " | %s |\n", effect_texts[api_effects[i].effect]);
    }
}
