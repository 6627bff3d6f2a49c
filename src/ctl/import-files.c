/* Files of other schedulers, found by where they lie. */
#include "ctl/import-files.h"

#include <string.h>
#include <sys/stat.h>

#include "ctl/files.h"
#include "lib/i18n.h"
#include "model/timespec.h"

static const char *const kinds[_IMPORT_KIND_MAX] = {
    [IMPORT_CRONTAB] = "crontab",
    [IMPORT_SYSTEM_CRONTAB] = "system-crontab",
    [IMPORT_ANACRONTAB] = "anacrontab",
    [IMPORT_TIMER] = "timer",
    [IMPORT_AT] = "at",
};

static const char *const unit_directories[] = { "/etc/systemd/system", "/run/systemd/system",
    "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system" };
static const char *const user_directories[] = { "/etc/systemd/user", "/run/systemd/user",
    "/usr/local/lib/systemd/user", "/usr/lib/systemd/user" };

ImportKind import_files_kind(const char *word)
{
    for (ImportKind kind = 0; kind < _IMPORT_KIND_MAX; kind++)
        if (g_str_equal(kinds[kind], word))
            return kind;
    return _IMPORT_KIND_INVALID;
}

/* Where a file lies says what it is, where its name does not. */
static ImportKind files_guess(const char *path)
{
    static const struct {
        const char *directory;
        ImportKind kind;
    } places[] = { { "cron.d", IMPORT_SYSTEM_CRONTAB }, { "crontabs", IMPORT_CRONTAB },
        { "atjobs", IMPORT_AT }, { "atspool", IMPORT_AT } };
    g_autofree char *name = g_path_get_basename(path), *parent = g_path_get_dirname(path);
    g_autofree char *directory = g_path_get_basename(parent);

    if (g_str_has_suffix(name, ".timer"))
        return IMPORT_TIMER;
    if (g_str_has_suffix(name, "anacrontab"))
        return IMPORT_ANACRONTAB;
    ARRAY_FOREACH (p, places)
        if (g_str_equal(p->directory, directory) || g_str_equal(p->directory, name))
            return p->kind;
    return g_str_equal(path, "/etc/crontab") ? IMPORT_SYSTEM_CRONTAB : _IMPORT_KIND_INVALID;
}

/* --- units --- */

static bool files_is_directory(const char *path)
{
    return g_file_test(path, G_FILE_TEST_IS_DIR);
}

static int files_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static GPtrArray *files_list(const char *directory)
{
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    const char *name;

    while (dir && (name = g_dir_read_name(dir)))
        g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, files_compare);
    return names;
}

/* Of the caller's own directories first, then the system's; of char*, owned. */
static GPtrArray *files_unit_directories(const Import *im, const char *near)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);

    if (near)
        g_ptr_array_add(found, g_strdup(near));
    if (im->user) {
        g_ptr_array_add(found, g_build_filename(g_get_user_config_dir(), "systemd/user", NULL));
        ARRAY_FOREACH (d, user_directories)
            g_ptr_array_add(found, g_strdup(*d));
    } else
        ARRAY_FOREACH (d, unit_directories)
            g_ptr_array_add(found, g_strdup(*d));
    return found;
}

/* "a@.timer" for "a@b.timer"; NULL: it is no instance. */
static char *files_template(const char *name)
{
    const char *at = strchr(name, '@'), *dot = strrchr(name, '.');

    if (!at || !dot || dot < at || dot == at + 1)
        return NULL;
    return g_strdup_printf("%.*s@%s", (int)(at - name), name, dot);
}

static char *files_find_unit(const GPtrArray *directories, const char *name)
{
    g_autofree char *template = files_template(name);
    const char *const names[] = { name, template };

    for (size_t n = 0; n < G_N_ELEMENTS(names) && names[n]; n++)
        for (guint i = 0; i < directories->len; i++) {
            char *path = g_build_filename(g_ptr_array_index(directories, i), names[n], NULL);

            if (g_file_test(path, G_FILE_TEST_EXISTS))
                return path;
            g_free(path);
        }
    return NULL;
}

static int files_add_source(GPtrArray *sources, const char *path, ClientError *e)
{
    g_autoptr(GBytes) content = NULL;
    int r = files_read(path, &content, e);
    const char *data;
    size_t size;

    if (r < 0)
        return r;
    data = g_bytes_get_data(content, &size);
    g_ptr_array_add(sources, task_source_new(path, util_strempty(data), size));
    return 0;
}

static gint files_compare_names(gconstpointer a, gconstpointer b, gpointer userdata)
{
    return strcmp(a, b);
}

/* A unit's file and its drop-ins; of two drop-ins with one name that of the earlier directory counts. */
static int files_read_unit(
    const GPtrArray *directories, const char *path, const char *name, GPtrArray **ret, ClientError *e)
{
    g_autoptr(GPtrArray) sources = g_ptr_array_new_with_free_func((GDestroyNotify)task_source_free);
    g_autoptr(GTree) dropins = g_tree_new_full(files_compare_names, NULL, g_free, g_free);
    int r = files_add_source(sources, path, e);

    for (guint i = 0; i < directories->len; i++) {
        g_autofree char *directory =
            g_strdup_printf("%s/%s.d", (char *)g_ptr_array_index(directories, i), name);
        g_autoptr(GPtrArray) names = files_list(directory);

        for (guint n = 0; n < names->len; n++) {
            const char *one = g_ptr_array_index(names, n);

            if (g_str_has_suffix(one, ".conf") && !g_tree_lookup(dropins, one))
                g_tree_insert(dropins, g_strdup(one), g_build_filename(directory, one, NULL));
        }
    }
    for (GTreeNode *node = g_tree_node_first(dropins); node && r >= 0; node = g_tree_node_next(node))
        r = files_add_source(sources, g_tree_node_value(node), e);
    if (r < 0)
        return r;
    *ret = g_steal_pointer(&sources);
    return 0;
}

static int files_take_timer(Import *im, const char *word, ClientError *e)
{
    bool by_name = !strchr(word, '/');
    g_autofree char *name = g_path_get_basename(word), *parent = g_path_get_dirname(word), *path = NULL;
    g_autoptr(GPtrArray) directories = files_unit_directories(im, by_name ? NULL : parent);
    g_autoptr(GPtrArray) timer = NULL, service = NULL;
    g_autofree char *unit = NULL, *service_path = NULL;
    int r;

    path = files_find_unit(directories, name);
    if (!path) {
        r = client_error_set(e, ERROR_INVALID_INPUT, _("There is no timer %s"), word);
        error_set_hint(&e->error, "%s", _("systemctl list-timers shows what there is"));
        return r;
    }
    if (g_str_has_suffix(name, "@.timer")) {
        import_lost(im, path, 0, _("name one: NAME@INSTANCE.timer"), "%s",
            _("it is a template, which fires nothing"));
        import_refuse(im, path, 0);
        return 0;
    }
    r = files_read_unit(directories, path, name, &timer, e);
    if (r < 0)
        return r;
    unit = import_timer_unit(timer);
    if (!*unit) {
        g_free(unit);
        unit = g_strdup_printf("%.*s.service", (int)(strlen(name) - strlen(".timer")), name);
    }
    service_path = files_find_unit(directories, unit);
    r = service_path ? files_read_unit(directories, service_path, unit, &service, e) : 0;
    if (r >= 0)
        import_timer(im, name, timer, service);
    return r;
}

/* --- all else --- */

static void files_take_source(Import *im, const ImportSource *source, ImportKind kind)
{
    switch (kind) {
    case IMPORT_CRONTAB:
    case IMPORT_SYSTEM_CRONTAB:
        import_crontab(im, source, kind == IMPORT_SYSTEM_CRONTAB);
        break;
    case IMPORT_ANACRONTAB:
        import_anacrontab(im, source);
        break;
    case IMPORT_AT:
        import_at(im, source);
        break;
    case IMPORT_TIMER:
    case _IMPORT_KIND_MAX:
    case _IMPORT_KIND_INVALID:
        break;
    }
}

/* What not everybody may read is not for everybody as a task either. */
static bool files_is_private(const char *path)
{
    struct stat st;

    return g_str_equal(path, "-") || stat(path, &st) < 0 || !(st.st_mode & S_IROTH);
}

/* The file of a user's crontab is named after them. */
static char *files_owner(const char *path, const char *owner)
{
    g_autofree char *parent = g_path_get_dirname(path), *directory = g_path_get_basename(parent);

    if (owner)
        return g_strdup(owner);
    if (g_str_equal(directory, "crontabs"))
        return g_path_get_basename(path);
    return g_strdup(g_get_user_name());
}

static int files_take(Import *im, const char *path, ImportKind kind, const char *owner, ClientError *e)
{
    g_autoptr(GBytes) content = NULL;
    g_autofree char *text = NULL, *name = files_owner(path, owner);
    guint before = im->tasks->len;
    ImportSource source = { .path = path, .owner = name };
    int r;

    if (kind == IMPORT_TIMER)
        return files_take_timer(im, path, e);
    r = files_read(path, &content, e);
    if (r < 0)
        return r;
    source.length = g_bytes_get_size(content);
    text = g_malloc(source.length + 1);
    if (source.length > 0)
        memcpy(text, g_bytes_get_data(content, NULL), source.length);
    text[source.length] = '\0';
    source.text = text;
    files_take_source(im, &source, kind);
    for (guint i = before; i < im->tasks->len; i++)
        ((ImportTask *)g_ptr_array_index(im->tasks, i))->private |= files_is_private(path);
    return 0;
}

static bool files_is_wanted(Import *im, const char *directory, const char *name, ImportKind kind)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);

    if (name[0] == '.' || files_is_directory(path))
        return false;
    if (kind == IMPORT_TIMER)
        return g_str_has_suffix(name, ".timer");
    if (kind != IMPORT_SYSTEM_CRONTAB ||
        !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")])
        return true;
    import_changed(im, path, 0, "", "%s", _("passed over, as cron does for its name"));
    return false;
}

static int files_take_directory(
    Import *im, const char *directory, ImportKind kind, const char *owner, ClientError *e)
{
    g_autoptr(GPtrArray) names = files_list(directory);
    int r = 0;

    for (guint i = 0; i < names->len && r >= 0; i++) {
        g_autofree char *path = g_build_filename(directory, g_ptr_array_index(names, i), NULL);

        if (files_is_wanted(im, directory, g_ptr_array_index(names, i), kind))
            r = files_take(im, path, kind, owner, e);
    }
    return r;
}

int import_files(Import *im, const char *word, ImportKind kind, const char *owner, ClientError *e)
{
    g_autofree char *path = g_strdup(word);
    size_t length = strlen(path);
    bool directory;

    while (length > 1 && path[length - 1] == '/')
        path[--length] = '\0';
    directory = files_is_directory(path);
    if (kind == _IMPORT_KIND_INVALID)
        kind = files_guess(path);
    if (kind == _IMPORT_KIND_INVALID && !directory)
        kind = IMPORT_CRONTAB;
    if (kind == _IMPORT_KIND_INVALID)
        return client_error_set(
            e, ERROR_INVALID_ARGUMENT, _("%s: --kind= has to say what files are in it"), path);
    return directory ? files_take_directory(im, path, kind, owner, e) : files_take(im, path, kind, owner, e);
}

/* --- systemd-analyze --- */

/* "   Next elapse: Sun 2026-11-29 00:00:00 CET", and if that is not UTC "(in UTC): Sat 2026-11-28 23:00:00 UTC" below it. */
static bool files_read_events(const char *text, GArray *times)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    bool pending = false;

    for (char **line = lines; *line; line++) {
        const char *colon = strstr(*line, ": ");
        bool begins =
            strstr(*line, "Next elapse: ") || strstr(*line, "Iteration #") || strstr(*line, "Iter. #");
        uint64_t usec;

        if (!colon || (!begins && !(pending && strstr(*line, "(in UTC): "))))
            continue;
        if (pending && begins)
            return false; /* the one before is in a zone, and was not told in UTC */
        if (begins && strstr(*line, ": never"))
            return true;
        pending = timespec_parse_absolute(colon + 2, &usec) < 0;
        if (!pending)
            g_array_append_val(times, usec);
    }
    return !pending;
}

static bool files_ask_events(const char *event, guint n, uint64_t now, GArray *times)
{
    g_autofree char *iterations = g_strdup_printf("--iterations=%u", n);
    g_autofree char *base = g_strdup_printf("--base-time=@%" G_GUINT64_FORMAT, now / USEC_PER_SEC);
    char *argv[] = { (char *)"systemd-analyze", (char *)"calendar", iterations, base, (char *)"--",
        (char *)event, NULL };
    g_auto(GStrv) environment = g_environ_setenv(g_get_environ(), "LC_ALL", "C", true);
    g_autofree char *out = NULL;
    int status;

    if (!g_spawn_sync(NULL, argv, environment, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
            &out, NULL, &status, NULL) ||
        status != 0)
        return false;
    return files_read_events(out, times);
}

static gint files_compare_times(gconstpointer a, gconstpointer b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

GArray *import_files_events(const GPtrArray *events, guint n, uint64_t now)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    GArray *times;

    for (guint i = 0; i < events->len; i++)
        if (!files_ask_events(g_ptr_array_index(events, i), n, now, all))
            return NULL;
    g_array_sort(all, files_compare_times);
    times = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    for (guint i = 0; i < all->len && times->len < n; i++) {
        uint64_t at = g_array_index(all, uint64_t, i);

        if (i == 0 || at != g_array_index(all, uint64_t, i - 1))
            g_array_append_val(times, at);
    }
    return times;
}
