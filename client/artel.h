/*  artel.h - runs, metrics and versioned artifacts from any program that can call C.
 *
 *  Every function may be called from any thread unless it says otherwise; two
 *  threads must not use a handle while a third closes it. Functions return 0 or
 *  a negative ARTEL_E* code; artel_error() has the sentence that belongs to it.
 *  Texts are UTF-8 with a final NUL. Deadlines are milliseconds; -1 means no
 *  deadline. The library installs no signal handler, writes nothing to stdout,
 *  never aborts for reasons of its own, and in a forked child answers ARTEL_EFORKED.
 */

#ifndef ARTEL_H
#define ARTEL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ARTEL_VERSION "0.1.0"

#if defined(__GNUC__)
#define ARTEL_API __attribute__((visibility("default")))
#else
#define ARTEL_API
#endif

enum {
    ARTEL_OK = 0,
    ARTEL_EINVAL = -1,          /* an argument is not valid */
    ARTEL_ENOMEM = -2,          /* out of memory */
    ARTEL_EIO = -3,             /* the disk reported an error */
    ARTEL_ENOSPC = -4,          /* no space left on the disk */
    ARTEL_ENOENT = -5,          /* no such thing */
    ARTEL_EEXIST = -6,          /* it exists already */
    ARTEL_ETIMEOUT = -7,        /* the deadline passed; the work goes on */
    ARTEL_EFULL = -8,           /* no room within queue_ms; the record is dropped and counted */
    ARTEL_ECLOSED = -9,         /* the handle is closed or finished */
    ARTEL_EFORKED = -10,        /* this handle belongs to the parent process */
    ARTEL_EPENDING = -11,       /* accepted, not delivered yet; `artel sync` delivers it */
    ARTEL_ELOST = -12,          /* logged records were lost */
    ARTEL_EPROTO = -13,         /* a message or file does not follow the format */
    ARTEL_ECORRUPT = -14,       /* stored bytes do not match their checksum */
    ARTEL_ELOCKED = -15,        /* held by another process */
    ARTEL_EACCES = -16,         /* permission denied */
    ARTEL_EUNAVAIL = -17,       /* no service answers at the endpoint */
    ARTEL_EREFUSED = -18,       /* the sink refused it for good */
    ARTEL_ECANCELED = -19,      /* canceled */
    ARTEL_EVERSION = -20,       /* made by a newer version of artel */
    ARTEL_ELIMIT = -21,         /* over a limit */
    ARTEL_ECHANGED = -22,       /* the file changed while it was read */
    ARTEL_EMFILE = -23,         /* no file descriptors left */
    ARTEL_EAGAIN = -24,         /* not now; it is tried again */
    ARTEL_ENOLIB = -25          /* OpenSSL's libcrypto or libcurl cannot be loaded */
};

typedef struct artel artel_t;                   /* a program's connection to a node */
typedef struct artel_run artel_run_t;           /* one run of a program */
typedef struct artel_artifact artel_artifact_t; /* an artifact being described */
typedef struct artel_future artel_future_t;     /* what will become of a sent artifact */

/*  "ARTEL_EIO" and "the disk reported an error". Static texts. */
ARTEL_API const char *artel_error_name(int code);
ARTEL_API const char *artel_error_text(int code);

/*  The sentence of the last error of this client and its runs, by any thread: what
 *  failed, on what, and what to do. Copied into text (size bytes, always
 *  terminated); returns its code, 0 if there was none. */
ARTEL_API int artel_error(artel_t *self, char *text, size_t size);

/*  Levels of safety, each including the one before. */
enum {
    ARTEL_ACCEPTED = 1,         /* in the journal: survives SIGKILL of every process */
    ARTEL_DURABLE = 2,          /* fdatasync'd: survives power loss */
    ARTEL_DELIVERED = 3         /* acknowledged by the primary sink; of a run that was started before the service
                                 * had that, by the first that it goes to */
};

enum { ARTEL_LOG_DEBUG = 0, ARTEL_LOG_INFO, ARTEL_LOG_WARNING, ARTEL_LOG_ERROR };

/*  Called for what a person should know, possibly from a thread of artel's; must not call artel.
 *  The same trouble is told at most every 10 s. */
typedef void artel_log_fn(void *arg, int level, const char *text);

typedef struct {
    size_t size;                /* sizeof (artel_options_t) */
    const char *dir;            /* state directory; NULL: ARTEL_DIR, a near .artel/, or the user's */
    const char *sinks;          /* "store", or a list "store,copy=store:/dir"; NULL: ARTEL_SINKS, or store */
    int queue_ms;               /* how long a log call may wait for room; 0: 10000, -1: not at all */
    artel_log_fn *log;          /* NULL: warnings and errors to stderr */
    void *log_arg;
    int linked;                 /* 1: link a node of our own also where a service is */
} artel_options_t;

/*  Start (or connect to) a node over the state directory, which is made if
 *  missing (mode 0700). options may be NULL. May block on the disk.
 *  ARTEL_EINVAL, ARTEL_EACCES, ARTEL_ENOSPC, ARTEL_EIO, ARTEL_EMFILE, ARTEL_EVERSION,
 *  ARTEL_EUNAVAIL if no node answers within 5 s, ARTEL_ECLOSED once the process is exiting. */
ARTEL_API int artel_open(const artel_options_t *options, artel_t **ret);

/*  Finish what is open, wait up to timeout_ms until everything is delivered, and
 *  free the handle with its runs, whatever is returned; futures stay good for what
 *  is known of them. 0, ARTEL_EPENDING (what remains is in the journal, for `artel
 *  sync`), ARTEL_ELOST (what was never accepted is gone), ARTEL_EFULL (records were
 *  dropped, and nobody has asked until now). Sets *self_p to NULL. */
ARTEL_API int artel_close(artel_t **self_p, int timeout_ms);

/*  The sentence why artel_open or artel_close failed, for the calling thread. */
ARTEL_API const char *artel_open_error(void);

enum { ARTEL_RESUME_NEVER = 0, ARTEL_RESUME_ALLOW, ARTEL_RESUME_MUST };

typedef struct {
    size_t size;                /* sizeof (artel_run_options_t) */
    const char *project;        /* NULL: ARTEL_PROJECT, or "default" */
    const char *id;             /* [A-Za-z0-9_-]{1,63}; NULL: ARTEL_RUN_ID, or made up */
    const char *name;           /* for people; NULL: the id */
    const char *group;
    const char *job_type;
    const char *notes;
    const char *const *tags;    /* ends with NULL; may be NULL */
    int resume;                 /* ARTEL_RESUME_*, when id exists already */
    int hidden;                 /* leave it out of lists unless all are asked for */
} artel_run_options_t;

/*  Start a run. options may be NULL. Waits (at most 5 s) until the node has opened its
 *  journal. ARTEL_EEXIST if the id is taken and resume is never, ARTEL_ENOENT if
 *  it must exist and does not; ARTEL_EINVAL, ARTEL_ENOSPC, ARTEL_EIO, ARTEL_ETIMEOUT.
 *  The run borrows the client. */
ARTEL_API int artel_run_start(artel_t *self, const artel_run_options_t *options, artel_run_t **ret);

/*  Take part in a run as one of world processes or threads, rank counting from 0, each with its
 *  own handle and its own exit. They meet by the run's id, which options or ARTEL_RUN_ID must give if
 *  world is over 1: whoever comes first makes the run, whoever comes later joins it. Of resume only
 *  ARTEL_RESUME_MUST counts: the run must be there. The run is over when all ranks have finished, or
 *  somebody has who started or resumed it with artel_run_start; its exit code is the first that is
 *  not 0. A rank is one handle's until that has finished the run or its process has died: who claims it
 *  meanwhile gets ARTEL_ELOCKED, who comes after that may join. ARTEL_EINVAL also if the run has another
 *  world; else as artel_run_start. */
ARTEL_API int artel_run_join(artel_t *self, const artel_run_options_t *options, uint32_t rank,
                             uint32_t world, artel_run_t **ret);

/*  The run's id; the run's. */
ARTEL_API const char *artel_run_id(const artel_run_t *run);

/*  The most common program: one client and one run, with everything default.
 *  artel_start returns NULL after a line on stderr if it fails, and every call
 *  below takes a NULL run as a no-op that returns ARTEL_EINVAL, so a program
 *  need not check. artel_finish closes run and client and waits up to 60 s. */
ARTEL_API artel_run_t *artel_start(const char *project);
ARTEL_API int artel_finish(artel_run_t *run);

enum { ARTEL_TYPE_DOUBLE = 0, ARTEL_TYPE_INT, ARTEL_TYPE_BOOL, ARTEL_TYPE_STRING };

/*  One named value. Which member counts is said by type. */
typedef struct {
    const char *key;            /* 1 to 255 bytes of UTF-8 */
    int type;                   /* ARTEL_TYPE_* */
    double f64;                 /* NaN and infinities are kept exactly */
    int64_t i64;
    int boolean;
    const char *string;
} artel_value_t;

#define ARTEL_AUTO_STEP INT64_MIN

/*  Log one number, or a row of typed values, at a step. ARTEL_AUTO_STEP is the last step this
 *  handle logged plus one; first 0, or in a run that is resumed the step after the last that was
 *  accepted (of several writers, the highest; of a rank, its own), also if its program crashed.
 *  Does not wait for disk or network. If the queue (8 MiB a run) is full it waits up to queue_ms
 *  for room, but not again before there has been room; then the row is dropped, and counted, with
 *  ARTEL_EFULL, or why the journal takes nothing: ARTEL_ENOSPC, ARTEL_EIO, ARTEL_ELOST. Also
 *  ARTEL_EINVAL (a row names a key twice, or a bad value), ARTEL_ECLOSED, ARTEL_ELIMIT (over 10,000
 *  keys in a run, or a row over 128 KiB), ARTEL_ENOMEM. */
ARTEL_API int artel_run_log(artel_run_t *run, const char *key, int64_t step, double value);
ARTEL_API int artel_run_log_row(artel_run_t *run, int64_t step, const artel_value_t *values, size_t n);

/*  Set keys of the configuration or of the summary; later values replace earlier ones. */
ARTEL_API int artel_run_config(artel_run_t *run, const artel_value_t *values, size_t n);
ARTEL_API int artel_run_summary(artel_run_t *run, const artel_value_t *values, size_t n);

/*  Replace the run's tags (ends with NULL). */
ARTEL_API int artel_run_tags(artel_run_t *run, const char *const *tags);

/*  Wait until everything logged so far has reached level. 0; ARTEL_ETIMEOUT; why the journal
 *  takes nothing now (ARTEL_ENOSPC, ARTEL_EIO: it is tried again by itself) or ever again (ARTEL_EIO once
 *  the disk could not make it durable, ARTEL_ELOST if this program was taken for dead and its journal
 *  ended); ARTEL_ENOENT if the run goes to none of the sinks that the service has by now; if it was
 *  reached, but not by all: ARTEL_EFULL (records were dropped since the last flush),
 *  ARTEL_ELOST (delivered, but of a journal that was damaged meanwhile; told once). */
ARTEL_API int artel_run_flush(artel_run_t *run, int level, int timeout_ms);

/*  How many records this handle has queued, and how many of them are accepted by now. */
ARTEL_API void artel_run_progress(artel_run_t *run, uint64_t *ret_logged, uint64_t *ret_accepted);

/*  End the run; only the exit code is logged after this, and artifacts that are still being
 *  read. Does not wait for delivery (flush first, or close the client after). Sets *run_p to NULL. */
ARTEL_API int artel_run_finish(artel_run_t **run_p, int exit_code);

/*  Describe an artifact. name is [^:/]{1,128}; type NULL is "artifact". Nothing is read
 *  before artel_run_log_artifact. Not thread-safe: one thread builds an artifact. */
ARTEL_API int artel_artifact_new(const char *name, const char *type, artel_artifact_t **ret);
ARTEL_API void artel_artifact_destroy(artel_artifact_t **self_p);

/*  Why the last of the calls below failed; "" if none did. The artifact's. */
ARTEL_API const char *artel_artifact_error(const artel_artifact_t *self);

/*  Add a file (name NULL: its base name), what is in a folder (prefix NULL: to the
 *  top), bytes (copied now), or a reference that is not fetched. */
ARTEL_API int artel_artifact_add_file(artel_artifact_t *self, const char *path, const char *name);
ARTEL_API int artel_artifact_add_dir(artel_artifact_t *self, const char *path, const char *prefix);
ARTEL_API int artel_artifact_add_bytes(artel_artifact_t *self, const char *name, const void *data, size_t size);
ARTEL_API int artel_artifact_add_reference(artel_artifact_t *self, const char *name, const char *uri,
                                           const char *digest, uint64_t size);

ARTEL_API int artel_artifact_set_description(artel_artifact_t *self, const char *text);
ARTEL_API int artel_artifact_set_metadata(artel_artifact_t *self, const char *json);   /* one JSON object */
ARTEL_API int artel_artifact_add_alias(artel_artifact_t *self, const char *alias);
ARTEL_API int artel_artifact_set_history_step(artel_artifact_t *self, int64_t step);

enum { ARTEL_LINKS_DEFAULT = 0, ARTEL_LINKS_KEEP_ALL, ARTEL_LINKS_FOLLOW_ALL };
ARTEL_API int artel_artifact_set_links(artel_artifact_t *self, int links);

/*  Called while files are read, from a thread of artel's that reads them, with what was read so
 *  far; nonzero cancels. Must not call artel. */
typedef int artel_progress_fn(void *arg, uint64_t files, uint64_t bytes);
ARTEL_API int artel_artifact_set_progress(artel_artifact_t *self, artel_progress_fn *fn, void *arg);

/*  With on, artel_run_log_artifact returns at once and the files are read meanwhile: they must
 *  not be changed before artel_future_wait_staged says so. */
ARTEL_API int artel_artifact_set_async(artel_artifact_t *self, int on);

/*  Read the files, make them durable, and queue the artifact. When it returns 0 the
 *  files may be changed (unless async). The whole artifact is refused if one entry is:
 *  ARTEL_EINVAL, ARTEL_EACCES, ARTEL_ECHANGED, ARTEL_ENOENT, ARTEL_EEXIST, ARTEL_ENOSPC,
 *  ARTEL_EIO, ARTEL_ECANCELED; artel_error names it. ARTEL_EFULL: 64 artifacts wait to be read. The
 *  artifact stays the caller's and may be destroyed. ret may be NULL if nobody will wait. */
ARTEL_API int artel_run_log_artifact(artel_run_t *run, artel_artifact_t *artifact, artel_future_t **ret);

/*  Wait until the sink of ARTEL_DELIVERED has committed or refused the artifact. 0, ARTEL_ETIMEOUT (wait again
 *  if you like), ARTEL_ECANCELED, ARTEL_EREFUSED or another reason of the sink; ARTEL_ENOENT as below if
 *  the service was started again without that sink; ARTEL_EPENDING at once if the sink takes nothing before somebody
 *  does something about it (W&B without a key, or offline): `artel sync` delivers later. */
ARTEL_API int artel_future_wait(artel_future_t *self, int timeout_ms);

/*  The same for another sink by its name. ARTEL_ENOENT if the node has no such sink, or had not when
 *  the run was started; a later wait may find it. */
ARTEL_API int artel_future_wait_sink(artel_future_t *self, const char *sink, int timeout_ms);

/*  Wait until the files have been read and may be changed: at once unless the artifact was async.
 *  0, ARTEL_ETIMEOUT, or why they were refused. */
ARTEL_API int artel_future_wait_staged(artel_future_t *self, int timeout_ms);

/*  1 if wait would return at once, 0 if not, or ARTEL_EFORKED. Asks in the background. */
ARTEL_API int artel_future_poll(artel_future_t *self);

/*  Stop waiting: those who wait get ARTEL_ECANCELED. What was accepted is delivered all the same. */
ARTEL_API int artel_future_cancel(artel_future_t *self);

typedef struct {
    size_t size;                /* sizeof (artel_version_info_t), set by the caller */
    int64_t version;            /* 0 for v0; -1 if it is not known yet */
    int fresh;                  /* this call made the version; 0: the content was there */
    char digest[65];            /* SHA-256 of the manifest, hex */
    uint64_t files, bytes;
} artel_version_info_t;

/*  What is known of the version; digest, files and bytes at once, the rest once done. */
ARTEL_API int artel_future_info(artel_future_t *self, artel_version_info_t *ret);

/*  Why the files or the artifact were refused; "" if they were not. Returns the code. */
ARTEL_API int artel_future_error(artel_future_t *self, char *text, size_t size);
ARTEL_API void artel_future_destroy(artel_future_t **self_p);

/*  Find a version ("name", "name:latest", "name:alias", "name:v3") in the primary sink and say
 *  which it is. ret may be NULL. ARTEL_ENOENT, ARTEL_EINVAL, ARTEL_ETIMEOUT after 30 s. */
ARTEL_API int artel_find(artel_t *self, const char *name, artel_version_info_t *ret);

/*  The same, and write its entries below dir (made if missing), every byte verified.
 *  ARTEL_ECORRUPT names what is damaged; references are not fetched. Reads on the calling thread. */
ARTEL_API int artel_download(artel_t *self, const char *name, const char *dir,
                             artel_version_info_t *ret);

/*  The same two, and record that the run used the version. */
ARTEL_API int artel_run_use_artifact(artel_run_t *run, const char *name, artel_version_info_t *ret);
ARTEL_API int artel_run_download(artel_run_t *run, const char *name, const char *dir,
                                 artel_version_info_t *ret);

/*  Adopt what dead programs left in the state directory, deliver it to this
 *  client's sinks and wait. 0, ARTEL_EPENDING (and what remains), ARTEL_ELOST. */
ARTEL_API int artel_sync(artel_t *self, int timeout_ms, uint64_t *ret_journals);

#ifdef __cplusplus
}
#endif

#endif
