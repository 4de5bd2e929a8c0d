// The floor: what the kernel takes for a broadcast, and nothing else.
//
//     floor PORT [--join] [--drop N | --double N | --swap N | --spoil N]
//
// Accepts WebSockets, makes one frame of each text that comes in at /publish, and writes it to every other connection:
// one blocking send() each, from one buffer. With --join, frames that came in together are written together. It reads
// nothing from those it writes to, and a client that does not read stops it. The other options make the first client
// miss event N (counted from 1), get it twice, get it after the next, or get it with another last byte: they prove
// that the load generator would tell.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096
#define ROOM (4 * 1024 * 1024)

// To the key that all clients of this benchmark send.
static const char ACCEPTED[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\n";

static int *clients;
static size_t client_count;
static int poller, listener, publisher = -1;
static bool joins;
static const char *fault = "";
static uint64_t faulty, event_number;

static uint8_t incoming[ROOM], frames[ROOM];
static size_t incoming_size, frames_size;

static void fail(const char *sentence) {
    fprintf(stderr, "floor: %s: %s\n", sentence, strerror(errno));
    exit(1);
}

static void watch(int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
}

static void send_all(int fd, const uint8_t *bytes, size_t size) {
    while (size) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0) return;  // it has gone; that it lacks the rest is for the load generator to say
        bytes += sent;
        size -= (size_t)sent;
    }
}

// Read the request and answer it. A client of this benchmark sends it at once and in one piece.
static void accept_client(void) {
    char request[2048];
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) fail("accept4");
    ssize_t size = recv(fd, request, sizeof request - 1, 0);
    if (size <= 0) {
        close(fd);
        return;
    }
    request[size] = 0;
    send_all(fd, (const uint8_t *)ACCEPTED, sizeof ACCEPTED - 1);
    if (!strncmp(request, "GET /publish ", 13)) {
        publisher = fd;
        watch(fd);
        return;
    }
    clients = realloc(clients, (client_count + 1) * sizeof *clients);
    if (!clients) fail("realloc");
    clients[client_count++] = fd;
}

// Write a frame's header (RFC 6455, 5.2); gives its size.
static size_t put_header(uint8_t *header, uint64_t size) {
    header[0] = 0x81;
    if (size < 126) {
        header[1] = (uint8_t)size;
        return 2;
    }
    size_t bytes = size < 65536 ? 2 : 8;
    header[1] = bytes == 2 ? 126 : 127;
    for (size_t index = 0; index < bytes; index++) header[2 + index] = (uint8_t)(size >> 8 * (bytes - 1 - index));
    return 2 + bytes;
}

// What the first client gets when it is to be wronged; true if that was all.
static bool wrong(int fd, const uint8_t *frame, size_t size) {
    static uint8_t held[ROOM];
    static size_t held_size;
    if (!strcmp(fault, "--swap") && event_number == faulty) {
        memcpy(held, frame, size);
        held_size = size;
        return true;
    }
    if (!strcmp(fault, "--swap") && event_number == faulty + 1) {
        send_all(fd, frame, size);
        send_all(fd, held, held_size);
        return true;
    }
    if (event_number != faulty) return false;
    if (!strcmp(fault, "--double")) send_all(fd, frame, size);
    if (!strcmp(fault, "--spoil")) {
        uint8_t last = frame[size - 1] ^ 1;
        send_all(fd, frame, size - 1);
        send_all(fd, &last, 1);
    }
    return !strcmp(fault, "--drop") || !strcmp(fault, "--spoil");
}

static void broadcast(const uint8_t *bytes, size_t size) {
    for (size_t index = 0; index < client_count; index++)
        if (index || !*fault || !wrong(clients[index], bytes, size)) send_all(clients[index], bytes, size);
}

// Deal with the first whole frame of those that came in; gives how many bytes it took, 0 if there is none.
static size_t publish_one(const uint8_t *bytes, size_t size) {
    if (size < 2) return 0;
    size_t length_bytes = (bytes[1] & 0x7f) < 126 ? 0 : (bytes[1] & 0x7f) == 126 ? 2 : 8, start = 2 + length_bytes + 4;
    if (size < start) return 0;
    uint64_t length = length_bytes ? 0 : bytes[1] & 0x7f;
    for (size_t index = 0; index < length_bytes; index++) length = length << 8 | bytes[2 + index];
    if (size < start + length) return 0;
    event_number++;
    size_t header = put_header(frames + frames_size, length);
    memcpy(frames + frames_size + header, bytes + start, length);  // its mask is of zeros
    frames_size += header + length;
    if (!joins) {
        broadcast(frames, frames_size);
        frames_size = 0;
    }
    return start + length;
}

static void publish(void) {
    ssize_t size = recv(publisher, incoming + incoming_size, ROOM - incoming_size, 0);
    if (size <= 0) exit(0);
    incoming_size += (size_t)size;
    size_t taken = 0, piece;
    while ((piece = publish_one(incoming + taken, incoming_size - taken))) taken += piece;
    memmove(incoming, incoming + taken, incoming_size - taken);
    incoming_size -= taken;
    if (frames_size) broadcast(frames, frames_size);
    frames_size = 0;
}

static void start_listening(int port) {
    int on = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    // Accepted sockets inherit it: no frame waits for the acknowledgement of the last.
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, BACKLOG)) fail("listen");
}

int main(int size, char **arguments) {
    for (int index = 2; index < size; index++) {
        if (!strcmp(arguments[index], "--join")) {
            joins = true;
        } else if (index + 1 < size) {
            fault = arguments[index++];
            faulty = strtoull(arguments[index], NULL, 10);
        }
    }
    start_listening(size > 1 ? atoi(arguments[1]) : 0);
    poller = epoll_create1(EPOLL_CLOEXEC);
    watch(listener);
    for (;;) {
        struct epoll_event events[16];
        int ready = epoll_wait(poller, events, 16, -1);
        for (int index = 0; index < ready; index++) {
            if (events[index].data.fd == listener)
                accept_client();
            else
                publish();
        }
    }
}
