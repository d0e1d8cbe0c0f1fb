//  cmd_rm.c - artel artifact rm: versions out of the catalogue. Their bytes stay until gc.

#include "command.h"
#include "json.h"
#include "query.h"
#include "reach.h"
#include "reference.h"
#include "term.h"

#include <inttypes.h>
#include <string.h>

//  The aliases of a version besides latest, or "".
static int
s_aliases(const artel_place_t *place, const artel_reference_t *ref, char *ret, size_t size)
{
    artel_query_t query = artel_query(place->db,
        "SELECT group_concat(l.alias, ', ') FROM aliases l JOIN artifacts a ON a.id = l.artifact"
        " WHERE a.name = ?1 AND 'v' || l.version = ?2 AND l.alias <> 'latest'");
    artel_query_bind_text(&query, 1, ref->name);
    artel_query_bind_text(&query, 2, ref->version);
    ret[0] = 0;
    if (artel_query_next(&query))
        snprintf(ret, size, "%s", artel_query_text(&query, 0));
    return artel_query_end(&query);
}

static void
s_print(const artel_args_t *args, const artel_reference_t *ref, const artel_version_t *version)
{
    if (!artel_args_has(args, "json")) {
        printf("%s:v%" PRId64 " removed\n", ref->name, version->version);
        return;
    }
    fputs("{\"name\":", stdout);
    artel_json_put_text(ref->name, strlen(ref->name), stdout);
    printf(",\"version\":\"v%" PRId64 "\",\"removed\":true}\n", version->version);
}

static int
s_rm(const artel_args_t *args, const artel_place_t *place, const artel_reference_t *ref)
{
    char aliases[512];
    artel_version_t version;
    int rc = artel_reference_resolve(place, ref, &version);
    if (rc == 0)
        rc = s_aliases(place, ref, aliases, sizeof aliases);
    if (rc != 0)
        return rc;
    if (*aliases && !artel_args_has(args, "force")) {
        artel_complain("%s:%s is also called %s; --force removes it all the same", ref->name,
                       ref->version, aliases);
        return ARTEL_EXIT_FAILED;
    }
    rc = artel_catalogue_remove_version(place->catalogue, ref->name, version.version);
    if (rc != 0)
        artel_complain("%s:%s: %s", ref->name, ref->version, artel_catalogue_error(place->catalogue));
    else
        s_print(args, ref, &version);
    return artel_reach_exit(rc);
}

//  Only by number: an alias may have moved since it was looked at.
static int
s_parse(const char *text, artel_reference_t *ret)
{
    int rc = artel_reference_parse(text, ret);
    if (rc != 0)
        return rc;
    const char *digits = ret->version + 1;
    if (ret->version[0] == 'v' && *digits && strspn(digits, "0123456789") == strlen(digits))
        return 0;
    artel_complain("'%s': say which version, as NAME:vN", text);
    return ARTEL_EXIT_USAGE;
}

static int
s_run(const artel_args_t *args)
{
    artel_reference_t ref;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < args->n; i++)
        rc = s_parse(args->operands[i], &ref);
    if (rc != 0)
        return rc;
    artel_place_t place;
    rc = artel_reach_store(args, true, &place);
    for (size_t i = 0; rc == 0 && i < args->n; i++) {
        s_parse(args->operands[i], &ref);
        rc = s_rm(args, &place, &ref);
    }
    artel_reach_done(&place);
    return rc;
}

static const artel_option_t s_options[] = {
    { "force", 'f', NULL, "also if the version has aliases besides latest" },
    { 0 },
};

const artel_command_t artel_cmd_rm = {
    .name = "artifact rm", .operands = "NAME:vN...", .min = 1, .max = -1,
    .brief = "remove versions from the catalogue",
    .about =
        "The version can no longer be fetched, and its number is never used again. latest goes to\n"
        "the newest version left; a version with other aliases is kept unless --force. Its bytes\n"
        "stay on disk until 'artel gc' finds that nothing else uses them. It asks nothing.",
    .options = s_options,
    .examples = "artel artifact rm model:v3",
    .run = s_run,
};
