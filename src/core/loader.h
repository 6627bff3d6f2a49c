/* The side of the loader that runs as a process of its own: reads the directories of tasks and calendars and writes what
 * it found. */
#pragma once

/* Stands before the directories of calendars; none is called so. */
#define LOADER_CALENDARS ":"

/* argv: the directories of tasks, highest precedence first, and then those of calendars. Writes a line of JSON for each
 * calendar, and then for each task on standard output, in no order that matters: {"Name": …, "Calendar": true where it is one, "Sources": [{"Path": …, "Data": base64}, {"Path": …, "Error": …}, …]}. Exit status 0, or 1
 * where that could not be written. */
int loader_helper_main(int argc, char **argv);
