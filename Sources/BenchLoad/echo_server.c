/*
 * The yardstick: what echoing the bytes of our protocol costs when nothing else is done. One thread, epoll, one read and
 * one write a batch; no codec but finding the body, no checks, no identity.
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
#include <unistd.h>

typedef struct {
    int socket;
    bool waits_for_room;
    bytes_queue in;
    bytes_queue out;
} peer;

/* Version 1, 128 streams. */
static const uint8_t hello[] = {0x08, 0x01, 0x20, 0x80, 0x01};

static void put(peer *peer, uint32_t stream, uint8_t kind, const uint8_t *content, size_t length) {
    queue_reserve(&peer->out, FRAME_HEAD + length);
    uint8_t *at = put_frame_head(peer->out.data + peer->out.end, stream, kind, length);
    memcpy(at, content, length);
    peer->out.end = (size_t)(at + length - peer->out.data);
}

static bool answer_call(peer *peer, const frame_view *frame) {
    const uint8_t *body = NULL;
    size_t length = 0;
    if (!find_body(frame, &body, &length)) return false;
    size_t content = length == 0 ? 0 : 1 + varint_size(length) + length;
    queue_reserve(&peer->out, FRAME_HEAD + content);
    uint8_t *at = put_frame_head(peer->out.data + peer->out.end, frame->stream, TAG_REPLY, content);
    if (length > 0) {
        *at++ = TAG_BODY;
        at = put_varint(at, length);
        memcpy(at, body, length);
        at += length;
    }
    peer->out.end = (size_t)(at - peer->out.data);
    return true;
}

static bool answer_ping(peer *peer, const frame_view *frame) {
    /* token: fixed64; acknowledge: true. */
    uint8_t content[11];
    size_t length = 0;
    if (frame->length >= 9 && frame->content[0] == 0x09) {
        memcpy(content, frame->content, 9);
        length = 9;
    }
    if (frame->length > length) return true;
    content[length++] = 0x10;
    content[length++] = 1;
    put(peer, 0, TAG_PING, content, length);
    return true;
}

/* False when the peer is done or breaks the protocol. */
static bool serve(peer *peer) {
    if (!queue_read(&peer->in, peer->socket)) return false;
    frame_view frame;
    int got = 0;
    while ((got = queue_next_frame(&peer->in, &frame)) == 1) {
        switch (frame.kind) {
        case TAG_CALL:
            if (!answer_call(peer, &frame)) return false;
            break;
        case TAG_HELLO: put(peer, 0, TAG_HELLO, hello, sizeof hello); break;
        case TAG_PING: answer_ping(peer, &frame); break;
        case TAG_GO_AWAY: return false;
        default: break;
        }
    }
    return got == 0;
}

static void forget(int poller, peer *peer) {
    epoll_ctl(poller, EPOLL_CTL_DEL, peer->socket, NULL);
    close(peer->socket);
    free(peer->in.data);
    free(peer->out.data);
    free(peer);
}

static void send_answers(int poller, peer *peer) {
    bool blocked = false;
    if (!queue_send(&peer->out, peer->socket, &blocked)) {
        forget(poller, peer);
        return;
    }
    if (blocked == peer->waits_for_room) return;
    peer->waits_for_room = blocked;
    struct epoll_event event = {.events = blocked ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = peer};
    epoll_ctl(poller, EPOLL_CTL_MOD, peer->socket, &event);
}

static void take_peer(int poller, int listener) {
    int accepted = accept(listener, NULL, NULL);
    if (accepted < 0) return;
    fcntl(accepted, F_SETFL, fcntl(accepted, F_GETFL) | O_NONBLOCK);
    int yes = 1;
    setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    peer *made = calloc(1, sizeof *made);
    if (made == NULL) {
        close(accepted);
        return;
    }
    made->socket = accepted;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = made};
    epoll_ctl(poller, EPOLL_CTL_ADD, accepted, &event);
}

/* Listens on a port of this machine; 0 = any. Returns the socket and tells the port. */
static int listen_on(int port, int *bound) {
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int yes = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0
        || bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 1024) != 0
        || getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        perror("listen");
        return -1;
    }
    *bound = ntohs(address.sin_port);
    return listener;
}

int run_echo_server(int port) {
    int bound = 0;
    int listener = listen_on(port, &bound);
    int poller = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (listener < 0 || poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) != 0) return 1;
    printf("listening %d\n", bound);
    fflush(stdout);
    struct epoll_event ready[256];
    for (;;) {
        int count = epoll_wait(poller, ready, 256, -1);
        if (count < 0 && errno != EINTR) return 1;
        for (int index = 0; index < count; index++) {
            peer *peer = ready[index].data.ptr;
            if (peer == NULL) {
                take_peer(poller, listener);
            } else if ((ready[index].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !serve(peer)) {
                forget(poller, peer);
            } else {
                send_answers(poller, peer);
            }
        }
    }
}
