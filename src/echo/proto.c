#include "echo/proto.h"

enum wire { WIRE_VARINT, WIRE_64, WIRE_OCTETS, WIRE_32 = 5 };

static bool read_varint(struct str *in, uint64_t *ret)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64 && in->n; shift += 7) {
        unsigned char c = (unsigned char)in->p[0];

        *in = str_from(*in, 1);
        v |= (uint64_t)(c & 0x7f) << shift;
        if (!(c & 0x80)) {
            *ret = v;
            return true;
        }
    }
    return false;
}

static bool read_fixed(struct str *in, size_t n, uint64_t *ret)
{
    *ret = 0;
    if (in->n < n)
        return false;
    for (size_t i = 0; i < n; i++)
        *ret |= (uint64_t)(unsigned char)in->p[i] << (8 * i);
    *in = str_from(*in, n);
    return true;
}

static bool read_octets(struct str *in, struct str *ret)
{
    uint64_t n;

    if (!read_varint(in, &n) || n > in->n)
        return false;
    *ret = str_sub(*in, 0, (size_t)n);
    *in = str_from(*in, (size_t)n);
    return true;
}

static bool read_value(struct str *in, uint64_t wire, struct proto_field *f)
{
    switch (wire) {
    case WIRE_VARINT:
        return read_varint(in, &f->number);
    case WIRE_64:
        return read_fixed(in, 8, &f->number);
    case WIRE_32:
        return read_fixed(in, 4, &f->number);
    case WIRE_OCTETS:
        return read_octets(in, &f->octets);
    default: /* groups are not proto3 */
        return false;
    }
}

bool proto_next(struct str *in, struct proto_field *ret)
{
    struct str rest = *in;
    struct proto_field f = { 0 };
    uint64_t key;

    if (!read_varint(&rest, &key) || key >> 3 == 0 || key >> 3 > UINT32_MAX >> 3 ||
        !read_value(&rest, key & 7, &f))
        return false;
    f.id = (uint32_t)(key >> 3);
    *in = rest;
    *ret = f;
    return true;
}

static bool add_varint(struct buf *to, uint64_t v)
{
    char octets[10];
    size_t n = 0;

    for (; v >= 0x80; v >>= 7)
        octets[n++] = (char)(v | 0x80);
    octets[n++] = (char)v;
    return buf_add(to, str_make(octets, n));
}

bool proto_add_number(struct buf *to, uint32_t id, uint64_t v)
{
    return v == 0 || (add_varint(to, (uint64_t)id << 3 | WIRE_VARINT) && add_varint(to, v));
}

bool proto_add_octets(struct buf *to, uint32_t id, struct str s)
{
    return s.n == 0 || (add_varint(to, (uint64_t)id << 3 | WIRE_OCTETS) && add_varint(to, s.n) &&
                        buf_add(to, s));
}
