#include "cli/say.h"

#include "cli/file.h"

#include <unistd.h>

#define SAY_MAX (64u << 20)

static void sink_stdout(struct str text)
{
    (void)write_all(STDOUT_FILENO, text); /* nobody is left to be told */
}

static void sink_stderr(struct str text)
{
    (void)write_all(STDERR_FILENO, text);
}

void (*say_out_sink)(struct str text) = sink_stdout;
void (*say_err_sink)(struct str text) = sink_stderr;

static void say(void (*sink)(struct str text), const char *fmt, va_list args)
{
    struct buf b;

    buf_init(&b, SAY_MAX);
    buf_vprintf(&b, fmt, args);
    sink(buf_str(&b));
    buf_fini(&b);
}

void say_out(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(say_out_sink, fmt, args);
    va_end(args);
}

void say_err(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(say_err_sink, fmt, args);
    va_end(args);
}
