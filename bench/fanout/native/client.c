#define _GNU_SOURCE
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };
enum { FINAL = 0x80, RSV1 = 0x40, OPCODE = 0x0f, MASKED = 0x80 };

// Where in a frame's content the number stands at the latest.
#define NUMBER_WITHIN 256
// The same for all, so that a server without SHA-1 can answer it.
#define KEY "AAAAAAAAAAAAAAAAAAAAAA=="
// What browsers send.
#define OFFER "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"

void fail(const char *sentence, const uint8_t *bytes, size_t size) {
    fprintf(stderr, "load: %s: ", sentence);
    for (size_t index = 0; index < size && index < 200; index++)
        fputc(bytes[index] >= ' ' && bytes[index] < 127 ? bytes[index] : '.', stderr);
    fputc('\n', stderr);
    exit(1);
}

void client_upgrade(struct client *client, const struct manner *manner) {
    char request[1024];
    int size = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
                        manner->path, manner->host, manner->port, manner->offers_deflate ? OFFER : "");
    if (send(client->fd, request, (size_t)size, MSG_NOSIGNAL) != size) fail("could not send the request", NULL, 0);
    client->stage = UPGRADING;
}

// Send a short frame; its mask is of zeros.
static void answer(struct client *client, uint8_t opcode, const uint8_t *payload, size_t size) {
    uint8_t frame[6 + 125] = {FINAL | opcode, (uint8_t)(MASKED | size)};
    memcpy(frame + 6, payload, size);
    // Where the socket is full a server that waits for this ends the connection, which is counted.
    (void)!send(client->fd, frame, 6 + size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void become_live(struct client *client) { client->stage = client->stalls ? STALLED : LIVE; }

// Take the answer to the upgrade; gives how many of the bytes belonged to it.
static size_t take_answer(struct client *client, const struct manner *manner, const uint8_t *bytes, size_t size) {
    size_t had = client->head_have, room = HEAD - 1 - had;
    size_t taken = size < room ? size : room;
    memcpy(client->head + had, bytes, taken);
    client->head[had + taken] = 0;
    client->head_have += taken;
    char *text = (char *)client->head, *end = strstr(text, "\r\n\r\n");
    if (!end && taken == room) fail("an answer to the upgrade is too long", client->head, client->head_have);
    if (!end) return size;
    *end = 0;
    if (strncmp(text, "HTTP/1.1 101", 12)) fail("a server refused the upgrade", client->head, client->head_have);
    char *extension = strcasestr(text, "\nsec-websocket-extensions:");
    client->deflates = extension && strcasestr(extension, "permessage-deflate");
    client->keeps_context = client->deflates && !strcasestr(extension, "server_no_context_takeover");
    client->head_have = 0;
    if (manner->speaks_socketio)
        client->stage = OPENING;
    else
        become_live(client);
    return (size_t)(end + 4 - text) - had;
}

// Give the number after `"change":` near the start of a content; 0 if there is none.
static uint64_t number_in(const uint8_t *content, size_t size) {
    static const char field[] = "\"change\":";
    if (size > NUMBER_WITHIN) size = NUMBER_WITHIN;
    const uint8_t *end = content + size, *at = memmem(content, size, field, sizeof field - 1);
    if (!at) return 0;
    uint64_t number = 0;
    for (at += sizeof field - 1; at < end && *at == ' '; at++) continue;
    for (; at < end && *at >= '0' && *at <= '9'; at++) number = number * 10 + (uint64_t)(*at - '0');
    return number;
}

static z_stream *new_inflater(void) {
    z_stream *inflater = calloc(1, sizeof *inflater);
    if (!inflater || inflateInit2(inflater, -15) != Z_OK) fail("no memory for zlib", NULL, 0);
    return inflater;
}

// Inflate as much of a frame that needs no context as it takes to read the number.
static uint64_t number_in_deflated(const uint8_t *bytes, size_t size) {
    static z_stream *inflater;
    uint8_t content[NUMBER_WITHIN];
    if (!inflater) inflater = new_inflater();
    inflateReset(inflater);
    inflater->next_in = (uint8_t *)bytes;
    inflater->avail_in = (unsigned)size;
    inflater->next_out = content;
    inflater->avail_out = sizeof content;
    int result = inflate(inflater, Z_SYNC_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) fail("a frame cannot be inflated", bytes, size);
    return number_in(content, sizeof content - inflater->avail_out);
}

static bool is_deflated(const struct client *client) { return client->header[0] & RSV1; }

// Whether what is compared is the frame as it came on the wire.
static bool is_opaque(const struct client *client) { return is_deflated(client) && !client->keeps_context; }

static void handle_socketio(struct client *client, const uint8_t *content, size_t size) {
    if (size == 1 && content[0] == '2') {
        answer(client, TEXT, (const uint8_t *)"3", 1);
    } else if (client->stage == OPENING && size && content[0] == '0') {
        answer(client, TEXT, (const uint8_t *)"40", 2);
        client->stage = JOINING;
    } else if (client->stage == JOINING && size > 1 && content[0] == '4' && content[1] == '0') {
        become_live(client);
    } else {
        ledger_stranger();
    }
}

static void handle_control(struct client *client, const uint8_t *payload, size_t size) {
    uint8_t opcode = client->header[0] & OPCODE;
    if (opcode == PING) answer(client, PONG, payload, size);
    if (opcode == CLOSE) client->stage = GONE;
}

// Find out which event a frame carries; what carries none is dealt with at once.
static void identify(struct client *client, const struct manner *manner, const uint8_t *head, size_t size) {
    uint8_t opcode = client->header[0] & OPCODE;
    client->is_identified = true;
    if (opcode & 8) {
        handle_control(client, head, size);
        return;
    }
    uint64_t number = is_opaque(client) ? number_in_deflated(head, size) : number_in(head, size);
    if (number)
        client->event = ledger_event(number);
    else if (manner->speaks_socketio)
        handle_socketio(client, head, size);
    else
        ledger_stranger();
}

// Take a piece of a frame's content: a copy is made only where its beginning is cut.
static void take_content(struct client *client, const struct manner *manner, const uint8_t *bytes, size_t size, bool ends) {
    if (!client->is_identified && (client->head_have || (size < HEAD && !ends))) {
        size_t room = HEAD - client->head_have, taken = size < room ? size : room;
        memcpy(client->head + client->head_have, bytes, taken);
        client->head_have += taken;
        bytes += taken;
        size -= taken;
        if (client->head_have < HEAD && !ends) return;
        identify(client, manner, client->head, client->head_have);
        if (client->event) ledger_compare(client->event, 0, client->head, client->head_have, is_opaque(client));
        client->seen = client->head_have;
    } else if (!client->is_identified) {
        identify(client, manner, bytes, size);
    }
    if (client->event && size) ledger_compare(client->event, client->seen, bytes, size, is_opaque(client));
    client->seen += size;
}

static void inflate_all(struct client *client, const struct manner *manner, const uint8_t *bytes, size_t size, bool ends) {
    static uint8_t content[128 * 1024];
    z_stream *inflater = client->inflater;
    inflater->next_in = (uint8_t *)bytes;
    inflater->avail_in = (unsigned)size;
    do {
        inflater->next_out = content;
        inflater->avail_out = sizeof content;
        int result = inflate(inflater, Z_SYNC_FLUSH);
        if (result != Z_OK && result != Z_BUF_ERROR) fail("a frame cannot be inflated", bytes, size);
        bool is_last = ends && inflater->avail_out > 0;
        if (is_last || inflater->avail_out < sizeof content)
            take_content(client, manner, content, sizeof content - inflater->avail_out, is_last);
    } while (inflater->avail_out == 0);
}

// Take a piece of a frame's payload as it is on the wire.
static void take_payload(struct client *client, const struct manner *manner, const uint8_t *bytes, size_t size) {
    bool ends = client->left == size;
    client->left -= size;
    if (!is_deflated(client) || !client->keeps_context) {
        take_content(client, manner, bytes, size, ends);
        return;
    }
    if (!client->inflater) client->inflater = new_inflater();
    inflate_all(client, manner, bytes, size, false);
    // RFC 7692, 7.2.2: the tail that the sender left away.
    if (ends) inflate_all(client, manner, (const uint8_t *)"\0\0\xff\xff", 4, true);
}

static size_t header_size(const struct client *client) {
    if (client->header_have < 2 || client->header[1] < 126) return 2;
    return client->header[1] == 126 ? 4 : 10;
}

// Take a piece of a frame's header; gives how many bytes it took.
static size_t take_header(struct client *client, const uint8_t *bytes, size_t size) {
    size_t taken = 0, needed;
    while (client->header_have < (needed = header_size(client)) && taken < size)
        client->header[client->header_have++] = bytes[taken++];
    if (client->header_have < needed) return taken;
    uint8_t opcode = client->header[0] & OPCODE;
    if (!(client->header[0] & FINAL) || !opcode) fail("a fragmented frame came; whole ones are expected", client->header, needed);
    client->left = needed == 2 ? client->header[1] : 0;
    for (size_t index = 2; index < needed; index++) client->left = client->left << 8 | client->header[index];
    client->size = client->left;
    client->in_payload = true;
    return taken;
}

static void end_frame(struct client *client, uint64_t now_ns) {
    if (client->event) ledger_receive(client->event, client->index, client->seen, client->size, now_ns);
    client->event = NULL;
    client->is_identified = client->in_payload = false;
    client->seen = client->head_have = client->header_have = 0;
}

void client_take(struct client *client, const struct manner *manner, const uint8_t *bytes, size_t size, uint64_t now_ns) {
    size_t at = client->stage == UPGRADING ? take_answer(client, manner, bytes, size) : 0;
    while (at < size || (client->in_payload && !client->left)) {
        if (!client->in_payload) {
            at += take_header(client, bytes + at, size - at);
            continue;
        }
        size_t piece = client->left < size - at ? client->left : size - at;
        take_payload(client, manner, bytes + at, piece);
        at += piece;
        if (!client->left) end_frame(client, now_ns);
    }
}
