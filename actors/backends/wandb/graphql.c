//  graphql.c - the body of a GraphQL request, and what its answer says.

#include "graphql.h"

#include "errors.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PATH = 128,
    ERROR = 512,
    TRIES = 20,
    ATTEMPT_MS = 60 * 1000,     //  commits take long
    MOST = 64 << 20,            //  bytes of an answer
};

static const char *const s_headers[] = { "Content-Type: application/json", NULL };

static bool
s_is_given(const json_t *variables, const char *name)
{
    const json_t *value = json_object_get(variables, name);
    return value && !json_is_null(value);
}

//  Whether all of them are the operation's.
static bool
s_are_known(const artel_operation_text_t *text, const json_t *variables)
{
    size_t known = 0;
    for (size_t i = 0; i < text->n_variables; i++)
        known += json_object_get(variables, text->variables[i].name) != NULL;
    return known == json_object_size(variables);
}

static void
s_write_declarations(FILE *out, const artel_operation_text_t *text, const json_t *variables)
{
    const char *before = "(";
    for (size_t i = 0; i < text->n_variables; i++) {
        const artel_variable_t *variable = &text->variables[i];
        if (variable->field && !s_is_given(variables, variable->name))
            continue;
        fprintf(out, "%s$%s: %s", before, variable->name, variable->type);
        before = ", ";
    }
    fputs(*before == ',' ? ") { " : " { ", out);
}

static void
s_write_fields(FILE *out, const artel_operation_text_t *text, const json_t *variables)
{
    const char *before = "";
    for (size_t i = 0; i < text->n_variables; i++) {
        const artel_variable_t *variable = &text->variables[i];
        if (!variable->field || !s_is_given(variables, variable->name))
            continue;
        fprintf(out, "%s%s: $%s", before, variable->field, variable->name);
        before = ", ";
    }
}

static char *
s_document(const artel_operation_text_t *text, const json_t *variables)
{
    char *document = NULL;
    size_t size;
    FILE *out = open_memstream(&document, &size);
    if (!out)
        return NULL;
    fprintf(out, "%s %s", text->kind, text->name);
    s_write_declarations(out, text, variables);
    fputs(text->open, out);
    s_write_fields(out, text, variables);
    fprintf(out, "%s }", text->close);
    if (fclose(out) == 0)
        return document;
    free(document);
    return NULL;
}

//  Those that are given, in an object of their own.
static json_t *
s_given(const artel_operation_text_t *text, const json_t *variables)
{
    json_t *given = json_object();
    for (size_t i = 0; i < text->n_variables; i++) {
        const char *name = text->variables[i].name;
        if (s_is_given(variables, name) && json_object_set(given, name, json_object_get(variables, name)) != 0) {
            json_decref(given);
            return NULL;
        }
    }
    return given;
}

char *
artel_graphql_body(artel_operation_t operation, const json_t *variables)
{
    const artel_operation_text_t *text = artel_operation_text(operation);
    char *document = s_are_known(text, variables) ? s_document(text, variables) : NULL, *body = NULL;
    json_t *whole = document ? json_pack("{s:s, s:o*, s:s}", "query", document, "variables",
                                         s_given(text, variables), "operationName", text->name)
                             : NULL;
    if (json_object_get(whole, "variables"))
        body = json_dumps(whole, JSON_COMPACT);
    json_decref(whole);
    free(document);
    return body;
}

void
artel_graphql_request(artel_operation_t operation, const char *url, const artel_http_key_t *key, const char *body,
                      artel_http_t *ret)
{
    bool conflicts = operation == ARTEL_COMMIT_ARTIFACT || operation == ARTEL_UPSERT_BUCKET;
    ret->method = "POST";
    ret->url = url;
    ret->headers = s_headers;
    ret->key = key;
    ret->body = (artel_http_body_t) { .data = body, .fd = -1, .size = strlen(body) };
    ret->rule = conflicts ? ARTEL_HTTP_UPSERT : ARTEL_HTTP_CALL;
    ret->tries = TRIES;
    ret->timeout_ms = ATTEMPT_MS;
    ret->most = MOST;
}

//  The text of {"error": text} or {"error": {"message": text}}, and of an item of "errors".
static const char *
s_message(const json_t *error)
{
    return json_string_value(json_is_object(error) ? json_object_get(error, "message") : error);
}

static void
s_add_message(const json_t *error, char *text, size_t size)
{
    size_t len = strlen(text);
    const char *message = s_message(error);
    snprintf(text + len, size - len, "%s%s", len ? "; " : "", message ? message : "an error without a message");
}

//  Whether the answer says that something went wrong, and what.
static bool
s_is_error(const json_t *answer, char *text, size_t size)
{
    json_t *error = json_object_get(answer, "error"), *errors = json_object_get(answer, "errors"), *item;
    size_t i;
    *text = 0;
    if (error && s_message(error))
        s_add_message(error, text, size);
    else
        json_array_foreach(errors, i, item)
            s_add_message(item, text, size);
    return *text != 0;
}

static int
s_say(artel_operation_t operation, int code, char *why, size_t size, const char *format, ...)
{
    int n = snprintf(why, size, "%s: ", artel_operation_text(operation)->name);
    va_list args;
    va_start(args, format);
    if (n >= 0 && (size_t) n < size)
        vsnprintf(why + n, size - (size_t) n, format, args);
    va_end(args);
    return code;
}

static int
s_judge(artel_operation_t operation, const artel_http_t *http, const json_t *answer, char *why, size_t size)
{
    char text[ERROR];
    if (s_is_error(answer, text, sizeof text))
        return s_say(operation, ARTEL_EREFUSED, why, size, "%s (HTTP %d)", text, http->status);
    if (http->code != 0)
        return s_say(operation, http->code, why, size, "%s", http->text);
    if (!json_is_object(answer))
        return s_say(operation, ARTEL_EPROTO, why, size, "the answer is no JSON object");
    if (!json_is_object(json_object_get(answer, "data")))
        return s_say(operation, ARTEL_EPROTO, why, size, "the answer has no data");
    return 0;
}

int
artel_graphql_answer(artel_operation_t operation, const artel_http_t *http, json_t **ret_data,
                     char *why, size_t size)
{
    json_t *answer = http->answer ? json_loadb(http->answer, http->answer_size, 0, NULL) : NULL;
    int rc = s_judge(operation, http, answer, why, size);
    if (rc == 0)
        *ret_data = json_incref(json_object_get(answer, "data"));
    json_decref(answer);
    return rc;
}

bool
artel_graphql_passes(int code, const artel_http_t *http)
{
    //  No JSON where JSON is due is what a proxy answers while the server is away.
    return http->code != 0 ? http->passes : code == ARTEL_EPROTO;
}

json_t *
artel_reading_at(const artel_reading_t *self, const char *path)
{
    const json_t *at = self->data;
    while (at && *path) {
        char name[PATH];
        size_t len = strcspn(path, ".");
        assert(len < sizeof name);
        memcpy(name, path, len);
        name[len] = 0;
        at = json_object_get(at, name);
        path += len + (path[len] == '.');
    }
    return json_is_null(at) ? NULL : (json_t *) at;
}

int
artel_reading_fail(const artel_reading_t *self, const char *path, const char *what)
{
    return s_say(self->operation, ARTEL_EPROTO, self->why, self->size, "%s %s", path, what);
}

int
artel_reading_text(const artel_reading_t *self, const char *path, const char **ret)
{
    const json_t *value = artel_reading_at(self, path);
    if (!value)
        return artel_reading_fail(self, path, "is missing");
    if (!json_is_string(value))
        return artel_reading_fail(self, path, "is no text");
    *ret = json_string_value(value);
    return 0;
}

int
artel_reading_id(const artel_reading_t *self, const char *path, char *ret, size_t size)
{
    const json_t *value = artel_reading_at(self, path);
    char number[24];
    const char *text = json_string_value(value);
    if (!value)
        return artel_reading_fail(self, path, "is missing");
    if (json_is_integer(value)) {
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        text = number;
    }
    if (!text || !*text)
        return artel_reading_fail(self, path, "is no id");
    if (strlen(text) >= size)
        return artel_reading_fail(self, path, "is too long");
    strcpy(ret, text);
    return 0;
}

int
artel_reading_count(const artel_reading_t *self, const char *path, int64_t *ret)
{
    const json_t *value = artel_reading_at(self, path);
    if (!value)
        return artel_reading_fail(self, path, "is missing");
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return artel_reading_fail(self, path, "is no number of at least 0");
    *ret = json_integer_value(value);
    return 0;
}

int
artel_reading_list(const artel_reading_t *self, const char *path, json_t **ret)
{
    json_t *value = artel_reading_at(self, path);
    if (!value)
        return artel_reading_fail(self, path, "is missing");
    if (!json_is_array(value))
        return artel_reading_fail(self, path, "is no list");
    *ret = value;
    return 0;
}
