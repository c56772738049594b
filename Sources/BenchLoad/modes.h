/* What the program does. */
#ifndef PCS_BENCH_MODES_H
#define PCS_BENCH_MODES_H

#include <stddef.h>
#include <stdint.h>

/* A load: `connections` times `in_flight` calls of one method at once, for some seconds. */
typedef struct {
    /* A Unix socket's path, or NULL: then host and port. */
    const char *unix_path;
    const char *host;
    int port;
    int connections;
    int in_flight;
    double seconds;
    /*
     * Most calls in one write. Callers that wait for one reply each do not send in step; without a bound, one
     * connection's 64 calls would come and go as one block, and hardly anything but two system calls a block
     * would be measured.
     */
    int coalesce;
    const char *method;
    const char *token;
    const uint8_t *body;
    size_t body_length;
} load_settings;

/* Serves until killed; prints "listening PORT" first. Returns an exit status. */
int run_echo_server(int port);

/*
 * Prints calls, seconds, calls_per_second, p50_us, p99_us and errors, one a line, name first. Returns an exit status: 0
 * only when every call was answered rightly.
 */
int run_load(const load_settings *settings);

#endif
