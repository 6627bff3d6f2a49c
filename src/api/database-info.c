/* The database itself: what it says, and, for the private one, what servers are installed. Neither need be there: the
 * answer is most wanted when something is missing. */
#include "api/database-info.h"

#include "api/property.h"

typedef struct DatabaseInfo {
    bool embedded;
    char *server, *data_directory, *upgrade_to;
    uint64_t schema, schema_newest, size;
} DatabaseInfo;

static void database_info_free(void *userdata)
{
    DatabaseInfo *i = userdata;

    g_free(i->server);
    g_free(i->data_directory);
    g_free(i->upgrade_to);
    g_free(i);
}

static const Property info_rows[] = {
    { "Embedded", "b", property_bool, offsetof(DatabaseInfo, embedded), 0 },
    { "Server", "s", property_string, offsetof(DatabaseInfo, server), 0 },
    { "Schema", "t", property_number, offsetof(DatabaseInfo, schema), 0 },
    { "SchemaNewest", "t", property_number, offsetof(DatabaseInfo, schema_newest), 0 },
    { "Size", "t", property_number, offsetof(DatabaseInfo, size), 0 },
    { "DataDirectory", "s", property_string, offsetof(DatabaseInfo, data_directory), 0 },
    { "UpgradeTo", "s", property_string, offsetof(DatabaseInfo, upgrade_to), 0 },
};
static const PropertyTable info_properties = PROPERTY_TABLE(info_rows);

static void on_servers(int r, const DatabaseServers *servers, void *userdata)
{
    Request *q = userdata;
    DatabaseInfo *i = q->data;

    if (r >= 0 && servers->cluster > 0 && servers->newest > servers->cluster)
        i->upgrade_to = g_strdup_printf("%u", servers->newest);
    request_answer_properties(q, &info_properties, i);
}

static void database_info_look(Request *q)
{
    DatabaseInfo *i = q->data;

    if (!i->embedded || manager_look_for_servers(q->manager, on_servers, q) < 0)
        request_answer_properties(q, &info_properties, i);
}

static void on_database(int r, const StoreDatabase *d, const Error *error, void *userdata)
{
    Request *q = userdata;
    DatabaseInfo *i = q->data;

    if (r >= 0) {
        i->server = g_strdup(d->server);
        i->schema = d->schema;
        i->size = d->size;
        if (!i->data_directory)
            i->data_directory = g_strdup(d->data_directory);
    }
    i->schema_newest = d->schema_newest;
    database_info_look(q);
}

int database_info_get(Request *q, Error *error)
{
    const char *directory = manager_data_directory(q->manager);
    DatabaseInfo *i = g_new0(DatabaseInfo, 1);

    q->data = i;
    q->free_data = database_info_free;
    i->embedded = directory != NULL;
    i->data_directory = g_strdup(directory);
    i->schema = i->schema_newest = i->size = UNSET;
    if (manager_get_database(q->manager, on_database, q) < 0)
        database_info_look(q);
    return 0;
}
