#include "codec/h1/error.h"

#define XX(id, code, detail, prose)                                                                \
    const struct h1_error h1_error_##id = {                                                        \
        .name = STR_INIT(#id),                                                                     \
        .status = (code),                                                                          \
        .details = STR_INIT(detail),                                                               \
        .text = STR_INIT(prose),                                                                   \
    };
H1_ERROR_MAP(XX)
#undef XX
