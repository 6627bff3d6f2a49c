/* The language of people. What scripts read is never translated: JSON, names of properties, states and results. */
#pragma once

#include <libintl.h>

#define I18N_DOMAIN "taskschedd"

#define _(text)  i18n_text(text)
#define N_(text) text /* in a table; gettext() where it is printed */

/* gettext() never answers NULL; a compiler that looks for null formats does not know. */
__attribute__((format_arg(1), returns_nonnull)) static inline const char *i18n_text(const char *text)
{
    return gettext(text);
}
