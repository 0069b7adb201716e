#include "base/log.h"

#include "base/buf.h"
#include "base/jsontext.h"
#include "base/when.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum log_level log_threshold = LOG_INFO;
bool log_as_json;

void log_level_set(enum log_level level)
{
    __atomic_store_n(&log_threshold, level, __ATOMIC_RELAXED);
}

static void sink_stderr(struct str line)
{
    while (line.n) {
        ssize_t n = write(STDERR_FILENO, line.p, line.n);

        if (n < 0 && errno != EINTR)
            return; /* a log that cannot be written is dropped */
        line = str_from(line, (size_t)MAX(n, 0));
    }
}

void (*log_sink)(struct str line) = sink_stderr;

static const char *const level_names[] = { "error", "warning", "info", "debug" };

static void add_text(struct buf *b, struct str s)
{
    bool plain = s.n > 0;

    for (size_t i = 0; i < s.n && plain; i++) {
        unsigned char c = (unsigned char)s.p[i];

        plain = c > 0x20 && c < 0x7f && c != '"' && c != '=' && c != '\\';
    }
    if (plain)
        buf_add(b, s);
    else
        json_add_string(b, s);
}

static void write_text(struct buf *b, enum log_level level, const char *component,
                       const char *message, const struct log_kv *kvs)
{
    buf_printf(b, " %s %s: %s", level_names[level], component, message);
    for (; kvs->key; kvs++) {
        buf_printf(b, " %s=", kvs->key);
        if (kvs->is_number)
            buf_printf(b, "%lld", (long long)kvs->number);
        else
            add_text(b, kvs->text);
    }
}

static void write_json(struct buf *b, enum log_level level, const char *component,
                       const char *message, const struct log_kv *kvs)
{
    buf_printf(b, "\",\"level\":\"%s\",\"scope\":\"%s\",\"msg\":", level_names[level], component);
    json_add_string(b, str_of(message));
    for (; kvs->key; kvs++) {
        buf_addc(b, ',');
        json_add_string(b, str_of(kvs->key));
        buf_addc(b, ':');
        if (kvs->is_number)
            buf_printf(b, "%lld", (long long)kvs->number);
        else
            json_add_string(b, kvs->text);
    }
    buf_addc(b, '}');
}

void log_write(enum log_level level, const char *component, const char *message,
               const struct log_kv *kvs)
{
    struct timespec now;
    char when[WHEN_LEN + 1];
    struct buf b;

    if (level > __atomic_load_n(&log_threshold, __ATOMIC_RELAXED))
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    when_format((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, when);
    buf_init(&b, 16384);
    buf_printf(&b, "%s%s", log_as_json ? "{\"time\":\"" : "", when);
    if (log_as_json)
        write_json(&b, level, component, message, kvs);
    else
        write_text(&b, level, component, message, kvs);
    buf_addc(&b, '\n');
    log_sink(buf_str(&b));
    buf_fini(&b);
}

bool log_level_parse(struct str s, enum log_level *ret)
{
    for (size_t i = 0; i < LEN(level_names); i++) {
        if (str_eq(s, str_of(level_names[i])) || (i == LOG_WARN && str_eq(s, STR("warn")))) {
            *ret = (enum log_level)i;
            return true;
        }
    }
    return false;
}
