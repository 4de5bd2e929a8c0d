// Many WebSocket clients in one process, that check what they get.
//
//     load HOST PORT PATH [--deflate] [--socketio] [--addresses N]
//
// It is told what to do by lines on standard input, and answers each with one line on standard output:
//
//     connect N            N more clients                      -> connected N, deflate M
//     stall N              N more that then never read         -> connected N, deflate M
//     settle MS            read until nothing comes for MS     -> settled
//     expect FIRST COUNT   events from now on                  -> expecting
//     await N S            until every client has event N      -> everywhere NS, or: missing CLIENTS, after S without any
//     report NS NS ...     when each event was published       -> JSON
//
// What it meets that no client should ends it with a sentence on standard error. Times are of CLOCK_MONOTONIC.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

// Handshakes at a time: more would overflow a server's queue of connections.
#define WINDOW 100
#define BATCH 1024
#define GIVE_UP_NS 60000000000u
#define IDLE_MS 5
// So long after something came, it looks again without sleeping: a server that had to wake it with every frame would be
// charged for that, which clients on other machines do not cost it.
#define AWAKE_NS 500000u

static struct manner manner;
static struct client **clients;
static uint32_t count, live, waiting, deflating;
static int addresses = 1;
static int poller;
static uint64_t last_read_ns;
static bool has_command;

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void fail_errno(const char *sentence) { fail(sentence, (const uint8_t *)strerror(errno), strlen(strerror(errno))); }

static void watch(struct client *client, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = client};
    if (epoll_ctl(poller, operation, client->fd, &event)) fail_errno("epoll_ctl");
}

static int new_socket(uint32_t number, bool stalls) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, little = 4096;
    if (fd < 0) fail_errno("socket");
    // Ended with a reset, so that no port waits for a minute afterwards.
    struct linger at_once = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (stalls) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    struct sockaddr_in from = {.sin_family = AF_INET};
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number % (uint32_t)addresses);
    if (bind(fd, (struct sockaddr *)&from, sizeof from)) fail_errno("bind");
    return fd;
}

static void start_client(bool stalls) {
    struct client *client = calloc(1, sizeof *client);
    clients = realloc(clients, (count + 1) * sizeof *clients);
    if (!client || !clients) fail("no memory for clients", NULL, 0);
    client->fd = new_socket(count, stalls);
    client->index = count;
    client->stalls = stalls;
    clients[count++] = client;
    waiting++;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)manner.port)};
    inet_pton(AF_INET, manner.host, &to.sin_addr);
    if (connect(client->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) fail_errno("connect");
    watch(client, EPOLL_CTL_ADD, EPOLLOUT);
}

static void finish_connecting(struct client *client) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
        errno = error;
        fail_errno("connect");
    }
    client_upgrade(client, &manner);
    watch(client, EPOLL_CTL_MOD, EPOLLIN);
}

static void end_client(struct client *client, enum stage before) {
    if (before < LIVE) fail("a server ended a connection that was not open yet", NULL, 0);
    live -= before == LIVE;
    client->stage = GONE;
    ledger_closed();
    watch(client, EPOLL_CTL_DEL, 0);
}

static void move_on(struct client *client, enum stage before) {
    if (before < LIVE && client->stage >= LIVE) {
        waiting--;
        deflating += client->deflates;
        live += client->stage == LIVE;
    }
    if (client->stage == STALLED) watch(client, EPOLL_CTL_DEL, 0);
    if (client->stage == GONE) end_client(client, before);
}

static void read_client(struct client *client) {
    static uint8_t buffer[256 * 1024];
    enum stage before = client->stage;
    ssize_t size = recv(client->fd, buffer, sizeof buffer, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) {
        end_client(client, before);
        return;
    }
    last_read_ns = now_ns();
    client_take(client, &manner, buffer, (size_t)size, last_read_ns);
    if (client->stage != before) move_on(client, before);
}

// Deal with what has come, waiting at most so long for it.
static void turn(int timeout_ms) {
    struct epoll_event events[BATCH];
    int ready = epoll_wait(poller, events, BATCH, timeout_ms);
    for (int index = 0; index < ready; index++) {
        struct client *client = events[index].data.ptr;
        if (!client)
            has_command = true;
        else if (client->stage == CONNECTING)
            finish_connecting(client);
        else if (client->stage != GONE)
            read_client(client);
    }
}

static void connect_clients(uint32_t more, bool stalls) {
    uint64_t began_ns = now_ns();
    uint32_t started = 0;
    while (started < more || waiting) {
        while (started < more && waiting < WINDOW) {
            start_client(stalls);
            started++;
        }
        turn(IDLE_MS);
        if (now_ns() - began_ns > GIVE_UP_NS) fail("not all clients are connected after a minute", NULL, 0);
    }
    printf("connected %u, deflate %u\n", count, deflating);
}

static void settle(uint64_t quiet_ms) {
    last_read_ns = now_ns();
    while (now_ns() - last_read_ns < quiet_ms * 1000000u) turn(IDLE_MS);
    puts("settled");
}

static void await_event(uint64_t number, uint64_t patience_s) {
    struct event *event = ledger_event(number);
    if (!event) fail("an event is awaited that is not expected", NULL, 0);
    uint64_t began_ns = now_ns();
    while (event->receivers < live) {
        turn(now_ns() - last_read_ns < AWAKE_NS ? 0 : IDLE_MS);
        uint64_t since_ns = ledger_last_ns() > began_ns ? ledger_last_ns() : began_ns;
        if (now_ns() > since_ns + patience_s * 1000000000u) break;
    }
    if (event->receivers < live)
        printf("missing %u\n", live - event->receivers);
    else
        printf("everywhere %" PRIu64 "\n", event->last_ns);
}

static void report(char *stamps) {
    size_t room = strlen(stamps) / 2 + 1;
    uint64_t *began_ns = calloc(room, sizeof *began_ns);
    uint32_t found = 0;
    for (char *word = strtok(stamps, " \n"); word; word = strtok(NULL, " \n")) began_ns[found++] = strtoull(word, NULL, 10);
    ledger_report(began_ns, found, live);
    free(began_ns);
}

static void execute(char *line) {
    uint64_t first = 0, second = 0;
    char verb[16] = "";
    sscanf(line, "%15s %" SCNu64 " %" SCNu64, verb, &first, &second);
    if (!strcmp(verb, "connect") || !strcmp(verb, "stall")) {
        connect_clients((uint32_t)first, verb[0] == 's');
    } else if (!strcmp(verb, "settle")) {
        settle(first);
    } else if (!strcmp(verb, "expect")) {
        ledger_open(first, (uint32_t)second, count);
        puts("expecting");
    } else if (!strcmp(verb, "await")) {
        await_event(first, second);
    } else if (!strcmp(verb, "report")) {
        report(line + strlen("report"));
    } else {
        fail("a command is unknown", (uint8_t *)line, strlen(line));
    }
    fflush(stdout);
}

static void read_arguments(int size, char **arguments) {
    if (size < 4) fail("usage: load HOST PORT PATH [--deflate] [--socketio] [--addresses N]", NULL, 0);
    manner.host = arguments[1];
    manner.port = atoi(arguments[2]);
    manner.path = arguments[3];
    for (int index = 4; index < size; index++) {
        manner.offers_deflate |= !strcmp(arguments[index], "--deflate");
        manner.speaks_socketio |= !strcmp(arguments[index], "--socketio");
        if (!strcmp(arguments[index], "--addresses") && index + 1 < size) addresses = atoi(arguments[index + 1]);
    }
}

int main(int size, char **arguments) {
    char *line = NULL;
    size_t room = 0;
    struct epoll_event commands = {.events = EPOLLIN};
    read_arguments(size, arguments);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &commands)) fail_errno("epoll");
    for (;;) {
        for (has_command = false; !has_command;) turn(-1);
        if (getline(&line, &room, stdin) < 0) return 0;
        execute(line);
    }
}
