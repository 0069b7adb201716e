#include "cli/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* What is heard. Others keep what the kernel does of itself. */
static const int heard[] = { SIGHUP,  SIGINT,  SIGTERM, SIGQUIT,  SIGUSR1,
                             SIGUSR2, SIGTTIN, SIGTTOU, SIGWINCH, SIGCHLD };

static void heard_set(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < LEN(heard); i++)
        sigaddset(set, heard[i]);
}

void signals_block(void)
{
    sigset_t set;

    heard_set(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a log at RLIMIT_FSIZE meets EFBIG */
}

static void signals_run(struct task *t)
{
    struct signals *s = CONTAINER_OF(t, struct signals, task);
    struct signalfd_siginfo info;

    while (s->fd >= 0 && read(s->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        s->caught(s, (int)info.ssi_signo);
}

bool signals_start(struct signals *s, struct loop *loop,
                   void (*caught)(struct signals *s, int number))
{
    sigset_t set;

    heard_set(&set);
    s->caught = caught;
    s->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (s->fd < 0)
        return false;
    task_init(&s->task, loop, signals_run);
    if (watch_listen(&s->watch, loop, s->fd, &s->task, false))
        return true;
    close(s->fd);
    s->fd = -1;
    return false;
}

void signals_stop(struct signals *s)
{
    if (s->fd < 0)
        return;
    watch_stop(&s->watch);
    task_cancel(&s->task);
    close(s->fd);
    s->fd = -1;
}
