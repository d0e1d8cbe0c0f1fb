//  artifact.c - describing an artifact.

#include "artifact.h"

#include "bounds.h"
#include "errors.h"
#include "state.h"
#include "utf8.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
s_refuse(artel_artifact_t *self, int rc, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(self->why, sizeof self->why, format, args);
    va_end(args);
    return rc;
}

static int
s_no_memory(artel_artifact_t *self)
{
    return s_refuse(self, ARTEL_ENOMEM, "out of memory while artifact \"%s\" was described", self->name);
}

//  A name of an artifact, type or alias.
static bool
s_is_name(const char *text)
{
    size_t len = text ? strnlen(text, ARTEL_MAX_NAME + 1) : 0;
    return len > 0 && len <= ARTEL_MAX_NAME && artel_is_utf8(text, len) && !strpbrk(text, ":/");
}

int
artel_artifact_new(const char *name, const char *type, artel_artifact_t **ret)
{
    if (!ret || !s_is_name(name) || (type && !s_is_name(type)))
        return ARTEL_EINVAL;
    artel_artifact_t *self = calloc(1, sizeof *self);
    if (!self)
        return ARTEL_ENOMEM;
    self->name = strdup(name);
    self->type = strdup(type ? type : "artifact");
    self->history_step = ARTEL_AUTO_STEP;
    if (!self->name || !self->type) {
        artel_artifact_destroy(&self);
        return ARTEL_ENOMEM;
    }
    *ret = self;
    return 0;
}

static void
s_part_unref(artel_part_t *part)
{
    if (!part || atomic_fetch_sub(&part->refs, 1) != 1)
        return;
    free(part->path);
    free(part->name);
    free(part->digest);
    free(part->data);
    free(part);
}

void
artel_artifact_destroy(artel_artifact_t **self_p)
{
    artel_artifact_t *self = self_p ? *self_p : NULL;
    if (!self)
        return;
    for (size_t i = 0; i < self->n_parts; i++)
        s_part_unref(self->parts[i]);
    for (size_t i = 0; i < self->n_aliases; i++)
        free(self->aliases[i]);
    free(self->parts);
    free(self->aliases);
    free(self->name);
    free(self->type);
    free(self->description);
    free(self->metadata);
    free(self);
    *self_p = NULL;
}

//  Replace an owned text; NULL stays NULL.
static int
s_set(char **at, const char *text)
{
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy)
        return ARTEL_ENOMEM;
    free(*at);
    *at = copy;
    return 0;
}

static int
s_copy_lists(artel_artifact_t *copy, const artel_artifact_t *self)
{
    copy->parts = calloc(self->n_parts + 1, sizeof *copy->parts);
    copy->aliases = calloc(self->n_aliases + 1, sizeof *copy->aliases);
    if (!copy->parts || !copy->aliases)
        return ARTEL_ENOMEM;
    for (; copy->n_parts < self->n_parts; copy->n_parts++) {
        copy->parts[copy->n_parts] = self->parts[copy->n_parts];
        atomic_fetch_add(&copy->parts[copy->n_parts]->refs, 1);
    }
    int rc = 0;
    for (; rc == 0 && copy->n_aliases < self->n_aliases; copy->n_aliases++)
        rc = s_set(&copy->aliases[copy->n_aliases], self->aliases[copy->n_aliases]);
    return rc;
}

artel_artifact_t *
artel_artifact_copy(const artel_artifact_t *self)
{
    artel_artifact_t *copy;
    if (artel_artifact_new(self->name, self->type, &copy) != 0)
        return NULL;
    copy->history_step = self->history_step;
    copy->links = self->links;
    copy->async = self->async;
    copy->progress = self->progress;
    copy->progress_arg = self->progress_arg;
    int rc = s_copy_lists(copy, self);
    if (rc == 0)
        rc = s_set(&copy->description, self->description);
    if (rc == 0)
        rc = s_set(&copy->metadata, self->metadata);
    if (rc != 0)
        artel_artifact_destroy(&copy);
    return copy;
}

const char *
artel_artifact_error(const artel_artifact_t *self)
{
    return self ? self->why : "there is no artifact (NULL)";
}

//  The parts, and how each is read.

static int
s_ingest_file(artel_ingest_t *ingest, const artel_part_t *part)
{
    return artel_ingest_file(ingest, part->path, part->name);
}

static int
s_ingest_dir(artel_ingest_t *ingest, const artel_part_t *part)
{
    return artel_ingest_dir(ingest, part->path, part->name);
}

static int
s_ingest_bytes(artel_ingest_t *ingest, const artel_part_t *part)
{
    return artel_ingest_bytes(ingest, part->name, part->data, part->size);
}

static int
s_ingest_reference(artel_ingest_t *ingest, const artel_part_t *part)
{
    return artel_ingest_reference(ingest, part->name, part->path, part->digest, part->size);
}

//  Append a part whose texts are copied; its data is taken.
static int
s_add(artel_artifact_t *self, const artel_part_t *what)
{
    if (self->n_parts == self->cap_parts) {
        size_t cap = self->cap_parts ? self->cap_parts * 2 : 8;
        artel_part_t **parts = realloc(self->parts, cap * sizeof *parts);
        if (!parts)
            return s_no_memory(self);
        self->parts = parts;
        self->cap_parts = cap;
    }
    artel_part_t *part = calloc(1, sizeof *part);
    if (!part)
        return s_no_memory(self);
    part->refs = 1;
    part->ingest = what->ingest;
    part->size = what->size;
    if (s_set(&part->path, what->path) != 0 || s_set(&part->name, what->name) != 0
        || s_set(&part->digest, what->digest) != 0) {
        s_part_unref(part);
        return s_no_memory(self);
    }
    part->data = what->data;
    self->parts[self->n_parts++] = part;
    return 0;
}

//  A path is meant from the directory the program is in now.
static int
s_add_path(artel_artifact_t *self, const char *path, const char *name,
           int (*ingest)(artel_ingest_t *, const artel_part_t *))
{
    if (!self)
        return ARTEL_EINVAL;
    if (!path || !*path)
        return s_refuse(self, ARTEL_EINVAL, "the path to add to artifact \"%s\" is %s", self->name,
                        path ? "empty" : "NULL");
    char *cwd = path[0] == '/' ? NULL : getcwd(NULL, 0);
    char *absolute = cwd ? artel_format("%s/%s", cwd, path) : NULL;
    int rc = cwd && !absolute ? s_no_memory(self)
             : s_add(self, &(artel_part_t) { .ingest = ingest, .name = (char *) name,
                                             .path = absolute ? absolute : (char *) path });
    free(absolute);
    free(cwd);
    return rc;
}

int
artel_artifact_add_file(artel_artifact_t *self, const char *path, const char *name)
{
    return s_add_path(self, path, name, s_ingest_file);
}

int
artel_artifact_add_dir(artel_artifact_t *self, const char *path, const char *prefix)
{
    return s_add_path(self, path, prefix, s_ingest_dir);
}

int
artel_artifact_add_bytes(artel_artifact_t *self, const char *name, const void *data, size_t size)
{
    if (!self)
        return ARTEL_EINVAL;
    if (!name || (!data && size))
        return s_refuse(self, ARTEL_EINVAL, "bytes to add to artifact \"%s\" need a name and data",
                        self->name);
    void *copy = malloc(size + 1);              //  never zero bytes
    if (!copy)
        return s_no_memory(self);
    if (size)
        memcpy(copy, data, size);
    int rc = s_add(self, &(artel_part_t) { .ingest = s_ingest_bytes, .name = (char *) name,
                                           .data = copy, .size = size });
    if (rc != 0)
        free(copy);
    return rc;
}

int
artel_artifact_add_reference(artel_artifact_t *self, const char *name, const char *uri,
                             const char *digest, uint64_t size)
{
    if (!self)
        return ARTEL_EINVAL;
    if (!name || !uri || !*uri)
        return s_refuse(self, ARTEL_EINVAL, "a reference to add to artifact \"%s\" needs a name and a URI",
                        self->name);
    return s_add(self, &(artel_part_t) { .ingest = s_ingest_reference, .name = (char *) name,
        .path = (char *) uri, .digest = (char *) (digest ? digest : ""), .size = size });
}

//  The other properties.

static int
s_set_text(artel_artifact_t *self, char **at, const char *what, const char *text)
{
    size_t len = text ? strnlen(text, ARTEL_MAX_STRING + 1) : 0;
    if (len > ARTEL_MAX_STRING || !artel_is_utf8(text ? text : "", len))
        return s_refuse(self, len > ARTEL_MAX_STRING ? ARTEL_ELIMIT : ARTEL_EINVAL,
                        "the %s of artifact \"%s\" must be UTF-8 of at most 64 KiB", what, self->name);
    return s_set(at, text) == 0 ? 0 : s_no_memory(self);
}

int
artel_artifact_set_description(artel_artifact_t *self, const char *text)
{
    return self ? s_set_text(self, &self->description, "description", text) : ARTEL_EINVAL;
}

int
artel_artifact_set_metadata(artel_artifact_t *self, const char *json)
{
    if (!self)
        return ARTEL_EINVAL;
    json_error_t error = { .text = "it is something else" };
    json_t *object = json ? json_loads(json, 0, &error) : NULL;
    bool good = !json || json_is_object(object);
    json_decref(object);
    if (!good)
        return s_refuse(self, ARTEL_EINVAL, "the metadata of artifact \"%s\" must be one JSON object: %s",
                        self->name, error.text);
    return s_set_text(self, &self->metadata, "metadata", json);
}

//  "v3" is a version, never an alias.
static bool
s_is_version(const char *text)
{
    return text[0] == 'v' && text[1] && text[1 + strspn(text + 1, "0123456789")] == 0;
}

int
artel_artifact_add_alias(artel_artifact_t *self, const char *alias)
{
    if (!self)
        return ARTEL_EINVAL;
    if (!s_is_name(alias) || s_is_version(alias))
        return s_refuse(self, ARTEL_EINVAL, "the alias \"%.140s\" of artifact \"%s\" must be 1 to 128 bytes "
                        "of UTF-8 without ':' and '/', and not v and a number", alias ? alias : "", self->name);
    if (self->n_aliases == ARTEL_MAX_ALIASES)
        return s_refuse(self, ARTEL_ELIMIT, "artifact \"%s\" has %d aliases, which is the most", self->name,
                        ARTEL_MAX_ALIASES);
    char **aliases = realloc(self->aliases, (self->n_aliases + 1) * sizeof *aliases);
    if (!aliases)
        return s_no_memory(self);
    self->aliases = aliases;
    self->aliases[self->n_aliases] = strdup(alias);
    if (!self->aliases[self->n_aliases])
        return s_no_memory(self);
    self->n_aliases++;
    return 0;
}

int
artel_artifact_set_history_step(artel_artifact_t *self, int64_t step)
{
    if (!self)
        return ARTEL_EINVAL;
    self->history_step = step;
    return 0;
}

int
artel_artifact_set_links(artel_artifact_t *self, int links)
{
    if (!self || links < ARTEL_LINKS_DEFAULT || links > ARTEL_LINKS_FOLLOW_ALL)
        return self ? s_refuse(self, ARTEL_EINVAL, "links must be one of ARTEL_LINKS_*") : ARTEL_EINVAL;
    self->links = links;
    return 0;
}

int
artel_artifact_set_progress(artel_artifact_t *self, artel_progress_fn *fn, void *arg)
{
    if (!self)
        return ARTEL_EINVAL;
    self->progress = fn;
    self->progress_arg = arg;
    return 0;
}

int
artel_artifact_set_async(artel_artifact_t *self, int on)
{
    if (!self)
        return ARTEL_EINVAL;
    self->async = on != 0;
    return 0;
}
