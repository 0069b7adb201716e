#include "cli/snapshots.h"

#include <unistd.h>

void snapshots_init(struct snapshots *s)
{
    *s = (struct snapshots){ .image = -1 };
}

/* Those that an image of that generation stands for. */
static void changes_drop(struct snapshots *s, uint64_t generation)
{
    size_t left = 0;

    for (size_t i = 0; i < s->n; i++) {
        if (s->changes[i].generation > generation)
            s->changes[left++] = s->changes[i];
        else
            close(s->changes[i].fd);
    }
    s->n = left;
}

void snapshots_fini(struct snapshots *s)
{
    changes_drop(s, UINT64_MAX);
    if (s->image >= 0)
        close(s->image);
    s->image = -1;
}

static bool change_keep(struct snapshots *s, const struct message *m, struct message_fds *fds)
{
    if (s->image < 0 || s->n == LEN(s->changes))
        return false;
    s->round = m->round;
    s->changes[s->n++] = (struct snapshot_change){ m->generation, fds->v[0] };
    fds->v[0] = -1;
    return true;
}

static void image_keep(struct snapshots *s, const struct message *m, struct message_fds *fds)
{
    message_file_keep(&s->image, fds);
    s->generation = m->generation;
}

bool snapshots_keep(struct snapshots *s, const struct message *m, struct message_fds *fds)
{
    if (m->kind == MSG_CHANGE)
        return change_keep(s, m, fds);
    if (m->kind == MSG_PUBLISH) { /* a control process counts its generations anew */
        changes_drop(s, UINT64_MAX);
        image_keep(s, m, fds);
        s->round = m->round;
    } else if (s->image >= 0 && m->generation > s->generation) {
        changes_drop(s, m->generation);
        image_keep(s, m, fds);
    }
    return true;
}

/* Only the last one is served. */
void snapshots_send(const struct snapshots *s, struct child *c)
{
    struct message m = { .kind = MSG_PUBLISH, .round = s->n ? 0 : s->round };

    if (s->image < 0)
        return;
    child_send(c, &m, &s->image, 1);
    m.kind = MSG_CHANGE;
    for (size_t i = 0; i < s->n; i++) {
        m.round = i + 1 == s->n ? s->round : 0;
        child_send(c, &m, &s->changes[i].fd, 1);
    }
}
