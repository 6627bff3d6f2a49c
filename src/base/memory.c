/* What glibc keeps: all that is not at the very end of the heap. */
#include "base/memory.h"

#include <malloc.h>

void memory_give_back(void)
{
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}
