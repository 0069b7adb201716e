#include "model/shape.h"

#include "unit/check.h"

/* A row behind the other, each where the compiler puts a member that follows the last. */
static void check_no_hole(const struct shape *s, size_t begin)
{
    size_t end = begin;

    for (uint32_t i = 0; i < s->n; i++) {
        const struct field *f = &s->fields[i];
        size_t align = MAX(f->align, 1);
        size_t want = (end + align - 1) & ~(align - 1);

        if (f->offset != want)
            print_error("%s.%s\n", s->name, f->name);
        CHECK_EQ(f->offset, want);
        CHECK(f->size > 0);
        end = f->offset + f->size;
        if (f->of)
            check_no_hole(f->of, 0);
    }
    CHECK(s->size >= end && s->size - end < 16);
}

TEST(every_member_of_a_part_has_its_row)
{
    for (uint32_t kind = 0; kind < PART_KINDS; kind++)
        check_no_hole(shape_of_part(kind), sizeof(struct part));
}

TEST(every_list_element_takes_octets_in_an_image)
{
    for (uint32_t kind = 0; kind < PART_KINDS; kind++) {
        const struct shape *s = shape_of_part(kind);

        CHECK(shape_octets_min(s) > 0);
        for (uint32_t i = 0; i < s->n; i++)
            CHECK(!s->fields[i].of || shape_octets_min(s->fields[i].of) > 0);
    }
}

TEST(kinds_have_names)
{
    CHECK_STRZ(str_of(part_kind_name(PART_LISTENER)), "listener");
    CHECK_STRZ(str_of(part_kind_name(PART_SECRET)), "secret");
    CHECK_STRZ(str_of(part_kind_name(PART_KINDS)), "unknown");
}
