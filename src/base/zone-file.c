/* A file of the tz database (RFC 8536): changes of offset up to some year, and a rule for all later ones. */
#include <string.h>

#include "base/zone-internal.h"

#define ZONE_HEADER_SIZE 44
#define ZONE_TYPE_SIZE   6
#define ZONE_OFFSET_MAX  (26 * 3600)

/* One of its blocks: the first counts in 32 bits and is passed over where there is a second. */
typedef struct ZoneBlock {
    uint32_t n_utc, n_standard, n_leaps, n_changes, n_types, n_characters;
    size_t width; /* of an instant: 4 or 8 */
    const uint8_t *changes, *kinds, *types;
    size_t size; /* without the header */
} ZoneBlock;

static uint32_t zone_file_32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t zone_file_instant(const uint8_t *p, size_t width)
{
    if (width == 4)
        return (int32_t)zone_file_32(p);
    return (int64_t)((uint64_t)zone_file_32(p) << 32 | zone_file_32(p + 4));
}

static int zone_file_read_block(const uint8_t *p, size_t size, size_t width, ZoneBlock *b)
{
    if (size < ZONE_HEADER_SIZE || memcmp(p, "TZif", 4) != 0)
        return -EBADMSG;
    *b = (ZoneBlock){
        .n_utc = zone_file_32(p + 20),
        .n_standard = zone_file_32(p + 24),
        .n_leaps = zone_file_32(p + 28),
        .n_changes = zone_file_32(p + 32),
        .n_types = zone_file_32(p + 36),
        .n_characters = zone_file_32(p + 40),
        .width = width,
        .changes = p + ZONE_HEADER_SIZE,
    };
    b->kinds = b->changes + (size_t)b->n_changes * width;
    b->types = b->kinds + b->n_changes;
    b->size = (size_t)b->n_changes * (width + 1) + (size_t)b->n_types * ZONE_TYPE_SIZE + b->n_characters +
              (size_t)b->n_leaps * (width + 4) + b->n_standard + b->n_utc;
    if (b->size > size - ZONE_HEADER_SIZE || b->n_types == 0 || b->n_types > 256)
        return -EBADMSG;
    return 0;
}

static int zone_file_offset(const ZoneBlock *b, unsigned type, int32_t *ret)
{
    if (type >= b->n_types)
        return -EBADMSG;
    *ret = (int32_t)zone_file_32(b->types + (size_t)type * ZONE_TYPE_SIZE);
    return *ret < -ZONE_OFFSET_MAX || *ret > ZONE_OFFSET_MAX ? -EBADMSG : 0;
}

void zone_spans_add(GArray *spans, int64_t start, int32_t offset)
{
    ZoneSpan s = { start, offset },
             *last = spans->len > 0 ? &g_array_index(spans, ZoneSpan, spans->len - 1) : NULL;

    if (last && last->start == start) {
        g_array_set_size(spans, spans->len - 1);
        last = spans->len > 0 ? last - 1 : NULL;
    }
    if (!last || last->offset != offset)
        g_array_append_val(spans, s);
}

static int zone_file_take_changes(const ZoneBlock *b, GArray *spans, int64_t *ret_last)
{
    int32_t offset;
    int r = zone_file_offset(b, 0, &offset);

    if (r < 0)
        return r;
    zone_spans_add(spans, INT64_MIN, offset);
    *ret_last = INT64_MIN;
    for (uint32_t i = 0; i < b->n_changes; i++) {
        int64_t at = zone_file_instant(b->changes + (size_t)i * b->width, b->width);

        r = zone_file_offset(b, b->kinds[i], &offset);
        if (r < 0)
            return r;
        if (i > 0 && at <= *ret_last)
            return -EBADMSG;
        zone_spans_add(spans, at, offset);
        *ret_last = at;
    }
    return 0;
}

/* The rule is a line of its own; an empty one says that there is none. */
static int zone_file_take_rule(const uint8_t *p, size_t size, int64_t last, GArray *spans)
{
    const uint8_t *end = size > 1 && p[0] == '\n' ? memchr(p + 1, '\n', size - 1) : NULL;
    g_autofree char *rule = end ? g_strndup((const char *)p + 1, (size_t)(end - p) - 1) : NULL;

    if (!rule)
        return -EBADMSG;
    if (!rule[0])
        return 0;
    return zone_rule_extend(rule, last, spans) < 0 ? -EBADMSG : 0;
}

static Zone *zone_new(const char *name, GArray *spans)
{
    Zone *z = g_new0(Zone, 1);

    z->name = g_strdup(name);
    z->n = spans->len;
    z->spans = g_memdup2(spans->data, spans->len * sizeof(ZoneSpan));
    return z;
}

void zone_free(Zone *z)
{
    if (!z)
        return;
    g_free(z->name);
    g_free(z->spans);
    g_free(z);
}

int zone_parse(const char *name, const void *data, size_t size, Zone **ret)
{
    g_autoptr(GArray) spans = g_array_new(false, false, sizeof(ZoneSpan));
    const uint8_t *p = data;
    ZoneBlock b;
    int64_t last;
    int r = zone_file_read_block(p, size, 4, &b);

    if (r < 0)
        return r;
    if (p[4] >= '2') {
        p += ZONE_HEADER_SIZE + b.size;
        size -= ZONE_HEADER_SIZE + b.size;
        r = zone_file_read_block(p, size, 8, &b);
        if (r < 0)
            return r;
    }
    if (b.n_leaps > 0)
        return -ENOTSUP;
    r = zone_file_take_changes(&b, spans, &last);
    if (r >= 0 && b.width == 8)
        r = zone_file_take_rule(p + ZONE_HEADER_SIZE + b.size, size - ZONE_HEADER_SIZE - b.size, last, spans);
    if (r < 0)
        return r;
    *ret = zone_new(name, spans);
    return 0;
}

int zone_parse_rule(const char *name, const char *rule, Zone **ret)
{
    g_autoptr(GArray) spans = g_array_new(false, false, sizeof(ZoneSpan));
    int r = zone_rule_extend(rule, INT64_MIN, spans);

    if (r < 0)
        return r;
    g_array_index(spans, ZoneSpan, 0).start = INT64_MIN;
    *ret = zone_new(name, spans);
    return 0;
}
