#include "base/when.h"

#include <stdio.h>
#include <time.h>

void when_format(int64_t unix_ms, char out[static WHEN_LEN + 1])
{
    int64_t ms = unix_ms % 1000;
    time_t sec;
    struct tm tm;
    char text[96];

    if (ms < 0)
        ms += 1000;
    sec = (time_t)((unix_ms - ms) / 1000);
    if (!gmtime_r(&sec, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099)
        tm = (struct tm){ .tm_year = 70, .tm_mday = 1 };
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)ms);
    memcpy(out, text, WHEN_LEN);
    out[WHEN_LEN] = '\0';
}

/* Cuts exactly `n` digits off the front. */
static bool cut_digits(struct str *s, size_t n, int *ret)
{
    uint64_t v;

    if (s->n < n || !str_u64(str_sub(*s, 0, n), &v))
        return false;
    *s = str_from(*s, n);
    *ret = (int)v;
    return true;
}

static bool cut_char(struct str *s, char c)
{
    if (s->n == 0 || ascii_lower(s->p[0]) != c)
        return false;
    *s = str_from(*s, 1);
    return true;
}

static bool cut_fraction(struct str *s, int *ret_ms)
{
    int scale = 100;
    size_t digits = 0;

    *ret_ms = 0;
    if (!cut_char(s, '.'))
        return true;
    for (; s->n && s->p[0] >= '0' && s->p[0] <= '9'; digits++) {
        *ret_ms += (s->p[0] - '0') * scale;
        scale /= 10;
        *s = str_from(*s, 1);
    }
    return digits > 0;
}

static bool cut_zone(struct str *s, int *ret_minutes)
{
    int sign = s->n && s->p[0] == '-' ? -1 : 1;
    int hours, minutes;

    *ret_minutes = 0;
    if (cut_char(s, 'z'))
        return true;
    if (!cut_char(s, sign < 0 ? '-' : '+') || !cut_digits(s, 2, &hours) || !cut_char(s, ':') ||
        !cut_digits(s, 2, &minutes))
        return false;
    *ret_minutes = sign * (hours * 60 + minutes);
    return hours < 24 && minutes < 60;
}

bool when_parse(struct str s, int64_t *ret_unix_ms)
{
    struct tm tm = { 0 };
    int ms, zone;

    if (!cut_digits(&s, 4, &tm.tm_year) || !cut_char(&s, '-') || !cut_digits(&s, 2, &tm.tm_mon) ||
        !cut_char(&s, '-') || !cut_digits(&s, 2, &tm.tm_mday) || !cut_char(&s, 't') ||
        !cut_digits(&s, 2, &tm.tm_hour) || !cut_char(&s, ':') || !cut_digits(&s, 2, &tm.tm_min) ||
        !cut_char(&s, ':') || !cut_digits(&s, 2, &tm.tm_sec) || !cut_fraction(&s, &ms) ||
        !cut_zone(&s, &zone) || s.n != 0)
        return false;
    if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 ||
        tm.tm_min > 59 || tm.tm_sec > 60)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *ret_unix_ms = ((int64_t)timegm(&tm) - zone * 60) * 1000 + ms;
    return true;
}

static const struct {
    struct str name;
    double ns;
} units[] = {
    { STR_INIT("ns"), 1 },     { STR_INIT("us"), 1e3 }, { STR_INIT("\xc2\xb5s"), 1e3 },
    { STR_INIT("ms"), 1e6 },   { STR_INIT("s"), 1e9 },  { STR_INIT("m"), 6e10 },
    { STR_INIT("h"), 3.6e12 },
};

/* Cuts "12.5" off the front; ".5" and "5." are numbers, "." is none. */
static bool cut_number(struct str *s, double *ret)
{
    double v = 0, scale = 1;
    bool digits = false, point = false;

    for (; s->n; *s = str_from(*s, 1)) {
        char c = s->p[0];

        if (c == '.' && !point) {
            point = true;
        } else if (c >= '0' && c <= '9') {
            digits = true;
            v = v * 10 + (c - '0');
            scale *= point ? 10 : 1;
        } else {
            break;
        }
    }
    *ret = v / scale;
    return digits;
}

static bool cut_unit(struct str *s, double *ret_ns)
{
    size_t best = LEN(units);

    for (size_t i = 0; i < LEN(units); i++) {
        if (str_starts(*s, units[i].name) &&
            (best == LEN(units) || units[i].name.n > units[best].name.n))
            best = i;
    }
    if (best == LEN(units))
        return false;
    *s = str_from(*s, units[best].name.n);
    *ret_ns = units[best].ns;
    return true;
}

bool duration_parse(struct str s, int64_t *ret_ns)
{
    double total = 0;
    int sign = 1;

    if (s.n && (s.p[0] == '-' || s.p[0] == '+')) {
        sign = s.p[0] == '-' ? -1 : 1;
        s = str_from(s, 1);
    }
    if (s.n == 0)
        return false;
    if (str_eq(s, STR("0"))) {
        *ret_ns = 0;
        return true;
    }
    while (s.n) {
        double v, unit;

        if (!cut_number(&s, &v) || !cut_unit(&s, &unit))
            return false;
        total += v * unit;
    }
    if (total > 9.2e18)
        return false;
    *ret_ns = sign * (int64_t)(total + 0.5);
    return true;
}
