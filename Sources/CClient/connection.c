#define _POSIX_C_SOURCE 200809L

#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int64_t pcs_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Buffers */

static size_t held(const pcs_buffer *buffer) { return buffer->end - buffer->start; }

/* Makes room for `count` more bytes at the end. */
static bool make_room(pcs_buffer *buffer, size_t count) {
    if (buffer->start == buffer->end) buffer->start = buffer->end = 0;
    if (buffer->capacity - buffer->end >= count) return true;
    if (buffer->start > 0) {
        memmove(buffer->data, buffer->data + buffer->start, held(buffer));
        buffer->end -= buffer->start;
        buffer->start = 0;
    }
    if (buffer->capacity - buffer->end >= count) return true;
    size_t capacity = buffer->capacity < 4096 ? 4096 : buffer->capacity;
    while (capacity - buffer->end < count) capacity *= 2;
    uint8_t *data = realloc(buffer->data, capacity);
    if (data == NULL) return false;
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

bool pcs_put_frame(pcs_client *client, const Pcs__Frame__V1__Frame *frame) {
    size_t size = pcs__frame__v1__frame__get_packed_size(frame);
    if (size > client->maximum_frame || !make_room(&client->out, PCS_PREFIX + size)) return false;
    uint8_t *at = client->out.data + client->out.end;
    at[0] = 0;
    at[1] = (uint8_t)(size >> 24);
    at[2] = (uint8_t)(size >> 16);
    at[3] = (uint8_t)(size >> 8);
    at[4] = (uint8_t)size;
    pcs__frame__v1__frame__pack(frame, at + PCS_PREFIX);
    client->out.end += PCS_PREFIX + size;
    return true;
}

/* Failing */

static const char resend[] = "Look at the progress: send again with the same key unless nothing was started.";

void pcs_break(pcs_client *client, const char *reason, const char *message) {
    if (client->broken) return;
    client->broken = true;
    client->going_away = true;
    pcs_set_failure(&client->cause, PCS_UNAVAILABLE, PCS_PROGRESS_STARTED, reason, message, resend);
    pcs_call *call = client->calls;
    while (call != NULL) {
        pcs_call *next = call->next;
        if (!call->ended) pcs_call_end(call, NULL, &client->cause);
        call = next;
    }
}

static void protocol_broken(pcs_client *client, const char *message) {
    Pcs__Frame__V1__GoAway go_away = PCS__FRAME__V1__GO_AWAY__INIT;
    go_away.reason = PCS__FRAME__V1__GO_AWAY_REASON__GO_AWAY_REASON_PROTOCOL_ERROR;
    go_away.message = (char *)message;
    Pcs__Frame__V1__Frame frame = PCS__FRAME__V1__FRAME__INIT;
    frame.kind_case = PCS__FRAME__V1__FRAME__KIND_GO_AWAY;
    frame.go_away = &go_away;
    pcs_put_frame(client, &frame);
    if (held(&client->out) > 0) {
        /* As good as it gets: the connection is closed anyway. */
        ssize_t sent = send(client->socket, client->out.data + client->out.start, held(&client->out), MSG_NOSIGNAL);
        (void)sent;
    }
    pcs_break(client, "PROTOCOL_BROKEN", message);
}

/* Frames that come */

static pcs_call *find_call(pcs_client *client, uint32_t stream) {
    for (pcs_call *call = client->calls; call != NULL; call = call->next) {
        if (call->stream == stream && !call->ended) return call;
    }
    return NULL;
}

static void take_hello(pcs_client *client, const Pcs__Frame__V1__Frame *frame) {
    if (client->ready || frame->stream != 0) {
        protocol_broken(client, "Hello came a second time.");
        return;
    }
    const Pcs__Frame__V1__Hello *hello = frame->hello;
    if (hello->version != 1) {
        protocol_broken(client, "The host speaks another version.");
        return;
    }
    uint32_t frames = hello->max_frame_bytes == 0 ? (uint32_t)PCS_DEFAULT_FRAME : hello->max_frame_bytes;
    uint32_t streams = hello->max_streams == 0 ? (uint32_t)PCS_DEFAULT_STREAMS : hello->max_streams;
    if (frames < client->maximum_frame) client->maximum_frame = frames;
    if (streams < client->maximum_streams) client->maximum_streams = streams;
    client->host_credit = hello->initial_credit == 0 ? (uint32_t)PCS_DEFAULT_CREDIT : hello->initial_credit;
    client->ready = true;
}

static void take_go_away(pcs_client *client, const Pcs__Frame__V1__GoAway *go_away) {
    client->going_away = true;
    client->go_away_reason = (int)go_away->reason;
    if (go_away->reason != PCS__FRAME__V1__GO_AWAY_REASON__GO_AWAY_REASON_DRAINING) {
        pcs_break(client, "CONNECTION_REFUSED", go_away->message);
        return;
    }
    pcs_failure refused;
    pcs_set_failure(
        &refused, PCS_UNAVAILABLE, PCS_PROGRESS_NOT_STARTED, "HOST_DRAINING", go_away->message,
        "Send again on a new connection; nothing was started.");
    pcs_call *call = client->calls;
    while (call != NULL) {
        pcs_call *next = call->next;
        if (!call->ended && call->stream > go_away->last_stream) pcs_call_end(call, NULL, &refused);
        call = next;
    }
    pcs_failure_clear(&refused);
}

static void take_ping(pcs_client *client, const Pcs__Frame__V1__Ping *ping) {
    if (ping->acknowledge) {
        client->ping_answer = ping->token;
        return;
    }
    Pcs__Frame__V1__Ping answer = PCS__FRAME__V1__PING__INIT;
    answer.token = ping->token;
    answer.acknowledge = true;
    Pcs__Frame__V1__Frame frame = PCS__FRAME__V1__FRAME__INIT;
    frame.kind_case = PCS__FRAME__V1__FRAME__KIND_PING;
    frame.ping = &answer;
    pcs_put_frame(client, &frame);
}

static void take_message(pcs_client *client, const Pcs__Frame__V1__Frame *frame) {
    pcs_call *call = find_call(client, frame->stream);
    if (call == NULL) {
        if (frame->stream % 2 == 0 || frame->stream >= client->next_stream) {
            protocol_broken(client, "A message came for a stream that was never opened.");
        }
        return;
    }
    if (call->inward == 0) {
        protocol_broken(client, "More messages came than there was credit for.");
        return;
    }
    call->inward--;
    if (call->abandoned || call->cancelled) return;
    if (!pcs_call_put_message(call, &frame->message->body)) pcs_break(client, "CONNECTION_LOST", "Out of memory.");
}

/* Takes over a frame; frees it unless a call keeps it. */
static void take_frame(pcs_client *client, Pcs__Frame__V1__Frame *frame) {
    bool kept = false;
    pcs_call *call = NULL;
    switch (frame->kind_case) {
    case PCS__FRAME__V1__FRAME__KIND_HELLO: take_hello(client, frame); break;
    case PCS__FRAME__V1__FRAME__KIND_GO_AWAY: take_go_away(client, frame->go_away); break;
    case PCS__FRAME__V1__FRAME__KIND_PING: take_ping(client, frame->ping); break;
    case PCS__FRAME__V1__FRAME__KIND_MESSAGE: take_message(client, frame); break;
    case PCS__FRAME__V1__FRAME__KIND_REPLY:
        call = find_call(client, frame->stream);
        if (call != NULL) {
            kept = true;
            pcs_call_end(call, frame, NULL);
        }
        break;
    case PCS__FRAME__V1__FRAME__KIND_CREDIT:
        call = find_call(client, frame->stream);
        if (call != NULL) {
            uint32_t room = UINT32_MAX - call->outward;
            call->outward += frame->credit->messages < room ? frame->credit->messages : room;
        }
        break;
    case PCS__FRAME__V1__FRAME__KIND_CALL:
    case PCS__FRAME__V1__FRAME__KIND_CANCEL:
        protocol_broken(client, "The host sent a frame that only clients send.");
        break;
    default: break; /* A kind of a later version. */
    }
    if (!kept) pcs__frame__v1__frame__free_unpacked(frame, NULL);
}

/* Takes whole frames off the bytes that have come. */
static void take_frames(pcs_client *client) {
    while (!client->broken && held(&client->in) >= PCS_PREFIX) {
        const uint8_t *at = client->in.data + client->in.start;
        size_t size = (size_t)at[1] << 24 | (size_t)at[2] << 16 | (size_t)at[3] << 8 | at[4];
        if (at[0] != 0 || size > client->maximum_frame) {
            protocol_broken(client, at[0] != 0 ? "A frame has unknown flags." : "A frame is too large.");
            return;
        }
        if (held(&client->in) < PCS_PREFIX + size) {
            if (!make_room(&client->in, PCS_PREFIX + size - held(&client->in))) {
                pcs_break(client, "CONNECTION_LOST", "Out of memory.");
            }
            return;
        }
        Pcs__Frame__V1__Frame *frame = pcs__frame__v1__frame__unpack(NULL, size, at + PCS_PREFIX);
        client->in.start += PCS_PREFIX + size;
        if (frame == NULL) {
            protocol_broken(client, "A frame is not an encoding of Frame.");
            return;
        }
        take_frame(client, frame);
    }
}

static void receive_bytes(pcs_client *client) {
    for (;;) {
        if (!make_room(&client->in, 65536)) {
            pcs_break(client, "CONNECTION_LOST", "Out of memory.");
            return;
        }
        size_t room = client->in.capacity - client->in.end;
        ssize_t got = recv(client->socket, client->in.data + client->in.end, room, 0);
        if (got > 0) {
            client->in.end += (size_t)got;
            take_frames(client);
            if (client->broken || (size_t)got < room) return;
        } else if (got < 0 && errno == EINTR) {
            continue;
        } else if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return;
        } else {
            pcs_break(client, "CONNECTION_LOST", got == 0 ? "The host closed the connection." : strerror(errno));
            return;
        }
    }
}

static void send_bytes(pcs_client *client) {
    while (held(&client->out) > 0) {
        ssize_t sent = send(client->socket, client->out.data + client->out.start, held(&client->out), MSG_NOSIGNAL);
        if (sent > 0) {
            client->out.start += (size_t)sent;
        } else if (errno == EINTR) {
            continue;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else {
            /* What the host still had to say, such as GoAway, tells more than the error. */
            const char *why = strerror(errno);
            receive_bytes(client);
            pcs_break(client, "CONNECTION_LOST", why);
            return;
        }
    }
}

/* One wait for either direction. False when time is up. */
static bool wait_socket(pcs_client *client, short events, int64_t deadline) {
    int64_t left = deadline - pcs_now();
    if (left < 0) left = 0;
    struct pollfd wanted = {client->socket, events, 0};
    int ready = poll(&wanted, 1, left > 600000 ? 600000 : (int)left);
    if (ready == 0) return pcs_now() < deadline;
    return ready > 0 || errno == EINTR;
}

bool pcs_flush(pcs_client *client, int64_t deadline) {
    send_bytes(client);
    while (!client->broken && held(&client->out) > 0) {
        /* Reading goes on, or two full sockets would wait for each other. */
        if (!wait_socket(client, POLLIN | POLLOUT, deadline)) return false;
        receive_bytes(client);
        if (!client->broken) send_bytes(client);
    }
    return !client->broken;
}

bool pcs_pump(pcs_client *client, int64_t deadline) {
    if (!pcs_flush(client, deadline)) return false;
    if (!wait_socket(client, POLLIN, deadline)) return false;
    receive_bytes(client);
    if (!client->broken) send_bytes(client);
    return !client->broken;
}

/* Connecting */

/* Finishes a connect that does not wait; returns 0 or an errno. */
static int finish_connect(int socket, int64_t deadline) {
    struct pollfd wanted = {socket, POLLOUT, 0};
    for (;;) {
        int64_t left = deadline - pcs_now();
        if (left <= 0) return ETIMEDOUT;
        int ready = poll(&wanted, 1, (int)left);
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return ready == 0 ? ETIMEDOUT : errno;
        int error = 0;
        socklen_t size = sizeof error;
        if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
        return error;
    }
}

static int open_socket(int family, const struct sockaddr *address, socklen_t length, int64_t deadline, int *error) {
    int opened = socket(family, SOCK_STREAM, 0);
    if (opened < 0) {
        *error = errno;
        return -1;
    }
    fcntl(opened, F_SETFD, FD_CLOEXEC);
    fcntl(opened, F_SETFL, fcntl(opened, F_GETFL) | O_NONBLOCK);
    *error = connect(opened, address, length) == 0 ? 0 : errno;
    if (*error == EINPROGRESS || *error == EINTR) *error = finish_connect(opened, deadline);
    if (*error == 0) return opened;
    close(opened);
    return -1;
}

static int connect_unix(const char *path, int64_t deadline, int *error) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        *error = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    return open_socket(AF_UNIX, (const struct sockaddr *)&address, sizeof address, deadline, error);
}

static int connect_tcp(const char *text, int64_t deadline, int *error) {
    char host[256];
    if (strncmp(text, "tcp:", 4) == 0) text += 4;
    const char *colon = strrchr(text, ':');
    *error = EINVAL;
    if (colon == NULL || colon == text || (size_t)(colon - text) >= sizeof host) return -1;
    const char *from = text;
    size_t length = (size_t)(colon - text);
    if (text[0] == '[' && colon[-1] == ']') {
        from = text + 1;
        length -= 2;
    }
    memcpy(host, from, length);
    host[length] = '\0';
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0) {
        *error = EHOSTUNREACH;
        return -1;
    }
    int opened = -1;
    for (struct addrinfo *one = found; one != NULL && opened < 0; one = one->ai_next) {
        opened = open_socket(one->ai_family, one->ai_addr, one->ai_addrlen, deadline, error);
    }
    freeaddrinfo(found);
    int yes = 1;
    if (opened >= 0) setsockopt(opened, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return opened;
}

static bool shake_hands(pcs_client *client, const pcs_connect_options *options) {
    Pcs__Frame__V1__Hello hello = PCS__FRAME__V1__HELLO__INIT;
    hello.version = options->version;
    hello.software = (char *)(options->software == NULL ? "pcs-c/1" : options->software);
    hello.max_frame_bytes = PCS_DEFAULT_FRAME;
    hello.max_streams = PCS_DEFAULT_STREAMS;
    hello.initial_credit = client->own_credit;
    if (options->access_token != NULL) hello.access_token = (char *)options->access_token;
    Pcs__Frame__V1__Frame frame = PCS__FRAME__V1__FRAME__INIT;
    frame.kind_case = PCS__FRAME__V1__FRAME__KIND_HELLO;
    frame.hello = &hello;
    int64_t deadline = pcs_now() + options->timeout_milliseconds;
    if (!pcs_put_frame(client, &frame)) pcs_break(client, "CONNECTION_FAILED", "Out of memory.");
    while (!client->ready && !client->broken) {
        if (!pcs_pump(client, deadline) && !client->broken) {
            pcs_break(client, "CONNECTION_FAILED", "The host sent no Hello in time.");
        }
    }
    return client->ready && !client->broken;
}

pcs_client *pcs_connect(const char *address, const pcs_connect_options *given, pcs_failure *failure) {
    static const pcs_connect_options defaults = PCS_CONNECT_OPTIONS_INIT;
    const pcs_connect_options *options = given == NULL ? &defaults : given;
    int64_t deadline = pcs_now() + options->timeout_milliseconds;
    int error = 0;
    int opened = strncmp(address, "unix:", 5) == 0 ? connect_unix(address + 5, deadline, &error)
                                                   : connect_tcp(address, deadline, &error);
    static const char check[] = "Check the address and that the host runs; nothing was started.";
    if (opened < 0) {
        char message[400];
        snprintf(message, sizeof message, "%.200s: %s", address, strerror(error));
        pcs_set_failure(
            failure, PCS_UNAVAILABLE, PCS_PROGRESS_NOT_STARTED, "CONNECTION_FAILED", message, check);
        return NULL;
    }
    pcs_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        close(opened);
        pcs_set_failure(
            failure, PCS_UNAVAILABLE, PCS_PROGRESS_NOT_STARTED, "CONNECTION_FAILED", "Out of memory.", check);
        return NULL;
    }
    client->socket = opened;
    client->next_stream = 1;
    client->maximum_frame = PCS_DEFAULT_FRAME;
    client->maximum_streams = PCS_DEFAULT_STREAMS;
    client->own_credit = options->initial_credit == 0 ? (uint32_t)PCS_DEFAULT_CREDIT : options->initial_credit;
    client->reply_timeout = options->reply_timeout_milliseconds;
    if (shake_hands(client, options)) return client;
    pcs_copy_failure(failure, &client->cause);
    if (failure != NULL) failure->progress = PCS_PROGRESS_NOT_STARTED;
    pcs_close(client);
    return NULL;
}

void pcs_close(pcs_client *client) {
    if (client == NULL) return;
    if (!client->broken) {
        Pcs__Frame__V1__GoAway go_away = PCS__FRAME__V1__GO_AWAY__INIT;
        go_away.reason = PCS__FRAME__V1__GO_AWAY_REASON__GO_AWAY_REASON_DRAINING;
        Pcs__Frame__V1__Frame frame = PCS__FRAME__V1__FRAME__INIT;
        frame.kind_case = PCS__FRAME__V1__FRAME__KIND_GO_AWAY;
        frame.go_away = &go_away;
        if (pcs_put_frame(client, &frame)) pcs_flush(client, pcs_now() + 1000);
    }
    close(client->socket);
    while (client->calls != NULL) {
        client->calls->ended = true;
        pcs_call_dispose(client->calls);
    }
    free(client->in.data);
    free(client->out.data);
    pcs_failure_clear(&client->cause);
    free(client);
}

bool pcs_ping(pcs_client *client, pcs_failure *failure) {
    Pcs__Frame__V1__Ping ping = PCS__FRAME__V1__PING__INIT;
    ping.token = ++client->ping_token;
    Pcs__Frame__V1__Frame frame = PCS__FRAME__V1__FRAME__INIT;
    frame.kind_case = PCS__FRAME__V1__FRAME__KIND_PING;
    frame.ping = &ping;
    int64_t deadline = pcs_now() + client->reply_timeout;
    if (!client->broken && !pcs_put_frame(client, &frame)) pcs_break(client, "CONNECTION_LOST", "Out of memory.");
    while (!client->broken && client->ping_answer != ping.token) {
        if (!pcs_pump(client, deadline) && !client->broken) {
            pcs_set_failure(
                failure, PCS_DEADLINE_EXCEEDED, PCS_PROGRESS_STARTED, "DEADLINE_PASSED",
                "The ping was not answered in time.", "Connect anew.");
            return false;
        }
    }
    if (client->broken) pcs_copy_failure(failure, &client->cause);
    return !client->broken;
}

bool pcs_is_going_away(const pcs_client *client) { return client->going_away; }

int pcs_go_away_reason(const pcs_client *client) { return client->go_away_reason; }

int pcs_socket(const pcs_client *client) { return client->socket; }
