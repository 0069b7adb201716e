#include "codec/yaml.h"

/* A line that begins with "---" and white space is a document marker wherever it stands, in a
 * quoted or block scalar, too (YAML 1.2, c-forbidden). */
static bool is_marker(struct str line)
{
    return str_starts(line, STR("---")) && (line.n == 3 || strchr(" \t\r", line.p[3]) != NULL);
}

static size_t count_parts(struct str octets)
{
    size_t n = 1;

    while (str_is_set(octets)) {
        struct str line = str_cut(&octets, '\n');

        n += is_marker(line);
        if (str_starts(line, STR("%")))
            return 1;
    }
    return n;
}

size_t yaml_split(struct arena *arena, struct str octets, struct yaml_part **ret)
{
    size_t max = count_parts(octets), n = 0;
    struct yaml_part *v = ARENA_ARRAY(arena, struct yaml_part, max);
    struct str rest = octets;
    uint32_t line = 1;

    v[n++] = (struct yaml_part){ octets, line };
    while (max > 1 && str_is_set(rest)) {
        struct str at = rest;

        if (is_marker(str_cut(&rest, '\n'))) {
            v[n - 1].octets.n = (size_t)(at.p - v[n - 1].octets.p);
            v[n++] = (struct yaml_part){ at, line };
        }
        line++;
    }
    *ret = v;
    return n;
}
