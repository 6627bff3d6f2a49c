/* What could stand at a place of the command line. The shells' completions ask for it, so that they know nothing
 * themselves. */
#pragma once

#include "base/util.h"

/* tschedctl __complete WORD… CURRENT: the words before the one that is typed, and that one, "" where it is still empty.
 * Lines of standard output: a whole word, a tab and a line of help; or, instead of words, "\t" with file, directory,
 * user or host, a tab, and the part of the current word that stands before the name of such a thing. */
#define COMPLETE_VERB "__complete"

int complete_main(int argc, char *const *argv);
