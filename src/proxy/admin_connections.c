/*
 * proxy/admin_connections - the page /connections: asks the workers and waits for them.
 */
#include "live/host.h"
#include "proxy/admin_int.h"
#include "proxy/survey.h"

#include <stdlib.h>

/* On the heap: a worker may answer when the page is gone. */
struct connections {
    struct list node; /* in `all` */
    size_t n, answered, printed;
    size_t left_out;
    bool after_first, page_is_gone;
    struct survey surveys[LIVE_WORKERS_MAX];
};

/* Main's alone. What a worker that ends never answers stays here. */
static struct list all = { &all, &all };

static void free_if_over(struct connections *x)
{
    if (!x->page_is_gone || x->answered < x->n)
        return;
    list_remove(&x->node);
    for (size_t i = 0; i < x->n; i++)
        buf_fini(&x->surveys[i].text);
    free(x);
}

static void answered(struct survey *s)
{
    struct connections *x = s->owner;

    x->answered++;
    free_if_over(x);
}

static bool more(struct admin_call *c)
{
    struct connections *x = c->page_state;
    const struct survey *s = &x->surveys[x->printed];
    struct str text;

    c->waits = x->answered < x->n;
    if (c->waits)
        return true;
    if (x->printed == x->n) {
        buf_printf(&c->body, "\n],\"left_out\":%zu}\n", x->left_out);
        return false;
    }
    text = buf_str(&s->text);
    buf_add(&c->body, x->after_first ? text : str_from(text, 1)); /* a comma leads each */
    x->after_first |= text.n > 0;
    x->left_out += s->left_out;
    x->printed++;
    return true;
}

static void end(struct admin_call *c)
{
    struct connections *x = c->page_state;

    x->page_is_gone = true;
    free_if_over(x);
}

void admin_connections(struct admin_call *c)
{
    const struct admin_host *h = &c->admin->host;
    struct connections *x;
    struct worker *w;

    if (!h->worker) {
        admin_say(c, 501, "/connections: not built yet");
        return;
    }
    x = must_alloc(sizeof(*x));
    list_push_back(&all, &x->node);
    while (x->n < LIVE_WORKERS_MAX && (w = h->worker(h->arg, x->n)) != NULL)
        survey_start(&x->surveys[x->n++], w, c->admin->loop, answered, x);
    c->page_state = x;
    c->more = more;
    c->end = end;
    c->type = "application/json";
    buf_add(&c->body, STR("{\"connections\":["));
}
