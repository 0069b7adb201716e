#include "cli/confine.h"

#include "base/log.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAPABILITIES_MAX 64

static void check(bool fine, const char *what)
{
    if (!fine)
        log_warn("confine", "cannot be given up", KVZ("what", what),
                 KVZ("reason", strerror(errno)));
}

void confine_memory(void)
{
    check(prctl(PR_SET_DUMPABLE, 0) == 0, "dumpable memory");
}

void confine_rights(void)
{
    struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

    check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "new privileges");
    for (unsigned long cap = 0; cap < CAPABILITIES_MAX; cap++)
        (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); /* only who has CAP_SETPCAP has to */
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    check(syscall(SYS_capset, &head, none) == 0, "capabilities");
}
