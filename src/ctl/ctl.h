/* What all verbs share: the parsed command line, the client, and how output is to look. */
#pragma once

#include "ctl/args.h"
#include "ctl/exits.h"
#include "lib/client.h"

typedef enum CtlJson {
    CTL_JSON_OFF,
    CTL_JSON_SHORT,
    CTL_JSON_PRETTY,
} CtlJson;

typedef struct Ctl {
    Args args;
    Client *client;
    CtlJson json;
    bool user;
    const char *host; /* NULL is this one; borrowed from args */
    bool quiet;
    bool ask_password; /* of the person, where the daemon wants one */
    bool legend;
    bool pager;     /* allowed; used where standard output is a terminal */
    bool colours;   /* on standard output */
    unsigned width; /* of the terminal on standard output; 0: it is none */
    pid_t pager_pid, agent_pid;
    bool list_open; /* of output_list_begin() */
} Ctl;

/* A verb returns an exit code, having printed what went wrong. */
typedef int (*CtlVerb)(Ctl *ctl);

/* The n-th word after the verb; NULL beyond the last. */
static inline const char *ctl_word(const Ctl *ctl, guint n)
{
    return n < ctl->args.words->len ? g_ptr_array_index(ctl->args.words, n) : NULL;
}

int status_verb(Ctl *ctl);
int show_verb(Ctl *ctl);
int list_runs_verb(Ctl *ctl);
int list_tasks_verb(Ctl *ctl);
int list_schedules_verb(Ctl *ctl);
int list_slots_verb(Ctl *ctl);
int next_verb(Ctl *ctl);
int timeline_verb(Ctl *ctl);
int plot_verb(Ctl *ctl);
int list_nodes_verb(Ctl *ctl);
int list_calendars_verb(Ctl *ctl);
int list_audit_verb(Ctl *ctl);
int logs_verb(Ctl *ctl);
int ask_verb(Ctl *ctl);
int change_cancel_verb(Ctl *ctl);
int change_kill_verb(Ctl *ctl);
int change_retry_verb(Ctl *ctl);
int change_delete_verb(Ctl *ctl);
int change_enable_verb(Ctl *ctl);
int change_disable_verb(Ctl *ctl);
int change_skip_verb(Ctl *ctl);
int change_unskip_verb(Ctl *ctl);
int backfill_verb(Ctl *ctl);
int change_reload_verb(Ctl *ctl);
int change_vacuum_verb(Ctl *ctl);
int define_apply_verb(Ctl *ctl);
int define_verify_verb(Ctl *ctl);
int plan_verb(Ctl *ctl);
int edit_verb(Ctl *ctl);
int database_verb(Ctl *ctl);
int export_cat_verb(Ctl *ctl);
int export_verb(Ctl *ctl);
int import_verb(Ctl *ctl);
