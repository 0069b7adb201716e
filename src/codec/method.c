#include "codec/method.h"

static const struct {
    struct str text;
    bool idempotent;
} methods[METHOD_COUNT] = {
#define XX(name, text, idempotent) [METHOD_##name] = { STR_INIT(text), idempotent },
    METHOD_MAP(XX)
#undef XX
};

enum method method_of(struct str text)
{
    for (unsigned m = 1; m < METHOD_COUNT; m++) {
        if (str_eq(text, methods[m].text))
            return (enum method)m;
    }
    return METHOD_UNKNOWN;
}

struct str method_text(enum method m)
{
    return m < METHOD_COUNT ? methods[m].text : STR_NONE;
}

bool method_is_idempotent(enum method m)
{
    return m < METHOD_COUNT && methods[m].idempotent;
}
