/* Settings that give a unit files: environment files, credentials, journal fields, mounts, images and
 * directories of its own. */
#include "exec/property-encode.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>

#include "base/util.h"
#include "exec/property-names.h"
#include "exec/property-parse.h"

static GVariant *bytes_new(const void *data, gsize n)
{
    return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, data, n, 1);
}

static void add_list(const Property *p, const char *name, const char *type, GVariant *entry, PropertyOut *out)
{
    property_out_add(out, p, name, g_variant_new_array(G_VARIANT_TYPE(type), &entry, entry ? 1 : 0));
}

int property_files_environment_file(const Property *p, const char *value, PropertyOut *out)
{
    bool optional = *value == '-';

    if (*value && !property_parse_is_path(value + optional))
        return property_out_refuse(out, p, value, "an absolute path, with - before it if it may be missing");
    add_list(p, "EnvironmentFiles", "(sb)", *value ? g_variant_new("(sb)", value + optional, optional) : NULL,
        out);
    return 0;
}

/* "NAME:REST" of a credential: 0, or -EINVAL. *ret_rest is NULL where there is no colon. */
static int split_credential(const char *value, char **ret_name, const char **ret_rest)
{
    *ret_rest = value;
    if (property_parse_word(ret_rest, ":", PROPERTY_WORD_EXACT, ret_name) <= 0)
        return -EINVAL;
    return property_parse_is_credential(*ret_name) ? 0 : -EINVAL;
}

/* The text behind the colon may be a secret: it is never shown. */
int property_files_set_credential(const Property *p, const char *value, PropertyOut *out)
{
    g_autoptr(GByteArray) data = NULL;
    g_autofree char *name = NULL;
    const char *rest;
    int r;

    if (!*value) {
        add_list(p, NULL, "(say)", NULL, out);
        return 0;
    }
    if (split_credential(value, &name, &rest) < 0 || !rest)
        return property_out_refuse(out, p, NULL, "a name, a colon and the credential");
    if (p->flags & PROPERTY_ENCRYPTED)
        r = property_parse_base64(rest, &data);
    else
        r = property_parse_unescape(rest, &data);
    if (r < 0)
        return property_out_refuse(out, p, NULL,
            p->flags & PROPERTY_ENCRYPTED ? "a name, a colon and Base64"
                                          : "a name, a colon and text with C escapes (\\\\ is a backslash)");
    add_list(p, NULL, "(say)", g_variant_new("(s@ay)", name, bytes_new(data->data, data->len)), out);
    return 0;
}

/* Without a path, PID 1 looks for the credential where it keeps those it was given itself. */
int property_files_load_credential(const Property *p, const char *value, PropertyOut *out)
{
    g_autofree char *name = NULL;
    const char *path;

    if (!*value) {
        add_list(p, NULL, "(ss)", NULL, out);
        return 0;
    }
    if (split_credential(value, &name, &path) < 0 || (path && !*path))
        return property_out_refuse(out, p, value, "a name, or a name, a colon and a path");
    add_list(p, NULL, "(ss)", g_variant_new("(ss)", name, path ? path : value), out);
    return 0;
}

int property_files_import_credential(const Property *p, const char *value, PropertyOut *out)
{
    const char *colon = strchr(value, ':');
    g_autofree char *glob = colon ? g_strndup(value, (gsize)(colon - value)) : g_strdup(value);
    g_autofree char *plain = NULL;

    if (!*value) {
        add_list(p, NULL, "s", NULL, out);
        return 0;
    }
    plain = g_str_has_suffix(glob, "*") ? g_strndup(glob, strlen(glob) - 1) : g_strdup(glob);
    if (strpbrk(plain, "*?[]") || (*plain && !property_parse_is_credential(plain)) || !*glob ||
        (colon && !property_parse_is_credential(colon + 1)))
        return property_out_refuse(out, p, value, "the name of a credential, which may end with *");
    if (colon)
        add_list(p, "ImportCredentialEx", "(ss)", g_variant_new("(ss)", glob, colon + 1), out);
    else
        add_list(p, NULL, "s", g_variant_new_string(value), out);
    return 0;
}

static bool is_journal_field(const char *s)
{
    size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    return n > 0 && n <= 64 && s[n] == '=' && s[0] != '_' && !g_ascii_isdigit(s[0]);
}

int property_files_log_field(const Property *p, const char *value, PropertyOut *out)
{
    if (*value && !is_journal_field(value))
        return property_out_refuse(out, p, value, "a journal field such as NAME=value, the name in capitals");
    add_list(p, NULL, "ay", *value ? bytes_new(value, strlen(value)) : NULL, out);
    return 0;
}

int property_files_log_pattern(const Property *p, const char *value, PropertyOut *out)
{
    bool deny = *value == '~';

    add_list(p, NULL, "(bs)", *value ? g_variant_new("(bs)", !deny, value + deny) : NULL, out);
    return 0;
}

/* One [-]SOURCE[:DESTINATION[:rbind|norbind]] from *s: 1, 0 at the end, or -EINVAL. */
static int next_bind(const char **s, GVariant **ret)
{
    const unsigned exact = PROPERTY_WORD_UNQUOTE | PROPERTY_WORD_EXACT;
    g_autofree char *source = NULL, *destination = NULL, *options = NULL;
    guint64 flags = MS_REC;
    int r = property_parse_word(s, ":" PROPERTY_SPACE, exact, &source);
    bool optional;

    if (r <= 0)
        return r;
    if (*s && (*s)[-1] == ':') {
        if (property_parse_word(s, ":" PROPERTY_SPACE, exact, &destination) <= 0)
            return -EINVAL;
        if (*s && (*s)[-1] == ':' &&
            property_parse_word(s, PROPERTY_SPACE, PROPERTY_WORD_UNQUOTE, &options) < 0)
            return -EINVAL;
    }
    if (options && strcmp(options, "norbind") == 0)
        flags = 0;
    else if (options && *options && strcmp(options, "rbind") != 0)
        return -EINVAL;
    optional = *source == '-';
    if (!destination)
        destination = g_strdup(source + optional);
    if (!property_parse_is_path(source + optional) || !property_parse_is_path(destination))
        return -EINVAL;
    *ret = g_variant_new("(ssbt)", source + optional, destination, optional, flags);
    return 1;
}

int property_files_bind(const Property *p, const char *value, PropertyOut *out)
{
    g_auto(GVariantBuilder) list = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(ssbt)"));
    const char *s = value;
    GVariant *entry;
    int r = 0;

    while (s && *(s += strspn(s, PROPERTY_SPACE)) && (r = next_bind(&s, &entry)) > 0)
        g_variant_builder_add_value(&list, entry);
    if (r < 0)
        return property_out_refuse(out, p, value, "absolute paths such as /from:/to or -/optional");
    property_out_add(out, p, NULL, g_variant_builder_end(&list));
    return 0;
}

int property_files_tmpfs(const Property *p, const char *value, PropertyOut *out)
{
    g_auto(GVariantBuilder) list = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(ss)"));
    g_auto(GStrv) words = NULL;

    if (property_parse_words(value, PROPERTY_SPACE, PROPERTY_WORD_UNQUOTE, &words) < 0)
        return property_out_refuse_syntax(out, p);
    for (char **w = words; *w; w++) {
        char *colon = strchr(*w, ':');

        if (colon)
            *colon = 0;
        if (!property_parse_is_path(*w))
            return property_out_refuse(out, p, *w, "absolute paths such as /var or /var:size=10M");
        g_variant_builder_add(&list, "(ss)", *w, colon ? colon + 1 : "");
    }
    property_out_add(out, p, NULL, g_variant_builder_end(&list));
    return 0;
}

/* The parts of one word between colons; an escaped colon is part of a part. */
static int split_parts(const char *word, char ***ret)
{
    return property_parse_words(word, ":", PROPERTY_WORD_UNESCAPE | PROPERTY_WORD_SEPARATORS, ret);
}

static int read_tuples(const char *value, char ***ret)
{
    return property_parse_words(
        value, PROPERTY_SPACE, PROPERTY_WORD_UNQUOTE | PROPERTY_WORD_KEEP_ESCAPES, ret);
}

int property_files_image_options(const Property *p, const char *value, PropertyOut *out)
{
    static const char takes[] = "mount options, each with its partition before it, such as root:ro";
    g_auto(GVariantBuilder) list = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(ss)"));
    g_auto(GStrv) tuples = NULL;

    if (read_tuples(value, &tuples) < 0)
        return property_out_refuse_syntax(out, p);
    for (char **t = tuples; *t; t++) {
        g_auto(GStrv) parts = NULL;
        int r = split_parts(*t, &parts);
        guint n = r < 0 ? 0 : g_strv_length(parts);

        if (r < 0 || n > 2)
            return property_out_refuse(out, p, *t, takes);
        if (n > 0)
            g_variant_builder_add(&list, "(ss)", n == 2 ? parts[0] : "root", parts[n - 1]);
    }
    property_out_add(out, p, NULL, g_variant_builder_end(&list));
    return 0;
}

/* PARTITION:OPTIONS pairs from parts on; a last one without its pair is for the root partition. */
static void add_image_options(GVariantBuilder *list, char **parts)
{
    g_variant_builder_open(list, G_VARIANT_TYPE("a(ss)"));
    for (; parts[0]; parts += 2) {
        g_variant_builder_add(list, "(ss)", parts[1] ? parts[0] : "root", parts[1] ? parts[1] : parts[0]);
        if (!parts[1])
            break;
    }
    g_variant_builder_close(list);
}

static int add_images(
    const Property *p, const char *value, bool destination, const char *takes, PropertyOut *out)
{
    g_auto(GVariantBuilder) list =
        G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE(destination ? "a(ssba(ss))" : "a(sba(ss))"));
    g_auto(GStrv) tuples = NULL;

    if (read_tuples(value, &tuples) < 0)
        return property_out_refuse_syntax(out, p);
    for (char **t = tuples; *t; t++) {
        g_auto(GStrv) parts = NULL;
        bool optional;

        if (split_parts(*t, &parts) < 0 || !parts[0] || (destination && !parts[1]))
            return property_out_refuse(out, p, *t, takes);
        optional = parts[0][0] == '-';
        if (!property_parse_is_path(parts[0] + optional) ||
            (destination && !property_parse_is_path(parts[1])))
            return property_out_refuse(out, p, *t, takes);
        g_variant_builder_open(&list, G_VARIANT_TYPE(destination ? "(ssba(ss))" : "(sba(ss))"));
        g_variant_builder_add(&list, "s", parts[0] + optional);
        if (destination)
            g_variant_builder_add(&list, "s", parts[1]);
        g_variant_builder_add(&list, "b", optional);
        add_image_options(&list, parts + 1 + destination);
        g_variant_builder_close(&list);
    }
    property_out_add(out, p, NULL, g_variant_builder_end(&list));
    return 0;
}

int property_files_images(const Property *p, const char *value, PropertyOut *out)
{
    return add_images(p, value, true, "images and where they go, such as /image.raw:/srv", out);
}

int property_files_extensions(const Property *p, const char *value, PropertyOut *out)
{
    return add_images(p, value, false, "absolute paths of images", out);
}

/* Without doubled and trailing slashes, and without "./", as PID 1 wants to see it. */
static char *simplify(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    GString *s = g_string_new(NULL);

    for (char **p = parts; *p; p++) {
        if (!**p || strcmp(*p, ".") == 0)
            continue;
        if (s->len > 0)
            g_string_append_c(s, '/');
        g_string_append(s, *p);
    }
    return g_string_free(s, FALSE);
}

/* DIRECTORY[:SYMLINK[:ro]]: the plain ones are one property, the others another, since the type of the first
 * was there before them. */
int property_files_directories(const Property *p, const char *value, PropertyOut *out)
{
    static const char takes[] = "relative paths, and symbolic links to them, such as foo or foo:bar";
    g_auto(GVariantBuilder) plain = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("as"));
    g_auto(GVariantBuilder) linked = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(sst)"));
    g_autofree char *linked_name = g_strconcat(p->key, "Symlink", NULL);
    guint n_plain = 0, n_linked = 0;
    g_auto(GStrv) words = NULL;

    if (property_parse_words(value, PROPERTY_SPACE, PROPERTY_WORD_UNQUOTE, &words) < 0)
        return property_out_refuse_syntax(out, p);
    for (char **w = words; *w; w++) {
        g_auto(GStrv) parts = g_strsplit(*w, ":", -1);
        guint n = g_strv_length(parts);
        const char *link = n > 1 ? parts[1] : "", *flag = n > 2 ? parts[2] : "";
        g_autofree char *directory = simplify(n > 0 ? parts[0] : ""), *target = simplify(link);

        if (n < 1 || n > 3 || !property_parse_is_subdirectory(parts[0]) ||
            (*flag && strcmp(flag, "ro") != 0) || (*link && !property_parse_is_subdirectory(link)))
            return property_out_refuse(out, p, *w, takes);
        if (*link || *flag) {
            g_variant_builder_add(&linked, "(sst)", directory, target, (guint64)(*flag ? 1 : 0));
            n_linked++;
        } else {
            g_variant_builder_add(&plain, "s", directory);
            n_plain++;
        }
    }
    if (n_plain > 0 || n_linked == 0)
        property_out_add(out, p, NULL, g_variant_builder_end(&plain));
    if (n_linked > 0)
        property_out_add(out, p, linked_name, g_variant_builder_end(&linked));
    return 0;
}
