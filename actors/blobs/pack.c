//  pack.c - writing packs and reading their index.

#include "pack.h"

#include "bounds.h"
#include "errors.h"
#include "folders.h"
#include "state.h"
#include "stream.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

//  The line ends and the 0x1a show a transfer that thought this was text.
static const char s_magic[16] = { 'a', 'r', 't', 'e', 'l', '-', 'p', 'a', 'c', 'k', '-', '1',
                                  '\r', '\n', 0x1a, '\n' };
enum {
    FAMILY = 11,                            //  bytes of the magic before the version
    ENTRY = 56,                             //  digest 32, offset 8, size 8, checksum 8
    SUMMED = ENTRY - 8,
    FOOTER = 24,                            //  index 8, count 8, checksum 8
    BUFFER = 2 * ARTEL_LOOSE_FROM,          //  gathered before it is written
    CHUNK = 256,                            //  entries that are read at a time
};

struct artel_packer {
    int dir, fd;                            //  fd -1: nothing is written yet
    char name[48];
    artel_places_t places;
    uint8_t *buffer;
    size_t used;
    uint64_t written;                       //  bytes in the file
};

static void
s_put_u64(uint8_t *at, uint64_t value)
{
    uint64_t little = htole64(value);
    memcpy(at, &little, sizeof little);
}

static uint64_t
s_u64(const uint8_t *at)
{
    uint64_t little;
    memcpy(&little, at, sizeof little);
    return le64toh(little);
}

int
artel_packer_new(int dir, const char *name, artel_packer_t **ret)
{
    artel_packer_t *self = calloc(1, sizeof *self);
    if (!self)
        return ARTEL_ENOMEM;
    self->dir = dir;
    self->fd = -1;
    self->buffer = malloc(BUFFER);
    if (!self->buffer || strlen(name) >= sizeof self->name) {
        artel_packer_destroy(&self);
        return ARTEL_ENOMEM;
    }
    strcpy(self->name, name);
    memcpy(self->buffer, s_magic, sizeof s_magic);
    self->used = sizeof s_magic;
    *ret = self;
    return 0;
}

void
artel_packer_destroy(artel_packer_t **self_p)
{
    artel_packer_t *self = *self_p;
    if (!self)
        return;
    if (self->fd >= 0) {
        unlinkat(self->dir, self->name, 0);
        close(self->fd);
    }
    artel_places_done(&self->places);
    free(self->buffer);
    free(self);
    *self_p = NULL;
}

static int
s_create(artel_packer_t *self)
{
    self->fd = openat(self->dir, self->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return self->fd < 0 ? artel_error_of_errno(errno) : 0;
}

//  Write out what is gathered, and start the disk on it.
static int
s_flush(artel_packer_t *self)
{
    int rc = self->fd < 0 ? s_create(self) : 0;
    if (rc == 0)
        rc = artel_write_all(self->fd, self->buffer, self->used);
    if (rc != 0)
        return rc;
    (void) sync_file_range(self->fd, (off_t) self->written, (off_t) self->used,
                           SYNC_FILE_RANGE_WRITE);
    self->written += self->used;
    self->used = 0;
    return 0;
}

int
artel_packer_room(artel_packer_t *self, size_t size, void **ret)
{
    int rc = size > BUFFER - self->used ? s_flush(self) : 0;
    if (rc == 0)
        *ret = self->buffer + self->used;
    return rc;
}

int
artel_packer_add(artel_packer_t *self, const artel_digest_t *digest, size_t size)
{
    artel_place_t place = { *digest, self->written + self->used, size };
    int rc = artel_places_add(&self->places, &place);
    if (rc == 0)
        self->used += size;
    return rc;
}

bool
artel_packer_has(const artel_packer_t *self, const artel_digest_t *digest)
{
    return artel_places_find(&self->places, digest) != NULL;
}

size_t
artel_packer_count(const artel_packer_t *self)
{
    return self->places.n;
}

static int
s_put_entry(artel_packer_t *self, const artel_place_t *place)
{
    void *room;
    int rc = artel_packer_room(self, ENTRY, &room);
    if (rc != 0)
        return rc;
    uint8_t *at = room;
    memcpy(at, place->digest.at, sizeof place->digest.at);
    s_put_u64(at + 32, place->offset);
    s_put_u64(at + 40, place->size);
    s_put_u64(at + SUMMED, XXH3_64bits(at, SUMMED));
    self->used += ENTRY;
    return 0;
}

static int
s_put_footer(artel_packer_t *self, uint64_t index)
{
    void *room;
    int rc = artel_packer_room(self, FOOTER, &room);
    if (rc != 0)
        return rc;
    uint8_t *at = room;
    s_put_u64(at, index);
    s_put_u64(at + 8, self->places.n);
    s_put_u64(at + 16, XXH3_64bits(at, 16));
    self->used += FOOTER;
    return s_flush(self);
}

//  Whatever close returns, the descriptor is gone; so is the file if that was an error.
static int
s_close(artel_packer_t *self)
{
    int rc = close(self->fd) != 0 ? artel_error_of_errno(errno) : 0;
    self->fd = -1;
    if (rc != 0)
        unlinkat(self->dir, self->name, 0);
    return rc;
}

int
artel_packer_seal(artel_packer_t *self)
{
    uint64_t index = self->written + self->used;
    artel_places_sort(&self->places);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < self->places.n; i++)
        rc = s_put_entry(self, &self->places.at[i]);
    if (rc == 0)
        rc = s_put_footer(self, index);
    if (rc == 0 && fdatasync(self->fd) != 0)
        rc = artel_error_of_errno(errno);
    if (rc == 0)
        rc = s_close(self);
    return rc;
}

//  The header says what it is, the footer where the index is, and the size of
//  the file must agree.
static int
s_check(artel_pack_t *self, uint64_t size)
{
    uint8_t head[sizeof s_magic], foot[FOOTER];
    if (size < sizeof head + FOOTER)
        return ARTEL_ECORRUPT;
    if (artel_read_at(self->fd, head, sizeof head, 0) != sizeof head
        || artel_read_at(self->fd, foot, FOOTER, size - FOOTER) != FOOTER)
        return ARTEL_EIO;
    if (memcmp(head, s_magic, sizeof head) != 0)
        return memcmp(head, s_magic, FAMILY) == 0 && head[FAMILY] > '1' ? ARTEL_EVERSION
                                                                       : ARTEL_ECORRUPT;
    uint64_t index = s_u64(foot), count = s_u64(foot + 8), room = size - FOOTER;
    bool agrees = s_u64(foot + 16) == XXH3_64bits(foot, 16) && index >= sizeof head
                  && index <= room && (room - index) / ENTRY == count
                  && (room - index) % ENTRY == 0;
    if (!agrees)
        return ARTEL_ECORRUPT;
    self->index = index;
    self->count = count;
    return 0;
}

int
artel_pack_open(const char *store, const char *pack, artel_pack_t *ret)
{
    char name[ARTEL_PACK_TEXT];
    if (!artel_is_pack(pack))
        return ARTEL_ENOENT;
    artel_pack_name(pack, name);
    char *path = artel_format("%s/blobs/%s", store, name);
    if (!path)
        return ARTEL_ENOMEM;
    artel_pack_t self = { .fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) };
    free(path);
    struct stat st;
    if (self.fd < 0 || fstat(self.fd, &st) != 0) {
        int rc = artel_error_of_errno(errno);
        artel_pack_close(&self);
        return rc;
    }
    int rc = s_check(&self, (uint64_t) st.st_size);
    if (rc == 0)
        *ret = self;
    else
        artel_pack_close(&self);
    return rc;
}

void
artel_pack_close(artel_pack_t *self)
{
    if (self->fd >= 0)
        close(self->fd);
    self->fd = -1;
}

static int
s_entry(const artel_pack_t *self, const uint8_t *at, artel_place_t *ret)
{
    artel_place_t place = { .offset = s_u64(at + 32), .size = s_u64(at + 40) };
    memcpy(place.digest.at, at, sizeof place.digest.at);
    if (s_u64(at + SUMMED) != XXH3_64bits(at, SUMMED) || place.offset < sizeof s_magic
        || place.offset > self->index || place.size > self->index - place.offset)
        return ARTEL_ECORRUPT;
    *ret = place;
    return 0;
}

int
artel_pack_find(const artel_pack_t *self, const artel_digest_t *digest, artel_place_t *ret)
{
    uint64_t low = 0, high = self->count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        uint8_t bytes[ENTRY];
        artel_place_t place;
        if (artel_read_at(self->fd, bytes, ENTRY, self->index + middle * ENTRY) != ENTRY)
            return ARTEL_EIO;
        if (s_entry(self, bytes, &place) != 0)
            return ARTEL_ECORRUPT;
        int order = memcmp(digest->at, place.digest.at, sizeof digest->at);
        if (order == 0) {
            *ret = place;
            return 0;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return ARTEL_ENOENT;
}

//  Read entries [from, from + n) and see that they are sorted.
static int
s_load(const artel_pack_t *self, uint64_t from, size_t n, artel_place_t *all)
{
    uint8_t bytes[CHUNK * ENTRY];
    if (artel_read_at(self->fd, bytes, n * ENTRY, self->index + from * ENTRY)
        != (ssize_t) (n * ENTRY))
        return ARTEL_EIO;
    for (size_t i = 0; i < n; i++) {
        artel_place_t *place = &all[from + i];
        if (s_entry(self, bytes + i * ENTRY, place) != 0)
            return ARTEL_ECORRUPT;
        if (from + i > 0
            && memcmp(place[-1].digest.at, place->digest.at, sizeof place->digest.at) >= 0)
            return ARTEL_ECORRUPT;
    }
    return 0;
}

int
artel_pack_load(const artel_pack_t *self, artel_place_t **ret)
{
    if (self->count == 0) {
        *ret = NULL;
        return 0;
    }
    artel_place_t *all = malloc(self->count * sizeof *all);
    if (!all)
        return ARTEL_ENOMEM;
    int rc = 0;
    for (uint64_t from = 0; rc == 0 && from < self->count; from += CHUNK)
        rc = s_load(self, from, self->count - from < CHUNK ? self->count - from : CHUNK, all);
    if (rc != 0) {
        free(all);
        return rc;
    }
    *ret = all;
    return 0;
}
