#include "codec/h2/settings.h"

static const struct {
    uint32_t standard, min, max;
    const struct h2_error *error;
} rows[H2_SETTINGS_END] = {
#define XX(name, id, standard, min, max, error) [id] = { standard, min, max, &h2_error_##error },
    H2_SETTING_MAP(XX)
#undef XX
};

void h2_settings_init(struct h2_settings *s)
{
    for (size_t i = 0; i < LEN(rows); i++)
        s->v[i] = rows[i].standard;
}

const struct h2_error *h2_settings_set(struct h2_settings *s, uint16_t id, uint32_t value)
{
    if (id >= LEN(rows) || !rows[id].error)
        return NULL;
    if (value < rows[id].min || value > rows[id].max)
        return rows[id].error;
    s->v[id] = value;
    return NULL;
}
