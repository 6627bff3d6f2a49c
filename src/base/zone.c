/* The zones that were asked for, and which one is the system's. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/zone-internal.h"

#define ZONE_DIRECTORY "/usr/share/zoneinfo"
#define ZONE_LOCALTIME "/etc/localtime"
#define ZONE_FILE_MAX  (64 * 1024) /* the largest of the database has some 4,000 bytes */

static GHashTable *zone_known; /* name → Zone* */

/* What the system's zone was read from. */
static struct {
    const Zone *zone;
    struct stat file;
    char *target;
} zone_system;

guint zone_span(const Zone *z, int64_t utc)
{
    guint low = 0, high = z->n - 1;

    while (low < high) {
        guint middle = low + (high - low + 1) / 2;

        if (z->spans[middle].start <= utc)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

/* What may stand between ZONE_DIRECTORY and a file below it, and never leads out. */
static bool zone_name_is_valid(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_+/");

    return n > 0 && n < 256 && !name[n] && name[0] != '/' && name[n - 1] != '/' && !strstr(name, "//");
}

static int zone_read(const char *path, const char *name, Zone **ret)
{
    _cleanup_(util_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    g_autofree uint8_t *data = NULL;
    struct stat st;
    ssize_t n;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return -ENOENT;
    data = g_malloc(ZONE_FILE_MAX);
    n = read(fd, data, ZONE_FILE_MAX);
    if (n < 0)
        return -errno;
    if (n < 4 || memcmp(data, "TZif", 4) != 0)
        return -ENOENT; /* the directory has tables as well */
    return zone_parse(name, data, (size_t)n, ret);
}

const Zone *zone_utc(void)
{
    static ZoneSpan span = { INT64_MIN, 0 };
    static char name[] = "UTC";
    static const Zone utc = { name, &span, 1 };

    return &utc;
}

static const Zone *zone_keep(Zone *z)
{
    if (!zone_known)
        zone_known = g_hash_table_new(g_str_hash, g_str_equal);
    g_hash_table_replace(zone_known, z->name, z);
    return z;
}

int zone_find(const char *name, const Zone **ret)
{
    g_autofree char *path = NULL;
    Zone *z = zone_known ? g_hash_table_lookup(zone_known, name) : NULL;
    int r;

    if (!z && strcmp(name, "UTC") == 0) {
        *ret = zone_utc();
        return 0;
    }
    if (!z) {
        if (!zone_name_is_valid(name))
            return -EINVAL;
        path = g_build_filename(ZONE_DIRECTORY, name, NULL);
        r = zone_read(path, name, &z);
        if (r < 0)
            return r;
        zone_keep(z);
    }
    *ret = z;
    return 0;
}

/* --- the system's --- */

static const Zone *zone_from_environment(const char *tz)
{
    const Zone *found;
    Zone *z;

    tz += *tz == ':';
    if (zone_find(tz, &found) >= 0)
        return found;
    if (zone_parse_rule(tz, tz, &z) >= 0)
        return zone_keep(z);
    return zone_utc();
}

/* The link names it; a file that is no link is a zone without a name of the database. */
static const Zone *zone_read_system(const char *target)
{
    const char *name = target ? strstr(target, "/zoneinfo/") : NULL;
    const Zone *found;
    Zone *z;

    if (name && zone_find(name + strlen("/zoneinfo/"), &found) >= 0)
        return found;
    /* Kept by nobody's name: it may be another the next time. */
    return zone_read(ZONE_LOCALTIME, "localtime", &z) >= 0 ? z : zone_utc();
}

bool zone_refresh(void)
{
    const char *tz = g_getenv("TZ");
    const Zone *before = zone_system.zone;
    g_autofree char *target = NULL;
    struct stat st = { 0 };

    if (tz) {
        zone_system.zone = before ? before : zone_from_environment(tz);
        return zone_system.zone != before;
    }
    target = g_file_read_link(ZONE_LOCALTIME, NULL);
    if (stat(ZONE_LOCALTIME, &st) < 0)
        st = (struct stat){ 0 };
    if (before && g_strcmp0(target, zone_system.target) == 0 && st.st_ino == zone_system.file.st_ino &&
        st.st_dev == zone_system.file.st_dev && st.st_mtim.tv_sec == zone_system.file.st_mtim.tv_sec &&
        st.st_mtim.tv_nsec == zone_system.file.st_mtim.tv_nsec)
        return false;
    g_free(zone_system.target);
    zone_system.target = g_steal_pointer(&target);
    zone_system.file = st;
    zone_system.zone = zone_read_system(zone_system.target);
    return zone_system.zone != before;
}

const Zone *zone_local(void)
{
    if (!zone_system.zone)
        (void)zone_refresh();
    return zone_system.zone;
}
