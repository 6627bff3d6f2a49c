/* Secret inputs at rest: sealed before they go to the database, opened when an attempt is given them. Nothing but the
 * daemon has the key; who reads the database, a dump of it or a backup reads no secret.
 *
 * XChaCha20-Poly1305 by libsodium, a nonce of its own for every value, the input's name authenticated with it. */
#pragma once

#include "base/error.h"

#define SECRETS_KEY_NAME "secrets.key"

typedef struct Secrets Secrets;

/* Reads directory/secrets.key, or makes it (0400) where there is none. May wait for the disk: for the start. What cannot
 * be had is logged, and said by every call below. */
Secrets *secrets_new(const char *directory);
void secrets_free(Secrets *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Secrets, secrets_free)

/* From a JSON object of values to one of the same names with what is sealed; g_free. */
int secrets_seal(const Secrets *s, const char *json, char **ret, Error *error);
/* And back. A value that was stored before values were sealed passes as it is. *ret is to be given to secrets_erase(). */
int secrets_open(const Secrets *s, const char *sealed, char **ret, Error *error);
/* Overwrites and frees a text that held secrets; NULL is fine. */
void secrets_erase(char *text);
