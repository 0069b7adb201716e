#include "tls/hello.h"

#define RECORD_HEAD 5
#define RECORD_HANDSHAKE 22
#define RECORD_PAYLOAD_MAX 16384
#define MESSAGE_HEAD 4
#define MESSAGE_CLIENT_HELLO 1
#define EXTENSION_SERVER_NAME 0
#define NAME_TYPE_HOST 0

/* ---- a cursor that remembers having run out ---- */

struct cursor {
    struct str rest;
    bool broken;
};

static struct str take(struct cursor *c, size_t n)
{
    struct str got = str_sub(c->rest, 0, n);

    if (got.n < n) {
        c->broken = true;
        c->rest = STR("");
        return STR("");
    }
    c->rest = str_from(c->rest, n);
    return got;
}

/* A big-endian number of `n` octets; 0 beyond the end. */
static size_t take_number(struct cursor *c, size_t n)
{
    struct str s = take(c, n);
    size_t v = 0;

    for (size_t i = 0; i < s.n; i++)
        v = v << 8 | (uint8_t)s.p[i];
    return v;
}

/* A vector with a length of `n` octets before it. */
static struct str take_vector(struct cursor *c, size_t n)
{
    return take(c, take_number(c, n));
}

/* ---- records to one handshake message (RFC 8446 5.1) ---- */

struct message {
    size_t n;
    char octets[HELLO_OCTETS_MAX];
};

static bool record_begins_well(struct str record)
{
    static const uint8_t first[2] = { RECORD_HANDSHAKE, 3 };

    for (size_t i = 0; i < MIN(record.n, sizeof(first)); i++) {
        if ((uint8_t)record.p[i] != first[i])
            return false;
    }
    return true;
}

/* The length of the whole message, its head included; 0 while the head is not there. */
static size_t message_length(const struct message *m)
{
    struct cursor c = { .rest = str_make(m->octets, m->n) };

    if (m->n < MESSAGE_HEAD)
        return 0;
    take(&c, 1);
    return take_number(&c, 3) + MESSAGE_HEAD;
}

/* Takes one record's payload, or the part of it that is there. */
static enum hello_state record_take(struct message *m, struct cursor *in)
{
    struct cursor c = *in;
    size_t whole;
    struct str part;

    if (!record_begins_well(c.rest))
        return m->n ? HELLO_BROKEN : HELLO_NO_TLS;
    if (c.rest.n < RECORD_HEAD)
        return HELLO_MORE;
    take(&c, 3);
    whole = take_number(&c, 2);
    if (whole == 0 || whole > RECORD_PAYLOAD_MAX)
        return HELLO_BROKEN;
    part = str_sub(c.rest, 0, whole);
    if (part.n > sizeof(m->octets) - m->n)
        return HELLO_BROKEN;
    memcpy(m->octets + m->n, part.p, part.n);
    m->n += part.n;
    if (m->n && m->octets[0] != MESSAGE_CLIENT_HELLO)
        return HELLO_BROKEN;
    in->rest = str_from(c.rest, part.n);
    return part.n < whole ? HELLO_MORE : HELLO_DONE;
}

static enum hello_state message_read(struct message *m, struct str octets)
{
    struct cursor in = { .rest = octets };
    enum hello_state s = HELLO_DONE;
    size_t length = 0;

    while (s == HELLO_DONE && (length == 0 || m->n < length)) {
        if (in.rest.n == 0)
            return HELLO_MORE;
        s = record_take(m, &in);
        length = message_length(m);
        if (length > sizeof(m->octets))
            return HELLO_BROKEN;
    }
    if (s == HELLO_MORE && length && m->n >= length)
        return HELLO_DONE; /* the rest of the record is of no interest here */
    return s;
}

/* ---- the message ---- */

static bool name_is_plain(struct str name)
{
    return name.n > 0 && name.n <= HELLO_NAME_MAX && !memchr(name.p, '\0', name.n);
}

/* RFC 6066 3: a list of names, of which one may be a host. */
static bool server_name_read(struct str extension, struct hello *ret)
{
    struct cursor c = { .rest = extension };
    struct cursor list = { .rest = take_vector(&c, 2) };

    if (c.broken || c.rest.n || list.rest.n == 0)
        return false;
    while (list.rest.n && !list.broken) {
        size_t type = take_number(&list, 1);
        struct str name = take_vector(&list, 2);

        if (list.broken || type != NAME_TYPE_HOST || ret->has_name || !name_is_plain(name))
            return false;
        ret->has_name = true;
        ret->name_n = (uint8_t)name.n;
        for (size_t i = 0; i < name.n; i++)
            ret->name[i] = ascii_lower(name.p[i]);
    }
    return !list.broken;
}

static enum hello_state client_hello_read(struct str body, struct hello *ret)
{
    struct cursor c = { .rest = body };
    struct cursor extensions;

    take(&c, 2 + 32);   /* legacy_version, random */
    take_vector(&c, 1); /* legacy_session_id */
    take_vector(&c, 2); /* cipher_suites */
    take_vector(&c, 1); /* legacy_compression_methods */
    if (c.broken)
        return HELLO_BROKEN;
    if (c.rest.n == 0)
        return HELLO_DONE; /* TLS 1.2 without extensions */
    extensions = (struct cursor){ .rest = take_vector(&c, 2) };
    while (extensions.rest.n && !extensions.broken) {
        size_t type = take_number(&extensions, 2);
        struct str value = take_vector(&extensions, 2);

        if (type == EXTENSION_SERVER_NAME && !extensions.broken && !server_name_read(value, ret))
            return HELLO_BROKEN;
    }
    return c.broken || c.rest.n || extensions.broken ? HELLO_BROKEN : HELLO_DONE;
}

enum hello_state hello_read(struct str octets, struct hello *ret)
{
    struct message m;
    struct hello h = { 0 };
    enum hello_state s;

    m.n = 0;
    s = message_read(&m, octets);
    if (s != HELLO_DONE)
        return s;
    s = client_hello_read(str_make(m.octets + MESSAGE_HEAD, message_length(&m) - MESSAGE_HEAD), &h);
    if (s == HELLO_DONE)
        *ret = h;
    return s;
}
