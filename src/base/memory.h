/* Memory that was freed, and is not the kernel's again by itself. */
#pragma once

/* Gives back what lies unused between what is used. It walks over the whole heap: for the end of something large. */
void memory_give_back(void);
