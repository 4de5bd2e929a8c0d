#include "ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    uint64_t first;
    uint32_t capacity, clients;
    struct event *events;
    uint64_t *received_ns;  // [event][client]; 0: not yet
    uint64_t *newest;       // [client]: greatest number received; 0 before the first
    uint64_t duplicated, out_of_order, unexpected, different, closed, bytes, last_ns;
} ledger;

static void *allocated(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    if (!memory) {
        perror("calloc");
        exit(1);
    }
    return memory;
}

void ledger_open(uint64_t first, uint32_t capacity, uint32_t clients) {
    for (uint32_t index = 0; index < ledger.capacity; index++) free(ledger.events[index].bytes);
    free(ledger.events);
    free(ledger.received_ns);
    free(ledger.newest);
    memset(&ledger, 0, sizeof ledger);
    ledger.first = first;
    ledger.capacity = capacity;
    ledger.clients = clients;
    ledger.events = allocated(capacity, sizeof *ledger.events);
    ledger.received_ns = allocated((size_t)capacity * clients, sizeof *ledger.received_ns);
    ledger.newest = allocated(clients, sizeof *ledger.newest);
    for (uint32_t index = 0; index < capacity; index++) ledger.events[index].number = first + index;
}

struct event *ledger_event(uint64_t number) {
    if (!ledger.capacity) return NULL;
    if (number >= ledger.first && number - ledger.first < ledger.capacity) return &ledger.events[number - ledger.first];
    ledger.unexpected++;
    return NULL;
}

void ledger_stranger(void) { ledger.unexpected += ledger.capacity > 0; }

void ledger_closed(void) { ledger.closed++; }

static void keep(struct event *event, const uint8_t *bytes, size_t size) {
    event->bytes = realloc(event->bytes, event->filled + size);
    if (!event->bytes) {
        perror("realloc");
        exit(1);
    }
    memcpy(event->bytes + event->filled, bytes, size);
    event->filled += size;
}

void ledger_compare(struct event *event, size_t offset, const uint8_t *bytes, size_t size, bool is_compressed) {
    if (!event->filled) event->is_compressed = is_compressed;
    size_t known = offset < event->filled ? event->filled - offset : 0;
    if (known > size) known = size;
    if (memcmp(event->bytes + offset, bytes, known) || event->is_compressed != is_compressed) ledger.different++;
    // Each client reads on from 0, so nobody is ahead of what is kept: the rest follows it directly.
    if (known < size && !event->is_whole) keep(event, bytes + known, size - known);
}

void ledger_receive(struct event *event, uint32_t client, size_t size, size_t wire_size, uint64_t now_ns) {
    uint64_t *received_ns = &ledger.received_ns[(event->number - ledger.first) * ledger.clients + client];
    ledger.bytes += wire_size;
    ledger.last_ns = now_ns;
    ledger.different += event->is_whole && size != event->filled;
    event->is_whole = true;
    if (*received_ns) {
        ledger.duplicated++;
        return;
    }
    ledger.out_of_order += event->number < ledger.newest[client];
    if (event->number > ledger.newest[client]) ledger.newest[client] = event->number;
    *received_ns = now_ns;
    event->receivers++;
    event->last_ns = now_ns;
}

uint64_t ledger_last_ns(void) { return ledger.last_ns; }

static int ascending(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

// By nearest rank: a value that was measured.
static uint64_t percentile(const uint64_t *ordered, size_t count, unsigned percent) {
    return count ? ordered[(count * percent + 99) / 100 - 1] : 0;
}

static size_t latencies(const uint64_t *began_ns, uint32_t count, uint64_t *into) {
    size_t found = 0;
    for (uint32_t event = 0; event < count; event++)
        for (uint32_t client = 0; client < ledger.clients; client++) {
            uint64_t at_ns = ledger.received_ns[(size_t)event * ledger.clients + client];
            if (at_ns) into[found++] = at_ns > began_ns[event] ? at_ns - began_ns[event] : 0;
        }
    qsort(into, found, sizeof *into, ascending);
    return found;
}

void ledger_report(const uint64_t *began_ns, uint32_t count, uint32_t live) {
    if (count > ledger.capacity) count = ledger.capacity;
    uint64_t *taken = allocated((size_t)count * ledger.clients, sizeof *taken);
    size_t receipts = latencies(began_ns, count, taken);
    uint64_t unexpected = ledger.unexpected;
    for (uint32_t index = count; index < ledger.capacity; index++) unexpected += ledger.events[index].receivers;
    printf("{\"events\":%u,\"receipts\":%zu,\"lost\":%" PRIi64, count, receipts,
           (int64_t)((uint64_t)count * live) - (int64_t)receipts);
    printf(",\"duplicated\":%" PRIu64 ",\"out_of_order\":%" PRIu64 ",\"unexpected\":%" PRIu64, ledger.duplicated,
           ledger.out_of_order, unexpected);
    printf(",\"different\":%" PRIu64 ",\"closed\":%" PRIu64 ",\"bytes\":%" PRIu64, ledger.different, ledger.closed,
           ledger.bytes);
    printf(",\"p50_ns\":%" PRIu64 ",\"p99_ns\":%" PRIu64 ",\"last_ns\":[", percentile(taken, receipts, 50),
           percentile(taken, receipts, 99));
    for (uint32_t index = 0; index < count; index++)
        printf("%s%" PRIu64, index ? "," : "", ledger.events[index].last_ns);
    puts("]}");
    free(taken);
}
