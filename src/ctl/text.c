/* Numbers, times and results for people. */
#include "ctl/text.h"

#include <string.h>

#include "base/utf8.h"
#include "lib/i18n.h"
#include "model/timespec.h"

const char *text_member(JsonObject *o, const char *key)
{
    JsonNode *node = json_object_get_member(o, key);

    if (!node || !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING)
        return "";
    return json_node_get_string(node);
}

uint64_t text_number(JsonObject *o, const char *key)
{
    JsonNode *node = json_object_get_member(o, key);

    if (!node || !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_INT64)
        return UNSET;
    return (uint64_t)json_node_get_int(node);
}

uint64_t text_instant(JsonObject *o, const char *key)
{
    const char *text = text_member(o, key);
    uint64_t usec;

    return *text && timespec_parse_instant(text, 0, &usec) >= 0 ? usec : UNSET;
}

bool text_is_paused(JsonObject *o, uint64_t now)
{
    uint64_t until = text_instant(o, "PausedUntil");

    return until != UNSET && until > now;
}

char *text_value(JsonObject *o, const char *key)
{
    JsonNode *node = json_object_get_member(o, key);

    if (!node)
        return NULL;
    if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING)
        return text_safe(json_node_get_string(node));
    if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_BOOLEAN)
        return g_strdup(json_node_get_boolean(node) ? "yes" : "no");
    return json_to_string(node, false);
}

char *text_safe(const char *s)
{
    GString *out = g_string_sized_new(strlen(s));

    while (*s)
        s = utf8_append_shown(out, s);
    return g_string_free(out, FALSE);
}

char *text_time(uint64_t usec)
{
    g_autoptr(GDateTime) t = NULL;

    if (usec == UNSET || usec / USEC_PER_SEC > INT64_MAX)
        return g_strdup("-");
    t = g_date_time_new_from_unix_local((gint64)(usec / USEC_PER_SEC));
    return t ? g_date_time_format(t, "%Y-%m-%d %H:%M:%S") : g_strdup("-");
}

/* Whole seconds from a minute on, milliseconds below: more than that nobody reads. */
char *text_span(uint64_t usec)
{
    if (usec == UNSET)
        return g_strdup("-");
    if (usec < USEC_PER_MSEC)
        return g_strdup_printf("%" G_GUINT64_FORMAT "us", usec);
    if (usec < USEC_PER_SEC)
        return g_strdup_printf("%" G_GUINT64_FORMAT "ms", usec / USEC_PER_MSEC);
    if (usec < 60 * USEC_PER_SEC)
        return g_strdup_printf("%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT "s", usec / USEC_PER_SEC,
            usec % USEC_PER_SEC / (100 * USEC_PER_MSEC));
    return timespec_format_span(usec - usec % USEC_PER_SEC);
}

char *text_relative(uint64_t usec, uint64_t now)
{
    uint64_t distance = usec > now ? usec - now : now - usec;
    g_autofree char *span = NULL;

    if (usec == UNSET)
        return g_strdup("-");
    span = distance < USEC_PER_SEC ? g_strdup_printf("%dms", (int)(distance / USEC_PER_MSEC))
                                   : timespec_format_span(distance - distance % USEC_PER_SEC);
    return usec > now ? g_strdup_printf(_("in %s"), span) : g_strdup_printf(_("%s ago"), span);
}

char *text_bytes(uint64_t bytes)
{
    static const char units[] = "BKMGTPE";
    double value = (double)bytes;
    size_t i = 0;

    if (bytes == UNSET)
        return g_strdup("-");
    for (; value >= 1024 && units[i + 1]; i++)
        value /= 1024;
    return i == 0 ? g_strdup_printf("%uB", (unsigned)bytes) : g_strdup_printf("%.1f%c", value, units[i]);
}

char *text_result(JsonObject *run)
{
    const char *result = text_member(run, "Result");
    const char *code = text_member(run, "ExitCode");
    uint64_t status = text_number(run, "ExitStatus");

    /* Of every other result the process's end is a consequence, not the news. */
    static const char *const own[] = { "exit-code", "signal", "core-dump", NULL };

    if (status == UNSET || !g_strv_contains(own, result))
        return text_safe(result);
    if (g_str_equal(code, "exited") && status > 0)
        return g_strdup_printf("%s (%" G_GUINT64_FORMAT ")", result, status);
    if (g_str_equal(code, "killed") || g_str_equal(code, "dumped")) {
        const char *name = status < 128 ? sigabbrev_np((int)status) : NULL;

        return name ? g_strdup_printf("%s (%s)", result, name)
                    : g_strdup_printf("%s (%" G_GUINT64_FORMAT ")", result, status);
    }
    return text_safe(result);
}
