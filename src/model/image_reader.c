#include "model/image_reader.h"

#include "model/image.h"

#include <stdlib.h>

struct image_reader {
    struct root *last; /* as read; NULL before the first */
    struct slots *slots;
};

struct image_reader *image_reader_new(void)
{
    struct image_reader *r = must_alloc(sizeof(*r));

    r->slots = slots_new();
    return r;
}

void image_reader_free(struct image_reader *r)
{
    if (!r)
        return;
    root_unref(r->last);
    slots_free(r->slots);
    free(r);
}

static struct root *remember(struct image_reader *r, struct root *read)
{
    root_unref(r->last);
    r->last = root_ref(read);
    slots_sweep(r->slots);
    return read;
}

struct root *image_reader_next(struct image_reader *r, struct str octets, struct str *reterr)
{
    struct root *read = image_read(octets, r->slots, reterr);

    if (!read)
        return NULL;
    return remember(r, r->last ? root_rebase(r->last, read) : read);
}

struct root *image_reader_change(struct image_reader *r, struct str octets, struct str *reterr)
{
    struct root *read;

    *reterr = STR("a change of nothing");
    read = r->last ? image_read_change(r->last, octets, r->slots, reterr) : NULL;
    return read ? remember(r, read) : NULL;
}
