/* What each method and property needs, in one table, and the way of a request through it: polkit is asked, refusals
 * are answered, and the audit is written. The chapter on rights in taskschedd(8) says the same to people. */
#pragma once

#include "api/request.h"

/* What a request is about, where its arguments do not say it: an object has it in its path. Borrowed for the call. */
typedef struct RightsObject {
    const char *name; /* for the audit: "backup", "backup/nightly", "17" */
    const char *task; /* NULL: none, or that of the run */
    uint64_t run;     /* 0: none. Its requester and task are read first */
} RightsObject;

/* member: a row of the table: the bare name for a method of the Manager ("RunTask"), with the interface for those of
 * other objects ("Run.Cancel"), "Properties" to read any. object NULL: the arguments of the call say it, as they do
 * for the Manager.
 *
 * Once the caller may, then is called as a handler is, now or later. A caller that may not is answered, and neither
 * then nor what this returns is of any use to it: as for each RequestFn, a negative errno is to be answered by whoever
 * called, 0 is not. */
int rights_enter(Request *q, const char *member, const RightsObject *object, RequestFn then, Error *error);

/* Sets q->control: may the caller see the content of this task's runs, of this run, or ("" and 0) of all? polkit is
 * asked without a prompt, and a no is not a refusal: then is called in any case. rights_enter() has done so for what is
 * about one run that is looked at. */
int rights_ask_control(Request *q, const char *task, uint64_t run, RequestFn then, Error *error);
