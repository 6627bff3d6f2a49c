/* From words to what is asked for: key=value, key=@FILE, key=@-, key=@@literal, --input and the rest. */
#include <string.h>
#include <systemd/sd-id128.h>

#include "ctl/ask.h"
#include "base/utf8.h"
#include "ctl/files.h"
#include "lib/i18n.h"
#include "model/json.h"
#include "model/timespec.h"

void ask_clear(Ask *a)
{
    g_clear_pointer(&a->texts, g_hash_table_unref);
    g_clear_pointer(&a->files, g_hash_table_unref);
    g_clear_pointer(&a->meta, g_hash_table_unref);
    g_clear_pointer(&a->json, g_free);
    g_clear_pointer(&a->raw, g_bytes_unref);
    g_clear_pointer(&a->not_json, g_free);
}

/* Standard input can be read once. */
static int ask_read(const char *path, bool *stdin_used, GBytes **ret, ClientError *e)
{
    if (g_str_equal(path, "-")) {
        if (*stdin_used)
            return client_error_set(e, ERROR_INVALID_ARGUMENT, _("Standard input is named twice"));
        *stdin_used = true;
    }
    return files_read(path, ret, e);
}

static int ask_add_word(Ask *a, const char *word, bool *stdin_used, ClientError *e)
{
    g_autofree char *key = NULL;
    const char *value;
    int r;

    if (args_split(word, &key, &value) < 0)
        return client_error_set(e, ERROR_INVALID_ARGUMENT, _("\"%s\" is not of the form key=value"), word);
    if (!utf8_is_valid(key))
        return client_error_set(e, ERROR_INVALID_INPUT, _("The name of an input is not UTF-8"));
    if (g_hash_table_contains(a->texts, key) || g_hash_table_contains(a->files, key))
        return client_error_set(e, ERROR_INVALID_INPUT, _("Input %s is given twice"), key);
    if (value[0] == '@' && value[1] != '@') {
        GBytes *content = NULL;

        r = ask_read(value + 1, stdin_used, &content, e);
        if (r >= 0)
            g_hash_table_insert(a->files, g_steal_pointer(&key), content);
        return r;
    }
    if (!utf8_is_valid(value)) {
        r = client_error_set(e, ERROR_INVALID_INPUT, _("The value of input %s is not UTF-8"), key);
        error_set_hint(&e->error, _("Bytes of any kind are given to a file input as %s=@FILE"), key);
        return r;
    }
    g_hash_table_insert(a->texts, g_steal_pointer(&key), (char *)value + (value[0] == '@'));
    return 0;
}

/* Text that came as an argument is for the daemon to judge; a file may be anything, for tasks that take
 * bytes. */
static int ask_add_input(Ask *a, const char *value, bool *stdin_used, ClientError *e)
{
    g_autoptr(GBytes) content = NULL;
    g_autoptr(JsonNode) node = NULL;
    const char *data;
    size_t size;
    int r;

    if (value[0] != '@') {
        if (!utf8_is_valid(value))
            return client_error_set(e, ERROR_INVALID_INPUT, _("--input is not UTF-8"));
        a->json = g_strdup(value);
        return 0;
    }
    r = ask_read(value + 1, stdin_used, &content, e);
    if (r < 0)
        return r;
    data = util_strempty(g_bytes_get_data(content, &size));
    if (json_read(data, size, &node, &a->not_json) >= 0)
        a->json = g_strndup(data, size);
    else
        a->raw = g_steal_pointer(&content);
    return 0;
}

static int ask_add_meta(Ask *a, const GPtrArray *given, ClientError *e)
{
    for (guint i = 0; given && i < given->len; i++) {
        const char *word = g_ptr_array_index(given, i), *value;
        char *key;

        if (!utf8_is_valid(word))
            return client_error_set(e, ERROR_INVALID_INPUT, _("A value of --meta is not UTF-8"));
        if (args_split(word, &key, &value) < 0)
            return client_error_set(
                e, ERROR_INVALID_ARGUMENT, _("--%s: \"%s\" is not of the form key=value"), "meta", word);
        g_hash_table_insert(a->meta, key, (char *)value);
    }
    return 0;
}

static int ask_add_options(Ask *a, const Args *args, uint64_t now, ClientError *e)
{
    const char *at = args_get(args, "at"), *priority = args_get(args, "priority");
    const char *token = args_get(args, "token");
    int64_t number;
    sd_id128_t id;
    int r;

    if (at && timespec_parse_instant(at, now, &a->at) < 0)
        return client_error_set(e, ERROR_INVALID_ARGUMENT, _("--%s: \"%s\" is no time"), "at", at);
    if (priority) {
        if (args_number(priority, -1000, 1000, &number) < 0)
            return client_error_set(
                e, ERROR_INVALID_ARGUMENT, _("--priority: \"%s\" is no number from -1000 to 1000"), priority);
        a->priority = (int)number;
        a->has_priority = true;
    }
    if (token && (!*token || strlen(token) > 128 || !utf8_is_valid(token)))
        return client_error_set(e, ERROR_INVALID_ARGUMENT, _("--token: 1 to 128 bytes of text"));
    a->token = token;
    if (!token) {
        r = sd_id128_randomize(&id);
        if (r < 0)
            return client_error_set(e, ERROR_FAILED, _("No random number: %s"), g_strerror(-r));
        sd_id128_to_string(id, a->made_token);
    }
    return 0;
}

int ask_from_args(const Args *args, uint64_t now, Ask *ret, ClientError *e)
{
    g_auto(Ask) a = { 0 };
    const char *input = args_get(args, "input");
    bool stdin_used = false;
    int r = 0;

    a.task = g_ptr_array_index(args->words, 0);
    a.texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    a.files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
    a.meta = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!utf8_is_valid(a.task))
        return client_error_set(e, ERROR_NO_SUCH_TASK, _("The task's name is not UTF-8"));
    for (guint i = 1; r >= 0 && i < args->words->len; i++)
        r = ask_add_word(&a, g_ptr_array_index(args->words, i), &stdin_used, e);
    if (r >= 0 && input)
        r = ask_add_input(&a, input, &stdin_used, e);
    if (r >= 0)
        r = ask_add_meta(&a, args_all(args, "meta"), e);
    if (r >= 0)
        r = ask_add_options(&a, args, now, e);
    if (r < 0)
        return r;
    *ret = a;
    a = (Ask){ 0 };
    return 0;
}
