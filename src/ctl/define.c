/* apply and verify: definitions from files to the daemon. */
#include "ctl/define.h"

#include <string.h>

#include "base/utf8.h"
#include "ctl/files.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "lib/i18n.h"
#include "lib/value.h"
#include "model/almanac.h"

#define CALENDAR_SUFFIX ".calendar"

char *define_name(const Ctl *ctl, const char *path, ClientError *e)
{
    const char *name = args_get(&ctl->args, "name");

    if (name)
        return g_strdup(name);
    if (g_strcmp0(path, "-") == 0) {
        client_error_set(e, ERROR_INVALID_ARGUMENT, _("A definition from standard input needs --name="));
        return NULL;
    }
    return files_task_name(path);
}

int define_apply_text(Ctl *ctl, const char *name, const char *text, uint64_t *ret_revision, ClientError *e)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
    int r = client_message(ctl->client, "ApplyTask", &m, e);

    if (r < 0)
        return r;
    r = sd_bus_message_append(m, "ssa{sv}", name, text, 0);
    if (r < 0)
        return client_error_from_bus(e, NULL, r);
    r = client_send(ctl->client, m, &reply, e);
    if (r < 0)
        return r;
    r = sd_bus_message_read(reply, "t", ret_revision);
    return r < 0 ? client_error_from_bus(e, NULL, r) : 0;
}

static void define_print_applied(Ctl *ctl, const char *name, uint64_t revision)
{
    if (ctl->json != CTL_JSON_OFF) {
        g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), NULL);
        JsonObject *o = json_object_new();

        json_node_take_object(node, o);
        json_object_set_string_member(o, "Name", name);
        json_object_set_int_member(o, "Revision", (gint64)revision);
        output_list_add(ctl, node);
    } else if (!ctl->quiet) {
        printf(_("%s: revision %llu\n"), name, (unsigned long long)revision);
    }
}

static int define_apply(Ctl *ctl, const char *path, ClientError *e)
{
    g_autofree char *name = define_name(ctl, path, e), *text = NULL;
    uint64_t revision = 0;
    int r;

    if (!name)
        return -EINVAL;
    r = files_read_text(path, ERROR_INVALID_TASK, &text, e);
    if (r >= 0)
        r = define_apply_text(ctl, name, text, &revision, e);
    if (r >= 0)
        define_print_applied(ctl, name, revision);
    return r;
}

int define_apply_verb(Ctl *ctl)
{
    int code = EXITS_OK;

    if (args_has(&ctl->args, "name") && ctl->args.words->len > 1)
        return output_usage(ctl, _("--name goes with one file"));
    if (ctl->json != CTL_JSON_OFF)
        output_list_begin(ctl);
    for (guint i = 0; i < ctl->args.words->len; i++) {
        g_auto(ClientError) error = { 0 };

        if (define_apply(ctl, ctl_word(ctl, i), &error) < 0) {
            int failed = output_fail(ctl, &error);

            code = code == EXITS_OK ? failed : code;
        }
    }
    if (ctl->json != CTL_JSON_OFF)
        output_list_end(ctl);
    return code;
}

/* A fault that is found here, since the bus carries no such text. */
static void define_add_fault(JsonArray *faults, const char *file, unsigned line, unsigned column)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "Kind", "fault");
    json_object_set_string_member(o, "File", file);
    json_object_set_int_member(o, "Line", line);
    json_object_set_int_member(o, "Column", column);
    json_object_set_string_member(o, "Message", "What stands here is not UTF-8 text");
    json_array_add_object_element(faults, o);
}

static int define_add_source(sd_bus_message *m, const char *path, JsonArray *faults, ClientError *e)
{
    g_autoptr(GBytes) content = NULL;
    g_autofree char *text = NULL;
    unsigned line, column;
    const char *data;
    size_t size;
    int r = files_read(path, &content, e);

    if (r < 0)
        return r;
    data = util_strempty(g_bytes_get_data(content, &size));
    if (files_find_invalid(data, size, &line, &column)) {
        define_add_fault(faults, path, line, column);
        /* What stands before it is judged all the same: one look shows all that can be seen. */
        (void)utf8_is_valid_len(data, size, &data);
        size = (size_t)(data - (const char *)g_bytes_get_data(content, NULL));
    }
    text = g_strndup(g_bytes_get_data(content, NULL), size);
    r = sd_bus_message_append(m, "(ss)", path, text);
    return r < 0 ? client_error_from_bus(e, NULL, r) : 0;
}

static int define_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

GPtrArray *define_dropins(const char *path)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *directory = g_strconcat(path, ".d", NULL);
    g_autoptr(GDir) dir = g_strcmp0(path, "-") == 0 ? NULL : g_dir_open(directory, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir)))
        if (g_str_has_suffix(name, ".conf") && name[0] != '.')
            g_ptr_array_add(found, g_build_filename(directory, name, NULL));
    g_ptr_array_sort(found, define_compare);
    return found;
}

/* The iCalendar files that one of a calendar names. What cannot be read the daemon misses. */
static int define_add_events(sd_bus_message *m, const char *path, GHashTable *added)
{
    g_autofree char *text = NULL;
    TaskSource source = { .path = (char *)path };
    g_autoptr(GPtrArray) files = NULL;
    int r = 0;

    if (!g_file_get_contents(path, &text, &source.length, NULL))
        return 0;
    source.text = text;
    files = almanac_files(&source);
    for (guint i = 0; r >= 0 && i < files->len; i++) {
        const char *file = g_ptr_array_index(files, i);
        g_autofree char *events = NULL;
        size_t length;

        if (g_hash_table_add(added, g_strdup(file)) && g_file_get_contents(file, &events, &length, NULL) &&
            strlen(events) == length && utf8_is_valid(events))
            r = sd_bus_message_append(m, "(ss)", file, events);
    }
    return r;
}

static int define_add_all_events(
    sd_bus_message *m, const char *path, const GPtrArray *dropins, ClientError *e)
{
    g_autoptr(GHashTable) added = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    int r = define_add_events(m, path, added);

    for (guint i = 0; r >= 0 && i < dropins->len; i++)
        r = define_add_events(m, g_ptr_array_index(dropins, i), added);
    return r < 0 ? client_error_from_bus(e, NULL, r) : 0;
}

static int define_append_sources(
    sd_bus_message *m, const char *path, bool calendar, JsonArray *faults, ClientError *e)
{
    g_autoptr(GPtrArray) dropins = define_dropins(path);
    int r = sd_bus_message_open_container(m, 'a', "(ss)");

    if (r < 0)
        return client_error_from_bus(e, NULL, r);
    r = define_add_source(m, path, faults, e);
    for (guint i = 0; r >= 0 && i < dropins->len; i++)
        r = define_add_source(m, g_ptr_array_index(dropins, i), faults, e);
    if (r >= 0 && calendar)
        r = define_add_all_events(m, path, dropins, e);
    if (r < 0)
        return r;
    r = sd_bus_message_close_container(m);
    return r < 0 ? client_error_from_bus(e, NULL, r) : 0;
}

static int define_take_faults(sd_bus_message *reply, JsonArray *faults, ClientError *e)
{
    g_autoptr(JsonArray) found = NULL;
    int r = value_read_array(reply, &found);

    if (r < 0)
        return client_error_from_bus(e, NULL, r);
    for (guint i = 0; i < json_array_get_length(found); i++)
        json_array_add_element(faults, json_array_dup_element(found, i));
    return 0;
}

static int define_verify(Ctl *ctl, const char *path, JsonArray *faults, ClientError *e)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
    g_autofree char *name = define_name(ctl, path, e);
    bool calendar = g_str_has_suffix(path, CALENDAR_SUFFIX);
    int r;

    if (!name)
        return -EINVAL;
    if (calendar && g_str_has_suffix(name, CALENDAR_SUFFIX))
        name[strlen(name) - strlen(CALENDAR_SUFFIX)] = 0;
    r = client_message(ctl->client, calendar ? "VerifyCalendar" : "VerifyTask", &m, e);
    if (r < 0)
        return r;
    r = sd_bus_message_append(m, "s", name);
    if (r < 0)
        return client_error_from_bus(e, NULL, r);
    r = define_append_sources(m, path, calendar, faults, e);
    if (r < 0)
        return r;
    r = sd_bus_message_append(m, "a{sv}", 1, "notes", "b", true);
    if (r < 0)
        return client_error_from_bus(e, NULL, r);
    r = client_send(ctl->client, m, &reply, e);
    return r < 0 ? r : define_take_faults(reply, faults, e);
}

GPtrArray *define_sources_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)task_source_free);
}

void define_add(GPtrArray *sources, const char *path, const char *text)
{
    g_ptr_array_add(sources, task_source_new(path, text, strlen(text)));
}

static int define_append(sd_bus_message *m, const char *name, const GPtrArray *sources)
{
    int r = sd_bus_message_append(m, "s", name);

    if (r >= 0)
        r = sd_bus_message_open_container(m, 'a', "(ss)");
    for (guint i = 0; r >= 0 && i < sources->len; i++) {
        const TaskSource *s = g_ptr_array_index(sources, i);

        r = sd_bus_message_append(m, "(ss)", s->path, s->text);
    }
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    return r < 0 ? r : sd_bus_message_append(m, "a{sv}", 0);
}

int define_verify_sources(
    Ctl *ctl, const char *name, const GPtrArray *sources, JsonArray *faults, ClientError *e)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
    int r = client_message(ctl->client, "VerifyTask", &m, e);

    if (r < 0)
        return r;
    r = define_append(m, name, sources);
    if (r < 0)
        return client_error_from_bus(e, NULL, r);
    r = client_send(ctl->client, m, &reply, e);
    return r < 0 ? r : define_take_faults(reply, faults, e);
}

int define_verify_text(
    Ctl *ctl, const char *name, const char *file, const char *text, JsonArray *faults, ClientError *e)
{
    g_autoptr(GPtrArray) sources = define_sources_new();

    define_add(sources, file, text);
    return define_verify_sources(ctl, name, sources, faults, e);
}

static bool define_is_note(JsonObject *o)
{
    return g_str_equal(text_member(o, "Kind"), "note");
}

static guint define_count_faults(JsonArray *faults)
{
    guint n = 0;

    for (guint i = 0; i < json_array_get_length(faults); i++)
        n += !define_is_note(json_array_get_object_element(faults, i));
    return n;
}

/* FILE:LINE:COLUMN: KEY: MESSAGE, without what is not known. */
static void define_print_fault(JsonObject *o, FILE *out)
{
    uint64_t line = text_number(o, "Line"), column = text_number(o, "Column");
    g_autofree char *file = text_safe(text_member(o, "File"));
    g_autofree char *key = text_safe(text_member(o, "Key"));
    g_autofree char *message = text_safe(text_member(o, "Message"));

    fputs(file, out);
    if (line != UNSET && line > 0)
        fprintf(out, ":%" G_GUINT64_FORMAT, line);
    if (column != UNSET && column > 0)
        fprintf(out, ":%" G_GUINT64_FORMAT, column);
    fprintf(out, ": %s%s%s%s\n", define_is_note(o) ? _("Note: ") : "", key, *key ? ": " : "", message);
}

void define_print_faults(JsonArray *faults, FILE *out)
{
    for (guint i = 0; i < json_array_get_length(faults); i++)
        define_print_fault(json_array_get_object_element(faults, i), out);
}

int define_verify_verb(Ctl *ctl)
{
    g_autoptr(JsonArray) faults = json_array_new();
    int code = EXITS_OK;

    for (guint i = 0; i < ctl->args.words->len; i++) {
        g_auto(ClientError) error = { 0 };

        if (define_verify(ctl, ctl_word(ctl, i), faults, &error) < 0) {
            int failed = output_fail(ctl, &error);

            code = code == EXITS_OK ? failed : code;
        }
    }
    if (ctl->json != CTL_JSON_OFF) {
        g_autoptr(JsonNode) node = json_node_init_array(json_node_alloc(), faults);

        output_json(ctl, node);
    } else {
        define_print_faults(faults, stdout);
    }
    return code == EXITS_OK && define_count_faults(faults) > 0 ? EXITS_INVALID : code;
}
