//  guard.c - the open clients of this process, for exit and fork.

#include "guard.h"

#include "client.h"
#include "fds.h"
#include "guest.h"
#include "link.h"

enum { EXIT_MS = 2000, STOP_MS = 1000 };

static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t s_once = PTHREAD_ONCE_INIT;
static artel_t *s_open;
static artel_t *s_exiting;      //  those that exit has taken over

//  fork() finds the list whole, and the child without clients.
static void
s_before_fork(void)
{
    pthread_mutex_lock(&s_lock);
}

static void
s_in_parent(void)
{
    pthread_mutex_unlock(&s_lock);
}

static void
s_in_child(void)
{
    s_open = s_exiting = NULL;
    pthread_mutex_unlock(&s_lock);
}

static void
s_install(void)
{
    pthread_atfork(s_before_fork, s_in_parent, s_in_child);
}

//  Whether a run has records that are not in the journal. The client's lock is held.
static bool
s_has_queued(artel_t *client)
{
    for (artel_run_t *run = client->runs; run; run = run->next) {
        if (pthread_mutex_trylock(&run->outbox.lock) != 0)
            return true;
        bool queued = artel_outbox_last(&run->outbox) > run->accepted;
        pthread_mutex_unlock(&run->outbox.lock);
        if (queued && run->state != ARTEL_RUN_FAILED && !run->dead)
            return true;
    }
    return false;
}

static void
s_wait_accepted(artel_t *client, artel_deadline_t deadline)
{
    artel_link_wake(client);
    if (!artel_lock_soon(&client->lock, artel_deadline_left(deadline)))
        return;
    while (!client->stopped && s_has_queued(client) && artel_wait(&client->changed, &client->lock, deadline))
        continue;
    pthread_mutex_unlock(&client->lock);
}

static void
s_at_exit(void)
{
    if (!artel_lock_soon(&s_lock, EXIT_MS))
        return;
    s_exiting = s_open;
    s_open = NULL;
    for (artel_t *client = s_exiting; client; client = client->next_open)
        artel_client_ref(client);               //  another thread may be closing it
    pthread_mutex_unlock(&s_lock);

    artel_deadline_t deadline = artel_deadline(EXIT_MS);
    for (artel_t *client = s_exiting; client; client = client->next_open)
        s_wait_accepted(client, deadline);
    for (artel_t *client = s_exiting; client; client = client->next_open)
        artel_client_stop(client, STOP_MS);
}

void
artel_guard_add(artel_t *client)
{
    pthread_once(&s_once, s_install);
    pthread_mutex_lock(&s_lock);
    client->next_open = s_open;
    s_open = client;
    pthread_mutex_unlock(&s_lock);
    artel_guest_at_exit(s_at_exit);
}

void
artel_guard_remove(artel_t *client)
{
    pthread_mutex_lock(&s_lock);
    for (artel_t **at = &s_open; *at; at = &(*at)->next_open)
        if (*at == client) {
            *at = client->next_open;
            break;
        }
    pthread_mutex_unlock(&s_lock);
}
