/* The key of this host and what is done with it. */
#include "core/secrets.h"

#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "model/json.h"

#define KEY_BYTES   crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define MAC_BYTES   crypto_aead_xchacha20poly1305_ietf_ABYTES

/* A stored value that is an object with this one member is a sealed one. */
#define SEALED "sealed"

struct Secrets {
    char *path;
    unsigned char *key; /* guarded, locked in memory, left out of core dumps; NULL: there is none */
    char *reason;       /* why */
};

/* --- the key --- */

static int secrets_read_key(int fd, unsigned char *key)
{
    unsigned char more;
    size_t have = 0;

    while (have < KEY_BYTES) {
        ssize_t n = read(fd, key + have, KEY_BYTES - have);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return -ENODATA;
        have += (size_t)n;
    }
    return read(fd, &more, 1) == 0 ? 0 : -EFBIG;
}

static int secrets_load_key(const char *path, unsigned char *key)
{
    _cleanup_(util_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -ENOTSUP;
    return secrets_read_key(fd, key);
}

static int secrets_write_key(int fd, const unsigned char *key)
{
    if (write(fd, key, KEY_BYTES) != (ssize_t)KEY_BYTES)
        return -EIO;
    return fsync(fd) < 0 ? -errno : 0;
}

/* Under another name first, and linked: a key that is there is never replaced, and half of one is never there. */
static int secrets_make_key(const char *directory, const char *path, unsigned char *key)
{
    _cleanup_(util_closep) int folder = open(directory, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    g_autofree char *fresh = g_strconcat(path, ".new", NULL);
    _cleanup_(util_closep) int fd = -1;
    int r;

    if (folder < 0)
        return -errno;
    (void)unlink(fresh);
    fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
    if (fd < 0)
        return -errno;
    randombytes_buf(key, KEY_BYTES);
    r = secrets_write_key(fd, key);
    if (r >= 0 && link(fresh, path) < 0)
        r = -errno;
    (void)unlink(fresh);
    if (r >= 0 && fsync(folder) < 0)
        r = -errno;
    return r;
}

static int secrets_have_key(const char *directory, const char *path, unsigned char *key)
{
    int r = secrets_load_key(path, key);

    if (r == -ENOENT)
        r = secrets_make_key(directory, path, key);
    return r == -EEXIST ? secrets_load_key(path, key) : r;
}

Secrets *secrets_new(const char *directory)
{
    g_autoptr(Secrets) s = g_new0(Secrets, 1);
    int r = sodium_init() < 0 ? -ENOSYS : 0;

    s->path = g_build_filename(directory, SECRETS_KEY_NAME, NULL);
    s->key = r < 0 ? NULL : sodium_malloc(KEY_BYTES);
    if (!s->key)
        r = r < 0 ? r : -ENOMEM;
    else
        r = secrets_have_key(directory, s->path, s->key);
    if (r >= 0) {
        (void)sodium_mprotect_readonly(s->key);
        return g_steal_pointer(&s);
    }
    g_clear_pointer(&s->key, sodium_free);
    s->reason = g_strdup(r == -ENODATA || r == -EFBIG ? "it is not a key" : g_strerror(-r));
    log_message(LOG_ERR, NULL,
        "The key of secrets %s cannot be used: %s. Tasks with secret inputs do not run.", s->path, s->reason);
    return g_steal_pointer(&s);
}

void secrets_free(Secrets *s)
{
    if (!s)
        return;
    if (s->key)
        sodium_free(s->key);
    g_free(s->path);
    g_free(s->reason);
    g_free(s);
}

static int secrets_check(const Secrets *s, Error *error)
{
    if (s->key)
        return 0;
    error_set_hint(error, "Mend %s and restart taskschedd.", s->path);
    return error_set(
        error, ERROR_NOT_AVAILABLE, "The key of secrets %s cannot be used: %s", s->path, s->reason);
}

void secrets_erase(char *text)
{
    if (text)
        sodium_memzero(text, strlen(text));
    g_free(text);
}

/* --- one value --- */

static JsonNode *secrets_seal_value(const Secrets *s, const char *name, JsonNode *value)
{
    char *text = json_write(value);
    size_t length = strlen(text);
    g_autofree unsigned char *box = g_malloc(NONCE_BYTES + length + MAC_BYTES);
    g_autofree char *base64 = NULL;
    JsonObject *object = json_object_new();
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    unsigned long long n = 0;

    randombytes_buf(box, NONCE_BYTES);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(box + NONCE_BYTES, &n, (const unsigned char *)text,
        length, (const unsigned char *)name, strlen(name), NULL, box, s->key);
    secrets_erase(text);
    base64 = g_base64_encode(box, NONCE_BYTES + (size_t)n);
    json_object_set_string_member(object, SEALED, base64);
    json_node_take_object(node, object);
    return node;
}

static const char *secrets_sealed_text(JsonNode *value)
{
    JsonObject *object = JSON_NODE_HOLDS_OBJECT(value) ? json_node_get_object(value) : NULL;
    JsonNode *member =
        object && json_object_get_size(object) == 1 ? json_object_get_member(object, SEALED) : NULL;

    return member && JSON_NODE_HOLDS_VALUE(member) && json_node_get_value_type(member) == G_TYPE_STRING
               ? json_node_get_string(member)
               : NULL;
}

static int secrets_open_value(const Secrets *s, const char *name, const char *base64, JsonNode **ret)
{
    gsize size = 0;
    g_autofree unsigned char *box = g_base64_decode(base64, &size);
    unsigned long long n = 0;
    char *text;
    int r;

    if (size < NONCE_BYTES + MAC_BYTES)
        return -EBADMSG;
    text = g_malloc0(size);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)text, &n, NULL, box + NONCE_BYTES,
            size - NONCE_BYTES, (const unsigned char *)name, strlen(name), box, s->key) != 0)
        r = -EBADMSG;
    else
        r = json_read(text, (size_t)n, ret, NULL);
    secrets_erase(text);
    return r;
}

/* --- all of a run's --- */

static int secrets_read(const char *json, JsonNode **ret, Error *error)
{
    if (json_read(json, strlen(json), ret, NULL) >= 0 && JSON_NODE_HOLDS_OBJECT(*ret))
        return 0;
    return error_set(error, ERROR_INVALID_INPUT, "its secrets are not as they were stored");
}

int secrets_seal(const Secrets *s, const char *json, char **ret, Error *error)
{
    g_autoptr(JsonObject) sealed = json_object_new();
    g_autoptr(JsonNode) node = NULL;
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;
    int r = secrets_check(s, error);

    if (r >= 0)
        r = secrets_read(json, &node, error);
    if (r < 0)
        return r;
    json_object_iter_init_ordered(&iter, json_node_get_object(node));
    while (json_object_iter_next_ordered(&iter, &name, &value))
        json_object_set_member(sealed, name, secrets_seal_value(s, name, value));
    *ret = json_write_object(sealed);
    return 0;
}

int secrets_open(const Secrets *s, const char *sealed, char **ret, Error *error)
{
    g_autoptr(JsonObject) opened = json_object_new();
    g_autoptr(JsonNode) node = NULL;
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;
    int r = secrets_read(sealed, &node, error);

    if (r < 0)
        return r;
    json_object_iter_init_ordered(&iter, json_node_get_object(node));
    while (json_object_iter_next_ordered(&iter, &name, &value)) {
        const char *text = secrets_sealed_text(value);
        JsonNode *plain = NULL;

        if (!text) {
            json_object_set_member(opened, name, json_node_copy(value));
            continue;
        }
        r = secrets_check(s, error);
        if (r >= 0 && secrets_open_value(s, name, text, &plain) < 0)
            r = error_set(error, ERROR_INVALID_INPUT,
                "the secret %s cannot be opened: it was sealed with another key than %s", name, s->path);
        if (r < 0)
            return r;
        json_object_set_member(opened, name, plain);
    }
    *ret = json_write_object(opened);
    return 0;
}
