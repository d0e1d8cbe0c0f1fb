//  scripted.h - a transfer actor, askers that the test plays, and a server that does what urls say
//  (tests/fakes/scripted.py).

#ifndef SCRIPTED_H
#define SCRIPTED_H

#include <criterion/criterion.h>

#include "errors.h"
#include "guest.h"
#include "transfer.h"
#include "wire.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BASE_MS = 10, ANSWER_MS = 20000, ASKERS = 3, LOOKER = 2 };

static pid_t s_server;
static int s_server_in;                     //  it ends when this is closed
static unsigned s_port, s_other, s_secure;
static char s_certificate[256];
static zactor_t *s_transfer;
static zsock_t *s_asker[ASKERS];          //  the last for s_seen

//  The script is beside this folder.
static inline void
s_server_exec(bool with_tls)
{
    char path[512];
    const char *slash = strrchr(__FILE__, '/');
    snprintf(path, sizeof path, "%.*s/../fakes/scripted.py", (int) (slash - __FILE__), __FILE__);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execlp("python3", "python3", "-B", path, with_tls ? "--tls" : NULL, NULL);
    _exit(127);
}

static inline void
s_serve(bool with_tls)
{
    int in[2], out[2];
    cr_assert(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    s_server = fork();
    if (s_server == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        s_server_exec(with_tls);
    }
    close(in[0]);
    close(out[1]);
    s_server_in = in[1];
    FILE *said = fdopen(out[0], "r");
    cr_assert_eq(fscanf(said, "%u %u %u %255s", &s_port, &s_other, &s_secure, s_certificate), 4, "no server");
    fclose(said);
}

static inline void
s_start_with(artel_transfer_args_t args)
{
    args.start.name = "artel/transfer";
    args.n = ASKERS;
    args.base_ms = BASE_MS;
    cr_assert_eq(artel_guest_enter(), 0);
    for (int i = 0; i < ASKERS; i++)
        cr_assert_eq(artel_sock_pair(&s_asker[i], &args.askers[i]), 0);
    cr_assert_eq(artel_actor_start(&s_transfer, artel_transfer, &args.start), 0);
}

static inline void
s_stop(void)
{
    cr_assert_eq(artel_actor_stop(&s_transfer, 5000), 0);
}

static inline void
s_hang_up(void)
{
    for (int i = 0; i < ASKERS; i++)
        zsock_destroy(&s_asker[i]);
}

static inline void
s_setup(void)
{
    static const char *const foreign[] = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" };
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        unsetenv(foreign[i]);
    s_serve(false);
    s_start_with((artel_transfer_args_t) { 0 });
}

static inline void
s_teardown(void)
{
    s_stop();
    s_hang_up();
    close(s_server_in);
    waitpid(s_server, NULL, 0);
}

//  The address of a path at the server; static, of the last eight.
static inline const char *
s_url(const char *path)
{
    static char urls[8][512];
    static unsigned turn;
    char *url = urls[turn++ % 8];
    snprintf(url, sizeof urls[0], "http://127.0.0.1:%u%s", s_port, path);
    return url;
}

static inline void
s_ask(int asker, artel_http_t *http)
{
    cr_assert_eq(artel_wire_put(s_asker[asker], &http, sizeof http), 0);
}

static inline artel_http_t *
s_await_within(int asker, int timeout_ms)
{
    artel_http_t *http = NULL;
    zmq_pollitem_t item = { zsock_resolve(s_asker[asker]), 0, ZMQ_POLLIN, 0 };
    cr_assert_eq(zmq_poll(&item, 1, timeout_ms), 1, "nothing came back");
    cr_assert(artel_wire_get(s_asker[asker], &http, sizeof http));
    return http;
}

//  Ask and wait until it is over.
static inline void
s_do_as(int asker, artel_http_t *http)
{
    s_ask(asker, http);
    cr_assert_eq(s_await_within(asker, ANSWER_MS), http);
}

static inline void
s_do(artel_http_t *http)
{
    s_do_as(0, http);
}

#define S_CODE(http, wanted) \
    cr_assert_eq((http)->code, (wanted), "%s: %s", artel_error_code_name((http)->code), (http)->text)
#define S_HAS(http, part) \
    cr_assert((http)->answer && strstr((http)->answer, part), "no \"%s\" in \"%s\"", part, (http)->answer)
#define S_HAS_NOT(http, part) \
    cr_assert(!(http)->answer || !strstr((http)->answer, part), "\"%s\" in \"%s\"", part, (http)->answer)

//  How often a text is in what the server has seen.
static inline unsigned
s_seen(const char *part)
{
    artel_http_t http = { .method = "GET", .url = s_url("/_seen") };
    s_do_as(LOOKER, &http);
    S_CODE(&http, 0);
    unsigned n = 0;
    for (const char *at = http.answer; (at = strstr(at, part)); at++)
        n++;
    artel_http_done(&http);
    return n;
}

//  What the server says of a body.
static inline const char *
s_account(const void *data, size_t size)
{
    static char text[64];
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= ((const uint8_t *) data)[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    snprintf(text, sizeof text, "body %zu %08x\n", size, ~crc);
    return text;
}

#endif
