#include "cli/flags.h"

#include "unit/check.h"

struct options {
    bool dev, watch;
    struct flag_strs files;
    struct flag_ports map, list;
    struct flag_pairs labels;
    struct flag_addr admin;
    struct flag_ms drain;
    uint32_t workers;
    struct str format;
    struct addr bind;
    uint64_t size;
    uint32_t number;
};

#define TO(member) .offset = offsetof(struct options, member)

static const struct flag rows[] = {
    { .name = "filename", .letter = 'f', .type = &flag_str_list, TO(files) },
    { .name = "dev", .letter = 'd', .type = &flag_bool, TO(dev) },
    { .name = "watch", .letter = 'w', .type = &flag_bool, TO(watch) },
    { .name = "port", .type = &flag_port_map, TO(map) },
    { .name = "listen", .letter = 'p', .type = &flag_port_list, TO(list) },
    { .name = "labels", .type = &flag_labels, TO(labels) },
    { .name = "admin", .type = &flag_address, TO(admin) },
    { .name = "drain", .type = &flag_duration, TO(drain) },
    { .name = "workers", .type = &flag_count, TO(workers) },
    { .name = "format", .type = &flag_str, .choices = "text|json", TO(format) },
    { .name = "bind", .type = &flag_ip, TO(bind) },
    { .name = "supervise", .type = &flag_unbuilt_switch },
    { .name = "certs", .type = &flag_unbuilt },
    { .name = "size", .type = &flag_size, TO(size) },
    { .name = "number", .type = &flag_number, TO(number) },
};

struct parsed {
    struct options o;
    struct flag_strs args;
    enum flags_result result;
    char why[256];
};

/* Words parted by single spaces; "\1" stands for an empty word. */
static struct parsed parse(const char *line, struct arena *arena)
{
    struct parsed p = { .o.watch = true };
    const char *argv[32];
    size_t n = 0;
    struct str rest = str_of(line);
    struct buf why;

    buf_init(&why, 4096);
    while (rest.n > 0) {
        struct str word = str_cut(&rest, ' ');

        argv[n++] = arena_dup(arena, str_eq(word, STR("\1")) ? STR("") : word).p;
    }
    p.result = flags_parse((struct flag_table){ rows, LEN(rows) }, argv, n, &p.o, arena, &p.args,
                           &why);
    str_copy(buf_str(&why), p.why, sizeof(p.why));
    buf_fini(&why);
    return p;
}

TEST(flags_come_long_short_joined_and_between_arguments)
{
    static const struct {
        const char *line;
        size_t files, args;
        bool dev, watch;
    } cases[] = {
        { "-f a", 1, 0, false, true },
        { "-fa", 1, 0, false, true },
        { "-f=a", 1, 0, false, true },
        { "--filename a", 1, 0, false, true },
        { "--filename=a", 1, 0, false, true },
        { "-f a --filename=b -fc", 3, 0, false, true },
        { "x -f a y", 1, 2, false, true },
        { "-df a", 1, 0, true, true },
        { "-dfa", 1, 0, true, true },
        { "--dev", 0, 0, true, true },
        { "--dev=true --watch=false", 0, 0, true, false },
        { "--dev=false", 0, 0, false, true },
        { "--dev a", 0, 1, true, true }, /* a switch takes no next word */
        { "-f - -", 1, 1, false, true },
        { "-- -f --dev", 0, 2, false, true },
        { "-f --", 1, 0, false, true }, /* the value of -f, as getopt has it */
        { "", 0, 0, false, true },
    };
    struct arena arena;

    arena_init(&arena, 4096);
    for (size_t i = 0; i < LEN(cases); i++) {
        struct parsed p = parse(cases[i].line, &arena);

        CASE(i);
        CHECK_STRZ(str_of(p.why), "");
        CHECK_EQ(p.result, FLAGS_FINE);
        CHECK_EQ(p.o.files.n, cases[i].files);
        CHECK_EQ(p.args.n, cases[i].args);
        CHECK_EQ(p.o.dev, cases[i].dev);
        CHECK_EQ(p.o.watch, cases[i].watch);
    }
    arena_fini(&arena);
}

TEST(a_wrong_flag_says_what_is_wrong_and_what_is_near)
{
    static const struct {
        const char *line;
        enum flags_result result;
        const char *why;
    } cases[] = {
        { "--hlep", FLAGS_WRONG, "unknown flag --hlep; did you mean --help?" },
        { "--filname=a", FLAGS_WRONG, "unknown flag --filname; did you mean --filename?" },
        { "--zzz", FLAGS_WRONG, "unknown flag --zzz" },
        { "-x", FLAGS_WRONG, "unknown flag -x" },
        { "-dx", FLAGS_WRONG, "unknown flag -x" },
        { "--filename", FLAGS_WRONG, "--filename wants a value: VALUE" },
        { "--filename=", FLAGS_WRONG, "--filename: is empty" },
        { "-f", FLAGS_WRONG, "--filename wants a value: VALUE" },
        { "--dev=maybe", FLAGS_WRONG, "--dev: 'maybe' is neither true nor false" },
        { "--port 80", FLAGS_WRONG,
          "--port: wants N=M: the Gateway's port and the one to bind, as in 80=8080" },
        { "--port 0=80", FLAGS_WRONG, "--port: '0' is no port (1 to 65535)" },
        { "--port 80=65536", FLAGS_WRONG, "--port: '65536' is no port (0 to 65535)" },
        { "--port 80=1 --port 80=2", FLAGS_WRONG, "--port: port 80 is mapped twice" },
        { "--listen x", FLAGS_WRONG, "--listen: 'x' is no port (0 to 65535)" },
        { "--labels a", FLAGS_WRONG, "--labels: wants key=value,key=value" },
        { "--labels =a", FLAGS_WRONG, "--labels: wants key=value,key=value" },
        { "--admin 15000", FLAGS_WRONG,
          "--admin: '15000' is neither ADDR:PORT (127.0.0.1:15000) nor off" },
        { "--drain 5", FLAGS_WRONG, "--drain: '5' is no duration such as 30s, 1m30s, 500ms" },
        { "--drain -5s", FLAGS_WRONG, "--drain: '-5s' is no duration such as 30s, 1m30s, 500ms" },
        { "--workers 0", FLAGS_WRONG, "--workers: '0' is no number from 1 to 1024" },
        { "--format xml", FLAGS_WRONG, "--format: 'xml' is none of text|json" },
        { "--bind x", FLAGS_WRONG, "--bind: 'x' is no IP address" },
        { "--supervise", FLAGS_UNBUILT, "--supervise: not built yet" },
        { "--certs=d", FLAGS_UNBUILT, "--certs: not built yet" },
        { "--size 1Q", FLAGS_WRONG, "--size: '1Q' is no size such as 256Mi, 1Gi, 500M" },
        { "--size 0", FLAGS_WRONG, "--size: '0' is no size such as 256Mi, 1Gi, 500M" },
        { "--number 0", FLAGS_WRONG, "--number: '0' is no number above 0" },
        { "--number 4294967296", FLAGS_WRONG, "--number: '4294967296' is no number above 0" },
        { "--dev --help --zzz", FLAGS_HELP, "" },
        { "-h", FLAGS_HELP, "" },
    };
    struct arena arena;

    arena_init(&arena, 4096);
    for (size_t i = 0; i < LEN(cases); i++) {
        struct parsed p = parse(cases[i].line, &arena);

        CASE(i);
        CHECK_STRZ(str_of(p.why), cases[i].why);
        CHECK_EQ(p.result, cases[i].result);
    }
    arena_fini(&arena);
}

TEST(values_arrive_in_their_types)
{
    struct arena arena;
    struct parsed p;

    arena_init(&arena, 4096);
    p = parse("--port 80=8080 --port=443=0 -p 0 -p81 --labels a=b,c=d= --admin=[::1]:0 "
              "--drain 1m30s --workers 4 --format json --bind 127.0.0.1",
              &arena);
    CHECK_STRZ(str_of(p.why), "");
    CHECK_EQ(p.o.map.n, 2);
    CHECK_EQ(p.o.map.v[0].from, 80);
    CHECK_EQ(p.o.map.v[0].to, 8080);
    CHECK_EQ(p.o.map.v[1].from, 443);
    CHECK_EQ(p.o.map.v[1].to, 0);
    CHECK_EQ(p.o.list.n, 2);
    CHECK_EQ(p.o.list.v[1].to, 81);
    CHECK_EQ(p.o.labels.n, 2);
    CHECK_STRZ(p.o.labels.v[1].value, "d=");
    CHECK_EQ(p.o.admin.is_set, true);
    CHECK_EQ(p.o.admin.addr.family, 6);
    CHECK_EQ(p.o.drain.ms, 90000);
    CHECK_EQ(p.o.workers, 4);
    CHECK_STRZ(p.o.format, "json");
    CHECK_EQ(p.o.bind.family, 4);
    p = parse("--admin off", &arena);
    CHECK_EQ(p.o.admin.is_off, true);
    arena_fini(&arena);
}

TEST(sizes_and_numbers_are_read)
{
    struct arena arena;
    struct parsed p;

    arena_init(&arena, 4096);
    p = parse("--size 256Mi --number 4294967295", &arena);
    CHECK_EQ(p.result, FLAGS_FINE);
    CHECK_EQ(p.o.size, 256u << 20);
    CHECK_EQ(p.o.number, UINT32_MAX);
    arena_fini(&arena);
}
