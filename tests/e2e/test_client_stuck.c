//  Closing while the store stands still. The actor that waits for it is left behind with what it
//  uses, as artel_node_stop says: of leaks this program tells nothing.

#include "sanitized.h"
#include "stage.h"

TestSuite(stuck, .init = stage_up, .fini = stage_down, .timeout = 100);

Test(stuck, close_leaves_to_sync_what_is_not_delivered)
{
    artel_run_t *run = stage_run("r");
    OK(artel_run_flush(run, ARTEL_DELIVERED, WAIT_MS));
    stage_stop_store();
    artel_future_t *future = stage_log(run, "m", NULL);
    for (int i = 0; i < 100; i++)
        OK(artel_run_log(run, "k", ARTEL_AUTO_STEP, i));
    TAKES(300, artel_close(&stage_artel, 300), ARTEL_EPENDING);
    cr_assert(strstr(artel_open_error(), "run r") && strstr(artel_open_error(), "artel sync"), "%s", artel_open_error());
    RC(artel_future_wait(future, WAIT_MS), ARTEL_ECLOSED);
    artel_future_destroy(&future);
    stage_start_store();
    stage_open("store");
    OK(artel_sync(stage_artel, WAIT_MS, NULL));
    OK(artel_find(stage_artel, "m", NULL));
    stage_close();
    SQL_IS("finished|100", "SELECT state, rows FROM runs");
}
