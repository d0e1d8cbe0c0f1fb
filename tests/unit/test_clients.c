//  What killed programs leave in clients/.

#include "scratch.h"

#include "clients.h"
#include "errors.h"
#include "fds.h"
#include "presence.h"

static const artel_id_t s_writer = { "writer a 16 byte" };
static const char s_mark[] = "clients/r.77726974657220612031362062797465";
static const char s_unnamed[] = "clients/r.77726974657220612031362062797466~";

static void
s_setup(void)
{
    s_scratch_make();
    cr_assert_eq(mkdir(s_in("tmp"), 0700), 0);
    cr_assert_eq(mkdir(s_in("clients"), 0700), 0);
}

TestSuite(clients, .init = s_setup, .fini = s_scratch_remove, .timeout = 30);

static bool
s_is_there(const char *name)
{
    return access(s_in("%s", name), F_OK) == 0;
}

Test(clients, what_was_locked_is_kept_from_others)
{
    int first, second;
    cr_assert_eq(artel_clients_lock(s_in("clients/r.1"), &first), 0);
    cr_assert_eq(artel_clients_lock(s_in("clients/r.1"), &second), ARTEL_ELOCKED);
    artel_fd_close(first);
    cr_assert_eq(artel_clients_lock(s_in("clients/r.1"), &second), 0);
    artel_fd_close(second);
}

Test(clients, a_presence_that_was_not_named_is_swept_once_nobody_holds_it)
{
    int fd;
    cr_assert_eq(artel_clients_lock(s_in("%s", s_unnamed), &fd), 0);
    artel_clients_sweep(s_scratch);
    cr_assert(s_is_there(s_unnamed));
    artel_fd_close(fd);
    artel_clients_sweep(s_scratch);
    cr_assert_not(s_is_there(s_unnamed));
}

Test(clients, the_mark_of_a_dead_program_is_not_swept)
{
    int fd;
    cr_assert_eq(artel_presence_begin(s_scratch, "r", s_writer, &fd), 0);
    artel_fd_close(fd);
    artel_clients_sweep(s_scratch);
    cr_assert(s_is_there(s_mark));
}

Test(clients, nothing_is_swept_while_a_file_is_made_and_not_yet_locked)
{
    int busy;
    cr_assert_eq(artel_clients_begin(s_scratch, &busy), 0);
    s_write_text(s_in("%s", s_unnamed), "");
    artel_clients_sweep(s_scratch);
    cr_assert(s_is_there(s_unnamed));
    artel_fd_close(busy);
    artel_clients_sweep(s_scratch);
    cr_assert_not(s_is_there(s_unnamed));
}

Test(clients, a_sweep_of_no_folder_does_nothing)
{
    cr_assert_eq(rmdir(s_in("clients")), 0);
    artel_clients_sweep(s_scratch);
    cr_assert_not(s_is_there("clients"));
}
