// What came to whom, and when: "every event to every client, in order, exactly once, and the same bytes" or how far off.

#ifndef LEDGER_H
#define LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// One event of the range that is expected; its bytes are those of the client that was furthest in reading it.
struct event {
    uint64_t number;
    uint8_t *bytes;
    size_t filled;
    bool is_whole;
    bool is_compressed;
    uint32_t receivers;
    uint64_t last_ns;
};

// Expect events `first` to `first + capacity - 1` from now on, at clients numbered from 0.
void ledger_open(uint64_t first, uint32_t capacity, uint32_t clients);

// Give the event of that number; NULL, and a fault, if it is not expected. NULL and no fault before `ledger_open`.
struct event *ledger_event(uint64_t number);

// Count a frame that carries no event.
void ledger_stranger(void);

// Count a connection that ended.
void ledger_closed(void);

// Compare a piece of a frame with what others got of the same event.
void ledger_compare(struct event *event, size_t offset, const uint8_t *bytes, size_t size, bool is_compressed);

// Note that a client has a whole frame: `size` bytes were compared, which took `wire_size` on the wire.
void ledger_receive(struct event *event, uint32_t client, size_t size, size_t wire_size, uint64_t now_ns);

// Give when anything was last received.
uint64_t ledger_last_ns(void);

// Print all as one line of JSON: `began_ns` holds when each of the `count` events was published.
void ledger_report(const uint64_t *began_ns, uint32_t count, uint32_t live);

#endif
