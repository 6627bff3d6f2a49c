/* The daemon's side of the loader: starts the helper, gathers what it writes, and gives up on it after a
 * while, since a directory may lie on a file system that hangs. */
#include "core/loader.h"

#include "base/helper-process.h"
#include "base/log.h"
#include "core/internal.h"

#define LOADER_TIMEOUT_USEC (30 * USEC_PER_SEC)
#define LOADER_OUTPUT_MAX   (256u * 1024 * 1024)

struct Loader {
    Manager *manager;
    LoaderFn fn;
    void *userdata;
    HelperProcess *process; /* NULL: none is under way */
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
    return l;
}

void loader_free(Loader *l)
{
    if (!l)
        return;
    if (l->process) {
        g_clear_pointer(&l->process, helper_process_free);
        l->fn(-ECANCELED, NULL, l->userdata);
    }
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
    f->sources = g_ptr_array_new_with_free_func((GDestroyNotify)task_source_free);
    f->troubles = g_ptr_array_new_with_free_func((GDestroyNotify)loader_trouble_free);
    for (guint i = 0; i < json_array_get_length(sources); i++)
        loader_read_source(f, json_array_get_object_element(sources, i));
    return f;
}

static const char *loader_trouble(int r)
{
    return r == -E2BIG ? "the files are too large together" : g_strerror(-r);
}

static void on_read(int r, const char *output, size_t length, void *userdata)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func((GDestroyNotify)loader_file_free);
    g_autoptr(JsonParser) parser = json_parser_new();
    Loader *l = userdata;

    l->process = NULL;
    if (r >= 0 && !json_parser_load_from_data(parser, output, (gssize)length, NULL))
        r = -EBADMSG;
    if (r >= 0) {
        JsonArray *list = json_node_get_array(json_parser_get_root(parser));

        for (guint i = 0; i < json_array_get_length(list); i++)
            g_ptr_array_add(files, loader_read_file(json_array_get_object_element(list, i)));
    } else {
        log_error("The task directories could not be read (%s); what was in force stays.", loader_trouble(r));
    }
    l->fn(r, files, l->userdata);
}

int loader_start(Loader *l, LoaderFn fn, void *userdata)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    HelperProcessSpec spec = {
        .program = HELPER_PROCESS_SELF,
        .input = -1,
        .output = -1,
        .output_max = LOADER_OUTPUT_MAX,
        .timeout_usec = LOADER_TIMEOUT_USEC,
        .fn = on_read,
        .userdata = l,
    };

    if (l->process)
        return -EBUSY;
    g_ptr_array_add(argv, (gpointer) "taskschedd");
    g_ptr_array_add(argv, (gpointer) "--helper=load-tasks");
    for (const char *const *d = l->manager->config.task_directories; *d; d++)
        g_ptr_array_add(argv, (gpointer)*d);
    g_ptr_array_add(argv, NULL);
    spec.argv = (const char *const *)argv->pdata;
    l->fn = fn;
    l->userdata = userdata;
    return helper_process_start(l->manager->event, &spec, &l->process);
}
