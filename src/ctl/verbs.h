/* The verbs, and the help that follows from them and from the table of options. */
#pragma once

#include <json-glib/json-glib.h>

#include "ctl/ctl.h"

typedef struct Verb {
    const char *name;
    guint min, max; /* words after it */
    CtlVerb run;
    bool authorises;      /* the daemon may want a password from the first call on */
    const char *words;    /* in the help */
    const char *complete; /* what the words are: complete.c's "@kind"s, or words; NULL: nothing to offer */
    const char *help;     /* English */
} Verb;

const Verb *verbs_all(size_t *ret_n);
/* NULL where there is none. */
const Verb *verbs_find(const char *name);
/* The name that is nearest to a mistyped one; NULL where none is. */
const char *verbs_near(const char *name);

/* Help of everything, or of one verb; g_free. */
char *verbs_help(void);
char *verbs_help_of(const Verb *v);
/* The tables, for programs: {Verbs: [{Name, Words, Help}], Options: [{Name, Letter, Value, Verbs, Default, Help}]}. */
JsonObject *verbs_help_json(void);
