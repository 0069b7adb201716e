#include "proxy/date.h"

#include <time.h>

struct str date_text(struct date_cache *d, int64_t wall_ms)
{
    time_t second = (time_t)(wall_ms / 1000);
    struct tm tm;

    if (second != d->second || d->n == 0) {
        gmtime_r(&second, &tm);
        d->n = strftime(d->text, sizeof(d->text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
        d->second = second;
    }
    return str_make(d->text, d->n);
}
