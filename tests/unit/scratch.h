//  scratch.h - a folder for one test, and files in it.

#ifndef ARTEL_SCRATCH_H
#define ARTEL_SCRATCH_H

#include <criterion/criterion.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char s_scratch[128];     //  its path

static inline void
s_scratch_make(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(s_scratch, sizeof s_scratch, "%s/artel-test.XXXXXX", base ? base : "/tmp");
    cr_assert_not_null(mkdtemp(s_scratch));
}

static inline int
s_scratch_unlink(const char *path, const struct stat *st, int flag, struct FTW *at)
{
    (void) st, (void) flag, (void) at;
    return remove(path);
}

static inline void
s_scratch_remove(void)
{
    nftw(s_scratch, s_scratch_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

//  A path in the folder; one of four that take turns.
static inline const char *
s_in(const char *format, ...)
{
    static char paths[4][4600];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    int n = snprintf(path, sizeof paths[0], "%s/", s_scratch);
    va_list args;
    va_start(args, format);
    vsnprintf(path + n, sizeof paths[0] - (size_t) n, format, args);
    va_end(args);
    return path;
}

static inline void
s_write_bytes(const char *path, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    cr_assert(fd >= 0, "cannot make %s", path);
    cr_assert_eq(write(fd, data, len), (ssize_t) len);
    close(fd);
}

static inline void
s_write_text(const char *path, const char *text)
{
    s_write_bytes(path, text, strlen(text));
}

//  len bytes that no compressor likes, different for every seed; the caller frees them.
static inline char *
s_noise(size_t len, uint64_t seed)
{
    char *at = malloc(len + 1);
    uint64_t x = seed * 2654435769u + 88172645463325252u;
    for (size_t i = 0; i < len; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        at[i] = (char) (x >> 32);
    }
    return at;
}

static inline void
s_write_noise(const char *path, size_t len, uint64_t seed)
{
    char *noise = s_noise(len, seed);
    s_write_bytes(path, noise, len);
    free(noise);
}

//  The whole file with a NUL behind it; the caller frees it.
static inline char *
s_read_whole(const char *path, size_t *ret_len)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    cr_assert(fd >= 0 && fstat(fd, &st) == 0, "cannot open %s", path);
    char *data = malloc((size_t) st.st_size + 1);
    cr_assert_eq(read(fd, data, (size_t) st.st_size), st.st_size);
    data[st.st_size] = 0;
    close(fd);
    *ret_len = (size_t) st.st_size;
    return data;
}

static inline bool
s_has_text(const char *path, const char *text)
{
    size_t len;
    char *data = s_read_whole(path, &len);
    bool same = len == strlen(text) && memcmp(data, text, len) == 0;
    free(data);
    return same;
}

//  Change one byte of a file in place.
static inline void
s_flip(const char *path, off_t offset)
{
    unsigned char byte;
    int fd = open(path, O_RDWR);
    cr_assert(fd >= 0);
    cr_assert_eq(pread(fd, &byte, 1, offset), 1);
    byte ^= 0x41;
    cr_assert_eq(pwrite(fd, &byte, 1, offset), 1);
    close(fd);
}

#endif
