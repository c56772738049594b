#include "behaviours.h"

#include "trial.h"

#include <stdio.h>
#include <string.h>

static const behaviour *const all[] = {connection_behaviours, call_behaviours, stream_behaviours};

/* One behaviour on a connection of its own; prints its line. */
static bool try_one(const behaviour *behaviour, trial *trial) {
    trial->wrong = NULL;
    bool well = connect_anew(trial) && behaviour->run(trial);
    if (well) {
        printf("ok     %s\n", behaviour->name);
    } else {
        const char *reason = trial->failure.reason == NULL ? "" : trial->failure.reason;
        const char *message = trial->failure.message == NULL ? "" : trial->failure.message;
        printf("FAILED %s - not: %s %s %s\n", behaviour->name, trial->wrong == NULL ? "?" : trial->wrong,
               reason, message);
    }
    fflush(stdout);
    pcs_failure_clear(&trial->failure);
    return well;
}

int try_behaviours(const char *address, const char *token, int stop) {
    trial trial = {.address = address, .token = token, .stop = stop};
    bool is_tcp = strncmp(address, "tcp:", 4) == 0;
    bool identified = token != NULL || !is_tcp;
    int passed = 0;
    int failed = 0;
    int left_out = 0;
    for (size_t list = 0; list < sizeof all / sizeof all[0]; list++) {
        for (const behaviour *next = all[list]; next->name != NULL; next++) {
            if (next->need == TO_STOP && stop == 0) continue;
            if ((next->need == WITH_IDENTITY && !identified) || (next->need == OVER_TCP && !is_tcp)) {
                left_out++;
            } else if (try_one(next, &trial)) {
                passed++;
            } else {
                failed++;
            }
        }
    }
    pcs_close(trial.client);
    if (left_out > 0) printf("%d left out: they need %s\n", left_out, is_tcp ? "a token" : "TCP");
    printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
