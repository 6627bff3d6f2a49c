/* The daemon's side of the loader: starts the helper, takes what it writes file by file, and gives up on it after a
 * while, since a directory may lie on a file system that hangs. */
#include "core/loader.h"

#include "base/helper-process.h"
#include "base/log.h"
#include "core/internal.h"

/* Nothing came for so long. */
#define LOADER_TIMEOUT_USEC (30 * USEC_PER_SEC)
/* One task with its drop-ins: several times what may be in force. */
#define LINE_MAX_BYTES (64u * 1024 * 1024)

struct Loader {
    Manager *manager;
    LoaderFileFn file;
    LoaderDoneFn done;
    void *userdata;
    HelperProcess *process; /* NULL: none is under way */
    GString *line;          /* that is not whole yet */
};

static void loader_trouble_free(LoaderTrouble *t)
{
    g_free(t->path);
    g_free(t->reason);
    g_free(t);
}

static void loader_file_free(LoaderFile *f)
{
    g_free(f->name);
    g_ptr_array_unref(f->sources);
    g_ptr_array_unref(f->troubles);
    g_free(f);
}

Loader *loader_new(Manager *m)
{
    Loader *l = g_new0(Loader, 1);

    l->manager = m;
    l->line = g_string_new(NULL);
    return l;
}

void loader_free(Loader *l)
{
    if (!l)
        return;
    if (l->process) {
        g_clear_pointer(&l->process, helper_process_free);
        l->done(-ECANCELED, l->userdata);
    }
    g_string_free(l->line, TRUE);
    g_free(l);
}

static void loader_read_source(LoaderFile *f, JsonObject *o)
{
    const char *path = json_object_get_string_member_with_default(o, "Path", "");
    const char *data = json_object_get_string_member_with_default(o, "Data", NULL);
    const char *reason = json_object_get_string_member_with_default(o, "Error", "unknown error");
    g_autofree guchar *bytes = NULL;
    LoaderTrouble *t;
    gsize length = 0;

    if (data) {
        bytes = g_base64_decode(data, &length);
        g_ptr_array_add(f->sources, task_source_new(path, (const char *)bytes, length));
        return;
    }
    t = g_new(LoaderTrouble, 1);
    *t = (LoaderTrouble){ g_strdup(path), g_strdup(reason) };
    g_ptr_array_add(f->troubles, t);
}

static LoaderFile *loader_read_file(JsonObject *o)
{
    LoaderFile *f = g_new0(LoaderFile, 1);
    JsonArray *sources = json_object_get_array_member(o, "Sources");

    f->name = g_strdup(json_object_get_string_member(o, "Name"));
    f->calendar = json_object_get_boolean_member_with_default(o, "Calendar", FALSE);
    f->sources = g_ptr_array_new_with_free_func((GDestroyNotify)task_source_free);
    f->troubles = g_ptr_array_new_with_free_func((GDestroyNotify)loader_trouble_free);
    for (guint i = 0; i < json_array_get_length(sources); i++)
        loader_read_source(f, json_array_get_object_element(sources, i));
    return f;
}

static int loader_read_line(Loader *l)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root;
    LoaderFile *f;
    int r;

    if (!json_parser_load_from_data(parser, l->line->str, (gssize)l->line->len, NULL))
        return -EBADMSG;
    root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root))
        return -EBADMSG;
    f = loader_read_file(json_node_get_object(root));
    r = l->file(f, l->userdata);
    loader_file_free(f);
    return r;
}

/* What one piece brings is worked off at once: it is small. */
static int on_piece(const char *data, size_t length, void *userdata)
{
    Loader *l = userdata;
    int r = 0;

    while (r >= 0 && length > 0) {
        const char *end = memchr(data, '\n', length);
        size_t n = end ? (size_t)(end - data) : length;

        if (l->line->len + n > LINE_MAX_BYTES)
            return -E2BIG;
        g_string_append_len(l->line, data, (gssize)n);
        if (!end)
            return 0;
        r = loader_read_line(l);
        g_string_truncate(l->line, 0);
        data += n + 1;
        length -= n + 1;
    }
    return r;
}

static void on_end(int r, const char *output, size_t length, void *userdata)
{
    Loader *l = userdata;

    l->process = NULL;
    /* What was large is not kept. */
    g_string_free(l->line, TRUE);
    l->line = g_string_new(NULL);
    if (r < 0 && r != -ENOTCONN && r != -ECANCELED)
        log_error("The task directories could not be read to the end (%s); what was in force stays.",
            g_strerror(-r));
    l->done(r, l->userdata);
}

void loader_hold(Loader *l, bool hold)
{
    if (l->process)
        helper_process_hold(l->process, hold);
}

int loader_start(Loader *l, LoaderFileFn file, LoaderDoneFn done, void *userdata)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    HelperProcessSpec spec = {
        .program = HELPER_PROCESS_SELF,
        .input = -1,
        .output = -1,
        .timeout_usec = LOADER_TIMEOUT_USEC,
        .data = on_piece,
        .fn = on_end,
        .userdata = l,
    };

    if (l->process)
        return -EBUSY;
    g_ptr_array_add(argv, (gpointer) "taskschedd");
    g_ptr_array_add(argv, (gpointer) "--helper=load-tasks");
    for (const char *const *d = l->manager->config.task_directories; *d; d++)
        g_ptr_array_add(argv, (gpointer)*d);
    g_ptr_array_add(argv, (gpointer)LOADER_CALENDARS);
    for (const char *const *d = l->manager->config.calendar_directories; *d; d++)
        g_ptr_array_add(argv, (gpointer)*d);
    g_ptr_array_add(argv, NULL);
    spec.argv = (const char *const *)argv->pdata;
    l->file = file;
    l->done = done;
    l->userdata = userdata;
    return helper_process_start(l->manager->event, &spec, &l->process);
}
