//  trace.c - the events of ARTEL_TRACE.

#include "trace.h"

#include "batch.h"
#include "errors.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <msgpack.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static pthread_once_t s_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t s_order = PTHREAD_MUTEX_INITIALIZER;
static int s_fd = -1;               //  set once, before the first actor starts
static int s_rc;                    //  why it is not
static char s_path[256];            //  its name, perhaps cut, for people
static atomic_int s_trouble;        //  why an event was left out, or 0
static atomic_bool s_told;          //  somebody was told

//  O_NONBLOCK, so that a pipe nobody reads is an error and not a wait.
static void
s_open(void)
{
    const char *path = getenv("ARTEL_TRACE");
    if (!path || !*path)
        return;
    snprintf(s_path, sizeof s_path, "%s", path);
    s_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
    if (s_fd < 0)
        s_trouble = s_rc = artel_error_of_errno(errno);
}

int
artel_trace_open(void)
{
    pthread_once(&s_once, s_open);
    return s_rc;
}

bool
artel_trace_trouble(char *ret, size_t size)
{
    int code = atomic_load_explicit(&s_trouble, memory_order_relaxed);
    if (code == 0 || atomic_exchange(&s_told, true))
        return false;
    snprintf(ret, size, "the trace %s (ARTEL_TRACE) can't be written: %s; events are missing from it", s_path,
             artel_error_code_text(code));
    return true;
}

bool
artel_trace_on(void)
{
    return s_fd >= 0;
}

//  Whole, or it is remembered why not: a full disk, a pipe whose reader does not keep up.
static void
s_write(const char *line, size_t len)
{
    ssize_t rc = write(s_fd, line, len);
    if (rc < 0)
        s_trouble = errno == EAGAIN ? ARTEL_EFULL : artel_error_of_errno(errno);
    else if ((size_t) rc < len)
        s_trouble = ARTEL_ENOSPC;
}

//  One line, written with one call, in the order of its times. A run that is no
//  run id is left out, so nothing needs escapes.
static void
s_note(const char *from, const char *to, const artel_msg_t *msg, artel_str_t run, size_t bytes)
{
    char line[512], hex[ARTEL_ID_TEXT] = "";
    const artel_id_t *xid = artel_msg_xid(msg);
    if (xid)
        artel_hex(xid->at, sizeof xid->at, hex);
    if (!artel_is_run_id(run.at, run.len))
        run.len = 0;
    pthread_mutex_lock(&s_order);
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    int n = snprintf(line, sizeof line,
                     "{\"time\":%" PRId64 "%09ld,\"from\":\"%s\",\"to\":\"%s\",\"name\":\"%s\","
                     "\"xid\":\"%s\",\"run\":\"%.*s\",\"bytes\":%zu}\n",
                     (int64_t) ts.tv_sec, ts.tv_nsec, from, to, artel_msg_name(msg->id), hex,
                     (int) run.len, run.at ? run.at : "", bytes);
    if (n > 0 && (size_t) n < sizeof line)
        s_write(line, (size_t) n);
    pthread_mutex_unlock(&s_order);
}

void
artel_trace_message(const char *from, const char *to, const artel_msg_t *msg,
                    artel_str_t run, size_t bytes)
{
    if (artel_trace_on())
        s_note(from, to, msg, run, bytes);
}

void
artel_trace_batch(const char *from, const char *to, const void *data, size_t len)
{
    msgpack_zone zone;
    if (!artel_trace_on() || !msgpack_zone_init(&zone, 8192))
        return;
    artel_batch_reader_t reader;
    artel_msg_t msg;
    if (artel_batch_read(data, len, &zone, &reader) == 0)
        for (size_t left = reader.left; artel_batch_next(&reader, &msg) > 0; left = reader.left)
            s_note(from, to, &msg, reader.head.run, left - reader.left);
    msgpack_zone_destroy(&zone);
}
