/* Reads the files of tasks and calendars and their drop-ins by the rules of unit files: the first directory that has a name wins,
 * drop-ins of all directories are merged by file name, and a link to /dev/null or an empty file masks. */
#include "core/loader.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/utf8.h"
#include "core/internal.h"
#include "model/almanac.h"

/* Of a file, and of all that belongs to a task: with more it is refused. */
#define FILE_MAX     ((size_t)1024 * 1024)
#define TOGETHER_MAX (4 * FILE_MAX)

#define CALENDAR_SUFFIX ".calendar"

/* name → path of the file that counts; sorted by name. */
static void helper_collect(GTree *found, const char *directory, const char *suffix)
{
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir)))
        if (g_str_has_suffix(name, suffix) && *name != '.' && !g_tree_lookup(found, name))
            g_tree_insert(found, g_strdup(name), g_build_filename(directory, name, NULL));
}

static GTree *helper_tree_new(void)
{
    return g_tree_new_full((GCompareDataFunc)(void (*)(void))strcmp, NULL, g_free, g_free);
}

static bool helper_is_mask(const struct stat *st)
{
    return S_ISCHR(st->st_mode) || (S_ISREG(st->st_mode) && st->st_size == 0);
}

static void helper_add_string(JsonBuilder *b, const char *name, const char *value)
{
    g_autofree char *valid = utf8_make_valid(value);

    json_builder_set_member_name(b, name);
    json_builder_add_string_value(b, valid);
}

static size_t helper_read(int fd, char *data, size_t room, const char **trouble)
{
    size_t n = 0;

    while (n < room) {
        ssize_t k = read(fd, data + n, room - n);

        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            *trouble = g_strerror(errno);
        if (k <= 0)
            break;
        n += (size_t)k;
    }
    return n;
}

/* A file's content as a member "Data", which is counted in *total. One byte more than is allowed is read, so that what
 * is too large is seen to be, by itself or with all that came before. What cannot be read is told by "Error". kept gets those
 * that could be, of TaskSource; NULL: nobody wants them. */
static void helper_add_source(JsonBuilder *b, const char *path, size_t *total, GPtrArray *kept)
{
    _cleanup_(util_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    g_autofree char *data = NULL;
    g_autofree char *text = NULL;
    const char *trouble = NULL;
    size_t n, room = MIN(FILE_MAX, TOGETHER_MAX - MIN(*total, TOGETHER_MAX)) + 1;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        trouble = g_strerror(errno);
    else if (helper_is_mask(&st))
        return;
    else if (!S_ISREG(st.st_mode))
        trouble = "not a regular file";
    else if (!utf8_is_valid(path))
        trouble = "the name is not UTF-8";
    if (!trouble) {
        data = g_malloc(room);
        n = helper_read(fd, data, room, &trouble);
        text = g_base64_encode((const unsigned char *)data, n);
        *total += n;
        if (kept && !trouble)
            g_ptr_array_add(kept, task_source_new(path, data, n));
    }
    json_builder_begin_object(b);
    helper_add_string(b, "Path", path);
    helper_add_string(b, trouble ? "Error" : "Data", trouble ? trouble : text);
    json_builder_end_object(b);
}

static void helper_add_dropins(
    JsonBuilder *b, char **directories, const char *file, size_t *total, GPtrArray *kept)
{
    g_autofree char *folder = g_strconcat(file, ".d", NULL);
    g_autoptr(GTree) found = helper_tree_new();

    for (char **d = directories; *d; d++) {
        g_autofree char *path = g_build_filename(*d, folder, NULL);

        helper_collect(found, path, ".conf");
    }
    for (GTreeNode *n = g_tree_node_first(found); n; n = g_tree_node_next(n))
        helper_add_source(b, g_tree_node_value(n), total, kept);
}

/* What the calendar's own files name; each once. */
static void helper_add_events(JsonBuilder *b, const GPtrArray *own, size_t *total)
{
    g_autoptr(GHashTable) added = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < own->len; i++) {
        g_autoptr(GPtrArray) named = almanac_files(g_ptr_array_index(own, i));

        for (guint j = 0; j < named->len; j++) {
            const char *path = g_intern_string(g_ptr_array_index(named, j));

            if (g_hash_table_add(added, (gpointer)path))
                helper_add_source(b, path, total, NULL);
        }
    }
}

/* A line for one task or calendar. */
static int helper_write_file(char **directories, const char *file, const char *suffix, const char *path)
{
    g_autofree char *name = g_strndup(file, strlen(file) - strlen(suffix)), *text = NULL;
    g_autoptr(JsonBuilder) b = NULL;
    g_autoptr(JsonNode) root = NULL;
    bool calendar = g_str_equal(suffix, CALENDAR_SUFFIX);
    g_autoptr(GPtrArray) kept =
        calendar ? g_ptr_array_new_with_free_func((GDestroyNotify)task_source_free) : NULL;
    size_t total = 0;
    struct stat st;

    if (stat(path, &st) >= 0 && helper_is_mask(&st))
        return 0;
    b = json_builder_new();
    json_builder_begin_object(b);
    helper_add_string(b, "Name", name);
    json_builder_set_member_name(b, "Calendar");
    json_builder_add_boolean_value(b, calendar);
    json_builder_set_member_name(b, "Sources");
    json_builder_begin_array(b);
    helper_add_source(b, path, &total, kept);
    helper_add_dropins(b, directories, file, &total, kept);
    if (calendar)
        helper_add_events(b, kept, &total);
    json_builder_end_array(b);
    json_builder_end_object(b);
    root = json_builder_get_root(b);
    text = json_to_string(root, FALSE);
    return printf("%s\n", text);
}

static int helper_write_all(char **directories, const char *suffix)
{
    g_autoptr(GTree) found = helper_tree_new();

    for (char **d = directories; *d; d++)
        helper_collect(found, *d, suffix);
    for (GTreeNode *n = g_tree_node_first(found); n; n = g_tree_node_next(n))
        if (helper_write_file(directories, g_tree_node_key(n), suffix, g_tree_node_value(n)) < 0)
            return -EIO;
    return 0;
}

int loader_helper_main(int argc, char **argv)
{
    char **calendars = argv;

    while (*calendars && !g_str_equal(*calendars, LOADER_CALENDARS))
        calendars++;
    if (*calendars)
        *calendars++ = NULL;
    if (helper_write_all(calendars, CALENDAR_SUFFIX) < 0 || helper_write_all(argv, ".task") < 0)
        return 1;
    return fflush(stdout) == 0 ? 0 : 1;
}
