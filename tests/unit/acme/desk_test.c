#include "acme/desk.h"
#include "unit/check.h"
#include "unit/source/place.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#define HOUR_MS (INT64_C(3600) * 1000)
#define DAY_MS (24 * HOUR_MS)

/* Manifests in a directory, a mesh over them, and the desk; a step is one round of all three. */
struct office {
    struct place place;
    struct source *source;
    struct mesh *mesh;
    struct desk *desk;
    int64_t now_ms;
};

static int64_t wall_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A program that starts, over what another one left. */
static void office_open(struct office *o)
{
    struct mesh_options m = { .certificates = true };

    o->source = place_source(&o->place, "m");
    o->desk = desk_new(str_of(place_path(&o->place, "state/certificates")));
    CHECK(o->desk != NULL);
    source_add_own(o->source, str_of(place_path(&o->place, "state/certificates")));
    o->mesh = mesh_new(&m);
}

static void office_close(struct office *o)
{
    mesh_free(o->mesh);
    desk_free(o->desk);
    source_free(o->source);
}

static void office_init(struct office *o)
{
    place_init(&o->place);
    place_mkdir(&o->place, "m");
    o->now_ms = wall_ms();
    office_open(o);
}

static void office_fini(struct office *o)
{
    office_close(o);
    place_fini(&o->place);
}

static bool step(struct office *o)
{
    struct root *root = NULL;
    struct arena arena;
    struct notes notes;
    size_t n;
    bool changed;
    const struct mesh_wanted *v;

    arena_init(&arena, 4096);
    notes_init(&notes, &arena);
    if (mesh_update(o->mesh, source_scan(o->source), &notes, &root) == MESH_NEW)
        root_unref(root);
    arena_fini(&arena);
    v = mesh_wanted(o->mesh, &n, &changed);
    return desk_round(o->desk, v, n, o->now_ms);
}

/* Steps until nothing is written any more; how many wrote. */
static int steps(struct office *o)
{
    int n = 0;

    while (n < 10 && step(o))
        n++;
    return n;
}

static const struct mesh_wanted *wanted(struct office *o, const char *name)
{
    size_t n;
    bool changed;
    const struct mesh_wanted *v = mesh_wanted(o->mesh, &n, &changed);

    for (size_t i = 0; i < n; i++)
        if (str_eq(v[i].name, str_of(name)))
            return &v[i];
    CHECK(!"wanted");
    return NULL;
}

static struct tls_keypair *issued(struct office *o, const char *name)
{
    const struct mesh_wanted *w = wanted(o, name);
    struct str why = STR("");
    struct tls_keypair *kp = tls_keypair_parse(w->secret_chain, w->secret_key, &why);

    CHECK_STRZ(why, "");
    CHECK(kp != NULL);
    return kp;
}

static void serial_of(struct office *o, const char *name, char out[64])
{
    struct tls_keypair *kp = issued(o, name);

    str_copy(tls_keypair_info(kp)->serial, out, 64);
    tls_keypair_unref(kp);
}

#define SELF                                                                                       \
    "---\napiVersion: cert-manager.io/v1\nkind: Issuer\nmetadata: {name: self, namespace: "        \
    "ns}\nspec: {selfSigned: {}}\n"
#define CA                                                                                         \
    "---\napiVersion: cert-manager.io/v1\nkind: Issuer\nmetadata: {name: ca, namespace: "          \
    "ns}\nspec: {ca: {secretName: root}}\n"
#define CERT(name, issuer, spec)                                                                   \
    "---\napiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: " name               \
    ", namespace: ns}\nspec: {secretName: " name ", issuerRef: {name: " issuer "}, " spec "}\n"
#define EC "privateKey: {algorithm: ECDSA}, "
#define ROOT CERT("root", "self", EC "isCA: true, commonName: root, duration: 87600h")

TEST(a_ca_of_its_own_signs_and_its_chain_is_complete)
{
    struct office o;
    struct tls_keypair *root, *leaf;
    struct stat st;

    office_init(&o);
    place_write(&o.place, "m/a.yaml", SELF CA ROOT CERT("leaf", "ca", EC "dnsNames: [a.test]"));
    CHECK_EQ(steps(&o), 2); /* the root, then what it signs */
    root = issued(&o, "root");
    leaf = issued(&o, "leaf");
    CHECK(issue_is_signed_by(leaf, root));
    CHECK(tls_keypair_covers(leaf, STR("a.test")));
    CHECK_EQ(tls_keypair_info(leaf)->chain_count, 1); /* a root is not sent */
    CHECK_EQ(tls_keypair_info(leaf)->not_after_ms / DAY_MS, (o.now_ms + 90 * DAY_MS) / DAY_MS);
    CHECK_EQ(stat(place_path(&o.place, "state/certificates/ns.leaf.yaml"), &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0600);
    tls_keypair_unref(root);
    tls_keypair_unref(leaf);
    office_fini(&o);
}

TEST(what_was_issued_is_kept_by_a_program_that_starts_anew)
{
    struct office o;
    char before[64], after[64];

    office_init(&o);
    place_write(&o.place, "m/a.yaml", SELF CERT("one", "self", EC "dnsNames: [a.test]"));
    CHECK_EQ(steps(&o), 1);
    serial_of(&o, "one", before);
    office_close(&o);
    office_open(&o);
    CHECK_EQ(steps(&o), 0);
    serial_of(&o, "one", after);
    CHECK_STRZ(str_of(after), before);
    office_fini(&o);
}

TEST(it_is_renewed_when_two_thirds_of_its_life_are_over_and_not_before)
{
    static const struct {
        const char *spec;
        int64_t life_ms, earliest_ms, latest_ms; /* of the renewal, behind the issue */
    } rows[] = {
        { SELF CERT("c", "self", EC "dnsNames: [a.test]"), 90 * DAY_MS, 58 * DAY_MS, 60 * DAY_MS },
        { SELF CERT("c", "self", EC "dnsNames: [a.test], duration: 24h, renewBefore: 1h"), DAY_MS,
          22 * HOUR_MS, 23 * HOUR_MS },
        { SELF CERT("c", "self",
                    EC "dnsNames: [a.test], duration: 100h, renewBeforePercentage: 25"),
          100 * HOUR_MS, 73 * HOUR_MS, 75 * HOUR_MS },
        { SELF CERT("c", "self", EC "dnsNames: [a.test], duration: 1h, renewBefore: 59m"), HOUR_MS,
          HOUR_MS / 120, HOUR_MS / 60 },
    };

    for (size_t i = 0; i < LEN(rows); i++) {
        struct office o;
        char before[64], after[64];
        int64_t due_ms, at_ms;

        CASE(i);
        office_init(&o);
        place_write(&o.place, "m/a.yaml", rows[i].spec);
        CHECK_EQ(steps(&o), 1);
        at_ms = o.now_ms / 1000 * 1000; /* a certificate counts in seconds */
        serial_of(&o, "c", before);
        due_ms = desk_due_ms(o.desk);
        CHECK(due_ms >= at_ms + rows[i].earliest_ms && due_ms <= at_ms + rows[i].latest_ms);
        o.now_ms = due_ms - 1;
        CHECK_EQ(steps(&o), 0);
        o.now_ms = due_ms;
        CHECK_EQ(steps(&o), 1);
        serial_of(&o, "c", after);
        CHECK(strcmp(before, after) != 0);
        CHECK_EQ(steps(&o), 0);
        office_fini(&o);
    }
}

TEST(a_change_of_what_is_asked_for_issues_anew)
{
    static const char *const specs[] = {
        SELF CERT("c", "self", EC "dnsNames: [a.test]"),
        SELF CERT("c", "self", EC "dnsNames: [a.test, b.test]"),
        SELF CERT("c", "self", EC "dnsNames: [a.test, b.test], subject: {organizations: [O]}"),
        SELF CERT("c", "self", "privateKey: {algorithm: Ed25519}, dnsNames: [a.test, b.test]"),
        SELF ROOT CA CERT("c", "ca",
                          "privateKey: {algorithm: Ed25519}, dnsNames: [a.test, b.test]"),
    };
    struct office o;
    char before[64] = "", after[64];

    office_init(&o);
    for (size_t i = 0; i < LEN(specs); i++) {
        CASE(i);
        place_replace(&o.place, "m/a.yaml", specs[i]);
        CHECK(steps(&o) > 0);
        serial_of(&o, "c", after);
        CHECK(strcmp(before, after) != 0);
        memcpy(before, after, sizeof(before));
    }
    office_fini(&o);
}

static void key_of(struct office *o, char out[400])
{
    str_copy(wanted(o, "c")->secret_key, out, 400);
}

TEST(the_key_goes_on_if_it_is_never_to_be_rotated)
{
    struct office o;
    char before[400], after[400];

    office_init(&o);
    place_write(
        &o.place, "m/a.yaml",
        SELF CERT("c", "self",
                  "privateKey: {algorithm: ECDSA, rotationPolicy: Never}, dnsNames: [a.test]"));
    CHECK_EQ(steps(&o), 1);
    key_of(&o, before);
    o.now_ms = desk_due_ms(o.desk);
    CHECK_EQ(steps(&o), 1);
    key_of(&o, after);
    CHECK_STRZ(str_of(after), before);
    office_fini(&o);
}

TEST(a_secret_of_the_user_is_left_alone)
{
    struct office o;
    struct stat st;

    office_init(&o);
    place_write(&o.place, "m/a.yaml",
                SELF CERT("c", "self",
                          EC "dnsNames: [a.test]") "---\napiVersion: v1\nkind: Secret\nmetadata: "
                                                   "{name: c, namespace: ns}\n"
                                                   "stringData: {tls.crt: mine, tls.key: mine}\n");
    CHECK_EQ(steps(&o), 0);
    CHECK(stat(place_path(&o.place, "state/certificates/ns.c.yaml"), &st) != 0);
    office_fini(&o);
}

TEST(what_fails_is_tried_again_after_an_hour_or_when_something_changed)
{
    struct office o;
    const char *broken =
        "---\napiVersion: v1\nkind: Secret\nmetadata: {name: root, namespace: ns}\n"
        "stringData: {tls.crt: x, tls.key: x}\n";

    office_init(&o);
    place_write(&o.place, "m/ca.yaml", broken);
    place_write(&o.place, "m/a.yaml", CA CERT("c", "ca", EC "dnsNames: [a.test]"));
    CHECK_EQ(steps(&o), 0);
    CHECK_EQ(desk_due_ms(o.desk), o.now_ms + HOUR_MS);
    o.now_ms += HOUR_MS;
    CHECK_EQ(steps(&o), 0);
    CHECK_EQ(desk_due_ms(o.desk), o.now_ms + 2 * HOUR_MS);
    place_replace(&o.place, "m/ca.yaml", SELF ROOT);
    CHECK_EQ(steps(&o), 2);
    CHECK(str_is_set(wanted(&o, "c")->secret_chain));
    office_fini(&o);
}
