#include "codec/grpc_count.h"

#include "unit/check.h"

/* Three messages of 0, 3 and 1 octets, then the beginning of one that is longer. */
static const struct str body = STR_INIT("\0\0\0\0\0"
                                        "\0\0\0\0\3abc"
                                        "\1\0\0\0\1z"
                                        "\0\0\1\0\0half");

TEST(grpc_messages_are_counted_whole_and_split_at_each_place)
{
    for (size_t at = 0; at <= body.n; at++) {
        struct grpc_count g = { 0 };

        CASE(at);
        grpc_count_add(&g, str_sub(body, 0, at));
        CHECK_EQ(g.messages, (at >= 5) + (at >= 10) + (at >= 18) + (at >= 24));
        grpc_count_add(&g, str_from(body, at));
        CHECK_EQ(g.messages, 4);
        CHECK_EQ(g.left, 65536 - 4);
    }
}

TEST(grpc_messages_are_counted_octet_by_octet)
{
    struct grpc_count g = { 0 };

    for (size_t i = 0; i < body.n; i++)
        grpc_count_add(&g, str_sub(body, i, 1));
    CHECK_EQ(g.messages, 4);
}
