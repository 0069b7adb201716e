#include "cli/input.h"

#include "cli/say.h"
#include "cli/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define PIECE 65536

static bool is_asked_for(const struct flag_strs *files)
{
    for (size_t i = 0; i < files->n; i++) {
        if (str_eq(files->v[i], STR("-")))
            return true;
    }
    return false;
}

/* -1: errno. */
static int read_to_end(void)
{
    struct buf b;
    ssize_t n = 1;
    int fd;

    buf_init(&b, SIZE_MAX);
    while (n > 0 || (n < 0 && errno == EINTR)) {
        n = read(STDIN_FILENO, buf_reserve(&b, PIECE), PIECE);
        b.n += (size_t)MAX(n, 0);
    }
    fd = n == 0 ? sealed_new(buf_str(&b)) : -1;
    buf_fini(&b);
    return fd;
}

void input_rewind(const struct run_options *o)
{
    if (is_asked_for(&o->files))
        (void)lseek(STDIN_FILENO, 0, SEEK_SET);
}

void input_drop(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (fd < 0 || dup2(fd, STDIN_FILENO) < 0)
        close(STDIN_FILENO);
    if (fd > STDIN_FILENO)
        close(fd);
}

bool input_keep(const struct run_options *o)
{
    bool fine;
    int fd;

    if (!is_asked_for(&o->files))
        return true;
    fd = read_to_end();
    fine = fd >= 0 && dup2(fd, STDIN_FILENO) >= 0;
    if (!fine)
        say_err("lateen run: standard input: %s\n", strerror(errno));
    if (fd > STDIN_FILENO)
        close(fd);
    input_rewind(o);
    return fine;
}
