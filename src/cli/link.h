/*
 * cli/link - messages between keeper, control and data when they are processes.
 *
 * A link is a pair of SOCK_SEQPACKET sockets; a message is one packet of fixed size, both
 * ends being the same binary, and carries descriptors (SCM_RIGHTS). What has no fixed size
 * travels as a sealed memory file (cli/sealed.h). The keeper never waits: a child that does
 * not read is ended. A child waits for the keeper.
 *
 * Each child has two links: orders, read by the loops of both sides; and asks, a question
 * and its answer at a time (keeper_far).
 */
#pragma once

#include "base/err.h"
#include "event/loop.h"
#include "live/host.h"
#include "proxy/admin.h"

enum message_kind {
    /* from the keeper */
    MSG_START = 1, /* number: workers; addrs: service ports, with data's descriptors of them */
    MSG_STOP,
    MSG_RESCAN, /* to control */
    MSG_REOPEN, /* to data: log files */
    /* from control, by way of the keeper to data */
    MSG_BEGIN,   /* number: JSON; one memory file: the access log's path, '\0', its format */
    MSG_PUBLISH, /* round, generation; one memory file: an image */
    MSG_CHANGE,  /* round, generation; one memory file: what changes the snapshot before. Of both to
                  * a new data process only the last has a round: the others are not served */
    MSG_ROUND,   /* round: it brought no root */
    /* from control to the keeper */
    MSG_WHOLE, /* generation; one memory file: an image, in place of the changes up to it */
    MSG_TOLD,
    /* from data; LIVE goes on to control */
    MSG_LIVE, /* round */
    MSG_DRAINED,
    MSG_QUIT,
    MSG_DRAIN, /* to data: min_ms, max_ms; from data: the admin port asks for it, number: at once */
    MSG_LOG,   /* from data, and on to control: the log's level, as number */
    /* asks */
    MSG_HOLD,   /* control: addrs[0], number: the port that it stands for, round; answered with an
                 * error as number, and addrs[0] */
    MSG_RECALL, /* control: addrs[0], number: the port that it stands for; answered with addrs[0] */
    MSG_TAKE,   /* data: addrs[0]; answered with an error as number, or the group's sockets */
    MSG_SWEEP,  /* data: round; number: addresses, one memory file of them */
};

struct message {
    uint32_t kind; /* enum message_kind */
    uint32_t number;
    uint64_t round;
    uint64_t generation; /* of a snapshot, control's */
    uint64_t started_ns;
    uint32_t min_ms, max_ms;
    uint32_t is_back;
    uint32_t log_level; /* enum log_level, where it may differ from the flag's */
    struct addr addrs[ADMIN_PORTS];
};

#define LINK_FDS_MAX LIVE_WORKERS_MAX
/* As many changes may follow an image: a new data process is sent them in a row, unread. */
#define LINK_CHANGES_MAX 64

/* Descriptors that came along; whoever takes one puts -1 in its place. */
struct message_fds {
    int v[LINK_FDS_MAX];
    size_t n;
};

/* Takes the one file of a message over in place of an earlier one, which is closed; -1: none. */
void message_file_keep(int *kept_fd, struct message_fds *fds);

/* Descriptors stay the caller's. `wait`: for room. ERR_AGAIN: no room; ERR_EOF: nobody is
 * there. */
MUST_USE enum err link_send(int fd, const struct message *m, const int *fds, size_t n, bool wait);

/* ERR_AGAIN: nothing is there; ERR_EOF: the other side is gone; ERR_SYNTAX: no message of ours
 * (descriptors that came are closed). */
MUST_USE enum err link_receive(int fd, struct message *ret, struct message_fds *ret_fds, bool wait);

/* ---- read by a loop ---- */

struct link {
    int fd; /* -1: closed */
    struct watch watch;
    struct task task;
    void (*arrived)(struct link *l, const struct message *m, struct message_fds *fds);
    void (*ended)(struct link *l, enum err why); /* ERR_EOF, ERR_SYNTAX; may close */
};

/* Reads from now on; takes the descriptor over. The caller has set `arrived` and `ended`. */
MUST_USE bool link_open(struct link *l, struct loop *loop, int take_fd);
/* Makes both ends: reads one, the other is for another process (close-on-exec). False: errno. */
MUST_USE bool link_open_pair(struct link *l, struct loop *loop, int *ret_theirs);
void link_close(struct link *l);
/* Reads what waits; ends early when it was closed. */
void link_read(struct link *l);
