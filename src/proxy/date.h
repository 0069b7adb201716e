/*
 * proxy/date - the Date header, formatted once a second.
 */
#pragma once

#include "base/str.h"

struct date_cache {
    int64_t second;
    char text[32];
    size_t n;
};

/* RFC 9110, 5.6.7: "Tue, 24 Nov 2026 09:15:03 GMT". Borrowed until the next second. */
struct str date_text(struct date_cache *d, int64_t wall_ms);
