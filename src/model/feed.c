#include "model/feed.h"

#include "model/image.h"

#include <stdlib.h>

/* ---- reading ---- */

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

struct root *image_reader_next(struct image_reader *r, struct str octets, struct str *reterr)
{
    struct root *read = image_read(octets, r->slots, reterr);

    if (!read)
        return NULL;
    if (r->last)
        read = root_rebase(r->last, read);
    root_unref(r->last);
    r->last = root_ref(read);
    slots_sweep(r->slots);
    return read;
}

/* ---- both sides in one process ---- */

struct feed_image {
    struct feed feed;
    struct feed *to;
    struct image_reader *reader;
};

static void publish_image(struct feed *f, struct root *take_root, uint64_t round)
{
    struct feed_image *fi = CONTAINER_OF(f, struct feed_image, feed);
    struct buf octets;
    struct root *read;
    struct str err;

    buf_init(&octets, SIZE_MAX);
    image_write(take_root, &octets);
    root_unref(take_root);
    read = image_reader_next(fi->reader, buf_str(&octets), &err);
    MUST(read != NULL); /* what was written here can be read */
    buf_fini(&octets);
    fi->to->publish(fi->to, read, round);
}

struct feed *feed_image_new(struct feed *to)
{
    struct feed_image *fi = must_alloc(sizeof(*fi));

    fi->feed.publish = publish_image;
    fi->to = to;
    fi->reader = image_reader_new();
    return &fi->feed;
}

void feed_image_free(struct feed *f)
{
    struct feed_image *fi;

    if (!f)
        return;
    fi = CONTAINER_OF(f, struct feed_image, feed);
    image_reader_free(fi->reader);
    free(fi);
}
