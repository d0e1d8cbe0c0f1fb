//  OpenSSL's libcrypto: loaded by the first hash, not before, and its lack is told.

#include "sanitized.h"
#include "session.h"

#include "crypto.h"
#include "hash.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

enum { THREADS = 8, FORKS = 30 };

//  This program's dlopen: finds no libcrypto if it is told to, and tells when one is
//  about to be loaded.
static atomic_bool s_is_missing;
static atomic_int s_loads;

void *
dlopen(const char *name, int flags)
{
    void *(*real)(const char *, int);
    *(void **) &real = dlsym(RTLD_NEXT, "dlopen");
    if (name && strstr(name, "libcrypto")) {
        if (s_is_missing)
            return NULL;
        s_loads += !(flags & RTLD_NOLOAD);
    }
    return real(name, flags);
}

static bool
s_is_loaded(void)
{
    char line[4096];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    CHECK(maps, "/proc/self/maps: %m");
    while (fgets(line, sizeof line, maps))
        found |= strstr(line, "/libcrypto.so") != NULL;
    fclose(maps);
    return found;
}

static void
a_program_that_only_logs_does_not_load_it(void)
{
    artel_t *artel = session_open(case_dir);
    artel_run_t *run = session_run(artel);
    session_log(run, 10);
    CHECK_OK(artel_run_flush(run, ARTEL_DELIVERED, 30000));
    CHECK(!s_is_loaded(), "it is loaded, and nothing was hashed");
    artel_future_t *future = session_send(run, "m");
    CHECK(s_is_loaded(), "something was hashed without it");
    CHECK_OK(artel_future_wait(future, 30000));
    artel_future_destroy(&future);
    CHECK_OK(artel_close(&artel, 30000));
}

static void
that_there_is_none_is_told_by_name_and_not_for_ever(void)
{
    artel_t *artel = session_open(case_dir);
    artel_run_t *run = session_run(artel);
    artel_artifact_t *artifact;
    char text[300];
    CHECK_OK(artel_artifact_new("m", NULL, &artifact));
    CHECK_OK(artel_artifact_add_bytes(artifact, "a", "b", 1));
    s_is_missing = true;
    CHECK_RC(artel_run_log_artifact(run, artifact, NULL), ARTEL_ENOLIB);
    artel_error(artel, text, sizeof text);
    CHECK(strstr(text, "libcrypto"), "it says '%s'", text);
    s_is_missing = false;
    CHECK_OK(artel_run_log_artifact(run, artifact, NULL));
    artel_artifact_destroy(&artifact);
    CHECK_OK(artel_close(&artel, 30000));
}

//  Whoever opens this configuration waits for ever.
static void
the_configuration_of_openssl_is_left_to_the_host(void)
{
    char path[300];
    artel_hash_t *hash;
    snprintf(path, sizeof path, "%s/openssl.cnf", case_dir);
    CHECK(mkfifo(path, 0600) == 0, "%s: %m", path);
    setenv("OPENSSL_CONF", path, 1);
    alarm(20);
    CHECK_OK(artel_hash_new(&hash));
    artel_hash_destroy(&hash);
    alarm(0);
}

static pthread_barrier_t s_barrier;

static void *
s_hash(void *arg)
{
    artel_hash_t *hash;
    artel_digest_t digest;
    (void) arg;
    pthread_barrier_wait(&s_barrier);
    CHECK_OK(artel_hash_new(&hash));
    artel_hash_bytes(hash, "abc", 3, &digest);
    CHECK(digest.at[0] == 0xba && digest.at[31] == 0xad, "that is not SHA-256");
    artel_hash_destroy(&hash);
    return NULL;
}

static void
threads_that_hash_first_at_once_load_it_once(void)
{
    pthread_t threads[THREADS];
    pthread_barrier_init(&s_barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, s_hash, NULL) == 0, "pthread_create");
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(s_loads == 1, "it was loaded %d times", s_loads);
}

//  Fork while another thread loads it; the child hashes too.
static void
s_fork_while_loading(void)
{
    pthread_t thread;
    pthread_barrier_init(&s_barrier, NULL, 1);
    CHECK(pthread_create(&thread, NULL, s_hash, NULL) == 0, "pthread_create");
    while (!s_loads)
        sched_yield();
    pid_t pid = fork();
    if (pid == 0) {
        s_hash(NULL);
        exit(0);
    }
    int status = case_wait(pid, 10000);
    CHECK(status == 0, "the child ended with %#x", (unsigned) status);
    pthread_join(thread, NULL);
    exit(0);
}

static void
a_fork_while_it_is_loaded_leaves_a_child_that_can_hash(void)
{
    for (int i = 0; i < FORKS; i++) {
        pid_t pid = fork();
        if (pid == 0)
            s_fork_while_loading();
        int status = case_wait(pid, 20000);
        CHECK(status == 0, "program %d ended with %#x", i, (unsigned) status);
    }
}

int
main(int argc, char **argv)
{
#define CASE(name) { #name, name }
    static const case_t cases[] = {
        CASE(a_program_that_only_logs_does_not_load_it),
        CASE(that_there_is_none_is_told_by_name_and_not_for_ever),
        CASE(the_configuration_of_openssl_is_left_to_the_host),
        CASE(threads_that_hash_first_at_once_load_it_once),
        { "a_fork_while_it_is_loaded_leaves_a_child_that_can_hash",
          SANITIZED ? NULL : a_fork_while_it_is_loaded_leaves_a_child_that_can_hash },
    };
    return case_main(cases, sizeof cases / sizeof *cases, argc > 1 ? argv[1] : NULL);
}
