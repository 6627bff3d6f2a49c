/* Gives files to a harness, one after the other: what libFuzzer's own main() does, for a build that has none of it. */
#include "base/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        g_autofree char *data = NULL;
        gsize size;

        if (!g_file_get_contents(argv[i], &data, &size, NULL)) {
            g_printerr("%s cannot be read\n", argv[i]);
            return 1;
        }
        (void)LLVMFuzzerTestOneInput((const uint8_t *)data, size);
    }
    return 0;
}
