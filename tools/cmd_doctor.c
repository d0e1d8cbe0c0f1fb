//  cmd_doctor.c - artel doctor: is everything here as it should be?

#include "artel.h"
#include "bounds.h"
#include "command.h"
#include "daemon.h"
#include "errors.h"
#include "human.h"
#include "journals.h"
#include "json.h"
#include "listing.h"
#include "query.h"
#include "reach.h"
#include "state.h"
#include "term.h"
#include "usage.h"

#include <czmq.h>
#include <errno.h>
#include <jansson.h>
#include <msgpack.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

typedef struct {
    const artel_args_t *args;
    artel_place_t place;
    artel_listing_t *listing;
    unsigned wrong;
} doctor_t;

typedef enum { FINE, WARNING, WRONG } verdict_t;

static const artel_column_t s_columns[] = {
    { "check", "CHECK", NULL, false, false },
    { "verdict", "VERDICT", NULL, false, true },
    { "text", "WHAT WAS FOUND", NULL, false, false },
    { 0 },
};

static void
s_find(doctor_t *self, const char *check, verdict_t verdict, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void
s_find(doctor_t *self, const char *check, verdict_t verdict, const char *format, ...)
{
    static const char *const names[] = { "ok", "warning", "wrong" };
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    self->wrong += verdict == WRONG;
    artel_listing_add(self->listing, json_pack("{s:s s:s s:o}", "check", check, "verdict",
                                               names[verdict], "text", artel_json_text(text)));
}

static void
s_check_libraries(doctor_t *self)
{
    int zmq[3], czmq[3];
    unsigned xxh = XXH_versionNumber();
    zmq_version(&zmq[0], &zmq[1], &zmq[2]);
    zsys_version(&czmq[0], &czmq[1], &czmq[2]);
    s_find(self, "libraries", FINE, "artel %s, libzmq %d.%d.%d, czmq %d.%d.%d, msgpack %s, "
           "sqlite %s, jansson %s, xxhash %u.%u.%u, %s", ARTEL_VERSION, zmq[0], zmq[1], zmq[2], czmq[0],
           czmq[1], czmq[2], msgpack_version(), sqlite3_libversion(), jansson_version_str(),
           xxh / 10000, xxh / 100 % 100, xxh % 100, OpenSSL_version(OPENSSL_VERSION));
}

static void
s_check_state(doctor_t *self)
{
    const char *state = self->place.state;
    struct stat st;
    if (stat(state, &st) != 0)
        s_find(self, "state", errno == ENOENT ? FINE : WRONG, "%s: %s", state, errno == ENOENT
               ? "not there yet; the first use makes it" : strerror(errno));
    else if (!S_ISDIR(st.st_mode))
        s_find(self, "state", WRONG, "%s is not a directory", state);
    else if (access(state, R_OK | W_OK | X_OK) != 0)
        s_find(self, "state", WRONG, "%s: %s", state, strerror(errno));
    else if (st.st_mode & 077)
        s_find(self, "state", WARNING, "%s is open to others (mode %03o); chmod 700 closes it", state,
               (unsigned) st.st_mode & 0777);
    else
        s_find(self, "state", FINE, "%s, journals %s, blobs %s", state,
               artel_human_bytes(artel_usage_in(state, "runs"), ARTEL_HUMAN_BUFFER),
               artel_human_bytes(artel_usage_in(state, "blobs"), ARTEL_HUMAN_BUFFER));
}

static void
s_check_owner(doctor_t *self)
{
    artel_owner_t owner = artel_reach_owner(&self->place);
    if (owner == ARTEL_OWNER_WE)
        s_find(self, "owner", FINE, "this machine made the state directory");
    else if (owner == ARTEL_OWNER_OTHER)
        s_find(self, "owner", WARNING, "another machine made the state directory: here things are "
               "journaled, and 'artel sync' there delivers them");
}

static void
s_check_file_system(doctor_t *self)
{
    static const struct {
        long magic;
        const char *name;
        bool network;
    } known[] = {
        { 0xef53, "ext4", false }, { 0x58465342, "xfs", false }, { 0x9123683e, "btrfs", false },
        { 0x01021994, "tmpfs", false }, { 0x794c7630, "overlayfs", false },
        { 0x2fc12fc1, "zfs", false }, { 0xf2f52010, "f2fs", false }, { 0x6969, "NFS", true },
        { 0xff534d42, "CIFS", true }, { 0xfe534d42, "SMB", true }, { 0x0bd00bd0, "Lustre", true },
        { 0x47504653, "GPFS", true }, { 0x00c36400, "CephFS", true }, { 0x65735546, "FUSE", true },
        { 0x01021997, "9p", true },
    };
    struct statfs fs;
    if (statfs(self->place.state, &fs) != 0)
        return;
    size_t i = 0, n = sizeof known / sizeof *known;
    while (i < n && known[i].magic != ((long) fs.f_type & 0xffffffff))
        i++;
    if (i == n)
        s_find(self, "file system", FINE, "type %#lx", (unsigned long) fs.f_type);
    else if (known[i].network)
        s_find(self, "file system", WARNING, "%s is a network file system: locks and fdatasync are "
               "only as good as its server; a local disk is safer", known[i].name);
    else
        s_find(self, "file system", FINE, "%s%s", known[i].name, known[i].magic == 0x01021994
               ? ", which does not survive a restart" : "");
}

static void
s_check_space(doctor_t *self)
{
    struct statvfs fs;
    if (statvfs(self->place.state, &fs) != 0)
        return;
    uint64_t bytes = (uint64_t) fs.f_bavail * fs.f_frsize;
    verdict_t space = bytes < 100000000 ? WRONG : bytes < 1000000000 ? WARNING : FINE;
    s_find(self, "space", space, "%s free%s", artel_human_bytes(bytes, ARTEL_HUMAN_BUFFER),
           space == FINE ? "" : "; 'artel gc' frees what nothing uses");
    if (fs.f_files == 0)                        //  no fixed number of inodes
        return;
    s_find(self, "inodes", fs.f_favail < 1000 ? WRONG : FINE, "%s free",
           artel_human_count(fs.f_favail, ARTEL_HUMAN_BUFFER));
}

static void
s_check_descriptors(doctor_t *self)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    verdict_t verdict = limit.rlim_cur < 128 ? WRONG : limit.rlim_cur < 1024 ? WARNING : FINE;
    s_find(self, "descriptors", verdict, "at most %s%s",
           artel_human_count(limit.rlim_cur, ARTEL_HUMAN_BUFFER),
           verdict == FINE ? "" : "; 'ulimit -n 4096' allows more");
}

//  A clock before this program was written, or behind what is on disk, is wrong.
static void
s_check_clock(doctor_t *self)
{
    char now_text[ARTEL_HUMAN_TEXT];
    struct timespec now;
    struct stat st;
    clock_gettime(CLOCK_REALTIME, &now);
    artel_human_time((int64_t) now.tv_sec * 1000, now_text);
    time_t newest = stat(self->place.state, &st) == 0 ? st.st_mtime : 0;
    if (now.tv_sec < 1735689600)                //  2025-01-01
        s_find(self, "clock", WRONG, "it says %s, which is long past", now_text);
    else if (newest > now.tv_sec + 60)
        s_find(self, "clock", WRONG, "it says %s, but the state directory was changed %s later",
               now_text, artel_human_span((newest - now.tv_sec) * 1000, ARTEL_HUMAN_BUFFER));
    else
        s_find(self, "clock", FINE, "%s", now_text);
}

static void
s_check_catalogue(doctor_t *self)
{
    int rc = artel_catalogue_open(self->place.place, false, &self->place.catalogue);
    if (rc == ARTEL_ENOENT)
        s_find(self, "catalogue", FINE, "nothing was delivered to %s yet", self->place.place);
    else if (rc != 0)
        s_find(self, "catalogue", WRONG, "it cannot be opened: %s", artel_error_text(rc));
    if (rc != 0)
        return;
    artel_query_t query = artel_query(artel_catalogue_db(self->place.catalogue),
                                      "PRAGMA quick_check(1)");
    char text[256] = "";
    if (artel_query_next(&query))
        snprintf(text, sizeof text, "%s", artel_query_text(&query, 0));
    if (artel_query_end(&query) != 0)
        s_find(self, "catalogue", WRONG, "it cannot be read");
    else if (strcmp(text, "ok") != 0)
        s_find(self, "catalogue", WRONG, "%s", text);
    else
        s_find(self, "catalogue", FINE, "SQLite finds it sound");
}

//  None is no fault: programs link a node then. One that is silent keeps them all out.
static void
s_check_service(doctor_t *self)
{
    artel_daemon_t daemon;
    if (artel_daemon_find(self->args, &daemon) != 0) {
        artel_daemon_done(&daemon);
        return;
    }
    char who[64];
    artel_daemon_look(&daemon);
    if (daemon.serving)
        s_find(self, "service", FINE, "%s answers at %s", artel_daemon_who(&daemon, who, sizeof who), daemon.socket);
    else if (daemon.taken)
        s_find(self, "service", WRONG, "%s; 'artel daemon stop' ends it, 'artel daemon start' starts another",
               daemon.why);
    else
        s_find(self, "service", FINE, "none runs, so each program delivers by itself; 'artel daemon start' starts one");
    artel_daemon_done(&daemon);
}

static void
s_on_journal(void *arg, const artel_journal_look_t *look)
{
    static const char *const classes[] = { "is sound", "ends in an unfinished append (no loss)",
                                           "has a hole that was never durable",
                                           "is damaged in what was durable" };
    doctor_t *self = arg;
    artel_journal_class_t class = look->report.class;
    if (*look->error)
        s_find(self, "journal", WRONG, "of run %s: %s", look->run, look->error);
    else if (class >= ARTEL_JOURNAL_UNSYNCED_HOLE)
        s_find(self, "journal", WRONG, "of run %s %s", look->run, classes[class]);
    else if (!look->live)
        s_find(self, "journal", WARNING, "of run %s %s; its program is dead, 'artel sync' delivers it",
               look->run, classes[class]);
}

static int
s_check_all(doctor_t *self)
{
    s_check_libraries(self);
    s_check_state(self);
    s_check_owner(self);
    s_check_file_system(self);
    s_check_space(self);
    s_check_descriptors(self);
    s_check_clock(self);
    s_check_catalogue(self);
    s_check_service(self);
    return artel_journals_each(self->place.state, s_on_journal, self);
}

static int
s_run(const artel_args_t *args)
{
    doctor_t self = { .args = args };
    int rc = artel_reach_place(args, &self.place);
    if (rc == 0 && !(self.listing = artel_listing_new(args, s_columns)))
        rc = ARTEL_EXIT_FAILED;
    if (rc == 0) {
        rc = s_check_all(&self);
        int printed = artel_listing_end(&self.listing);
        rc = rc ? rc : printed;
    }
    if (self.wrong)
        artel_complain("%s wrong", artel_human_things(self.wrong, "thing", ARTEL_HUMAN_BUFFER));
    artel_reach_done(&self.place);
    return rc ? rc : self.wrong ? ARTEL_EXIT_FAILED : 0;
}

const artel_command_t artel_cmd_doctor = {
    .name = "doctor", .operands = "", .min = 0, .max = 0,
    .brief = "check this machine and the state directory",
    .about =
        "Libraries, the state directory and the machine that made it, its file system, space and\n"
        "inodes, the limit of descriptors, the clock, the catalogue, the service and the journals. A verdict is\n"
        "ok, warning or wrong; it exits 1 if something is wrong. It changes nothing. The content of\n"
        "artifacts is checked by 'artel artifact verify'.",
    .examples = "artel doctor\n"
                "artel doctor --json | grep wrong",
    .run = s_run,
};
