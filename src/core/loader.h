/* The side of the loader that runs as a process of its own: reads the task directories and writes what it
 * found. */
#pragma once

/* argv: the directories, highest precedence first. Writes one JSON array on standard output:
 * [{"Name": …, "Sources": [{"Path": …, "Data": base64}, …]}, …]. Exit status 0, or 1 with a line on standard
 * error. */
int loader_helper_main(int argc, char **argv);
