/*
 * cli/analyze_text - how `lateen analyze` prints: a line, or an item of JSON or YAML, for each
 * message and each verdict. What is printed goes out in pieces, however much there is.
 */
#pragma once

#include "base/buf.h"
#include "mesh/verdict.h"

enum analyze_form { FORM_LOG, FORM_JSON, FORM_YAML };

struct analyze_text {
    enum analyze_form form;
    struct arena *arena;
    struct buf b;
    size_t items;
};

void analyze_text_init(struct analyze_text *t, struct str form, struct arena *arena);
void analyze_text_end(struct analyze_text *t); /* prints what is left */

void analyze_text_note(struct analyze_text *t, const struct note *n);
void analyze_text_verdict(struct analyze_text *t, const struct verdict *v);

const char *level_name(enum severity s); /* istioctl's: "Error", ... */
/* istioctl's way: "VirtualService name.ns" of "VirtualService ns/name". */
struct str origin_words(struct arena *a, struct str object);
