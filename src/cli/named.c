#include "cli/named.h"

#include "base/hash.h"
#include "cli/file.h"

#include <limits.h>
#include <sys/stat.h>

#define NAMED_MAX ((size_t)4 << 20) /* the system's authorities take 0.2 MB */

static bool hook_read_file(__attribute__((unused)) void *arg, struct str path, struct arena *a,
                           struct str *ret, struct str *ret_error)
{
    return file_read(path, NAMED_MAX, a, ret, ret_error);
}

static uint64_t hook_file_stamp(__attribute__((unused)) void *arg, struct str path)
{
    char name[PATH_MAX];
    struct stat st;
    uint64_t stamp;

    if (path.n >= sizeof(name) || stat(str_copy(path, name, sizeof(name)), &st) != 0)
        return 0;
    stamp = hash_mix((uint64_t)st.st_mtim.tv_sec, (uint64_t)st.st_mtim.tv_nsec);
    stamp = hash_mix(stamp, (uint64_t)st.st_ino);
    return hash_mix(stamp, (uint64_t)st.st_size) | 1;
}

void named_files_hooks(struct mesh_hooks *ret)
{
    ret->read_file = hook_read_file;
    ret->file_stamp = hook_file_stamp;
}
