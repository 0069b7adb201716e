#include "cli/input.h"

#include "cli/say.h"
#include "cli/sealed.h"

#include <errno.h>
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

bool input_keep(const struct run_options *o, int *ret_fd)
{
    struct buf b;
    ssize_t n = 1;

    *ret_fd = -1;
    if (!is_asked_for(&o->files))
        return true;
    buf_init(&b, SIZE_MAX);
    while (n > 0) {
        n = read(STDIN_FILENO, buf_reserve(&b, PIECE), PIECE);
        b.n += (size_t)MAX(n, 0);
    }
    *ret_fd = n == 0 ? sealed_new(buf_str(&b)) : -1;
    buf_fini(&b);
    if (*ret_fd < 0)
        say_err("lateen run: standard input: %s\n", strerror(errno));
    return *ret_fd >= 0;
}
