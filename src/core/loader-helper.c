/* Reads task files and their drop-ins by the rules of unit files: the first directory that has a name wins,
 * drop-ins of all directories are merged by file name, and a link to /dev/null or an empty file masks. */
#include "core/loader.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/utf8.h"
#include "core/internal.h"

#define FILE_MAX (1024 * 1024)

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

/* A file's content as a member "Data"; false where it is a mask. One byte more than is allowed is read, so
 * that a file that is too large is seen to be. What cannot be read is told by "Error". */
static bool helper_add_source(JsonBuilder *b, const char *path)
{
    _cleanup_(util_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    g_autofree unsigned char *data = NULL;
    g_autofree char *text = NULL;
    const char *trouble = NULL;
    struct stat st;
    size_t n = 0;

    if (fd < 0 || fstat(fd, &st) < 0)
        trouble = g_strerror(errno);
    else if (helper_is_mask(&st))
        return false;
    else if (!S_ISREG(st.st_mode))
        trouble = "not a regular file";
    else if (!utf8_is_valid(path))
        trouble = "the name is not UTF-8";
    if (!trouble) {
        data = g_malloc(FILE_MAX + 1);
        for (ssize_t k = 1; k > 0 && n < FILE_MAX + 1; n += (size_t)MAX(k, 0))
            k = read(fd, data + n, FILE_MAX + 1 - n);
        text = g_base64_encode(data, n);
    }
    json_builder_begin_object(b);
    helper_add_string(b, "Path", path);
    helper_add_string(b, trouble ? "Error" : "Data", trouble ? trouble : text);
    json_builder_end_object(b);
    return true;
}

static void helper_add_dropins(JsonBuilder *b, char **directories, const char *file)
{
    g_autofree char *folder = g_strconcat(file, ".d", NULL);
    g_autoptr(GTree) found = helper_tree_new();

    for (char **d = directories; *d; d++) {
        g_autofree char *path = g_build_filename(*d, folder, NULL);

        helper_collect(found, path, ".conf");
    }
    for (GTreeNode *n = g_tree_node_first(found); n; n = g_tree_node_next(n))
        helper_add_source(b, g_tree_node_value(n));
}

static void helper_add_file(JsonBuilder *b, char **directories, const char *file, const char *path)
{
    g_autofree char *name = g_strndup(file, strlen(file) - strlen(".task"));
    struct stat st;

    if (stat(path, &st) >= 0 && helper_is_mask(&st))
        return;
    json_builder_begin_object(b);
    helper_add_string(b, "Name", name);
    json_builder_set_member_name(b, "Sources");
    json_builder_begin_array(b);
    helper_add_source(b, path);
    helper_add_dropins(b, directories, file);
    json_builder_end_array(b);
    json_builder_end_object(b);
}

int loader_helper_main(int argc, char **argv)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    g_autoptr(GTree) found = helper_tree_new();
    g_autoptr(JsonNode) root = NULL;
    g_autofree char *text = NULL;

    json_builder_begin_array(b);
    for (char **d = argv; *d; d++)
        helper_collect(found, *d, ".task");
    for (GTreeNode *n = g_tree_node_first(found); n; n = g_tree_node_next(n))
        helper_add_file(b, argv, g_tree_node_key(n), g_tree_node_value(n));
    json_builder_end_array(b);
    root = json_builder_get_root(b);
    text = json_to_string(root, FALSE);
    return fputs(text, stdout) < 0 || fflush(stdout) != 0 ? 1 : 0;
}
