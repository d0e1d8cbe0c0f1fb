//  What is piped into `artel log`, of anyone's bytes: each line is a row or a sentence
//  says why not, and a row that was read, written as JSON, is read again the same.

#include "bounds.h"
#include "fuzz.h"
#include "json.h"
#include "jsonrow.h"
#include "lines.h"
#include "utf8.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

enum { MAX_KEY = 255 };

static void
s_require_value(const artel_value_t *value)
{
    REQUIRE(strlen(value->key) <= MAX_KEY && artel_is_utf8(value->key, strlen(value->key)));
    REQUIRE(value->type >= ARTEL_TYPE_DOUBLE && value->type <= ARTEL_TYPE_STRING);
    if (value->type == ARTEL_TYPE_STRING)
        REQUIRE(artel_is_utf8(value->string, strlen(value->string)));
}

static void
s_require_same(const artel_value_t *a, const artel_value_t *b)
{
    REQUIRE(strcmp(a->key, b->key) == 0 && a->type == b->type);
    if (a->type == ARTEL_TYPE_DOUBLE)
        REQUIRE(a->f64 == b->f64 || (a->f64 != a->f64 && b->f64 != b->f64));
    else if (a->type == ARTEL_TYPE_STRING)
        REQUIRE(strcmp(a->string, b->string) == 0);
    else
        REQUIRE(a->type == ARTEL_TYPE_INT ? a->i64 == b->i64 : a->boolean == b->boolean);
}

static void
s_put(const artel_value_t *value, FILE *out)
{
    artel_json_put_text(value->key, strlen(value->key), out);
    fputc(':', out);
    switch (value->type) {
    case ARTEL_TYPE_DOUBLE: artel_json_put_real(value->f64, out); return;
    case ARTEL_TYPE_INT: fprintf(out, "%lld", (long long) value->i64); return;
    case ARTEL_TYPE_BOOL: fputs(value->boolean ? "true" : "false", out); return;
    default: artel_json_put_text(value->string, strlen(value->string), out); return;
    }
}

static char *
s_write(const artel_jsonrow_t *row, size_t *ret_size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_size);
    fputc('{', out);
    for (size_t i = 0; i < row->n; i++) {
        s_put(&row->values[i], out);
        fputc(',', out);
    }
    if (row->step == ARTEL_AUTO_STEP)
        fputs("\"_nothing\":null}", out);
    else
        fprintf(out, "\"_step\":%lld}", (long long) row->step);
    fclose(out);
    return text;
}

static void
s_read_again(const artel_jsonrow_t *row)
{
    artel_jsonrow_t again = { .n = 0 };
    char why[512];
    size_t size;
    char *text = s_write(row, &size);
    REQUIRE(artel_jsonrow_read(&again, text, size, why, sizeof why) == 0);
    REQUIRE(again.n == row->n && again.step == row->step);
    for (size_t i = 0; i < row->n; i++)
        s_require_same(&row->values[i], &again.values[i]);
    artel_jsonrow_done(&again);
    free(text);
}

static void
s_take(artel_jsonrow_t *row, const artel_lines_t *lines, const char *line, size_t len)
{
    char why[512] = "";
    REQUIRE(lines->too_long ? len > ARTEL_MAX_LINE : len <= ARTEL_MAX_LINE && !memchr(line, '\n', len));
    if (lines->too_long)
        return;
    if (artel_jsonrow_read(row, line, len, why, sizeof why) != 0) {
        REQUIRE(why[0] && memchr(why, '\0', sizeof why));
        return;
    }
    REQUIRE(row->n > 0);
    for (size_t i = 0; i < row->n; i++)
        s_require_value(&row->values[i]);
    s_read_again(row);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/tmp/rows", fuzz_state());
    fuzz_put_file("tmp/rows", data, size);
    artel_lines_t lines = { .fd = open(path, O_RDONLY | O_CLOEXEC) };
    artel_jsonrow_t row = { .n = 0 };
    const char *line;
    size_t len, n = 0, ends = 0;
    REQUIRE(lines.fd >= 0);
    for (size_t i = 0; i < size; i++)
        ends += data[i] == '\n';
    while (!lines.ended) {
        REQUIRE(artel_lines_fill(&lines) >= 0);
        for (; artel_lines_next(&lines, &line, &len); n++)
            s_take(&row, &lines, line, len);
    }
    REQUIRE(n == ends + (size && data[size - 1] != '\n') && lines.number == n);
    close(lines.fd);
    artel_lines_done(&lines);
    artel_jsonrow_done(&row);
    return 0;
}
