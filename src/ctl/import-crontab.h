/* What crontabs and anacron's table have in common: lines, variables, mail, and commands for a shell. */
#pragma once

#include "ctl/import.h"

typedef struct ImportCrontab {
    Import *im;
    const ImportSource *source;
    unsigned line;          /* the one that was read last */
    bool damaged;           /* it is no text */
    GPtrArray *environment; /* of char*, NAME=VALUE, as it stands at that line; owned */
    char *zone;             /* CRON_TZ; NULL: none */
    bool anacron;           /* it is anacron's table */
    unsigned delay;         /* RANDOM_DELAY, in minutes; 0: none */
    char *mail;             /* MAILTO; NULL: not set, then it is the user */
    unsigned mail_line;
    bool mail_told;
} ImportCrontab;

void import_crontab_begin(ImportCrontab *r, Import *im, const ImportSource *source, bool anacron);
void import_crontab_end(ImportCrontab *r);
/* The next line, without its end; *p is NULL for the first. g_free. */
bool import_crontab_line(ImportCrontab *r, const char **p, char **ret);

/* NAME = VALUE, as cron reads it; both g_free. */
bool import_crontab_assignment(const char *line, char **ret_name, char **ret_value);
/* Takes such a line; false: it is none. */
bool import_crontab_variable(ImportCrontab *r, const char *line);
const char *import_crontab_get(const ImportCrontab *r, const char *name);
void import_crontab_set(ImportCrontab *r, const char *name, const char *value);

char *import_crontab_name(const ImportCrontab *r, const char *prefix, const char *command);
/* What cron makes of a command's text: the input for it, NULL if there is none, and the command. Both g_free. */
char *import_crontab_split(const char *text, char **ret_command);
/* All of a definition but for its schedules. line: as it stood in the file. */
void import_crontab_write(
    const ImportCrontab *r, const char *line, const char *user, const char *text, GString *out);
/* What RANDOM_DELAY says of a schedule. */
void import_crontab_write_delay(const ImportCrontab *r, GString *out);
void import_crontab_tell_mail(ImportCrontab *r, const char *user);
