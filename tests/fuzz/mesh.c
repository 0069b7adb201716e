/*
 * tests/fuzz/mesh - hostile manifests through decoder and compiler: any octets give a root or
 * notes, never a crash; a file saved half and then whole, too.
 */
#include "fuzz.h"
#include "fuzz/mesh_feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
    struct str all = str_make((const char *)octets, n);
    struct mesh *m;

    if (n > 65536)
        return 0;
    m = mesh_feed_new(n % 2 == 0, NULL, NULL);
    root_unref(mesh_feed(m, all));
    root_unref(mesh_feed(m, str_sub(all, 0, n / 2)));
    root_unref(mesh_feed(m, all));
    mesh_free(m);
    return 0;
}
