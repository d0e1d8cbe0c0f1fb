//  What an ingest stores, when, and what is left if it does not finish.

#include <criterion/criterion.h>

#include "blobs.h"
#include "errors.h"
#include "fds.h"
#include "ingest.h"
#include "manifest.h"
#include "scratch.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static artel_ingest_t *s_ingest;
static artel_ingest_options_t s_options;

static void
s_begin(void)
{
    s_options.store = s_in("store");
    cr_assert_eq(artel_ingest_begin(&s_options, &s_ingest), 0);
}

static void
s_setup(void)
{
    s_scratch_make();
    cr_assert_eq(mkdir(s_in("tree"), 0755), 0);
    s_begin();
}

static void
s_teardown(void)
{
    artel_ingest_destroy(&s_ingest);
    s_scratch_remove();
}

TestSuite(ingest, .init = s_setup, .fini = s_teardown, .timeout = 100);

static artel_ingest_result_t
s_finish(void)
{
    artel_ingest_result_t result;
    int rc = artel_ingest_finish(s_ingest, &result);
    cr_assert_eq(rc, 0, "%d: %s", rc, artel_ingest_error(s_ingest));
    artel_ingest_destroy(&s_ingest);
    return result;
}

static int
s_list(void *arg, const artel_msg_entry_t *entry)
{
    char *text = arg;
    static const char *const kinds[] = { "?", "", "@", "/", "&" };
    sprintf(text + strlen(text), "%.*s%s%s ", (int) entry->path.len, entry->path.at,
            kinds[entry->kind], entry->exec ? "*" : "");
    return 0;
}

//  The bytes of a manifest; the caller frees them.
static char *
s_manifest(artel_ingest_result_t result, size_t *ret_len)
{
    void *data;
    int rc = artel_blob_read(s_in("store"), &result.manifest, result.pack, 1 << 24, &data, ret_len);
    cr_assert_eq(rc, 0);
    return data;
}

//  The entries of a result as one text: name, name@ (link), name/ (folder), name&
//  (reference), name* (may be run).
static const char *
s_listed(artel_ingest_result_t result)
{
    static char text[4096];
    size_t len;
    char *data = s_manifest(result, &len);
    *text = 0;
    cr_assert_eq(artel_manifest_each(data, len, s_list, text), 0);
    free(data);
    return text;
}

static int
s_count_pack(void *arg, const char *pack, uint64_t size)
{
    (void) pack, (void) size;
    ++*(int *) arg;
    return 0;
}

static int
s_count_loose(void *arg, const artel_digest_t *digest, uint64_t size)
{
    (void) digest, (void) size;
    ++*(int *) arg;
    return 0;
}

//  How many packs and loose blobs the store shows, and whether it has temporary files.
static void
s_expect_store(int packs, int loose, bool leftovers)
{
    int found_packs = 0, found_loose = 0;
    uint64_t bytes;
    cr_assert_eq(artel_packs_each(s_in("store"), s_count_pack, &found_packs), 0);
    cr_assert_eq(artel_loose_each(s_in("store"), s_count_loose, &found_loose), 0);
    cr_assert_eq(artel_blobs_clean(s_in("store"), &bytes), 0);
    cr_expect_eq(found_packs, packs, "%d packs", found_packs);
    cr_expect_eq(found_loose, loose, "%d loose", found_loose);
    cr_expect_eq(bytes > 0, leftovers, "%llu bytes left", (unsigned long long) bytes);
}

//  The last call was refused with this code, and the sentence has this in it.
static void
s_expect_refused(int rc, int code, const char *part)
{
    cr_expect_eq(rc, code, "%d instead of %d", rc, code);
    cr_expect_not_null(strstr(artel_ingest_error(s_ingest), part), "%s",
                       artel_ingest_error(s_ingest));
    artel_ingest_destroy(&s_ingest);
    s_expect_store(0, 0, false);
}

Test(ingest, stores_files_folders_bytes_and_references)
{
    cr_assert_eq(mkdir(s_in("tree/sub"), 0755), 0);
    cr_assert_eq(mkdir(s_in("tree/empty"), 0755), 0);
    s_write_text(s_in("tree/sub/a b\nc"), "one");
    s_write_text(s_in("tree/run"), "two");
    chmod(s_in("tree/run"), 0755);
    cr_assert_eq(artel_ingest_dir(s_ingest, s_in("tree"), "data/"), 0);
    cr_assert_eq(artel_ingest_file(s_ingest, s_in("tree/run"), NULL), 0);
    cr_assert_eq(artel_ingest_bytes(s_ingest, "bytes", "three", 5), 0);
    cr_assert_eq(artel_ingest_bytes(s_ingest, "nothing", NULL, 0), 0);
    cr_assert_eq(artel_ingest_reference(s_ingest, "ref", "s3://x/y", "md5:1", 70), 0);
    artel_ingest_result_t result = s_finish();
    cr_expect_str_eq(s_listed(result),
                     "bytes data/empty/ data/run* data/sub/a b\nc nothing ref& run* ");
    cr_expect_eq(result.files, 6);
    cr_expect_eq(result.bytes, 3 + 3 + 3 + 5 + 70);
    s_expect_store(1, 0, false);
}

Test(ingest, of_a_folder_puts_what_is_in_it_at_the_top)
{
    s_write_text(s_in("tree/a"), "one");
    cr_assert_eq(artel_ingest_dir(s_ingest, s_in("tree"), NULL), 0);
    cr_expect_str_eq(s_listed(s_finish()), "a ");
}

Test(ingest, of_an_empty_folder_has_an_entry_only_under_a_prefix)
{
    cr_assert_eq(artel_ingest_dir(s_ingest, s_in("tree"), ""), 0);
    cr_assert_eq(artel_ingest_dir(s_ingest, s_in("tree"), "x/y"), 0);
    cr_expect_str_eq(s_listed(s_finish()), "x/y/ ");
}

Test(ingest, of_the_same_tree_gives_the_same_digest)
{
    for (int i = 0; i < 300; i++)
        s_write_noise(s_in("tree/%d", i * 7919 % 300), 50, (uint64_t) i);
    cr_assert_eq(artel_ingest_dir(s_ingest, s_in("tree"), NULL), 0);
    artel_ingest_result_t first = s_finish();
    s_begin();
    for (int i = 0; i < 300; i++)
        cr_assert_eq(artel_ingest_file(s_ingest, s_in("tree/%d", i), NULL), 0);
    artel_ingest_result_t second = s_finish();
    cr_expect_eq(memcmp(&first.manifest, &second.manifest, 32), 0);
    s_begin();
    s_write_text(s_in("tree/7"), "other");
    cr_assert_eq(artel_ingest_dir(s_ingest, s_in("tree"), NULL), 0);
    artel_ingest_result_t third = s_finish();
    cr_expect_neq(memcmp(&first.manifest, &third.manifest, 32), 0);
}

Test(ingest, stores_the_same_content_once)
{
    char *noise = s_noise(3 << 20, 1);
    struct stat st;
    for (int i = 0; i < 3; i++) {
        s_write_bytes(s_in("tree/small%d", i), noise, 100000);
        s_write_bytes(s_in("tree/large%d", i), noise, 3 << 20);
    }
    cr_assert_eq(artel_ingest_dir(s_ingest, s_in("tree"), NULL), 0);
    artel_ingest_result_t result = s_finish();
    cr_expect_eq(result.files, 6);
    cr_assert_eq(stat(s_in("store/blobs/packs/%s.pack", result.pack), &st), 0);
    cr_expect_lt(st.st_size, 102000);
    s_expect_store(1, 1, false);
    free(noise);
}

static bool
s_know_all(void *arg, const artel_digest_t *digest, uint64_t size)
{
    (void) arg, (void) digest, (void) size;
    return true;
}

Test(ingest, writes_nothing_that_is_known)
{
    s_write_noise(s_in("tree/small"), 1000, 1);
    s_write_noise(s_in("tree/large"), 2 << 20, 2);
    artel_ingest_destroy(&s_ingest);
    s_options.known = s_know_all;
    s_begin();
    cr_assert_eq(artel_ingest_dir(s_ingest, s_in("tree"), NULL), 0);
    cr_expect_str_eq(s_finish().pack, "");
    s_expect_store(0, 0, false);
}

Test(ingest, of_content_that_is_there_already_replaces_a_file_that_was_cut)
{
    s_write_noise(s_in("tree/large"), 2 << 20, 2);
    artel_digest_t digest;
    char hex[ARTEL_DIGEST_TEXT];
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(artel_ingest_dir(s_ingest, s_in("tree"), NULL), 0);
        artel_ingest_result_t result = s_finish();
        size_t len;
        char *data = s_manifest(result, &len);
        memcpy(digest.at, (char *) memmem(data, len, "\xc4\x20", 2) + 2, 32);
        artel_hex(digest.at, 32, hex);
        free(data);
        artel_blob_place_t place;
        cr_assert_eq(artel_blob_find(s_in("store"), &digest, NULL, &place), 0);
        cr_expect_eq(artel_blob_copy(s_in("store"), &digest, &place, -1), 0);
        cr_assert_eq(truncate(s_in("store/blobs/%.2s/%s", hex, hex), 5), 0);
        s_begin();
    }
}

Test(ingest, of_many_large_files_stores_each)
{
    enum { N = 20 };
    for (int i = 0; i < N; i++)
        s_write_noise(s_in("tree/%d", i), (1 << 20) + 1, (uint64_t) i);
    cr_assert_eq(artel_ingest_dir(s_ingest, s_in("tree"), NULL), 0);
    cr_expect_eq(s_finish().files, N);
    s_expect_store(1, N, false);
}

Test(ingest, shows_nothing_before_it_finishes)
{
    s_write_noise(s_in("tree/large"), 2 << 20, 1);
    s_write_noise(s_in("tree/small"), 1 << 20, 2);
    cr_assert_eq(artel_ingest_dir(s_ingest, s_in("tree"), NULL), 0);
    s_expect_store(0, 0, true);
}

Test(ingest, destroyed_before_it_finishes_leaves_nothing)
{
    for (int i = 0; i < 12; i++) {
        s_write_noise(s_in("tree/large%d", i), 2 << 20, (uint64_t) i);
        s_write_noise(s_in("tree/small%d", i), 1 << 20, (uint64_t) i);
    }
    cr_assert_eq(artel_ingest_dir(s_ingest, s_in("tree"), NULL), 0);
    artel_ingest_destroy(&s_ingest);
    s_expect_store(0, 0, false);
}

//  Files are where the folders of large blobs should be.
Test(ingest, that_cannot_be_made_visible_says_so_and_leaves_nothing)
{
    artel_ingest_result_t result;
    s_write_noise(s_in("tree/large"), 2 << 20, 1);
    s_write_noise(s_in("tree/small"), 1000, 1);
    for (int i = 0; i < 256; i++)
        s_write_text(s_in("store/blobs/%02x", i), "");
    cr_assert_eq(artel_ingest_dir(s_ingest, s_in("tree"), NULL), 0);
    cr_assert_neq(artel_ingest_finish(s_ingest, &result), 0);
    for (int i = 0; i < 256; i++)
        cr_assert_eq(unlink(s_in("store/blobs/%02x", i)), 0);
    cr_expect_not_null(strstr(artel_ingest_error(s_ingest), "store/blobs/"));
    cr_expect_not_null(strstr(artel_ingest_error(s_ingest), " could not be written: "));
    artel_ingest_destroy(&s_ingest);
    s_expect_store(0, 0, false);
}

static int
s_cancel(void *arg, uint64_t files, uint64_t bytes)
{
    (void) arg;
    return files == 0 && bytes == 0;
}

Test(ingest, that_is_canceled_does_not_wait_for_gc)
{
    int lock = artel_fd_open(s_in("store/blobs/LOCK"), O_RDWR);
    artel_ingest_t *ingest = NULL;
    artel_ingest_options_t options = { .store = s_in("store"), .progress = s_cancel };
    artel_ingest_destroy(&s_ingest);
    cr_assert_eq(artel_fd_lock(lock, true, false), 0);
    cr_assert_eq(artel_ingest_begin(&options, &ingest), ARTEL_ECANCELED);
    cr_assert_null(ingest);
    artel_fd_close(lock);
}

//  Whether gc could have the store to itself.
static bool
s_is_free(void)
{
    int fd = artel_fd_open(s_in("store/blobs/LOCK"), O_RDWR);
    int rc = artel_fd_lock(fd, true, false);
    artel_fd_close(fd);
    return rc == 0;
}

Test(ingest, keeps_gc_out_until_it_is_destroyed)
{
    artel_ingest_result_t result;
    cr_expect_not(s_is_free());
    cr_assert_eq(artel_ingest_bytes(s_ingest, "a", "b", 1), 0);
    cr_assert_eq(artel_ingest_finish(s_ingest, &result), 0);
    cr_expect_not(s_is_free(), "the manifest is not in a journal yet");
    artel_ingest_destroy(&s_ingest);
    cr_expect(s_is_free());
}

static int
s_die(void *arg, uint64_t files, uint64_t bytes)
{
    (void) arg;
    if (files >= 1 && bytes >= 4 << 20)
        raise(SIGKILL);
    return 0;
}

Test(ingest, killed_in_the_middle_leaves_only_what_gc_may_clean)
{
    s_write_noise(s_in("tree/a"), 2 << 20, 1);
    s_write_noise(s_in("tree/b"), 3 << 20, 2);
    artel_ingest_destroy(&s_ingest);
    pid_t child = fork();
    if (child == 0) {
        s_options.progress = s_die;
        s_begin();
        artel_ingest_dir(s_ingest, s_in("tree"), NULL);
        _exit(1);
    }
    int status;
    waitpid(child, &status, 0);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    cr_expect(s_is_free());
    s_expect_store(0, 0, true);
    s_expect_store(0, 0, false);
}

static int
s_stop_at(void *arg, uint64_t files, uint64_t bytes)
{
    (void) files;
    return bytes >= *(uint64_t *) arg;
}

Test(ingest, can_be_canceled_in_the_middle_of_a_file)
{
    uint64_t at = 4 << 20;
    s_write_noise(s_in("tree/large"), 16 << 20, 1);
    artel_ingest_destroy(&s_ingest);
    s_options.progress = s_stop_at;
    s_options.arg = &at;
    s_begin();
    s_expect_refused(artel_ingest_dir(s_ingest, s_in("tree"), NULL), ARTEL_ECANCELED, "canceled");
}

Test(ingest, that_failed_can_only_be_destroyed)
{
    artel_ingest_result_t result;
    cr_assert_eq(artel_ingest_bytes(s_ingest, "../a", "", 0), ARTEL_EINVAL);
    cr_expect_eq(artel_ingest_bytes(s_ingest, "a", "", 0), ARTEL_ECLOSED);
    cr_expect_eq(artel_ingest_dir(s_ingest, s_in("tree"), NULL), ARTEL_ECLOSED);
    cr_expect_eq(artel_ingest_finish(s_ingest, &result), ARTEL_ECLOSED);
    cr_expect_str_eq(artel_ingest_error(s_ingest), "'../a' has a component \".\" or \"..\"");
}

Test(ingest, refuses_a_path_that_is_taken)
{
    artel_ingest_result_t result;
    cr_assert_eq(artel_ingest_bytes(s_ingest, "a", "", 0), 0);
    cr_assert_eq(artel_ingest_bytes(s_ingest, "a/b", "", 0), 0);
    s_expect_refused(artel_ingest_finish(s_ingest, &result), ARTEL_EEXIST, "'a/b' is added twice");
}

Test(ingest, refuses_what_is_not_there)
{
    s_expect_refused(artel_ingest_file(s_ingest, s_in("tree/none"), NULL), ARTEL_ENOENT,
                     "tree/none'");
    s_begin();
    s_expect_refused(artel_ingest_dir(s_ingest, s_in("none"), NULL), ARTEL_ENOENT, "none'");
    s_begin();
    s_expect_refused(artel_ingest_file(s_ingest, s_in("tree/"), NULL), ARTEL_EINVAL, "is a folder");
    s_begin();
    s_write_text(s_in("file"), "");
    s_expect_refused(artel_ingest_dir(s_ingest, s_in("file"), "x"), ARTEL_EINVAL, "is no folder");
}

Test(ingest, refuses_a_fifo_without_waiting_for_its_writer)
{
    cr_assert_eq(mkdir(s_in("tree/sub"), 0755), 0);
    cr_assert_eq(mkfifo(s_in("tree/sub/pi\npe"), 0644), 0);
    s_expect_refused(artel_ingest_dir(s_ingest, s_in("tree"), NULL), ARTEL_EINVAL,
                     "'sub/pi\\x0ape' is a FIFO");
    s_begin();
    s_expect_refused(artel_ingest_file(s_ingest, s_in("tree/sub/pi\npe"), "x"), ARTEL_EINVAL,
                     "is a FIFO");
}

Test(ingest, refuses_sockets_and_devices)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "%s", s_in("tree/sock"));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *) &address, sizeof address), 0);
    s_expect_refused(artel_ingest_dir(s_ingest, s_in("tree"), NULL), ARTEL_EINVAL,
                     "'sock' is a socket");
    s_begin();
    s_expect_refused(artel_ingest_file(s_ingest, "/dev/null", NULL), ARTEL_EINVAL,
                     "is a character device");
    close(fd);
}

Test(ingest, refuses_names_that_are_not_utf_8)
{
    s_write_text(s_in("tree/caf\xe9"), "");
    s_expect_refused(artel_ingest_dir(s_ingest, s_in("tree"), NULL), ARTEL_EINVAL,
                     "'caf\\xe9' has a name that is not UTF-8");
}

Test(ingest, refuses_a_file_that_may_not_be_read)
{
    s_write_text(s_in("tree/secret"), "");
    chmod(s_in("tree/secret"), 0);
    chmod(s_scratch, 0755);
    artel_ingest_destroy(&s_ingest);
    pid_t child = fork();
    if (child == 0) {               //  root may read anything
        chmod(s_in("store"), 0777);
        if (geteuid() == 0 && (chown(s_in("store"), 65534, 65534) != 0 || setuid(65534) != 0))
            _exit(3);
        s_options.store = s_in("mine");
        if (geteuid() == 65534)
            s_options.store = s_in("store/mine");
        if (artel_ingest_begin(&s_options, &s_ingest) != 0)
            _exit(4);
        int rc = artel_ingest_dir(s_ingest, s_in("tree"), NULL);
        const char *why = "'secret' cannot be read: permission denied";
        bool told = strcmp(artel_ingest_error(s_ingest), why) == 0;
        _exit(rc == ARTEL_EACCES && told ? 0 : 5);
    }
    int status;
    waitpid(child, &status, 0);
    cr_expect_eq(status, 0, "status %x", status);
}

//  A caller that changes the file while it is read.
typedef struct {
    const char *path;
    void (*change)(const char *path);
} meddler_t;

static bool
s_meddle(void *arg, const artel_digest_t *digest, uint64_t size)
{
    meddler_t *meddler = arg;
    (void) digest, (void) size;
    meddler->change(meddler->path);
    return false;
}

static int
s_meddle_early(void *arg, uint64_t files, uint64_t bytes)
{
    meddler_t *meddler = arg;
    (void) files;
    if (bytes == 1 << 20)
        meddler->change(meddler->path);
    return 0;
}

static void
s_touch(const char *path)
{
    s_flip(path, 0);
}

static void
s_extend(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND);
    cr_assert_eq(write(fd, "x", 1), 1);
    close(fd);
}

static void
s_cut(const char *path)
{
    cr_assert_eq(truncate(path, 100), 0);
}

static void
s_expect_changed(size_t len, void (*change)(const char *path), bool early)
{
    static char path[4600];
    snprintf(path, sizeof path, "%s", s_in("tree/file"));
    meddler_t meddler = { path, change };
    s_write_noise(path, len, 1);
    artel_ingest_destroy(&s_ingest);
    s_options.known = early ? NULL : s_meddle;
    s_options.progress = early ? s_meddle_early : NULL;
    s_options.arg = &meddler;
    s_begin();
    s_expect_refused(artel_ingest_dir(s_ingest, s_in("tree"), NULL), ARTEL_ECHANGED,
                     "'file' changed while it was read");
}

Test(ingest, refuses_a_file_that_changes_while_it_is_read)
{
    s_expect_changed(1000, s_touch, false);
    s_expect_changed(1000, s_extend, false);
    s_expect_changed(1000, s_cut, false);
    s_expect_changed(8 << 20, s_touch, false);
    s_expect_changed(8 << 20, s_extend, true);
    s_expect_changed(8 << 20, s_cut, true);
}

Test(ingest, refuses_a_file_that_is_longer_than_it_says)
{
    s_expect_refused(artel_ingest_file(s_ingest, "/proc/self/status", NULL), ARTEL_ECHANGED,
                     "'status' changed while it was read");
}

Test(ingest, refuses_to_add_the_store_to_itself)
{
    s_expect_refused(artel_ingest_dir(s_ingest, s_scratch, NULL), ARTEL_EINVAL,
                     "'store' is where artel keeps its data");
}

Test(ingest, on_a_full_disk_says_so_and_leaves_nothing)
{
    struct rlimit limit = { 1 << 20, 1 << 20 };     //  what a file may grow to
    s_write_noise(s_in("tree/large"), 900000, 1);
    s_write_noise(s_in("tree/more"), 900000, 2);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    artel_ingest_result_t result;
    int rc = artel_ingest_dir(s_ingest, s_in("tree"), NULL);
    if (rc == 0)
        rc = artel_ingest_finish(s_ingest, &result);
    s_expect_refused(rc, ARTEL_ENOSPC, "no space left");
}

Test(ingest, of_a_large_file_on_a_full_disk_says_so_and_leaves_nothing)
{
    struct rlimit limit = { 4 << 20, 4 << 20 };
    s_write_noise(s_in("tree/large"), 8 << 20, 1);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    s_expect_refused(artel_ingest_dir(s_ingest, s_in("tree"), NULL), ARTEL_ENOSPC,
                     "'large' could not be stored: no space left");
}

Test(ingest, without_descriptors_says_so_and_leaves_nothing)
{
    struct rlimit limit;
    s_write_text(s_in("tree/a"), "");
    int next = dup(0);
    close(next);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = (rlim_t) next;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int rc = artel_ingest_file(s_ingest, s_in("tree/a"), NULL);
    limit.rlim_cur = limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    s_expect_refused(rc, ARTEL_EMFILE, "'a' cannot be read: no file descriptors left");
}

//  One more than the highest descriptor that is open.
static int
s_next_fd(void)
{
    int next = 0;
    for (int fd = 0; fd < 200; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            next = fd + 1;
    return next;
}

//  tree/d/d/d…, so many levels deep, with a file at the bottom if there is room.
static void
s_make_deep(int levels)
{
    int fd = open(s_in("tree"), O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < levels; i++) {
        cr_assert_eq(mkdirat(fd, "d", 0755), 0);
        int next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
        close(fd);
        fd = next;
    }
    close(openat(fd, "f", O_WRONLY | O_CREAT, 0644));
    close(fd);
}

//  rm -r of a tree that is deeper than a path can be long.
static void
s_remove_deep(int levels)
{
    int fd = open(s_in("tree"), O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < levels; i++) {
        cr_assert_eq(renameat(fd, "d", AT_FDCWD, s_in("out")), 0);
        unlinkat(fd, "f", 0);
        cr_assert_eq(rmdir(s_in("tree")), 0);
        cr_assert_eq(rename(s_in("out"), s_in("tree")), 0);
        close(fd);
        fd = open(s_in("tree"), O_RDONLY | O_DIRECTORY);
    }
    unlinkat(fd, "f", 0);
    close(fd);
}

Test(ingest, of_a_deep_tree_needs_no_more_descriptors_than_a_flat_one)
{
    enum { LEVELS = 2000 };
    struct rlimit limit;
    s_make_deep(LEVELS);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = (rlim_t) s_next_fd() + 3;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int rc = artel_ingest_dir(s_ingest, s_in("tree"), NULL);
    limit.rlim_cur = limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_expect_eq(rc, 0, "%s", artel_ingest_error(s_ingest));
    cr_expect_eq(s_finish().files, 1);
    s_remove_deep(LEVELS);
}

Test(ingest, refuses_a_path_of_more_than_4096_bytes)
{
    s_make_deep(2048);
    s_expect_refused(artel_ingest_dir(s_ingest, s_in("tree"), NULL), ARTEL_ELIMIT,
                     "more than 4096 bytes");
    s_remove_deep(2048);
}

Test(ingest, of_many_files_makes_the_manifest_a_file_of_its_own)
{
    enum { N = 30000 };
    char name[64], content[64];
    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof name, "%d/%d", i % 7, i);
        snprintf(content, sizeof content, "content %d", i);
        cr_assert_eq(artel_ingest_bytes(s_ingest, name, content, strlen(content)), 0);
    }
    cr_expect_eq(s_finish().files, N);
    s_expect_store(1, 1, false);
}
