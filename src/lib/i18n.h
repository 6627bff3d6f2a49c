/* The language of people. What scripts read is never translated: JSON, names of properties, states and results. */
#pragma once

#include <libintl.h>

#define I18N_DOMAIN "taskschedd"

#define _(text)  gettext(text)
#define N_(text) text /* in a table; gettext() where it is printed */
