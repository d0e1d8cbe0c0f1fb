//  The actor that looks for what dead programs left.

#include "actors.h"
#include "adopter.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static zactor_t *s_adopter;
static zsock_t *s_sock;

static void
s_setup(void)
{
    zsock_t *end;
    s_begin();
    cr_assert_eq(artel_sock_pair(&s_sock, &end), 0);
    artel_adopter_args_t args = { .start.name = "artel/adopter", .state = s_state, .writer = end };
    cr_assert_eq(artel_actor_start(&s_adopter, artel_adopter, &args.start), 0);
}

static void
s_teardown(void)
{
    s_stop_worker(&s_adopter, &s_sock);
}

TestSuite(adopter, .init = s_setup, .fini = s_teardown, .timeout = 30);

static void
s_ask(uint64_t token)
{
    s_send_struct(s_sock, &token, sizeof token);
}

static artel_adopter_result_t
s_answer(void)
{
    artel_adopter_result_t result;
    s_recv_struct(s_sock, &result, sizeof result);
    return result;
}

Test(adopter, tells_of_each_journal_and_then_that_it_is_over)
{
    static const artel_id_t other = { "another writer 1" };
    s_make_journal("r", s_id, "store=store", 2, true);
    s_make_journal("q", other, "store=store", 2, false);
    s_ask(7);
    uint64_t sum = 0;
    for (int i = 0; i < 2; i++) {
        artel_adopter_result_t result = s_answer();
        cr_assert_eq(result.event, ARTEL_ADOPTER_FOUND);
        cr_assert_eq(result.token, 7);
        sum += result.of.last;
    }
    cr_assert_eq(sum, 2 + 3);
    artel_adopter_result_t result = s_answer();
    cr_assert_eq(result.event, ARTEL_ADOPTER_OVER);
    cr_assert_eq(result.rc, 0);
}

Test(adopter, sweeps_what_a_program_left_that_was_killed_before_it_had_a_presence)
{
    int fd;
    char *folder = artel_format("%s/clients", s_state), *path = artel_format("%s/r.1234~", folder);
    cr_assert(mkdir(folder, 0700) == 0 && (fd = creat(path, 0600)) >= 0);
    close(fd);
    s_ask(1);
    cr_assert_eq(s_answer().event, ARTEL_ADOPTER_OVER);
    cr_assert_neq(access(path, F_OK), 0);
    free(path);
    free(folder);
}

Test(adopter, adopts_nothing_in_another_machines_directory)
{
    char *path = artel_format("%s/host", s_state);
    FILE *out = fopen(path, "w");
    fputs("elsewhere 00000000000000000000000000000000\n", out);
    fclose(out);
    free(path);
    s_make_journal("r", s_id, "store=store", 2, false);
    s_ask(7);
    artel_adopter_result_t result = s_answer();
    cr_assert_eq(result.event, ARTEL_ADOPTER_OVER);
    cr_assert_eq(result.rc, ARTEL_EACCES);
    cr_assert_not_null(strstr(result.text, "another machine"));
}

Test(adopter, stops_in_the_middle_of_a_search)
{
    for (uint8_t i = 0; i < 100; i++) {
        artel_id_t writer = { { 1, i } };
        s_make_journal("r", writer, "store=store", 1, false);
    }
    s_ask(7);
    s_answer();
    int64_t before = artel_now_ms();
    cr_assert_eq(artel_actor_stop(&s_adopter, 5000), 0);
    cr_assert_lt(artel_now_ms() - before, 500);
}
