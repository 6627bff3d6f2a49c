/* What the table of settings is made of: a Property says how the text of one setting becomes D-Bus
 * properties. Private to src/exec/property*. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Property Property;

/* Where encoders put what they make: assignments of D-Bus properties, GVariants of type (sv) in order, or
 * the reason why there are none. Owned by the caller; property_out_clear() frees the contents. */
typedef struct PropertyOut {
    GPtrArray *assignments;
    char *reason;
} PropertyOut;

/* 0, or -EINVAL with out->reason set. */
typedef int (*PropertyEncode)(const Property *p, const char *value, PropertyOut *out);

/* A name and the number it stands for; tables of them end with a NULL name. */
typedef struct PropertyName {
    const char *name;
    int64_t value;
} PropertyName;

enum {
    PROPERTY_BOOLEAN_TOO = 1 << 0,       /* of a choice: yes and no are taken as well as the names */
    PROPERTY_UNESCAPE = 1 << 1,          /* of words: C escapes are undone */
    PROPERTY_EMPTY_IS_ZERO = 1 << 2,     /* of a limit: empty means none is guaranteed, not "no limit" */
    PROPERTY_EMPTY_IS_INFINITE = 1 << 3, /* of a time span */
    PROPERTY_PLAIN_NUMBER = 1 << 4,      /* of a limit: counts, no units */
    PROPERTY_IDLE_TOO = 1 << 5,          /* of a weight: "idle" is 0 */
    PROPERTY_ENCRYPTED = 1 << 6,         /* of a credential: Base64 */
    PROPERTY_NO_SHARE = 1 << 7,          /* of a limit: PID 1 takes no percentage for it over D-Bus */
};

typedef enum PropertyLimit {
    PROPERTY_LIMIT_COUNT,
    PROPERTY_LIMIT_SIZE,
    PROPERTY_LIMIT_SEC,
    PROPERTY_LIMIT_USEC,
    PROPERTY_LIMIT_NICE,
} PropertyLimit;

struct Property {
    const char *key;
    PropertyEncode encode;
    const PropertyName *names;       /* what a choice is made from */
    bool (*check)(const char *word); /* what a string, or each word of a list, must be */
    const char *takes;               /* what the setting takes, for people; encoders have their own default */
    int64_t min, max;
    unsigned flags;      /* PROPERTY_… */
    PropertyLimit limit; /* of a resource limit: its unit */
};

/* In alphabetical order of the keys. */
extern const Property property_table[];
extern const size_t property_table_n;

const Property *property_table_find(const char *key);

void property_out_init(PropertyOut *out);
void property_out_clear(PropertyOut *out);
/* Takes a floating value. name NULL: the property's own. */
void property_out_add(PropertyOut *out, const Property *p, const char *name, GVariant *value);
/* Sets the reason "KEY= takes TAKES, not "VALUE"." unless there is one; returns -EINVAL. p->takes goes first;
 * value NULL: it is not shown. */
int property_out_refuse(PropertyOut *out, const Property *p, const char *value, const char *takes);

/* The same, where the value does not even fall into words. */
int property_out_refuse_syntax(PropertyOut *out, const Property *p);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PropertyOut, property_out_clear)
