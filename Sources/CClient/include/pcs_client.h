/*
 * C client of the socket protocol (docs/protocol.md), on libprotobuf-c and the C library only.
 *
 *   pcs_failure failure;
 *   pcs_client *client = pcs_connect("unix:/run/pcs/pcs.sock", NULL, &failure);
 *   pcs_bytes reply;
 *   const char *method = "pcs.host.v1.DiagnosticsService/Echo";
 *   if (client && pcs_unary(client, method, request, length, NULL, &reply, &failure)) {
 *       ... unpack reply.data, reply.length ...
 *       pcs_bytes_free(&reply);
 *   } else {
 *       fprintf(stderr, "%s: %s\n", failure.reason, failure.message);
 *       pcs_failure_clear(&failure);
 *   }
 *   pcs_close(client);
 *
 * Requests and replies are encoded protobuf messages; use the code that protoc-c makes from proto/.
 *
 * A client is one connection. It may be used by one thread at a time; several clients do not share anything.
 * All functions wait, at most for the times given. There is no TLS: use a Unix-domain socket, or a TLS tunnel
 * beside it.
 *
 * Functions return true on success. On failure they fill in `failure`, when that is not NULL; clear it with
 * pcs_failure_clear before it is used again or dropped. A failure of the connection (PCS_UNAVAILABLE with
 * reason CONNECTION_LOST or PROTOCOL_BROKEN) fails all open calls; then close the client and connect anew.
 */
#ifndef PCS_CLIENT_H
#define PCS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One connection. */
typedef struct pcs_client pcs_client;

/* One call in flight; belongs to its client and ends with pcs_call_free. */
typedef struct pcs_call pcs_call;

/* gRPC status codes. */
typedef enum pcs_code {
    PCS_OK = 0,
    PCS_CANCELLED = 1,
    PCS_UNKNOWN = 2,
    PCS_INVALID_ARGUMENT = 3,
    PCS_DEADLINE_EXCEEDED = 4,
    PCS_NOT_FOUND = 5,
    PCS_ALREADY_EXISTS = 6,
    PCS_PERMISSION_DENIED = 7,
    PCS_RESOURCE_EXHAUSTED = 8,
    PCS_FAILED_PRECONDITION = 9,
    PCS_ABORTED = 10,
    PCS_OUT_OF_RANGE = 11,
    PCS_UNIMPLEMENTED = 12,
    PCS_INTERNAL = 13,
    PCS_UNAVAILABLE = 14,
    PCS_DATA_LOSS = 15,
    PCS_UNAUTHENTICATED = 16
} pcs_code;

/* How far a failed call got. */
typedef enum pcs_progress {
    PCS_PROGRESS_UNSPECIFIED = 0,
    /* Nothing was done: it is safe to send the call again. */
    PCS_PROGRESS_NOT_STARTED = 1,
    /* Not known: send again only with the same idempotency key. */
    PCS_PROGRESS_STARTED = 2,
    /* The effect is durable: do not send again. */
    PCS_PROGRESS_COMMITTED = 3
} pcs_progress;

/* One broken rule. Texts are never NULL. */
typedef struct pcs_violation {
    char *field;
    char *rule;
    char *message;
    /* Line in the file, header = 1; 0 when not a file. */
    int64_t row;
    /* Column in the file, first = 1; 0 when the whole row or not a file. */
    int32_t column;
} pcs_violation;

/* Why a call or a connection failed. Texts are never NULL after a failure. */
typedef struct pcs_failure {
    pcs_code code;
    pcs_progress progress;
    /* Stable name, for example "RUN_STATE_WRONG"; the catalogue is docs/generated/errors.md. */
    char *reason;
    /* What went wrong, in one sentence. */
    char *message;
    /* What the caller can do. */
    char *next_step;
    /* Finds the call in the host's audit and log; "" when the failure is the client's own. */
    char *correlation_id;
    pcs_violation *violations;
    size_t violations_listed;
    /* Violations found in all. */
    int64_t violation_count;
} pcs_failure;

/* Frees the texts and makes the struct empty. Harmless on an empty one. */
void pcs_failure_clear(pcs_failure *failure);

/* Bytes that belong to the caller. */
typedef struct pcs_bytes {
    uint8_t *data;
    size_t length;
    /* The effect was made by an earlier call with the same idempotency key. */
    bool replayed;
} pcs_bytes;

void pcs_bytes_free(pcs_bytes *bytes);

/* How to connect. Start from PCS_CONNECT_OPTIONS_INIT. */
typedef struct pcs_connect_options {
    /* Name and version of the calling software. */
    const char *software;
    /* Access token for all calls without one of their own; NULL over a Unix socket whose user is known. */
    const char *access_token;
    /* For connecting and for the host's Hello, each. */
    uint32_t timeout_milliseconds;
    /* Messages of a stream that the host may send before this client has taken any. */
    uint32_t initial_credit;
    /* Bound for replies to calls without a timeout of their own. */
    uint32_t reply_timeout_milliseconds;
    /* Protocol version to state; for tests of a host. */
    uint32_t version;
} pcs_connect_options;

#define PCS_CONNECT_OPTIONS_INIT { "pcs-c/1", NULL, 5000, 16, 60000, 1 }

/*
 * Connects and exchanges Hello. `address` is "unix:/path" or "tcp:host:port" ("tcp:[::1]:7443" for IPv6).
 * `options` may be NULL. Returns NULL on failure.
 */
pcs_client *pcs_connect(const char *address, const pcs_connect_options *options, pcs_failure *failure);

/* Says goodbye, closes the socket, ends and frees all calls. NULL is harmless. */
void pcs_close(pcs_client *client);

/* What a call may carry. Start from PCS_CALL_OPTIONS_INIT; texts may be NULL. */
typedef struct pcs_call_options {
    /* Deadline from the call's arrival; 0 = the method's own limit. */
    uint32_t timeout_milliseconds;
    /* 1 to 128 printable ASCII characters: the same key gives the same effect once. */
    const char *idempotency_key;
    /* ODS code of the organisation acted for. */
    const char *acting_for;
    const char *access_token;
    const char *person_token;
    const char *trace_parent;
    /* Messages that the host may send at first; 0 = the initial credit of the connection. */
    uint32_t credit;
} pcs_call_options;

#define PCS_CALL_OPTIONS_INIT { 0, NULL, NULL, NULL, NULL, NULL, 0 }

/* One message, one reply. Free the reply with pcs_bytes_free. `options` may be NULL. */
bool pcs_unary(
    pcs_client *client, const char *method, const void *request, size_t length,
    const pcs_call_options *options, pcs_bytes *reply, pcs_failure *failure);

/* Called for each message of a stream, in order; return false to cancel the call. The bytes last until then. */
typedef bool (*pcs_message_function)(const uint8_t *data, size_t length, void *context);

/*
 * One message, a stream of replies. Credit is given as messages are taken. Returns true when the stream ended
 * well, false with code PCS_CANCELLED when `on_message` returned false.
 */
bool pcs_server_streaming(
    pcs_client *client, const char *method, const void *request, size_t length,
    const pcs_call_options *options, pcs_message_function on_message, void *context, pcs_failure *failure);

/*
 * Several calls at once, client streaming and cancellation: begin a call, send and receive on it, free it.
 * Frames of other calls that come meanwhile are kept for them.
 */

/*
 * Opens a call with its first message. `more`: further messages follow with pcs_call_send and
 * pcs_call_finish_sending. Returns NULL on failure.
 */
pcs_call *pcs_call_begin(
    pcs_client *client, const char *method, const void *request, size_t length, bool more,
    const pcs_call_options *options, pcs_failure *failure);

/*
 * Sends a further message; waits for the host's credit. False when the call has ended meanwhile (with
 * `failure` the outcome, when it failed): then pcs_call_outcome tells it.
 */
bool pcs_call_send(pcs_call *call, const void *message, size_t length, pcs_failure *failure);

/* Tells the host that no further message follows. */
bool pcs_call_finish_sending(pcs_call *call, pcs_failure *failure);

/*
 * The next message of a server-streaming call. Returns 1 with a message, 0 when the call has ended well, -1
 * when it failed. Gives credit for what it returns.
 */
int pcs_call_receive(pcs_call *call, pcs_bytes *message, pcs_failure *failure);

/* Waits for the outcome of a unary or client-streaming call. */
bool pcs_call_outcome(pcs_call *call, pcs_bytes *reply, pcs_failure *failure);

/* Tells the host that the call is no longer wanted. The outcome still comes, as a rule PCS_CANCELLED. */
bool pcs_call_cancel(pcs_call *call, const char *reason, pcs_failure *failure);

/* Ends the caller's interest; cancels the call when it is still open. NULL is harmless. */
void pcs_call_free(pcs_call *call);

/* Sends a ping and waits for its answer. */
bool pcs_ping(pcs_client *client, pcs_failure *failure);

/* Messages that may still be sent on the call before the host gives credit. For tests and for pacing. */
uint32_t pcs_call_credit(const pcs_call *call);

/* True once the host has said that it takes no new calls on this connection. */
bool pcs_is_going_away(const pcs_client *client);

/* Number of the host's GoAwayReason (frame.proto), for example 4 = LIMIT_EXCEEDED; 0 while it has sent none. */
int pcs_go_away_reason(const pcs_client *client);

/*
 * The socket, for a test that wants to send bytes of its own, or a loop that waits for readability. Reading
 * from it breaks the client.
 */
int pcs_socket(const pcs_client *client);

/* Name of a status code, for example "NOT_FOUND". */
const char *pcs_code_name(pcs_code code);

#ifdef __cplusplus
}
#endif

#endif
