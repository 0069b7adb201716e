/*
 * cli/snapshots - what the keeper holds of the last snapshot for a new data process: the memory
 * files of an image, and of the changes behind it. It reads neither.
 */
#pragma once

#include "cli/child.h"

struct snapshots {
    uint64_t round, generation; /* the last round; the image's generation */
    int image;                  /* -1: none */
    struct snapshot_change {
        uint64_t generation;
        int fd;
    } changes[LINK_CHANGES_MAX];
    size_t n;
};

void snapshots_init(struct snapshots *s);
void snapshots_fini(struct snapshots *s);

/* MSG_PUBLISH, MSG_CHANGE or MSG_WHOLE of control, with one file, which is taken over. False: a
 * change of nothing, or one too many. */
MUST_USE bool snapshots_keep(struct snapshots *s, const struct message *m, struct message_fds *fds);
/* All of it, to a new data process. */
void snapshots_send(const struct snapshots *s, struct child *c);
