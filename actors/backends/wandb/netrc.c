//  netrc.c - the file that W&B's own tools keep keys in.

#include "netrc.h"

#include "errors.h"
#include "state.h"
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LARGEST = 1 << 20 };     //  bytes of a file

typedef struct {
    const char *text;
    size_t len, at;
} scan_t;

typedef struct {
    size_t start;               //  where it is in the file
    bool quoted;
    char text[ARTEL_NETRC_WORD];
} word_t;

typedef struct {
    size_t start, end;          //  where it is in the file
    bool is_default;
    char machine[ARTEL_NETRC_WORD], password[ARTEL_NETRC_WORD];
} entry_t;

//  ---- words

static bool
s_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

//  The characters of a word, up to what ends it. ARTEL_ELIMIT.
static int
s_spell(scan_t *scan, word_t *ret)
{
    size_t n = 0;
    while (scan->at < scan->len) {
        char c = scan->text[scan->at];
        if (ret->quoted ? c == '"' : s_is_space(c))
            break;
        if (c == '\\' && scan->at + 1 < scan->len)
            c = scan->text[++scan->at];
        if (n + 1 == sizeof ret->text)
            return ARTEL_ELIMIT;
        ret->text[n++] = c;
        scan->at++;
    }
    ret->text[n] = 0;
    scan->at += ret->quoted && scan->at < scan->len;
    return 0;
}

//  The next word; ARTEL_ENOENT at the end.
static int
s_word(scan_t *scan, word_t *ret)
{
    while (scan->at < scan->len && s_is_space(scan->text[scan->at]))
        scan->at++;
    if (scan->at == scan->len)
        return ARTEL_ENOENT;
    ret->start = scan->at;
    ret->quoted = scan->text[scan->at] == '"';
    scan->at += ret->quoted;
    return s_spell(scan, ret);
}

static bool
s_is(const word_t *word, const char *text)
{
    return !word->quoted && strcmp(word->text, text) == 0;
}

static bool
s_begins(const word_t *word)
{
    return s_is(word, "machine") || s_is(word, "default") || s_is(word, "macdef");
}

static void
s_skip_line(scan_t *scan)
{
    while (scan->at < scan->len && scan->text[scan->at] != '\n')
        scan->at++;
    scan->at += scan->at < scan->len;
}

//  Up to the empty line that ends a macro.
static void
s_skip_macro(scan_t *scan)
{
    s_skip_line(scan);
    while (scan->at < scan->len && scan->text[scan->at] != '\n')
        s_skip_line(scan);
}

//  ---- entries

//  A value, which must be there.
static int
s_value(scan_t *scan, word_t *word, char *ret)
{
    int rc = s_word(scan, word);
    if (rc == 0)
        strcpy(ret, word->text);
    return rc == ARTEL_ENOENT ? ARTEL_EPROTO : rc;
}

//  What is said of an entry, up to what begins another.
static int
s_read_rest(scan_t *scan, word_t *word, entry_t *entry)
{
    char ignored[ARTEL_NETRC_WORD];
    int rc;
    while ((rc = s_word(scan, word)) == 0 && !s_begins(word)) {
        if (s_is(word, "password"))
            rc = s_value(scan, word, entry->password);
        else if (s_is(word, "login") || s_is(word, "user") || s_is(word, "account"))
            rc = s_value(scan, word, ignored);
        else if (*word->text == '#') {
            s_skip_line(scan);
            continue;
        } else
            rc = ARTEL_EPROTO;
        if (rc != 0)
            return rc;
        entry->end = scan->at;
    }
    if (rc == 0)
        scan->at = word->start;
    return rc == ARTEL_ENOENT ? 0 : rc;
}

//  The next entry; ARTEL_ENOENT at the end.
static int
s_entry(scan_t *scan, word_t *word, entry_t *ret)
{
    int rc;
    while ((rc = s_word(scan, word)) == 0) {
        ret->start = word->start;
        ret->is_default = s_is(word, "default");
        *ret->machine = *ret->password = 0;
        if (*word->text == '#') {
            s_skip_line(scan);
            continue;
        }
        if (s_is(word, "machine"))
            rc = s_value(scan, word, ret->machine);
        else if (s_is(word, "macdef")) {
            s_skip_macro(scan);
            continue;
        } else if (!ret->is_default)
            rc = ARTEL_EPROTO;
        ret->end = scan->at;
        return rc == 0 ? s_read_rest(scan, word, ret) : rc;
    }
    return rc;
}

//  ---- the file

int
artel_netrc_path(char **ret)
{
    const char *netrc = getenv("NETRC"), *home = getenv("HOME");
    bool named = netrc && *netrc, tilde = named && netrc[0] == '~' && netrc[1] == '/';
    if ((!named || tilde) && (!home || !*home))
        return ARTEL_ENOENT;
    char *path = named ? artel_format("%s%s", tilde ? home : "", netrc + tilde) : artel_format("%s/.netrc", home);
    if (path && !named && access(path, F_OK) != 0) {
        char *other = artel_format("%s/_netrc", home);
        if (other && access(other, F_OK) == 0) {
            free(path);
            path = other;
        } else
            free(other);
    }
    *ret = path;
    return path ? 0 : ARTEL_ENOMEM;
}

static int
s_read_all(int fd, char **ret, size_t *ret_len)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return ARTEL_EIO;
    if (st.st_size > LARGEST)
        return ARTEL_ELIMIT;
    char *text = malloc((size_t) st.st_size + 1);
    if (!text)
        return ARTEL_ENOMEM;
    ssize_t n = artel_read_at(fd, text, (size_t) st.st_size, 0);
    if (n < 0) {
        int rc = artel_error_of_errno(errno);
        free(text);
        return rc;
    }
    text[n] = 0;
    *ret = text;
    *ret_len = (size_t) n;
    return 0;
}

static int
s_load(const char *path, char **ret, size_t *ret_len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return artel_error_of_errno(errno);
    int rc = s_read_all(fd, ret, ret_len);
    close(fd);
    return rc;
}

static unsigned
s_line(const scan_t *scan)
{
    unsigned line = 1;
    for (size_t i = 0; i < scan->at; i++)
        line += scan->text[i] == '\n';
    return line;
}

typedef struct {
    word_t word;
    entry_t entry;
} space_t;                      //  too large for a stack

//  The last entry of the machine, or of the default.
static int
s_search(scan_t *scan, const char *machine, space_t *space, char *ret)
{
    bool found = false, any = false;
    int rc;
    while ((rc = s_entry(scan, &space->word, &space->entry)) == 0) {
        const entry_t *entry = &space->entry;
        bool ours = !entry->is_default && strcmp(entry->machine, machine) == 0;
        if (ours || (entry->is_default && !found))
            strcpy(ret, entry->password);
        any |= ours || entry->is_default;
        found |= ours;
    }
    return rc == ARTEL_ENOENT && any && *ret ? 0 : rc;
}

int
artel_netrc_find(const char *path, const char *machine, char ret[ARTEL_NETRC_WORD], char *why, size_t size)
{
    scan_t scan = { 0 };
    char *text;
    int rc = s_load(path, &text, &scan.len);
    if (rc != 0)
        return rc;
    space_t *space = malloc(sizeof *space);
    scan.text = text;
    rc = space ? s_search(&scan, machine, space, ret) : ARTEL_ENOMEM;
    if (rc == ARTEL_EPROTO)
        snprintf(why, size, "%s: line %u is none of a netrc file", path, s_line(&scan));
    explicit_bzero(text, scan.len);
    free(text);
    free(space);
    return rc;
}

//  ---- writing

//  Whether this can be a word, and whether it needs quotes.
static bool
s_is_word(const char *text)
{
    return *text && strlen(text) < ARTEL_NETRC_WORD && !text[strcspn(text, "\r\n")];
}

static void
s_put_word(FILE *out, const char *text)
{
    bool plain = *text != '#' && !text[strcspn(text, " \t\"\\")];
    fputs(plain ? "" : "\"", out);
    for (; *text; text++)
        fprintf(out, "%s%c", !plain && (*text == '"' || *text == '\\') ? "\\" : "", *text);
    fputs(plain ? "" : "\"", out);
}

//  Behind an entry that is taken out: the rest of its line, if nothing is there.
static size_t
s_past_line(const scan_t *scan, size_t at)
{
    size_t end = at;
    while (end < scan->len && scan->text[end] != '\n' && s_is_space(scan->text[end]))
        end++;
    return end < scan->len && scan->text[end] == '\n' ? end + 1 : at;
}

//  The file without the machine's entries. What cannot be read any further stays.
static void
s_put_others(FILE *out, scan_t *scan, const char *machine, space_t *space)
{
    size_t kept = 0;
    while (s_entry(scan, &space->word, &space->entry) == 0) {
        const entry_t *entry = &space->entry;
        if (entry->is_default || strcmp(entry->machine, machine) != 0)
            continue;
        fwrite(scan->text + kept, 1, entry->start - kept, out);
        kept = s_past_line(scan, entry->end);
    }
    fwrite(scan->text + kept, 1, scan->len - kept, out);
    if (scan->len > kept && scan->text[scan->len - 1] != '\n')
        fputc('\n', out);
}

//  The new content of the file, which the caller frees.
static char *
s_compose(scan_t *scan, const char *machine, const char *password, space_t *space, size_t *ret_len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_len);
    if (!out)
        return NULL;
    s_put_others(out, scan, machine, space);
    fputs("machine ", out);
    s_put_word(out, machine);
    fputs("\n  login user\n  password ", out);
    s_put_word(out, password);
    fputs("\n", out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

//  Under another name beside it first.
static int
s_replace(const char *path, const char *text, size_t len)
{
    char *temporary = artel_format("%s.XXXXXX", path);
    int fd = temporary ? mkostemp(temporary, O_CLOEXEC) : -1, rc = ARTEL_ENOMEM;
    if (temporary && fd < 0)
        rc = artel_error_of_errno(errno);
    if (fd >= 0) {
        rc = artel_write_all(fd, text, len);
        if (rc == 0 && (fsync(fd) != 0 || rename(temporary, path) != 0))
            rc = artel_error_of_errno(errno);
        if (rc != 0)
            unlink(temporary);
        close(fd);
    }
    free(temporary);
    return rc;
}

int
artel_netrc_write(const char *path, const char *machine, const char *password)
{
    char *text = NULL, *real = realpath(path, NULL), *composed = NULL;
    space_t *space = malloc(sizeof *space);
    scan_t scan = { 0 };
    size_t len;
    int rc = s_is_word(machine) && s_is_word(password) ? s_load(path, &text, &scan.len) : ARTEL_EINVAL;
    if (rc == ARTEL_ENOENT || (rc == 0 && !space))
        rc = space ? 0 : ARTEL_ENOMEM;
    scan.text = text ? text : "";
    if (rc == 0 && !(composed = s_compose(&scan, machine, password, space, &len)))
        rc = ARTEL_ENOMEM;
    if (rc == 0)
        rc = s_replace(real ? real : path, composed, len);
    free(composed);
    free(space);
    free(real);
    free(text);
    return rc;
}
