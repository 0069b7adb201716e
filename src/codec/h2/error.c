#include "codec/h2/error.h"

#define XX(id, wire, scope, counted, words)                                                        \
    const struct h2_error h2_error_##id = { .name = #id,                                           \
                                            .details = "http2." #id,                               \
                                            .code = H2_##wire,                                     \
                                            .is_stream = scope,                                    \
                                            .count = H2_COUNT_##counted,                           \
                                            .text = words };
H2_ERROR_MAP(XX)
#undef XX

const char *h2_code_name(uint32_t code)
{
    static const char *const names[] = {
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    };

    return code < LEN(names) ? names[code] : "UNKNOWN";
}
