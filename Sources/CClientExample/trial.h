#ifndef PCS_EXAMPLE_TRIAL_H
#define PCS_EXAMPLE_TRIAL_H

/*
 * What the behaviours share: the trial at hand, frames made past the client, and checks of what comes back.
 */
#include "pcs/frame/v1/frame.pb-c.h"
#include "pcs_client.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERVICE "pcs.host.v1.DiagnosticsService/"

enum { PROTOCOL_ERROR = 2, LIMIT_EXCEEDED = 4 };

/* Where to connect and as whom, and the failure of the step at hand. */
typedef struct {
    const char *address;
    const char *token;
    int stop;
    pcs_client *client;
    pcs_failure failure;
    const char *wrong;
} trial;

/* What a behaviour cannot be tried without; over a Unix-domain socket a caller always has an identity. */
typedef enum { ALWAYS, WITH_IDENTITY, OVER_TCP, TO_STOP } need;

typedef struct {
    const char *name;
    need need;
    bool (*run)(trial *);
} behaviour;

/* The behaviours by what they are about, each list ended by one without a name. */
extern const behaviour connection_behaviours[];
extern const behaviour call_behaviours[];
extern const behaviour stream_behaviours[];

/* Notes what went wrong; for `return fail(...)`. */
bool fail(trial *trial, const char *what);

#define CHECK(condition) do { if (!(condition)) return fail(trial, #condition); } while (0)

int64_t now_ms(void);
void rest_ms(long milliseconds);

/* A connection of the trial's own; the one before is closed. */
bool connect_anew(trial *trial);

/* The step must have failed so. */
bool failed_so(trial *trial, bool well, pcs_code code, const char *reason);

/* Sends bytes past the client. */
bool send_raw(trial *trial, const void *data, size_t length);

/* Sends a frame past the client. */
bool send_frame(trial *trial, const Pcs__Frame__V1__Frame *frame);

/* Opens a stream of a chosen number past the client. */
bool send_call(trial *trial, uint32_t stream, const char *method, const void *body, size_t length, bool more);

/* The host must answer what was sent with GoAway of this reason, and close. */
bool sent_away(trial *trial, int reason);

bool ping_works(trial *trial);

/* EchoRequest { number }: one byte a number, for numbers below 128. */
bool echo_number(trial *trial, uint8_t number);

/* WaitRequest. */
size_t wait_request(uint8_t *packed, uint32_t milliseconds);

#endif
