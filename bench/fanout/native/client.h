// One WebSocket client: its handshake, the frames it is sent, and the answers that a server expects of it.

#ifndef CLIENT_H
#define CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include "ledger.h"

// How much of a frame is looked at for the event's number. A block of deflate begins with its code tables, which can
// take some hundred bytes.
#define HEAD 1024

// How clients present themselves; the same for all of one process.
struct manner {
    const char *host, *path;
    int port;
    bool offers_deflate;
    bool speaks_socketio;
};

enum stage { CONNECTING, UPGRADING, OPENING, JOINING, LIVE, STALLED, GONE };

struct client {
    int fd;
    uint32_t index;
    enum stage stage;
    bool stalls;              // once it is connected it reads no more
    bool deflates, keeps_context;
    uint8_t header[10];       // of the present frame, as much as has come
    uint8_t header_have;
    bool in_payload;
    uint64_t size, left;      // of the present frame's payload on the wire, and how much of it has not come yet
    uint64_t seen;            // of its content, as it is compared
    struct event *event;      // which it carries, once that is known
    bool is_identified;
    uint8_t head[HEAD];
    size_t head_have;
    z_stream *inflater;       // only where the server keeps a context
};

// Send the request to upgrade.
void client_upgrade(struct client *client, const struct manner *manner);

// Take what has come.
void client_take(struct client *client, const struct manner *manner, const uint8_t *bytes, size_t size, uint64_t now_ns);

// End the process, saying why.
void fail(const char *sentence, const uint8_t *bytes, size_t size) __attribute__((noreturn));

#endif
