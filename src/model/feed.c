#include "model/feed.h"

#include "model/image.h"

#include <stdlib.h>

struct feed_image {
    struct feed feed;
    struct feed *to;
    struct root *last;   /* as read; NULL before the first */
    struct slots *slots; /* of the reading side */
};

static void publish_image(struct feed *f, struct root *take_root)
{
    struct feed_image *fi = CONTAINER_OF(f, struct feed_image, feed);
    struct buf octets;
    struct root *read;
    struct str err;

    buf_init(&octets, SIZE_MAX);
    image_write(take_root, &octets);
    root_unref(take_root);
    read = image_read(buf_str(&octets), fi->slots, &err);
    MUST(read != NULL); /* what was written here can be read */
    buf_fini(&octets);
    if (fi->last)
        read = root_rebase(fi->last, read);
    root_unref(fi->last);
    fi->last = root_ref(read);
    slots_sweep(fi->slots);
    fi->to->publish(fi->to, read);
}

struct feed *feed_image_new(struct feed *to)
{
    struct feed_image *fi = must_alloc(sizeof(*fi));

    fi->feed.publish = publish_image;
    fi->to = to;
    fi->slots = slots_new();
    return &fi->feed;
}

void feed_image_free(struct feed *f)
{
    struct feed_image *fi;

    if (!f)
        return;
    fi = CONTAINER_OF(f, struct feed_image, feed);
    root_unref(fi->last);
    slots_free(fi->slots);
    free(fi);
}
