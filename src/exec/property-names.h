/* The names that settings use for numbers: signals, exit statuses, capabilities, and the choices of single
 * settings. Pure. */
#pragma once

#include "exec/property-table.h"

extern const PropertyName property_names_capability[];
extern const PropertyName property_names_exit_status[];
extern const PropertyName property_names_cpu_policy[];
extern const PropertyName property_names_io_class[];
extern const PropertyName property_names_numa_policy[];
extern const PropertyName property_names_log_level[];
extern const PropertyName property_names_log_facility[];
extern const PropertyName property_names_secure_bit[];
extern const PropertyName property_names_namespace[];
extern const PropertyName property_names_core_filter[];
extern const PropertyName property_names_propagation[];
extern const PropertyName property_names_nft_source[];
extern const PropertyName property_names_nft_protocol[];

/* 0 or -EINVAL. */
int property_names_find(const PropertyName *names, const char *name, int64_t *ret);
/* "a, b or c" (g_free). */
char *property_names_list(const PropertyName *names);
/* A name with or without SIG, RTMIN+n, RTMAX-n, or a number. */
int property_names_signal(const char *s, int *ret);
/* A name such as EPERM, or a number from 0. */
int property_names_errno(const char *s, int *ret);
