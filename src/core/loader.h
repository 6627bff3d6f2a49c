/* The side of the loader that runs as a process of its own: reads the task directories and writes what it
 * found. */
#pragma once

/* argv: the directories, highest precedence first. Writes a line of JSON for each task on standard output, in no order
 * that matters: {"Name": …, "Sources": [{"Path": …, "Data": base64}, {"Path": …, "Error": …}, …]}. Exit status 0, or 1
 * where that could not be written. */
int loader_helper_main(int argc, char **argv);
