#include "ca/ca.h"
#include "tls/issue.h"
#include "unit/check.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define NOW_MS INT64_C(1795000000000)

static char home[32];

static struct str state_new(void)
{
    str_copy(STR("/tmp/lateen-ca-XXXXXX"), home, sizeof(home));
    CHECK(mkdtemp(home) != NULL);
    return str_of(home);
}

static void path_of(const char *name, char out[static 400], size_t size)
{
    snprintf(out, size, "%s/ca/%s", home, name);
}

static void state_remove(void)
{
    char path[400];
    DIR *d;
    struct dirent *e;

    path_of("", path, sizeof(path));
    d = opendir(path);
    while (d && (e = readdir(d)) != NULL) {
        path_of(e->d_name, path, sizeof(path));
        unlink(path);
    }
    if (d)
        closedir(d);
    path_of("", path, sizeof(path));
    rmdir(path);
    rmdir(home);
}

static struct ca *open_fine(struct str dir, int64_t now_ms)
{
    enum err e = ERR_OK;
    struct str why = STR_NONE;
    struct ca *ca = ca_open(dir, now_ms, &e, &why);

    if (!ca)
        CHECK_STRZ(why, "");
    return ca;
}

struct issued {
    struct buf cert, key;
    struct tls_keypair *keypair;
};

static struct issued issue(struct ca *ca, const struct ca_request *r, int64_t now_ms)
{
    struct issued i = { .keypair = NULL };
    struct str why = STR_NONE;

    buf_init(&i.cert, 65536);
    buf_init(&i.key, 65536);
    if (!ca_issue(ca, r, now_ms, &i.cert, &i.key, &why))
        CHECK_STRZ(why, "");
    i.keypair = tls_keypair_parse(buf_str(&i.cert), buf_str(&i.key), &why);
    CHECK(i.keypair != NULL);
    return i;
}

static void issued_fini(struct issued *i)
{
    buf_fini(&i->cert);
    buf_fini(&i->key);
    tls_keypair_unref(i->keypair);
}

static unsigned mode_of(const char *name)
{
    char path[400];
    struct stat st;

    path_of(name, path, sizeof(path));
    CHECK(stat(path, &st) == 0);
    return st.st_mode & 0777;
}

TEST(the_root_is_made_once_and_kept)
{
    struct str dir = state_new();
    struct ca *one = open_fine(dir, NOW_MS), *two;

    CHECK(str_ends(ca_root_path(one), STR("/ca/root.pem")));
    CHECK_EQ(mode_of(""), 0700);
    CHECK_EQ(mode_of("root.key"), 0600);
    two = open_fine(dir, NOW_MS + 30 * DAY_MS);
    CHECK_STR(ca_root_pem(two), ca_root_pem(one));
    ca_free(one);
    ca_free(two);
    state_remove();
}

TEST(missing_directories_are_made)
{
    char deep[64];
    struct ca *ca;

    state_new();
    snprintf(deep, sizeof(deep), "%s/ca/x", home);
    ca = open_fine(str_of(deep), NOW_MS);
    ca_free(ca);
    snprintf(deep, sizeof(deep), "rm -r '%s'", home);
    CHECK_EQ(system(deep), 0);
}

TEST(what_is_issued_has_the_names_and_the_roots_signature)
{
    static const struct str dns[] = { STR_INIT("mk.Hedgus.com"), STR_INIT("*.hedgus.com") };
    static const struct str ips[] = { STR_INIT("127.0.0.1"), STR_INIT("::1") };
    struct ca_request r = {
        .dns_names = dns, .dns_name_count = 2, .ip_names = ips, .ip_name_count = 2
    };
    struct ca *ca = open_fine(state_new(), NOW_MS);
    struct issued i = issue(ca, &r, NOW_MS);
    const struct tls_cert_info *info = tls_keypair_info(i.keypair);
    struct str why;
    struct tls_keypair *root;

    CHECK_EQ(info->dns_name_count, 2);
    CHECK_EQ(info->ip_name_count, 2);
    CHECK(tls_keypair_covers(i.keypair, STR("mk.hedgus.com")));
    CHECK(tls_keypair_covers(i.keypair, STR("x.hedgus.com")));
    CHECK(!tls_keypair_covers(i.keypair, STR("x.y.hedgus.com")));
    CHECK(tls_keypair_covers(i.keypair, STR("127.0.0.1")));
    CHECK(tls_keypair_covers(i.keypair, STR("::1")));
    CHECK_STRZ(info->issuer, "CN=Lateen local CA");
    CHECK_STRZ(info->key_type, "EC P-256");
    CHECK_EQ(info->not_after_ms, NOW_MS / 1000 * 1000 + CA_LIFETIME_MS);
    CHECK(!issue_has_client_auth(i.keypair));
    /* with the leaf's key it does not parse, but the certificate can be compared so */
    root = tls_keypair_parse(ca_root_pem(ca), buf_str(&i.key), &why);
    CHECK(root == NULL);
    issued_fini(&i);
    ca_free(ca);
    state_remove();
}

TEST(openssl_verifies_what_is_issued)
{
    static const struct str dns[] = { STR_INIT("a.test") };
    struct ca_request r = { .dns_names = dns, .dns_name_count = 1, .client_auth = true };
    int64_t now_ms = (int64_t)time(NULL) * 1000;
    struct ca *ca = open_fine(state_new(), now_ms);
    struct issued i = issue(ca, &r, now_ms);
    char path[400], command[1024];
    int fd;

    CHECK(issue_has_client_auth(i.keypair));
    path_of("leaf.pem", path, sizeof(path));
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    CHECK_EQ(write(fd, i.cert.p, i.cert.n), i.cert.n);
    close(fd);
    for (int k = 0; k < 2; k++) {
        snprintf(command, sizeof(command),
                 "openssl verify -x509_strict -purpose %s -CAfile %.*s %s > /dev/null",
                 k ? "sslclient" : "sslserver", STRF(ca_root_path(ca)), path);
        CHECK_EQ(system(command), 0);
    }
    issued_fini(&i);
    ca_free(ca);
    state_remove();
}

TEST(the_same_names_get_the_same_certificate_for_two_thirds_of_its_life)
{
    static const struct str one[] = { STR_INIT("a.test"), STR_INIT("b.test") };
    static const struct str two[] = { STR_INIT("B.test"), STR_INIT("a.test"), STR_INIT("b.test") };
    struct ca_request r = { .dns_names = one, .dns_name_count = 2 };
    struct ca_request same = { .dns_names = two, .dns_name_count = 3 };
    struct ca_request other = { .dns_names = one, .dns_name_count = 1 };
    struct ca_request client = { .dns_names = one, .dns_name_count = 2, .client_auth = true };
    struct ca_request shorter = { .dns_names = one, .dns_name_count = 2, .lifetime_ms = DAY_MS };
    const struct {
        const struct ca_request *r;
        int64_t after_ms;
        bool same;
    } rows[] = {
        { &r, 0, true },
        { &same, 0, true },
        { &r, 59 * DAY_MS, true },
        { &other, 0, false },
        { &client, 0, false },
        { &r, 61 * DAY_MS, false },
        { &r, -30 * DAY_MS, false },
        { &shorter, 0, false },
    };

    for (size_t k = 0; k < LEN(rows); k++) {
        struct ca *ca = open_fine(state_new(), NOW_MS - 100 * DAY_MS);
        struct issued first = issue(ca, &r, NOW_MS);
        struct issued again;
        struct ca *restarted = open_fine(str_of(home), NOW_MS);

        CASE(k);
        again = issue(restarted, rows[k].r, NOW_MS + rows[k].after_ms);
        CHECK_EQ(str_eq(buf_str(&first.cert), buf_str(&again.cert)), rows[k].same);
        CHECK_EQ(str_eq(buf_str(&first.key), buf_str(&again.key)), rows[k].same);
        issued_fini(&first);
        issued_fini(&again);
        ca_free(ca);
        ca_free(restarted);
        state_remove();
    }
}

static void file_write(const char *name, const char *text)
{
    char path[400];
    int fd;

    path_of(name, path, sizeof(path));
    fd = open(path, O_WRONLY | O_TRUNC);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

TEST(damage_is_told_with_the_file_and_what_to_do)
{
    struct str why = STR_NONE;
    enum err e = ERR_OK;
    char path[400];

    ca_free(open_fine(state_new(), NOW_MS));
    CHECK(ca_open(str_of(home), NOW_MS + 11 * 366 * DAY_MS, &e, &why) == NULL);
    CHECK(str_find_str(why, STR("root.pem has expired: remove it")) < why.n);
    file_write("root.pem", "rubbish");
    CHECK(ca_open(str_of(home), NOW_MS, &e, &why) == NULL);
    CHECK_EQ(e, ERR_SYNTAX);
    CHECK(str_find_str(why, STR("/ca/root.pem: the certificate has no")) < why.n);
    path_of("root.key", path, sizeof(path));
    unlink(path);
    CHECK(ca_open(str_of(home), NOW_MS, &e, &why) == NULL);
    CHECK(str_find_str(why, STR("has lost its key")) < why.n);
    path_of("root.pem", path, sizeof(path));
    unlink(path);
    ca_free(open_fine(str_of(home), NOW_MS));
    state_remove();
}

TEST(a_damaged_issued_file_is_issued_anew)
{
    static const struct str dns[] = { STR_INIT("a.test") };
    struct ca_request r = { .dns_names = dns, .dns_name_count = 1 };
    struct ca *ca = open_fine(state_new(), NOW_MS);
    struct issued i = issue(ca, &r, NOW_MS);
    char path[400];
    DIR *d;
    struct dirent *e;

    path_of("", path, sizeof(path));
    d = opendir(path);
    while ((e = readdir(d)) != NULL) {
        if (str_starts(str_of(e->d_name), STR("issued-")))
            file_write(e->d_name, "-----BEGIN CERTIFICATE-----\nAA\n");
    }
    closedir(d);
    issued_fini(&i);
    i = issue(ca, &r, NOW_MS);
    issued_fini(&i);
    ca_free(ca);
    state_remove();
}

TEST(names_that_no_certificate_may_have_are_refused)
{
    static const struct {
        struct str dns, ip;
    } rows[] = {
        { STR_NONE, STR_NONE },         { STR_INIT(""), STR_NONE },
        { STR_INIT("a b"), STR_NONE },  { STR_INIT("a,DNS:evil"), STR_NONE },
        { STR_INIT("a\0b"), STR_NONE }, { STR_NONE, STR_INIT("1.2.3") },
    };
    struct ca *ca = open_fine(state_new(), NOW_MS);

    for (size_t k = 0; k < LEN(rows); k++) {
        struct ca_request r = { .dns_names = &rows[k].dns,
                                .dns_name_count = str_is_set(rows[k].dns),
                                .ip_names = &rows[k].ip,
                                .ip_name_count = str_is_set(rows[k].ip) };
        struct str why = STR_NONE;
        struct buf cert, key;

        CASE(k);
        buf_init(&cert, 65536);
        buf_init(&key, 65536);
        CHECK(!ca_issue(ca, &r, NOW_MS, &cert, &key, &why));
        CHECK(str_is_set(why));
        buf_fini(&cert);
        buf_fini(&key);
    }
    ca_free(ca);
    state_remove();
}

TEST(a_directory_that_cannot_be_used_is_named)
{
    struct str why = STR_NONE;
    enum err e = ERR_OK;

    CHECK(ca_open(STR("/dev/null"), NOW_MS, &e, &why) == NULL);
    CHECK(str_starts(why, STR("cannot use the directory /dev/null/ca: ")));
    CHECK(e != ERR_OK);
}
