//  bounds.h - every limit of the system, in one place.

#ifndef ARTEL_BOUNDS_H
#define ARTEL_BOUNDS_H

enum {
    ARTEL_WIRE_VERSION = 1,                 //  of the messages between programs (docs/wire.md)
    ARTEL_MAX_MESSAGE = 300 * 1024,         //  bytes of one frame on any socket
    ARTEL_MAX_BATCH = 256 * 1024,           //  bytes of one sealed batch
    ARTEL_BATCH_TARGET = 64 * 1024,         //  a batch is sealed when its records pass this
    ARTEL_MAX_RECORD = 128 * 1024,          //  bytes of one packed record
    ARTEL_MAX_DEPTH = 4,                    //  nesting of msgpack containers
    ARTEL_MAX_NODES = 65536,                //  msgpack values in one record
    ARTEL_MAX_KEYS = 10000,                 //  distinct keys of one run
    ARTEL_MAX_KEY = 255,                    //  bytes of a key
    ARTEL_MAX_NAME = 128,                   //  bytes of a project, run, artifact or alias name
    ARTEL_MAX_RUN_ID = 63,                  //  bytes of a run id, all [A-Za-z0-9_-]
    ARTEL_MAX_WORLD = 65536,                //  ranks of one run
    ARTEL_MAX_STRING = 64 * 1024,           //  bytes of a string value or text field
    ARTEL_MAX_PATH = 4096,                  //  bytes of an entry's path; 255 a component
    ARTEL_MAX_ENTRIES = 10 * 1000 * 1000,   //  entries of one artifact
    ARTEL_MAX_ALIASES = 100,                //  aliases of one artifact_send, tags of a run
    ARTEL_MAX_SINKS = 8,                    //  sinks of one node
    ARTEL_LOOSE_FROM = 1024 * 1024 + 1,     //  a blob this large is a file of its own
    ARTEL_SEGMENT_MIN = 256 * 1024,         //  first segment of a journal
    ARTEL_SEGMENT_MAX = 64 * 1024 * 1024,   //  segments double up to this
    ARTEL_SYNC_BYTES = 8 * 1024 * 1024,     //  dirty bytes that start an fdatasync
    ARTEL_SYNC_MS = 1000,                   //  age of dirty bytes that starts one
    ARTEL_REST_MS = 60 * 1000,              //  after so long without a batch a journal's file is closed
    ARTEL_CREDIT = 8 * 1024 * 1024,         //  bytes a writer may have unaccepted
    ARTEL_TOTAL_CREDIT = 32 * 1024 * 1024,  //  bytes that all share; as many again for first batches
    ARTEL_BATCH_COST = 512,                 //  bytes a batch counts beside its own
    ARTEL_MAX_OPEN_RUNS = 8192,             //  open at once in one node
    ARTEL_DELIVER_WINDOW = 8,               //  batches in flight to one backend
    ARTEL_POLL_PARK_MS = 10000,             //  longest a poll is parked
    ARTEL_MAX_PARKED = 64,                  //  parked polls of one client
    ARTEL_SEARCH_MS = 5000,                 //  how often a service looks for dead journals: found within 10 s
    ARTEL_CATALOGUE_HOLD_MS = 50,           //  longest a write may hold catalogue.lock
};

#endif
