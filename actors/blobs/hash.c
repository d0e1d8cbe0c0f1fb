//  hash.c - SHA-256 through OpenSSL, with a helper thread for streams.

#include "hash.h"

#include "crypto.h"
#include "errors.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { RING = 4 };              //  buffers of a stream; the caller may be so far ahead

struct artel_hash {
    const artel_crypto_t *crypto;
    SHA256_CTX state;           //  the caller's, or the helper's while a stream is not drained
    uint8_t *ring;              //  RING buffers, from the first stream on
    pthread_t thread;
    bool threaded;              //  there is a helper

    pthread_mutex_t mutex;      //  guards what follows
    pthread_cond_t work;        //  the helper waits for it
    pthread_cond_t room;        //  the caller does
    size_t len[RING];
    uint64_t pushed, hashed;    //  buffers so far; slot i % RING
    bool stop;
};

int
artel_hash_new(artel_hash_t **ret)
{
    const artel_crypto_t *crypto;
    int rc = artel_crypto_get(&crypto);
    if (rc != 0)
        return rc;
    artel_hash_t *self = calloc(1, sizeof *self);
    if (!self)
        return ARTEL_ENOMEM;
    self->crypto = crypto;
    pthread_mutex_init(&self->mutex, NULL);
    pthread_cond_init(&self->work, NULL);
    pthread_cond_init(&self->room, NULL);
    *ret = self;
    return 0;
}

static void
s_stop(artel_hash_t *self)
{
    if (!self->threaded)
        return;
    pthread_mutex_lock(&self->mutex);
    self->stop = true;
    pthread_cond_signal(&self->work);
    pthread_mutex_unlock(&self->mutex);
    pthread_join(self->thread, NULL);
}

void
artel_hash_destroy(artel_hash_t **self_p)
{
    artel_hash_t *self = *self_p;
    if (!self)
        return;
    s_stop(self);
    pthread_cond_destroy(&self->room);
    pthread_cond_destroy(&self->work);
    pthread_mutex_destroy(&self->mutex);
    free(self->ring);
    free(self);
    *self_p = NULL;
}

void
artel_hash_bytes(artel_hash_t *self, const void *data, size_t len, artel_digest_t *ret)
{
    self->crypto->SHA256_Init(&self->state);
    self->crypto->SHA256_Update(&self->state, data, len);
    self->crypto->SHA256_Final(ret->at, &self->state);
}

static uint8_t *
s_slot(artel_hash_t *self, uint64_t i)
{
    return self->ring + i % RING * ARTEL_HASH_BUFFER;
}

static void
s_update(artel_hash_t *self, uint64_t i)
{
    self->crypto->SHA256_Update(&self->state, s_slot(self, i), self->len[i % RING]);
}

static void *
s_helper(void *arg)
{
    artel_hash_t *self = arg;
    pthread_setname_np(pthread_self(), "artel/hash");
    pthread_mutex_lock(&self->mutex);
    for (;;) {
        while (self->hashed == self->pushed && !self->stop)
            pthread_cond_wait(&self->work, &self->mutex);
        if (self->stop)
            break;
        uint64_t i = self->hashed;
        pthread_mutex_unlock(&self->mutex);
        s_update(self, i);
        pthread_mutex_lock(&self->mutex);
        self->hashed++;
        pthread_cond_signal(&self->room);
    }
    pthread_mutex_unlock(&self->mutex);
    return NULL;
}

//  The host's signals are not for the helper.
static void
s_start(artel_hash_t *self)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    self->threaded = pthread_create(&self->thread, NULL, s_helper, self) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

//  Wait until at most behind buffers are not hashed.
static void
s_wait(artel_hash_t *self, uint64_t behind)
{
    pthread_mutex_lock(&self->mutex);
    while (self->pushed - self->hashed > behind)
        pthread_cond_wait(&self->room, &self->mutex);
    pthread_mutex_unlock(&self->mutex);
}

int
artel_hash_begin(artel_hash_t *self)
{
    if (!self->ring) {
        self->ring = malloc((size_t) RING * ARTEL_HASH_BUFFER);
        if (!self->ring)
            return ARTEL_ENOMEM;
        s_start(self);
    }
    s_wait(self, 0);
    self->crypto->SHA256_Init(&self->state);
    return 0;
}

void *
artel_hash_buffer(artel_hash_t *self)
{
    s_wait(self, RING - 1);
    return s_slot(self, self->pushed);
}

void
artel_hash_push(artel_hash_t *self, size_t len)
{
    pthread_mutex_lock(&self->mutex);
    uint64_t i = self->pushed++;
    self->len[i % RING] = len;
    if (self->threaded)
        pthread_cond_signal(&self->work);
    pthread_mutex_unlock(&self->mutex);
    if (!self->threaded) {
        s_update(self, i);
        self->hashed++;
    }
}

void
artel_hash_end(artel_hash_t *self, artel_digest_t *ret)
{
    s_wait(self, 0);
    self->crypto->SHA256_Final(ret->at, &self->state);
}

bool
artel_digest_equal(const artel_digest_t *a, const artel_digest_t *b)
{
    return memcmp(a->at, b->at, sizeof a->at) == 0;
}
