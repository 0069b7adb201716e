/*
 * tests/fuzz/h2_client - any octets as what a server sends to a client with eight requests
 * under way: a hostile backend.
 */
#include "fuzz.h"
#include "h2_feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
    h2_feed_check(str_make((const char *)octets, n), H2_CLIENT);
    return 0;
}
