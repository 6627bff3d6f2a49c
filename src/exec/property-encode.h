/* The kinds of settings: how each turns text into D-Bus values. Every function is a PropertyEncode. Pure, but
 * for NUMAMask=all, which asks the kernel how many nodes there are. */
#pragma once

#include "exec/property-table.h"

/* property-encode.c: one value */
int property_encode_boolean(const Property *p, const char *value, PropertyOut *out);
int property_encode_boolean_ex(
    const Property *p, const char *value, PropertyOut *out); /* or a word, as KEYEx */
int property_encode_string(
    const Property *p, const char *value, PropertyOut *out); /* empty, or what check says */
int property_encode_choice(const Property *p, const char *value, PropertyOut *out);
int property_encode_number(const Property *p, const char *value, PropertyOut *out);     /* i */
int property_encode_count(const Property *p, const char *value, PropertyOut *out);      /* u */
int property_encode_mode(const Property *p, const char *value, PropertyOut *out);       /* u, octal */
int property_encode_named(const Property *p, const char *value, PropertyOut *out);      /* i */
int property_encode_named_flag(const Property *p, const char *value, PropertyOut *out); /* t */
int property_encode_signal(const Property *p, const char *value, PropertyOut *out);     /* i */
int property_encode_errno(const Property *p, const char *value, PropertyOut *out);      /* i */
int property_encode_span(const Property *p, const char *value, PropertyOut *out);       /* Sec → USec */
int property_encode_nsec(const Property *p, const char *value, PropertyOut *out);
int property_encode_weight(const Property *p, const char *value, PropertyOut *out);
int property_encode_limit(const Property *p, const char *value, PropertyOut *out); /* t, or Scale u */
int property_encode_share(const Property *p, const char *value, PropertyOut *out); /* u of 2^32-1 */
int property_encode_quota(const Property *p, const char *value, PropertyOut *out);
int property_encode_rlimit(const Property *p, const char *value, PropertyOut *out);
int property_encode_label(const Property *p, const char *value, PropertyOut *out); /* (bs) */
int property_encode_stream(const Property *p, const char *value, PropertyOut *out);
int property_encode_text(const Property *p, const char *value, PropertyOut *out);
int property_encode_data(const Property *p, const char *value, PropertyOut *out);
int property_encode_hash(const Property *p, const char *value, PropertyOut *out);
int property_encode_hash_signature(const Property *p, const char *value, PropertyOut *out);

/* property-lists.c: sets and lists */
int property_lists_words(const Property *p, const char *value, PropertyOut *out); /* as */
int property_lists_one(const Property *p, const char *value, PropertyOut *out);   /* as, of the whole value */
int property_lists_filter(const Property *p, const char *value, PropertyOut *out); /* (bas) */
int property_lists_capabilities(const Property *p, const char *value, PropertyOut *out);
int property_lists_flags(const Property *p, const char *value, PropertyOut *out); /* i, of names */
int property_lists_core_filter(const Property *p, const char *value, PropertyOut *out);
int property_lists_namespaces(const Property *p, const char *value, PropertyOut *out);
int property_lists_cpus(const Property *p, const char *value, PropertyOut *out); /* ay */
int property_lists_numa_nodes(const Property *p, const char *value, PropertyOut *out);
int property_lists_delegate(const Property *p, const char *value, PropertyOut *out);
int property_lists_statuses(const Property *p, const char *value, PropertyOut *out); /* (aiai) */
int property_lists_addresses(const Property *p, const char *value, PropertyOut *out);
int property_lists_bind_rule(const Property *p, const char *value, PropertyOut *out);
int property_lists_nft_sets(const Property *p, const char *value, PropertyOut *out);
int property_lists_device(const Property *p, const char *value, PropertyOut *out);      /* a(ss) */
int property_lists_device_rate(const Property *p, const char *value, PropertyOut *out); /* a(st) */
int property_lists_device_weight(const Property *p, const char *value, PropertyOut *out);
int property_lists_device_latency(const Property *p, const char *value, PropertyOut *out);
int property_lists_program(const Property *p, const char *value, PropertyOut *out);

/* property-files.c: what a unit is given of files */
int property_files_environment_file(const Property *p, const char *value, PropertyOut *out);
int property_files_set_credential(const Property *p, const char *value, PropertyOut *out);
int property_files_load_credential(const Property *p, const char *value, PropertyOut *out);
int property_files_import_credential(const Property *p, const char *value, PropertyOut *out);
int property_files_log_field(const Property *p, const char *value, PropertyOut *out);
int property_files_log_pattern(const Property *p, const char *value, PropertyOut *out);
int property_files_bind(const Property *p, const char *value, PropertyOut *out);
int property_files_tmpfs(const Property *p, const char *value, PropertyOut *out);
int property_files_image_options(const Property *p, const char *value, PropertyOut *out);
int property_files_images(const Property *p, const char *value, PropertyOut *out);
int property_files_extensions(const Property *p, const char *value, PropertyOut *out);
int property_files_directories(const Property *p, const char *value, PropertyOut *out);
