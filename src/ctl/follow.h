/* What a run writes and how far it says it is, while one waits for it. */
#pragma once

#include <json-glib/json-glib.h>
#include <stdio.h>

#include "base/util.h"

typedef struct Follow Follow;

/* user: the run belongs to the user's service manager. Of what was written long before it was asked for nothing is shown:
 * a database that was made anew gives the numbers of old runs again. UNSET: all. Output goes to out. */
int follow_new(uint64_t run, bool user, uint64_t asked, FILE *out, Follow **ret);
/* Likewise, from what OpenLog follows in JSON; fd is taken over, and no journal has to be readable. */
Follow *follow_new_fd(uint64_t run, int fd, FILE *out);
/* The same once more from the beginning: what was printed is not printed again. wait: until its end, when it is read. */
void follow_set_fd(Follow *f, int fd, bool wait);
/* What OpenLog gave has ended, and the run may not have: the daemon was restarted. */
bool follow_is_cut(const Follow *f);
/* No file of the journal may be read. */
bool follow_is_blind(const Follow *f);
void follow_free(Follow *f);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Follow, follow_free)

/* To be polled for reading; negative where no journal can be read. */
int follow_fd(const Follow *f);
/* Prints what has come. */
void follow_process(Follow *f);
/* Draws Progress and StatusText of the run. */
void follow_progress(Follow *f, JsonObject *run);
/* Lets what was written come to the journal's files. */
void follow_settle(void);
/* The run is done: prints the rest and clears the progress. */
void follow_finish(Follow *f);
/* "[#####-----]  42% copying", cut to width; without a percentage the text alone; g_free. */
char *follow_bar(uint64_t percent, const char *status, unsigned width);
