#include "telemetry/log_time.h"

#include "base/when.h"
#include "telemetry/log_value.h"

#include <time.h>

void log_time_renew(char *out, int64_t before_us, int64_t unix_us)
{
    unsigned ms = (unsigned)(unix_us / 1000 % 1000);
    char text[WHEN_LEN + 1];

    if (before_us == 0 || unix_us / 1000000 != before_us / 1000000) {
        when_format(unix_us / 1000, text);
        memcpy(out, text, LOG_TIME_LEN);
    }
    out[20] = (char)('0' + ms / 100);
    out[21] = (char)('0' + ms / 10 % 10);
    out[22] = (char)('0' + ms % 10);
}

/* Octets of the conversion at the front of `s`, which starts with '%'; 0: not one. */
static size_t conversion_len(struct str s)
{
    static const struct str plain = STR_INIT("aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%f");

    if (s.n >= 2 && str_find(plain, s.p[1]) < plain.n)
        return 2;
    if (s.n >= 3 && s.p[1] >= '1' && s.p[1] <= '9' && s.p[2] == 'f')
        return 3;
    return 0;
}

struct str log_time_check(struct str format)
{
    size_t at;

    while ((at = str_find(format, '%')) < format.n) {
        size_t n = conversion_len(str_from(format, at));

        if (n == 0)
            return str_sub(format, at, 3);
        format = str_from(format, at + n);
    }
    return STR_NONE;
}

/* The text of one conversion. */
static size_t convert(struct str conversion, int64_t unix_us, const struct tm *tm,
                      char out[static 64])
{
    char spec[] = { '%', conversion.p[1], '\0' };
    char last = conversion.p[conversion.n - 1];
    size_t digits = conversion.n == 3 ? (size_t)(conversion.p[1] - '0') : 9;
    int64_t ns = unix_us % 1000000 * 1000;

    if (last == 's')
        return (size_t)(log_number_put(out, (uint64_t)unix_us / 1000000) - out);
    if (last != 'f')
        return strftime(out, 64, spec, tm);
    for (size_t i = 9; i-- > 0; ns /= 10)
        out[i] = (char)('0' + ns % 10);
    return digits;
}

size_t log_time_format_by(struct str format, int64_t unix_us, char *out, size_t size)
{
    time_t sec = (time_t)(MAX(unix_us, 0) / 1000000);
    struct tm tm = { .tm_mday = 1, .tm_year = 70 };
    size_t used = 0;

    unix_us = MAX(unix_us, 0);
    (void)gmtime_r(&sec, &tm);
    while (format.n) {
        char text[64];
        size_t taken = 1, n = 1;

        if (format.p[0] == '%') {
            taken = conversion_len(format);
            MUST(taken);
            n = convert(str_sub(format, 0, taken), unix_us, &tm, text);
        } else {
            text[0] = format.p[0];
        }
        if (n > size - used)
            break;
        memcpy(out + used, text, n);
        used += n;
        format = str_from(format, taken);
    }
    return used;
}
