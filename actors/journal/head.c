//  head.c - writing and reading the head's list of texts.

#include "head.h"

#include "actor.h"
#include "errors.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

//  The first line of a small file of the system; empty if it is not there.
static void
s_read_line(const char *path, char *ret, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, ret, size - 1) : 0;
    if (fd >= 0)
        close(fd);
    ret[n > 0 ? n : 0] = 0;
    ret[strcspn(ret, "\n")] = 0;
}

int
artel_head_pack(const artel_head_t *of, char **ret, size_t *ret_len)
{
    char id[ARTEL_ID_TEXT], host[256] = "", machine[64], boot[64], born[32], pid[32];
    artel_hex(of->writer.at, sizeof of->writer.at, id);
    gethostname(host, sizeof host - 1);
    s_read_line("/etc/machine-id", machine, sizeof machine);
    s_read_line("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
    snprintf(born, sizeof born, "%lld", (long long) artel_wall_ms());
    snprintf(pid, sizeof pid, "%ld", (long) getpid());
    const char *const texts[][2] = {
        { "format", "1.0" }, { "run", of->run }, { "writer", id }, { "sinks", of->sinks },
        { "born_ms", born }, { "host", host }, { "machine", machine }, { "boot", boot },
        { "pid", pid }, { "rank", of->rank }, { "next_step", of->next_step },
    };
    char *data = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&data, &len);
    for (size_t i = 0; out && i < sizeof texts / sizeof *texts; i++)
        if (texts[i][1])
            fprintf(out, "%s=%s%c", texts[i][0], texts[i][1], 0);
    if (!out || fclose(out) != 0) {
        free(data);
        return ARTEL_ENOMEM;
    }
    *ret = data;
    *ret_len = len;
    return 0;
}

const char *
artel_head_get(const void *data, size_t len, const char *key)
{
    const char *at = data, *end = at + len;
    size_t key_len = strlen(key);
    while (at < end) {
        size_t n = strnlen(at, (size_t) (end - at));
        if (at + n == end)
            return NULL;                        //  not ended by a NUL
        if (n > key_len && at[key_len] == '=' && memcmp(at, key, key_len) == 0)
            return at + key_len + 1;
        at += n + 1;
    }
    return NULL;
}

int
artel_head_repack(const void *before, size_t len, const artel_head_t *of, char **ret, size_t *ret_len)
{
    artel_head_t head = *of;
    head.sinks = before ? artel_head_get(before, len, "sinks") : NULL;
    head.rank = before ? artel_head_get(before, len, "rank") : NULL;
    if (!head.sinks)
        head.sinks = "";
    return artel_head_pack(&head, ret, ret_len);
}
