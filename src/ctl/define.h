/* Definitions on their way to the daemon. */
#pragma once

#include <stdio.h>

#include "ctl/ctl.h"

int define_apply_text(Ctl *ctl, const char *name, const char *text, uint64_t *ret_revision, ClientError *e);
/* What the daemon finds wrong with a text is added to faults. */
int define_verify_text(
    Ctl *ctl, const char *name, const char *file, const char *text, JsonArray *faults, ClientError *e);
/* One line each. */
void define_print_faults(JsonArray *faults, FILE *out);
