#include "cli/child.h"

#include "base/log.h"
#include "cli/exit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Between fork and exec, in the child: only what is its own stays open. */
static _Noreturn void become(const struct child *c, const int theirs[2], const char *const *argv,
                             pid_t keeper)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == keeper &&
        fcntl(theirs[0], F_SETFD, 0) == 0 && fcntl(theirs[1], F_SETFD, 0) == 0) {
        role_to_environment(c->role, theirs[0], theirs[1], keeper);
        execv("/proc/self/exe", (char *const *)(uintptr_t)argv);
    }
    log_error("keeper", "a process cannot be started", KVZ("process", role_name(c->role)),
              KVZ("reason", strerror(errno)));
    _exit(EXIT_FAILED);
}

static pid_t fork_it(const struct child *c, const int theirs[2], const char *const *argv)
{
    pid_t keeper = getpid();
    pid_t pid = fork();

    if (pid == 0)
        become(c, theirs, argv, keeper);
    return pid;
}

bool child_start(struct child *c, struct loop *loop, const char *const *argv)
{
    int theirs[2];
    pid_t pid;

    if (!link_open_pair(&c->orders, loop, &theirs[0]))
        return false;
    if (!link_open_pair(&c->asks, loop, &theirs[1])) {
        link_close(&c->orders);
        close(theirs[0]);
        return false;
    }
    pid = fork_it(c, theirs, argv);
    close(theirs[0]);
    close(theirs[1]);
    if (pid < 0) {
        link_close(&c->orders);
        link_close(&c->asks);
        return false;
    }
    c->pid = pid;
    c->has_served = false;
    return true;
}

void child_kill(struct child *c)
{
    if (c->pid > 0)
        kill(c->pid, SIGKILL);
}

void child_send(struct child *c, const struct message *m, const int *fds, size_t n)
{
    if (c->pid == 0 || c->orders.fd < 0 || link_send(c->orders.fd, m, fds, n, false) != ERR_AGAIN)
        return; /* one that has ended is met by waitpid() */
    log_error("keeper", "a process does not read its orders and is ended",
              KVZ("process", role_name(c->role)));
    child_kill(c);
}

void child_ended(struct child *c)
{
    c->pid = 0; /* it may be another process's from now on */
    link_read(&c->orders);
    link_close(&c->orders);
    link_close(&c->asks);
}

void child_say_ended(const struct child *c, int status)
{
    char signal_name[32];

    if (WIFSIGNALED(status)) {
        const char *abbrev = sigabbrev_np(WTERMSIG(status));

        str_copy(STR("SIG"), signal_name, sizeof(signal_name));
        str_copy(abbrev ? str_of(abbrev) : STR("?"), signal_name + 3, sizeof(signal_name) - 3);
        log_error("keeper", "a process has crashed", KVZ("process", role_name(c->role)),
                  KVZ("signal", signal_name), KVN("crashes", c->crashes));
    } else {
        log_error("keeper", "a process has ended", KVZ("process", role_name(c->role)),
                  KVN("status", WEXITSTATUS(status)), KVN("crashes", c->crashes));
    }
}

void child_fini(struct child *c)
{
    if (c->pid > 0) {
        child_kill(c);
        (void)waitpid(c->pid, NULL, 0);
    }
    link_close(&c->orders);
    link_close(&c->asks);
    timer_fini(&c->again);
}
