#include "cli/retire.h"

#include "model/root.h"

#include <stdlib.h>

/* The loop that parts retire to. Set while there is one. */
static struct loop *_Atomic retire_loop;

struct retired {
    struct mail mail;
    struct part *part;
    struct root *root;
};

static void retired_deliver(struct mail *m, struct loop *to)
{
    struct retired *r = CONTAINER_OF(m, struct retired, mail);

    (void)to;
    if (r->part)
        part_destroy(r->part);
    if (r->root)
        root_destroy(r->root);
    free(r);
}

static void retire(struct part *part, struct root *root)
{
    struct loop *to = atomic_load_explicit(&retire_loop, memory_order_acquire);
    struct retired *r = must_alloc(sizeof(*r));

    *r = (struct retired){ { .deliver = retired_deliver }, part, root };
    mail_post(to, &r->mail);
}

static void part_retire(struct part *p)
{
    retire(p, NULL);
}

static void root_retire(struct root *r)
{
    retire(NULL, r);
}

void retire_to(struct loop *loop)
{
    atomic_store_explicit(&retire_loop, loop, memory_order_release);
    part_release_hook = part_retire;
    root_release_hook = root_retire;
}

void retire_stop(void)
{
    part_release_hook = part_destroy;
    root_release_hook = root_destroy;
}
