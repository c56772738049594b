/* Shared by the files of the client; not for callers. */
#ifndef PCS_INTERNAL_H
#define PCS_INTERNAL_H

#include "pcs/common/v1/types.pb-c.h"
#include "pcs/frame/v1/frame.pb-c.h"
#include "pcs_client.h"

/* Bytes that grow at the end and are taken from the front. */
typedef struct pcs_buffer {
    uint8_t *data;
    size_t start;
    size_t end;
    size_t capacity;
} pcs_buffer;

/* A message that waits to be taken. */
typedef struct pcs_queued {
    struct pcs_queued *next;
    pcs_bytes bytes;
} pcs_queued;

struct pcs_call {
    pcs_call *next;
    pcs_client *client;
    uint32_t stream;
    /* Monotonic milliseconds after which the client gives up by itself. */
    int64_t deadline;
    /* Messages that we may still send, and that the host may still send. */
    uint32_t outward;
    uint32_t inward;
    uint32_t window;
    uint32_t handled;
    bool sending;
    bool cancelled;
    bool ended;
    /* The caller has freed it; it waits for the host's Reply. */
    bool abandoned;
    pcs_queued *first;
    pcs_queued *last;
    /* Once ended: the host's reply, or NULL and our own failure. */
    Pcs__Frame__V1__Frame *reply;
    pcs_failure failure;
};

struct pcs_client {
    int socket;
    bool ready;
    bool going_away;
    int go_away_reason;
    /* The connection is of no more use; `cause` says why. */
    bool broken;
    pcs_failure cause;
    uint32_t next_stream;
    uint32_t open_streams;
    uint32_t maximum_streams;
    uint32_t maximum_frame;
    uint32_t own_credit;
    uint32_t host_credit;
    uint32_t reply_timeout;
    uint64_t ping_token;
    uint64_t ping_answer;
    pcs_buffer in;
    pcs_buffer out;
    pcs_call *calls;
};

enum { PCS_PREFIX = 5, PCS_DEFAULT_FRAME = 4 << 20, PCS_DEFAULT_STREAMS = 128, PCS_DEFAULT_CREDIT = 16 };

int64_t pcs_now(void);

/* failure.c */
char *pcs_text(const char *text);
void pcs_set_failure(
    pcs_failure *failure, pcs_code code, pcs_progress progress, const char *reason, const char *message,
    const char *next_step);
void pcs_copy_failure(pcs_failure *to, const pcs_failure *from);
void pcs_failure_of_reply(pcs_failure *failure, const Pcs__Frame__V1__Reply *reply);

/* connection.c */
/* Puts a frame into the outgoing bytes. False when it is too large or memory is short. */
bool pcs_put_frame(pcs_client *client, const Pcs__Frame__V1__Frame *frame);
/* Sends what is outgoing, taking in what comes meanwhile. False when the connection is broken or time is up. */
bool pcs_flush(pcs_client *client, int64_t deadline);
/* Waits for something to come and takes it in. False when the connection is broken or time is up. */
bool pcs_pump(pcs_client *client, int64_t deadline);
/* Declares the connection of no more use and ends all calls. */
void pcs_break(pcs_client *client, const char *reason, const char *message);

/* call.c */
void pcs_call_end(pcs_call *call, Pcs__Frame__V1__Frame *reply, const pcs_failure *failure);
void pcs_call_dispose(pcs_call *call);
bool pcs_call_put_message(pcs_call *call, const ProtobufCBinaryData *body);

#endif
