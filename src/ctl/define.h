/* Definitions on their way to the daemon. */
#pragma once

#include <stdio.h>

#include "ctl/ctl.h"
#include "model/task.h"

int define_apply_text(Ctl *ctl, const char *name, const char *text, uint64_t *ret_revision, ClientError *e);
/* What a definition read from path is called; --name wins. NULL with *e filled; g_free. */
char *define_name(const Ctl *ctl, const char *path, ClientError *e);
/* The paths FILE.d/NAME.conf in the order in which they apply, of char*, owned. */
GPtrArray *define_dropins(const char *path);
/* Of TaskSource*, owned: the files of a definition. */
GPtrArray *define_sources_new(void);
void define_add(GPtrArray *sources, const char *path, const char *text);
/* What the daemon finds wrong with a definition is added to faults. */
int define_verify_sources(
    Ctl *ctl, const char *name, const GPtrArray *sources, JsonArray *faults, ClientError *e);
/* Likewise with one text. */
int define_verify_text(
    Ctl *ctl, const char *name, const char *file, const char *text, JsonArray *faults, ClientError *e);
/* One line each. */
void define_print_faults(JsonArray *faults, FILE *out);
