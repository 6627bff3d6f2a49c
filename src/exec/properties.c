/* What a task may say in [Service]: judged here, and turned into properties of a transient unit. */
#include "exec/properties.h"

#include <errno.h>
#include <string.h>

#include "base/suggest.h"
#include "base/utf8.h"
#include "base/util.h"
#include "exec/property-names.h"
#include "exec/property-parse.h"
#include "exec/property-table.h"

/* Settings the daemon stands on, or that a transient unit cannot have. */
static const struct {
    const char *key;
    PropertyVerdict verdict;
    const char *reason;
} refused[] = {
    { "CollectMode", PROPERTY_OWN, "a unit is kept until its end is recorded" },
    { "ExecCondition", PROPERTY_OWN, "a task runs one command, the one in ExecStart=" },
    { "ExecReload", PROPERTY_OWN, "a run is never reloaded" },
    { "ExecStart", PROPERTY_OWN, "the command is given once, with the inputs of the run filled in" },
    { "ExecStartPost", PROPERTY_OWN, "a task runs one command, the one in ExecStart=" },
    { "ExecStartPre", PROPERTY_OWN, "a task runs one command, the one in ExecStart=" },
    { "ExecStop", PROPERTY_OWN, "a run is ended by KillSignal=" },
    { "ExecStopPost", PROPERTY_OWN, "a task runs one command, the one in ExecStart=" },
    { "LogNamespace", PROPERTY_OWN, "the journal is where output and lost ends are looked up" },
    { "NotifyAccess", PROPERTY_OWN, "it is \"all\", so that every process of a run can tell its progress" },
    { "RemainAfterExit", PROPERTY_OWN,
        "it is \"yes\", so that the end of a run stays known until it is recorded" },
    { "Restart", PROPERTY_OWN, "retries are counted and recorded; use Retries= in [Task]" },
    { "RestartForceExitStatus", PROPERTY_OWN, "use RetryOn= in [Task]" },
    { "RestartMaxDelaySec", PROPERTY_OWN, "use RetryDelay= in [Task]" },
    { "RestartMode", PROPERTY_OWN, "use Retries= in [Task]" },
    { "RestartPreventExitStatus", PROPERTY_OWN, "use NoRetryOn= in [Task]" },
    { "RestartSec", PROPERTY_OWN, "use RetryDelay= in [Task]" },
    { "RestartSteps", PROPERTY_OWN, "use RetryDelay= in [Task]" },
    { "RuntimeMaxSec", PROPERTY_OWN, "use Timeout= in [Task]" },
    { "Slice", PROPERTY_OWN, "it is made from Queue= in [Task]" },
    { "TimeoutCleanSec", PROPERTY_UNKNOWN, NULL },
    { "TimeoutSec", PROPERTY_OWN, "use Timeout= in [Task] for the run, TimeoutStopSec= for its end" },
    { "TimeoutStartSec", PROPERTY_OWN, "use Timeout= in [Task]" },
    { "Type", PROPERTY_OWN, "it is \"exec\", so that a command that cannot be executed is told apart" },
};

static char *own_reason(const char *key, const char *because)
{
    return g_strdup_printf("%s= is set by taskschedd itself: %s.", key, because);
}

/* Whether a value of Set-, Load- or ImportCredential= makes a credential that is the input's. */
static bool is_input_credential(const char *key, const char *value)
{
    g_autofree char *name = NULL, *renamed = NULL;

    if (property_parse_word(&value, ":", PROPERTY_WORD_EXACT, &name) <= 0)
        return false;
    if (strcmp(key, "ImportCredential") == 0 && value)
        property_parse_word(&value, ":", PROPERTY_WORD_EXACT, &renamed);
    if (renamed && (strcmp(renamed, "input") == 0 || g_str_has_prefix(renamed, "input.")))
        return true;
    return strcmp(name, "input") == 0 || g_str_has_prefix(name, "input.");
}

/* Values of settings that are otherwise free. */
static char *own_value(const char *key, const char *value)
{
    bool yes;
    int64_t level;

    if (strcmp(key, "KillMode") == 0 && (strcmp(value, "process") == 0 || strcmp(value, "none") == 0))
        return g_strdup("KillMode= takes control-group or mixed: a run is ended with all its processes.");
    if (strcmp(key, "SendSIGKILL") == 0 && property_parse_boolean(value, &yes) == 0 && !yes)
        return g_strdup("SendSIGKILL= takes yes: a run that does not end is killed after its grace.");
    if (strcmp(key, "LogLevelMax") == 0 &&
        (property_names_find(property_names_log_level, value, &level) == 0 ||
            property_parse_i64(value, &level) == 0) &&
        level >= 0 && level < 6)
        return g_strdup(
            "LogLevelMax= takes info or debug: below them the end of a run is not in the journal.");
    if ((g_str_has_suffix(key, "Credential") || g_str_has_suffix(key, "CredentialEncrypted")) &&
        is_input_credential(key, value))
        return g_strdup_printf(
            "%s= must not name a credential \"input\" or \"input.…\": the input of the run "
            "comes by these names. Take another.",
            key);
    return NULL;
}

static char *unknown_reason(const char *key)
{
    g_autofree char *valid = utf8_make_valid(key);
    g_autoptr(GPtrArray) names = g_ptr_array_sized_new((guint)property_table_n);
    const char *nearest;

    for (size_t i = 0; i < property_table_n; i++)
        g_ptr_array_add(names, (gpointer)property_table[i].key);
    nearest = suggest_nearest(key, names);
    if (nearest)
        return g_strdup_printf("%s= is not a setting of a task; did you mean %s=?", valid, nearest);
    return g_strdup_printf("%s= is not a setting of a task; see systemd.exec(5), systemd.kill(5) and "
                           "systemd.resource-control(5) for what there is.",
        valid);
}

/* Everything there is to say about one setting: out has the assignments, or the reason. */
static PropertyVerdict judge(const char *key, const char *value, PropertyOut *out)
{
    const Property *p = property_table_find(key);

    ARRAY_FOREACH (r, refused)
        if (strcmp(r->key, key) == 0) {
            out->reason =
                r->reason ? own_reason(key, r->reason)
                          : g_strdup_printf("%s= cannot be set for a transient unit, which a run is.", key);
            return r->verdict;
        }
    if (!p) {
        out->reason = unknown_reason(key);
        return PROPERTY_UNKNOWN;
    }
    if (!utf8_is_valid(value)) {
        out->reason = g_strdup_printf("The value of %s= is not UTF-8.", key);
        return PROPERTY_INVALID;
    }
    out->reason = own_value(key, value);
    if (out->reason)
        return PROPERTY_OWN;
    return p->encode(p, value, out) < 0 ? PROPERTY_INVALID : PROPERTY_OK;
}

PropertyVerdict properties_check(const char *key, const char *value, char **ret_reason)
{
    g_auto(PropertyOut) out = { 0 };
    PropertyVerdict verdict;

    property_out_init(&out);
    verdict = judge(key, value, &out);
    if (ret_reason)
        *ret_reason = g_steal_pointer(&out.reason);
    return verdict;
}

static int append_basic(sd_bus_message *m, char type, GVariant *v)
{
    int b;

    if (type == 's')
        return sd_bus_message_append_basic(m, type, g_variant_get_string(v, NULL));
    if (type == 'b') {
        b = g_variant_get_boolean(v);
        return sd_bus_message_append_basic(m, type, &b);
    }
    /* The numbers look alike in both. */
    return sd_bus_message_append_basic(m, type, g_variant_get_data(v));
}

/* A GVariant as D-Bus has it. */
static int append_variant(sd_bus_message *m, GVariant *v)
{
    const char *type = g_variant_get_type_string(v);
    g_autofree char *contents = NULL;
    char container = *type;
    int r;

    if (!g_variant_is_container(v))
        return append_basic(m, *type, v);
    if (strcmp(type, "ay") == 0) {
        gsize n;
        const void *data = g_variant_get_fixed_array(v, &n, 1);

        return sd_bus_message_append_array(m, 'y', data, n);
    }
    if (container == '(') {
        container = 'r';
        contents = g_strndup(type + 1, strlen(type) - 2);
    } else if (container == 'v') {
        g_autoptr(GVariant) child = g_variant_get_variant(v);

        contents = g_strdup(g_variant_get_type_string(child));
    } else
        contents = g_strdup(type + 1);
    r = sd_bus_message_open_container(m, container, contents);
    for (gsize i = 0; r >= 0 && i < g_variant_n_children(v); i++) {
        g_autoptr(GVariant) child = g_variant_get_child_value(v, i);

        r = append_variant(m, child);
    }
    return r < 0 ? r : sd_bus_message_close_container(m);
}

int properties_append(sd_bus_message *m, const char *key, const char *value)
{
    static const int errors[] = {
        [PROPERTY_OK] = 0,
        [PROPERTY_UNKNOWN] = -ENOENT,
        [PROPERTY_OWN] = -EPERM,
        [PROPERTY_INVALID] = -EINVAL,
    };
    g_auto(PropertyOut) out = { 0 };
    int r;

    property_out_init(&out);
    r = errors[judge(key, value, &out)];
    for (guint i = 0; r >= 0 && i < out.assignments->len; i++)
        r = append_variant(m, g_ptr_array_index(out.assignments, i));
    return MIN(r, 0);
}

const char *const *properties_keys(void)
{
    static const char **keys;

    if (g_once_init_enter(&keys)) {
        const char **all = g_new0(const char *, property_table_n + 1);

        for (size_t i = 0; i < property_table_n; i++)
            all[i] = property_table[i].key;
        g_once_init_leave(&keys, all);
    }
    return keys;
}
