#include "api/object.h"
#include "codec/yaml.h"

/* White space instead of a document, its marker kept: lines stay what they were. */
static void blank(char *text, struct str part)
{
    bool marked = str_starts(part, STR("---"));

    for (size_t i = marked ? 3 : 0; i < part.n; i++)
        if (text[i] != '\n' && text[i] != '\r')
            text[i] = ' ';
}

/* Reads a document alone; what is wrong with it is noted at its place in the file. */
static bool part_is_sound(const struct yaml_part *part, struct str file, struct notes *notes)
{
    struct arena a;
    struct notes made;
    struct yaml_docs docs;
    bool sound;

    arena_init(&a, 16384);
    notes_init(&made, &a);
    sound = yaml_read(&a, file, part->octets, str_ends(file, STR(".json")), NULL, &made, &docs);
    for (size_t i = 0; i < made.n; i++)
        made.v[i].pos.line += part->first_line - 1;
    notes_append(notes, &made);
    arena_fini(&a);
    return sound;
}

size_t api_load_parts(struct arena *arena, struct str file, struct str octets, struct notes *notes,
                      struct api_objects *ret)
{
    struct yaml_part one = { octets, 1 }, *parts = &one;
    size_t n = 1, lost = 0;
    char *text = arena_raw(arena, octets.n + 1);

    *ret = (struct api_objects){ 0 };
    if (octets.n)
        memcpy(text, octets.p, octets.n);
    if (!str_ends(file, STR(".json")))
        n = yaml_split(arena, octets, &parts);
    for (size_t i = 0; i < n; i++) {
        if (part_is_sound(&parts[i], file, notes))
            continue;
        blank(text + (parts[i].octets.p - octets.p), parts[i].octets);
        lost++;
    }
    if (lost < n && !api_load_file(arena, file, str_make(text, octets.n), notes, ret))
        return n; /* too large as a whole */
    return lost;
}
