#include "model/request.h"

/* Path and query as one text: they are cut from one. */
static struct str path_and_query(const struct route_request *rq)
{
    if (rq->query.n == 0 || rq->query.p != rq->path.p + rq->path.n + 1)
        return rq->path;
    return str_make(rq->path.p, rq->path.n + 1 + rq->query.n);
}

struct str request_pseudo_header(const struct route_request *rq, struct str name)
{
    if (name.n < 4 || (name.p[0] != ':' && name.p[0] != 'h'))
        return STR_NONE;
    if (str_eq(name, STR("host")) || str_eq(name, STR(":authority")))
        return rq->authority;
    if (str_eq(name, STR(":path")))
        return path_and_query(rq);
    if (str_eq(name, STR(":method")))
        return rq->method;
    if (str_eq(name, STR(":scheme")))
        return rq->scheme;
    return STR_NONE;
}

struct str request_query_value(const struct route_request *rq, struct str name)
{
    struct str query = rq->query;

    while (str_is_set(query)) {
        struct str value = str_cut(&query, '&');
        struct str key = str_cut(&value, '=');

        if (str_eq(key, name))
            return str_is_set(value) ? value : STR("");
    }
    return STR_NONE;
}

void header_values_init(struct header_values *v, const struct route_request *rq, struct str name)
{
    *v = (struct header_values){ .rq = rq, .pseudo = request_pseudo_header(rq, name) };
    if (!str_is_set(v->pseudo) && rq->headers)
        v->next = headers_find_name(rq->headers, name);
}

bool header_values_next(struct header_values *v, struct str *ret)
{
    if (str_is_set(v->pseudo)) {
        *ret = v->pseudo;
        v->pseudo = STR_NONE;
        return true;
    }
    if (!v->next)
        return false;
    *ret = v->next->value;
    v->next = headers_next(v->rq->headers, v->next);
    return true;
}
