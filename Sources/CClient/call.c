#define _POSIX_C_SOURCE 200809L

#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* Time that the host's own verdict on a deadline may take to come. */
enum { SLACK_MILLISECONDS = 1000 };

void pcs_call_end(pcs_call *call, Pcs__Frame__V1__Frame *reply, const pcs_failure *failure) {
    call->ended = true;
    call->reply = reply;
    if (failure != NULL) pcs_copy_failure(&call->failure, failure);
    call->client->open_streams--;
    if (call->abandoned) pcs_call_dispose(call);
}

void pcs_call_dispose(pcs_call *call) {
    pcs_call **link = &call->client->calls;
    while (*link != call) link = &(*link)->next;
    *link = call->next;
    while (call->first != NULL) {
        pcs_queued *next = call->first->next;
        pcs_bytes_free(&call->first->bytes);
        free(call->first);
        call->first = next;
    }
    if (call->reply != NULL) pcs__frame__v1__frame__free_unpacked(call->reply, NULL);
    pcs_failure_clear(&call->failure);
    free(call);
}

static bool copy_bytes(pcs_bytes *to, const ProtobufCBinaryData *from) {
    memset(to, 0, sizeof *to);
    /* One byte more, so that an empty message is not NULL. */
    to->data = malloc(from->len + 1);
    if (to->data == NULL) return false;
    if (from->len > 0) memcpy(to->data, from->data, from->len);
    to->data[from->len] = 0;
    to->length = from->len;
    return true;
}

bool pcs_call_put_message(pcs_call *call, const ProtobufCBinaryData *body) {
    pcs_queued *queued = calloc(1, sizeof *queued);
    if (queued == NULL) return false;
    if (!copy_bytes(&queued->bytes, body)) {
        free(queued);
        return false;
    }
    if (call->last == NULL) call->first = queued;
    else call->last->next = queued;
    call->last = queued;
    return true;
}

/* Tells the failure of a call that has ended; true when it ended well. */
static bool tell_outcome(const pcs_call *call, pcs_failure *failure) {
    if (call->reply == NULL) {
        pcs_copy_failure(failure, &call->failure);
        return false;
    }
    if (call->reply->reply->code == PCS_OK) return true;
    pcs_failure_of_reply(failure, call->reply->reply);
    return false;
}

/* Tells why waiting on an open call ended: broken connection (then the call has ended) or time. */
static bool give_up(pcs_call *call, pcs_failure *failure) {
    if (call->ended) return tell_outcome(call, failure);
    pcs_call_cancel(call, "deadline", NULL);
    pcs_set_failure(
        failure, PCS_DEADLINE_EXCEEDED, PCS_PROGRESS_STARTED, "DEADLINE_PASSED",
        "The call's time ran out before the host replied.", "Send again with the same idempotency key.");
    return false;
}

static void fill_call(Pcs__Frame__V1__Call *out, const pcs_call_options *options) {
    out->timeout_milliseconds = options->timeout_milliseconds;
    out->credit = options->credit;
    if (options->idempotency_key != NULL) out->idempotency_key = (char *)options->idempotency_key;
    if (options->acting_for != NULL) out->acting_for = (char *)options->acting_for;
    if (options->access_token != NULL) out->access_token = (char *)options->access_token;
    if (options->person_token != NULL) out->person_token = (char *)options->person_token;
    if (options->trace_parent != NULL) out->trace_parent = (char *)options->trace_parent;
}

static void refuse(pcs_failure *failure, pcs_code code, const char *reason, const char *message) {
    pcs_set_failure(
        failure, code, PCS_PROGRESS_NOT_STARTED, reason, message,
        code == PCS_UNAVAILABLE ? "Send again on a new connection; nothing was started." : "Nothing was started.");
}

/* Waits until a stream may be opened. */
static bool wait_for_stream(pcs_client *client, int64_t deadline, pcs_failure *failure) {
    while (!client->going_away && client->open_streams >= client->maximum_streams) {
        if (pcs_pump(client, deadline) || client->broken) continue;
        refuse(failure, PCS_RESOURCE_EXHAUSTED, "OVERLOADED", "All streams of the connection stayed in use.");
        return false;
    }
    if (client->broken) {
        pcs_copy_failure(failure, &client->cause);
        if (failure != NULL) failure->progress = PCS_PROGRESS_NOT_STARTED;
        return false;
    }
    if (client->going_away || client->next_stream >= UINT32_MAX - 2) {
        refuse(failure, PCS_UNAVAILABLE, "HOST_DRAINING", "The host takes no new calls on this connection.");
        return false;
    }
    return true;
}

pcs_call *pcs_call_begin(
    pcs_client *client, const char *method, const void *request, size_t length, bool more,
    const pcs_call_options *given, pcs_failure *failure) {
    static const pcs_call_options defaults = PCS_CALL_OPTIONS_INIT;
    const pcs_call_options *options = given == NULL ? &defaults : given;
    int64_t wait = options->timeout_milliseconds == 0 ? client->reply_timeout : options->timeout_milliseconds;
    int64_t deadline = pcs_now() + wait + SLACK_MILLISECONDS;
    if (!wait_for_stream(client, deadline, failure)) return NULL;
    pcs_call *call = calloc(1, sizeof *call);
    if (call == NULL) {
        refuse(failure, PCS_RESOURCE_EXHAUSTED, "OVERLOADED", "Out of memory.");
        return NULL;
    }
    Pcs__Frame__V1__Call body = PCS__FRAME__V1__CALL__INIT;
    body.method = (char *)method;
    body.more = more;
    body.body.data = (uint8_t *)(uintptr_t)request;
    body.body.len = length;
    fill_call(&body, options);
    Pcs__Frame__V1__Frame frame = PCS__FRAME__V1__FRAME__INIT;
    frame.stream = client->next_stream;
    frame.kind_case = PCS__FRAME__V1__FRAME__KIND_CALL;
    frame.call = &body;
    if (!pcs_put_frame(client, &frame)) {
        free(call);
        refuse(failure, PCS_RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE", "The request is larger than a frame.");
        return NULL;
    }
    call->client = client;
    call->stream = client->next_stream;
    call->deadline = deadline;
    call->outward = client->host_credit;
    call->window = options->credit == 0 ? client->own_credit : options->credit;
    call->inward = call->window;
    call->sending = more;
    call->next = client->calls;
    client->calls = call;
    client->open_streams++;
    client->next_stream += 2;
    /* A connection that breaks here ends the call, and its outcome says so. */
    pcs_flush(client, deadline);
    return call;
}

bool pcs_call_send(pcs_call *call, const void *message, size_t length, pcs_failure *failure) {
    pcs_client *client = call->client;
    while (!call->ended && call->outward == 0) {
        if (!pcs_pump(client, call->deadline)) return give_up(call, failure) && false;
    }
    if (call->ended || !call->sending || call->cancelled) {
        if (call->ended) return tell_outcome(call, failure) && false;
        refuse(failure, PCS_FAILED_PRECONDITION, "STREAM_PROTOCOL", "The call does not take further messages.");
        return false;
    }
    Pcs__Frame__V1__Message body = PCS__FRAME__V1__MESSAGE__INIT;
    body.body.data = (uint8_t *)(uintptr_t)message;
    body.body.len = length;
    Pcs__Frame__V1__Frame frame = PCS__FRAME__V1__FRAME__INIT;
    frame.stream = call->stream;
    frame.kind_case = PCS__FRAME__V1__FRAME__KIND_MESSAGE;
    frame.message = &body;
    if (!pcs_put_frame(client, &frame)) {
        refuse(failure, PCS_RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE", "The message is larger than a frame.");
        return false;
    }
    call->outward--;
    if (pcs_flush(client, call->deadline)) return true;
    return give_up(call, failure) && false;
}

bool pcs_call_finish_sending(pcs_call *call, pcs_failure *failure) {
    if (call->ended || !call->sending || call->cancelled) return true;
    call->sending = false;
    Pcs__Frame__V1__Message body = PCS__FRAME__V1__MESSAGE__INIT;
    body.last = true;
    Pcs__Frame__V1__Frame frame = PCS__FRAME__V1__FRAME__INIT;
    frame.stream = call->stream;
    frame.kind_case = PCS__FRAME__V1__FRAME__KIND_MESSAGE;
    frame.message = &body;
    if (pcs_put_frame(call->client, &frame) && pcs_flush(call->client, call->deadline)) return true;
    return give_up(call, failure) && false;
}

static void give_credit(pcs_call *call) {
    call->handled++;
    if (call->ended || call->cancelled || call->handled < (call->window + 1) / 2) return;
    Pcs__Frame__V1__Credit body = PCS__FRAME__V1__CREDIT__INIT;
    body.messages = call->handled;
    Pcs__Frame__V1__Frame frame = PCS__FRAME__V1__FRAME__INIT;
    frame.stream = call->stream;
    frame.kind_case = PCS__FRAME__V1__FRAME__KIND_CREDIT;
    frame.credit = &body;
    if (!pcs_put_frame(call->client, &frame)) return;
    call->inward += call->handled;
    call->handled = 0;
    pcs_flush(call->client, call->deadline);
}

int pcs_call_receive(pcs_call *call, pcs_bytes *message, pcs_failure *failure) {
    memset(message, 0, sizeof *message);
    while (call->first == NULL) {
        if (call->ended) return tell_outcome(call, failure) ? 0 : -1;
        if (!pcs_pump(call->client, call->deadline) && !call->ended) {
            give_up(call, failure);
            return -1;
        }
    }
    pcs_queued *queued = call->first;
    call->first = queued->next;
    if (call->first == NULL) call->last = NULL;
    *message = queued->bytes;
    free(queued);
    give_credit(call);
    return 1;
}

bool pcs_call_outcome(pcs_call *call, pcs_bytes *reply, pcs_failure *failure) {
    memset(reply, 0, sizeof *reply);
    while (!call->ended) {
        if (!pcs_pump(call->client, call->deadline) && !call->ended) return give_up(call, failure) && false;
    }
    if (!tell_outcome(call, failure)) return false;
    if (!copy_bytes(reply, &call->reply->reply->body)) {
        refuse(failure, PCS_RESOURCE_EXHAUSTED, "OVERLOADED", "Out of memory.");
        if (failure != NULL) failure->progress = PCS_PROGRESS_COMMITTED;
        return false;
    }
    reply->replayed = call->reply->reply->replayed;
    return true;
}

bool pcs_call_cancel(pcs_call *call, const char *reason, pcs_failure *failure) {
    if (call->ended || call->cancelled) return true;
    call->cancelled = true;
    Pcs__Frame__V1__Cancel body = PCS__FRAME__V1__CANCEL__INIT;
    if (reason != NULL) body.reason = (char *)reason;
    Pcs__Frame__V1__Frame frame = PCS__FRAME__V1__FRAME__INIT;
    frame.stream = call->stream;
    frame.kind_case = PCS__FRAME__V1__FRAME__KIND_CANCEL;
    frame.cancel = &body;
    /* A deadline that has passed must not keep the Cancel from going out. */
    int64_t deadline = pcs_now() + SLACK_MILLISECONDS;
    if (pcs_put_frame(call->client, &frame) && pcs_flush(call->client, deadline)) return true;
    if (call->client->broken) pcs_copy_failure(failure, &call->client->cause);
    else refuse(failure, PCS_DEADLINE_EXCEEDED, "DEADLINE_PASSED", "Cancel could not be sent in time.");
    return false;
}

void pcs_call_free(pcs_call *call) {
    if (call == NULL) return;
    if (!call->ended) {
        pcs_call_cancel(call, NULL, NULL);
        /* Sending may have taken in the outcome, or broken the connection. */
        if (!call->ended) {
            call->abandoned = true;
            return;
        }
    }
    pcs_call_dispose(call);
}

uint32_t pcs_call_credit(const pcs_call *call) { return call->outward; }

bool pcs_unary(
    pcs_client *client, const char *method, const void *request, size_t length,
    const pcs_call_options *options, pcs_bytes *reply, pcs_failure *failure) {
    memset(reply, 0, sizeof *reply);
    pcs_call *call = pcs_call_begin(client, method, request, length, false, options, failure);
    if (call == NULL) return false;
    bool well = pcs_call_outcome(call, reply, failure);
    pcs_call_free(call);
    return well;
}

bool pcs_server_streaming(
    pcs_client *client, const char *method, const void *request, size_t length,
    const pcs_call_options *options, pcs_message_function on_message, void *context, pcs_failure *failure) {
    pcs_call *call = pcs_call_begin(client, method, request, length, false, options, failure);
    if (call == NULL) return false;
    for (;;) {
        pcs_bytes message;
        int got = pcs_call_receive(call, &message, failure);
        if (got <= 0) {
            pcs_call_free(call);
            return got == 0;
        }
        bool wanted = on_message(message.data, message.length, context);
        pcs_bytes_free(&message);
        if (wanted) continue;
        pcs_call_free(call);
        pcs_set_failure(
            failure, PCS_CANCELLED, PCS_PROGRESS_STARTED, "CALL_CANCELLED", "The caller cancelled the call.",
            "Nothing to do.");
        return false;
    }
}
