#include "cli/sealed.h"

#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

int sealed_new(struct str octets)
{
    int fd = memfd_create("lateen", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int saved;

    if (fd < 0)
        return -1;
    if (write_all(fd, octets) && fcntl(fd, F_ADD_SEALS, SEALS) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

bool sealed_map(int fd, struct str *ret)
{
    int seals = fcntl(fd, F_GET_SEALS);
    struct stat st;
    void *p;

    if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) != 0)
        return false;
    if (st.st_size == 0) {
        *ret = STR("");
        return true;
    }
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return false;
    *ret = str_make(p, (size_t)st.st_size);
    return true;
}

void sealed_unmap(struct str octets)
{
    if (octets.n)
        munmap((void *)(uintptr_t)octets.p, octets.n);
}
