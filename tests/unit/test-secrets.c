/* Secret inputs at rest: sealed and opened, and every way in which that must not work. */
#include "core/secrets.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"

typedef struct Folder {
    char *path, *key;
} Folder;

static void folder_make(Folder *f, const void *data)
{
    f->path = g_dir_make_tmp("secrets-XXXXXX", NULL);
    f->key = g_build_filename(f->path, SECRETS_KEY_NAME, NULL);
    g_assert_nonnull(f->path);
}

static void folder_remove(Folder *f, const void *data)
{
    (void)g_unlink(f->key);
    g_assert_cmpint(g_rmdir(f->path), ==, 0); /* nothing else was left in it */
    g_free(f->path);
    g_free(f->key);
}

static const char json[] =
    "{\"password\":\"correct horse\",\"pin\":1234,\"empty\":\"\",\"list\":[1,{\"a\":\"b\"}]}";

static void test_round_trip(Folder *f, const void *data)
{
    g_autoptr(Secrets) s = secrets_new(f->path);
    g_autofree char *one = NULL, *two = NULL;
    struct stat st;
    char *back = NULL;

    g_assert_cmpint(stat(f->key, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 07777, ==, 0400);
    g_assert_cmpint(secrets_seal(s, json, &one, NULL), ==, 0);
    g_assert_cmpint(secrets_seal(s, json, &two, NULL), ==, 0);
    g_assert_cmpstr(one, !=, two);
    g_assert_null(strstr(one, "correct"));
    g_assert_null(strstr(one, "1234"));
    g_assert_nonnull(strstr(one, "\"password\":{\"sealed\":\""));
    g_assert_cmpint(secrets_open(s, one, &back, NULL), ==, 0);
    g_assert_cmpstr(back, ==, json);
    secrets_erase(back);
}

/* The key is read again, not made again. */
static void test_next_life(Folder *f, const void *data)
{
    g_autoptr(Secrets) before = secrets_new(f->path);
    g_autoptr(Secrets) after = secrets_new(f->path);
    g_autofree char *sealed = NULL;
    char *back = NULL;

    g_assert_cmpint(secrets_seal(before, json, &sealed, NULL), ==, 0);
    g_assert_cmpint(secrets_open(after, sealed, &back, NULL), ==, 0);
    g_assert_cmpstr(back, ==, json);
    secrets_erase(back);
}

static void assert_refused(const Secrets *s, const char *sealed, const char *says)
{
    g_auto(Error) error = { 0 };
    char *back = NULL;

    g_assert_cmpint(secrets_open(s, sealed, &back, &error), <, 0);
    g_assert_null(back);
    g_assert_nonnull(strstr(error.message, says));
}

static void test_other_key(Folder *f, const void *data)
{
    g_autoptr(Secrets) before = secrets_new(f->path);
    g_autoptr(Secrets) after = NULL;
    g_autofree char *sealed = NULL;

    g_assert_cmpint(secrets_seal(before, "{\"a\":\"b\"}", &sealed, NULL), ==, 0);
    g_assert_cmpint(g_unlink(f->key), ==, 0);
    after = secrets_new(f->path);
    assert_refused(after, sealed, "the secret a cannot be opened");
}

/* What is sealed for one input is of no use as another, nor with a bit of it changed. */
static void test_tampered(Folder *f, const void *data)
{
    g_autoptr(Secrets) s = secrets_new(f->path);
    g_autofree char *sealed = NULL;
    char *place;

    g_assert_cmpint(secrets_seal(s, "{\"a\":\"b\"}", &sealed, NULL), ==, 0);
    place = strstr(sealed, "\"a\"");
    place[1] = 'c';
    assert_refused(s, sealed, "the secret c cannot be opened");
    place[1] = 'a';
    place = strstr(sealed, "\"}}") - 8;
    *place = *place == 'A' ? 'B' : 'A';
    assert_refused(s, sealed, "the secret a cannot be opened");
    assert_refused(s, "{\"a\":{\"sealed\":\"\"}}", "cannot be opened");
    assert_refused(s, "{\"a\":{\"sealed\":\"*\"}}", "cannot be opened");
    assert_refused(s, "[]", "not as they were stored");
}

static void test_stored_before(Folder *f, const void *data)
{
    g_autoptr(Secrets) s = secrets_new(f->path);
    const char *old = "{\"a\":\"b\",\"c\":{\"sealed\":1},\"d\":{\"sealed\":\"x\",\"e\":2}}";
    char *back = NULL;

    g_assert_cmpint(secrets_open(s, old, &back, NULL), ==, 0);
    g_assert_cmpstr(back, ==, old);
    secrets_erase(back);
}

static void assert_unusable(const Folder *f)
{
    g_autoptr(Secrets) s = secrets_new(f->path);
    g_auto(Error) error = { 0 };
    g_autofree char *sealed = NULL;

    g_assert_cmpint(secrets_seal(s, json, &sealed, &error), <, 0);
    g_assert_null(sealed);
    g_assert_cmpint(error.code, ==, ERROR_NOT_AVAILABLE);
    g_assert_nonnull(strstr(error.message, f->key));
    g_assert_nonnull(error.hint);
}

/* A key that is no key is never overwritten: it may be all there is of one. */
static void test_broken_key(Folder *f, const void *data)
{
    static const size_t sizes[] = { 0, 1, 31, 33, 100 };

    ARRAY_FOREACH (size, sizes) {
        g_autofree char *text = g_strnfill(*size, 'k'), *now = NULL;
        gsize length;

        g_assert_true(g_file_set_contents(f->key, text, (gssize)*size, NULL));
        assert_unusable(f);
        g_assert_true(g_file_get_contents(f->key, &now, &length, NULL));
        g_assert_cmpuint(length, ==, *size);
        g_assert_cmpstr(now, ==, text);
    }
}

static void test_no_folder(Folder *f, const void *data)
{
    Folder none = { g_build_filename(f->path, "none", NULL),
        g_build_filename(f->path, "none", SECRETS_KEY_NAME, NULL) };

    assert_unusable(&none);
    g_free(none.path);
    g_free(none.key);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(Folder *f, const void *data);
    } tests[] = {
        { "/secrets/round-trip", test_round_trip },
        { "/secrets/next-life", test_next_life },
        { "/secrets/other-key", test_other_key },
        { "/secrets/tampered", test_tampered },
        { "/secrets/stored-before", test_stored_before },
        { "/secrets/broken-key", test_broken_key },
        { "/secrets/no-folder", test_no_folder },
    };

    g_test_init(&argc, &argv, NULL);
    ARRAY_FOREACH (t, tests)
        g_test_add(t->name, Folder, NULL, folder_make, t->run, folder_remove);
    return g_test_run();
}
