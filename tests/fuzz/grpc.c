/*
 * tests/fuzz/grpc - any octets as a message of the echo's gRPC methods: fields that were read are
 * the same once written and read again, and what is asked for stays within its limits.
 */
#include "fuzz.h"

#include "echo/grpc.h"
#include "echo/proto.h"

static void check_again(const struct proto_field *f)
{
    struct proto_field again;
    struct buf out;
    struct str in;

    if (str_is_set(f->octets) ? f->octets.n == 0 : f->number == 0) /* is not written */
        return;
    buf_init(&out, 1 << 20);
    if (str_is_set(f->octets))
        MUST(proto_add_octets(&out, f->id, f->octets));
    else
        MUST(proto_add_number(&out, f->id, f->number));
    in = buf_str(&out);
    MUST(proto_next(&in, &again) && in.n == 0 && again.id == f->id && again.number == f->number);
    MUST(!str_is_set(f->octets) || str_eq(again.octets, f->octets));
    buf_fini(&out);
}

static void check_fields(struct str in)
{
    struct proto_field f;
    size_t left = in.n;

    while (proto_next(&in, &f)) {
        MUST(in.n < left && f.octets.n <= left - in.n);
        left = in.n;
        check_again(&f);
    }
    MUST(in.n == left); /* a broken field is left as it stands */
}

static void check_ask(const char *method, struct str in)
{
    const struct grpc_method *m = grpc_method_of(str_of(method));
    struct grpc_ask ask;

    MUST(m != NULL);
    if (!m->read(in, &ask))
        return;
    MUST(ask.answers <= GRPC_ANSWERS_MAX && ask.delay_ms <= ECHO_DELAY_MAX_MS);
    MUST(ask.message.n <= in.n);
    MUST(ask.answers || ask.status);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
    struct str in = str_make((const char *)octets, n);

    check_fields(in);
    check_ask("/lateen.echo.v1.Echo/Unary", in);
    check_ask("/grpc.health.v1.Health/Check", in);
    check_ask("/grpc.health.v1.Health/Watch", in);
    return 0;
}
