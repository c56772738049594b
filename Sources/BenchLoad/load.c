/*
 * The load generator. One thread, epoll; calls that a batch of replies makes room for go out in a few writes, so that the
 * client takes little of the machine that it shares with the server.
 */
#define _POSIX_C_SOURCE 200809L

#include "modes.h"
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    /* Start times are kept by stream number; far more than can be in flight on one connection. */
    STARTS = 1024,
    /* Latencies are counted by the microsecond up to here, and by the millisecond beyond. */
    FINE = 65536,
    COARSE = 60000,
    /* Time for the last replies, once no more calls are made. */
    LAST_REPLIES_MS = 10000
};

typedef struct {
    int socket;
    bool ready;
    bool waits_for_room;
    uint32_t next_stream;
    int in_flight;
    bytes_queue in;
    bytes_queue out;
    int64_t started[STARTS];
} line;

typedef struct {
    const load_settings *settings;
    int poller;
    line **lines;
    /* A Call's content, the same each time. */
    uint8_t *call;
    size_t call_length;
    bool is_echo;
    bool stopping;
    int64_t calls;
    int64_t errors;
    int64_t in_flight;
    uint32_t fine[FINE];
    uint32_t coarse[COARSE];
} load;

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static uint8_t *put_field(uint8_t *at, uint8_t tag, const void *data, size_t length) {
    *at++ = tag;
    at = put_varint(at, length);
    memcpy(at, data, length);
    return at + length;
}

static bool make_call(load *load) {
    const load_settings *settings = load->settings;
    size_t method = strlen(settings->method);
    load->call = malloc(method + settings->body_length + 24);
    if (load->call == NULL) return false;
    uint8_t *at = put_field(load->call, 0x0A, settings->method, method);
    if (settings->body_length > 0) at = put_field(at, TAG_BODY, settings->body, settings->body_length);
    load->call_length = (size_t)(at - load->call);
    load->is_echo = method >= 5 && strcmp(settings->method + method - 5, "/Echo") == 0;
    return true;
}

static void record(load *load, int64_t nanoseconds) {
    int64_t microseconds = nanoseconds / 1000;
    if (microseconds < FINE) {
        load->fine[microseconds]++;
    } else {
        int64_t milliseconds = microseconds / 1000;
        load->coarse[milliseconds < COARSE ? milliseconds : COARSE - 1]++;
    }
}

/* Microseconds below which the given share of calls stayed. */
static double percentile(const load *load, double share) {
    int64_t wanted = (int64_t)((double)load->calls * share);
    int64_t seen = 0;
    for (int index = 0; index < FINE; index++) {
        seen += load->fine[index];
        if (seen > wanted) return index + 0.5;
    }
    for (int index = 0; index < COARSE; index++) {
        seen += load->coarse[index];
        if (seen > wanted) return (index + 0.5) * 1000;
    }
    return 0;
}

static bool send_calls(load *load, line *line) {
    bool blocked = false;
    if (!queue_send(&line->out, line->socket, &blocked)) {
        perror("send");
        return false;
    }
    if (blocked != line->waits_for_room) {
        line->waits_for_room = blocked;
        struct epoll_event event = {.events = blocked ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = line};
        epoll_ctl(load->poller, EPOLL_CTL_MOD, line->socket, &event);
    }
    return true;
}

/* Puts out the calls that there is room for, in writes of no more than `coalesce`. False when the server has gone. */
static bool fill(load *load, line *line, int64_t now) {
    int in_write = 0;
    while (line->in_flight < load->settings->in_flight && !load->stopping) {
        queue_reserve(&line->out, FRAME_HEAD + load->call_length);
        uint8_t *at =
            put_frame_head(line->out.data + line->out.end, line->next_stream, TAG_CALL, load->call_length);
        memcpy(at, load->call, load->call_length);
        line->out.end = (size_t)(at + load->call_length - line->out.data);
        line->started[(line->next_stream >> 1) % STARTS] = now;
        line->next_stream += 2;
        line->in_flight++;
        load->in_flight++;
        if (++in_write == load->settings->coalesce) {
            in_write = 0;
            if (!send_calls(load, line)) return false;
        }
    }
    return send_calls(load, line);
}

static void complain(const frame_view *frame, const char *what) {
    fprintf(stderr, "%s: ", what);
    for (size_t index = 0; index < frame->length && index < 300; index++) {
        uint8_t byte = frame->content[index];
        fputc(byte >= 0x20 && byte < 0x7F ? byte : '.', stderr);
    }
    fputc('\n', stderr);
}

static void take_reply(load *load, line *line, const frame_view *frame, int64_t now) {
    line->in_flight--;
    load->in_flight--;
    load->calls++;
    record(load, now - line->started[(frame->stream >> 1) % STARTS]);
    const uint8_t *body = NULL;
    size_t length = 0;
    const load_settings *settings = load->settings;
    /* `code`, the first field, is absent when the call went well. */
    bool well = find_body(frame, &body, &length) && (frame->length == 0 || frame->content[0] != 0x08);
    if (well && load->is_echo) {
        well = length == settings->body_length && memcmp(body, settings->body, length) == 0;
    }
    if (!well && load->errors++ == 0) complain(frame, "a call failed");
}

/* False when the server has gone or says so. */
static bool take_frames(load *load, line *line) {
    if (!queue_read(&line->in, line->socket)) {
        fputs("the server closed a connection\n", stderr);
        return false;
    }
    int64_t now = now_ns();
    frame_view frame;
    int got = 0;
    while ((got = queue_next_frame(&line->in, &frame)) == 1) {
        switch (frame.kind) {
        case TAG_REPLY: take_reply(load, line, &frame, now); break;
        case TAG_HELLO: line->ready = true; break;
        case TAG_GO_AWAY: complain(&frame, "the server goes away"); return false;
        default: break;
        }
    }
    if (got < 0) {
        fputs("the server sent what is no frame\n", stderr);
        return false;
    }
    return !line->ready || fill(load, line, now);
}

static int connect_socket(const load_settings *settings) {
    int opened = -1;
    int result = -1;
    if (settings->unix_path != NULL) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        if (strlen(settings->unix_path) >= sizeof address.sun_path) return -1;
        strcpy(address.sun_path, settings->unix_path);
        opened = socket(AF_UNIX, SOCK_STREAM, 0);
        if (opened >= 0) result = connect(opened, (struct sockaddr *)&address, sizeof address);
    } else {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)settings->port)};
        if (inet_pton(AF_INET, settings->host, &address.sin_addr) != 1) return -1;
        opened = socket(AF_INET, SOCK_STREAM, 0);
        if (opened >= 0) result = connect(opened, (struct sockaddr *)&address, sizeof address);
        int yes = 1;
        if (opened >= 0) setsockopt(opened, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }
    if (opened < 0 || result != 0) {
        perror("connect");
        if (opened >= 0) close(opened);
        return -1;
    }
    fcntl(opened, F_SETFL, fcntl(opened, F_GETFL) | O_NONBLOCK);
    return opened;
}

static void put_hello(line *line, const char *token) {
    size_t token_length = token == NULL ? 0 : strlen(token);
    size_t content = 2 + (token_length == 0 ? 0 : 1 + varint_size(token_length) + token_length);
    queue_reserve(&line->out, FRAME_HEAD + content);
    uint8_t *at = put_frame_head(line->out.data + line->out.end, 0, TAG_HELLO, content);
    *at++ = 0x08;
    *at++ = 1;
    if (token_length > 0) at = put_field(at, 0x3A, token, token_length);
    line->out.end = (size_t)(at - line->out.data);
}

/* Connects all lines and shakes hands on each, so that the measured time is calls alone. */
static bool open_lines(load *load) {
    int count = load->settings->connections;
    load->lines = calloc((size_t)count, sizeof *load->lines);
    if (load->lines == NULL) return false;
    for (int index = 0; index < count; index++) {
        line *line = calloc(1, sizeof *line);
        if (line == NULL) return false;
        load->lines[index] = line;
        line->next_stream = 1;
        line->socket = connect_socket(load->settings);
        if (line->socket < 0) return false;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = line};
        epoll_ctl(load->poller, EPOLL_CTL_ADD, line->socket, &event);
        put_hello(line, load->settings->token);
        bool blocked = false;
        if (!queue_send(&line->out, line->socket, &blocked)) return false;
    }
    return true;
}

/* One wait and what came of it. False when the load cannot go on. */
static bool turn(load *load, int milliseconds) {
    struct epoll_event ready[64];
    int count = epoll_wait(load->poller, ready, 64, milliseconds);
    if (count < 0) return errno == EINTR;
    for (int index = 0; index < count; index++) {
        line *line = ready[index].data.ptr;
        if ((ready[index].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !take_frames(load, line)) return false;
        if ((ready[index].events & EPOLLOUT) != 0 && !send_calls(load, line)) return false;
    }
    return true;
}

static bool all_ready(const load *load) {
    for (int index = 0; index < load->settings->connections; index++) {
        if (!load->lines[index]->ready) return false;
    }
    return true;
}

static bool shake_hands(load *load) {
    int64_t limit = now_ns() + (int64_t)LAST_REPLIES_MS * 1000000;
    load->stopping = true;
    while (!all_ready(load)) {
        if (now_ns() > limit) {
            fputs("the server sent no Hello\n", stderr);
            return false;
        }
        if (!turn(load, 100)) return false;
    }
    load->stopping = false;
    return true;
}

static bool run(load *load, double *seconds) {
    if (!open_lines(load) || !shake_hands(load)) return false;
    int64_t begin = now_ns();
    int64_t end = begin + (int64_t)(load->settings->seconds * 1e9);
    for (int index = 0; index < load->settings->connections; index++) {
        if (!fill(load, load->lines[index], begin)) return false;
    }
    while (now_ns() < end) {
        if (!turn(load, 10)) return false;
    }
    load->stopping = true;
    int64_t limit = now_ns() + (int64_t)LAST_REPLIES_MS * 1000000;
    while (load->in_flight > 0) {
        if (now_ns() > limit) {
            fprintf(stderr, "%lld calls were never answered\n", (long long)load->in_flight);
            return false;
        }
        if (!turn(load, 100)) return false;
    }
    *seconds = (double)(now_ns() - begin) / 1e9;
    return true;
}

int run_load(const load_settings *settings) {
    load *load = calloc(1, sizeof *load);
    if (load == NULL) return 1;
    load->settings = settings;
    load->poller = epoll_create1(0);
    double seconds = 0;
    if (load->poller < 0 || !make_call(load) || !run(load, &seconds)) return 1;
    printf("calls %lld\n", (long long)load->calls);
    printf("seconds %.6f\n", seconds);
    printf("calls_per_second %.1f\n", (double)load->calls / seconds);
    printf("p50_us %.1f\n", percentile(load, 0.50));
    printf("p99_us %.1f\n", percentile(load, 0.99));
    printf("errors %lld\n", (long long)load->errors);
    return load->errors == 0 ? 0 : 1;
}
