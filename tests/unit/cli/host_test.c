#include "cli/host.h"

#include "cli/file.h"
#include "cli/notify.h"
#include "unit/check.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char dir[] = "/tmp/lateen-unit-XXXXXX";

/* One directory for all tests of this file, removed at the end of the program. */
static void dir_remove(void)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    if (system(command) != 0)
        fprintf(stderr, "%s stays\n", dir);
}

static struct str dir_here(void)
{
    static bool made;

    if (!made) {
        CHECK(mkdtemp(dir) != NULL);
        atexit(dir_remove);
        made = true;
    }
    return str_of(dir);
}

TEST(a_file_is_written_whole_and_read_back)
{
    struct arena a;
    struct str path, got, why;
    struct stat st;

    arena_init(&a, 4096);
    path = arena_printf(&a, "%.*s/file", STRF(dir_here()));
    CHECK(file_write_atomic(path, STR("one")));
    CHECK(file_write_atomic(path, STR("two\0three")));
    CHECK_EQ(stat(path.p, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0600);
    CHECK(file_read(path, 100, &a, &got, &why));
    CHECK_STR(got, STR("two\0three"));
    CHECK(!file_read(path, 4, &a, &got, &why));
    CHECK_STRZ(why, "larger than 4 octets");
    CHECK(!file_read(STR("/nowhere/at/all"), 4, &a, &got, &why));
    CHECK_STRZ(why, "No such file or directory");
    CHECK(!file_write_atomic(STR("/nowhere/at/all"), STR("x")));
    CHECK(file_read(STR("/proc/self/cgroup"), 65536, &a, &got, &why)); /* says 0 octets long */
    arena_fini(&a);
}

TEST(the_state_directory_is_the_first_that_is_named)
{
    struct arena a;
    struct str got, why, want;
    struct stat st;

    arena_init(&a, 4096);
    want = arena_printf(&a, "%.*s/a/b", STRF(dir_here()));
    setenv("STATE_DIRECTORY", arena_printf(&a, "%.*s:/nowhere", STRF(want)).p, 1);
    CHECK(host_state_dir(STR_NONE, &a, &got, &why));
    CHECK_STR(got, want);
    CHECK_EQ(stat(got.p, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0700);
    want = arena_printf(&a, "%.*s/c", STRF(dir_here()));
    CHECK(host_state_dir(arena_printf(&a, "%.*s/", STRF(want)), &a, &got, &why));
    CHECK_STR(got, want);
    unsetenv("STATE_DIRECTORY");
    CHECK(!host_state_dir(STR("/dev/null/x"), &a, &got, &why));
    CHECK_STRZ(why, "/dev/null/x: Not a directory; another can be named with --state DIR");
    arena_fini(&a);
}

TEST(cpus_and_descriptors_are_at_least_one)
{
    CHECK(host_cpus() >= 1);
    CHECK(host_cpus() <= 4096);
    CHECK(host_descriptors() >= 16);
}

TEST(systemd_is_told_by_datagram)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    char got[128];
    ssize_t n;
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    notify_send(STR("READY=1")); /* nobody asked */
    snprintf(at.sun_path, sizeof(at.sun_path), "%.*s/notify", STRF(dir_here()));
    CHECK_EQ(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    setenv("NOTIFY_SOCKET", at.sun_path, 1);
    notify_send(STR("READY=1\nSTATUS=serving"));
    n = recv(fd, got, sizeof(got), MSG_DONTWAIT);
    CHECK_STRZ(str_make(got, (size_t)MAX(n, 0)), "READY=1\nSTATUS=serving");
    notify_reloading();
    n = recv(fd, got, sizeof(got), MSG_DONTWAIT);
    CHECK(str_starts(str_make(got, (size_t)MAX(n, 0)), STR("RELOADING=1\nMONOTONIC_USEC=")));
    unsetenv("NOTIFY_SOCKET");
    setenv("WATCHDOG_USEC", "3000000", 1);
    CHECK_EQ(notify_watchdog_ms(), 1500);
    setenv("WATCHDOG_PID", "1", 1);
    CHECK_EQ(notify_watchdog_ms(), 0);
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    close(fd);
}
