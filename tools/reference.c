//  reference.c - an artifact's version by name.

#include "reference.h"

#include "command.h"
#include "term.h"

#include <stdio.h>
#include <string.h>

int
artel_reference_parse(const char *text, artel_reference_t *ret)
{
    size_t len = strcspn(text, ":");
    const char *version = text[len] ? text + len + 1 : "latest";
    if (len == 0 || len > ARTEL_MAX_NAME || !*version || strlen(version) > ARTEL_MAX_NAME
        || strpbrk(version, ":/") || memchr(text, '/', len)) {
        artel_complain("'%s': must be NAME, NAME:ALIAS or NAME:vN", text);
        return ARTEL_EXIT_USAGE;
    }
    snprintf(ret->name, sizeof ret->name, "%.*s", (int) len, text);
    snprintf(ret->version, sizeof ret->version, "%s", version);
    return 0;
}

int
artel_reference_resolve(const artel_place_t *place, const artel_reference_t *ref,
                        artel_version_t *ret)
{
    int rc = ARTEL_ENOENT;
    if (place->catalogue)
        rc = artel_catalogue_resolve(place->catalogue, ref->name, ref->version, ret);
    if (rc == ARTEL_ENOENT)
        artel_complain("there is no artifact %s:%s in %s", ref->name, ref->version, place->place);
    else if (rc != 0)
        artel_complain("%s", artel_catalogue_error(place->catalogue));
    return artel_reach_exit(rc);
}
