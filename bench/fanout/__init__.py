"""
What a broadcast costs the server, beside peers and the kernel's own ``send()``. ``python -m bench.fanout --help``.

How to judge whether it is fair:

**One machine, one core for the server.** Each server's processes run on a core of their own; the load generator, the
publisher and Redis share the others. Everything goes over loopback TCP, so a server's CPU time includes what the
kernel does for the receiving side, which is the same for all. The load generator looks for more without sleeping for
0.5 ms after something came: waking it would be charged to the server. Sockets have the kernel's sizes everywhere.

**The clients** are the same for all: one C program, one epoll (``native/load.c``), which answers pings, and checks that
each client gets each event, in order, exactly once, with the same bytes as the others. Where a deflated frame needs no
context, it inflates only the beginning, for the number, and compares the rest as it is. It knows the greeting of a
connection by its coming before anything is expected.

**The events** are JSON reports of exactly the size that is given, different in their number, and compress to a seventh.
Each server gets them in the cheapest way that it has, on one connection; but for Reportcast, a burst is one write. What
a server spends to take an event in counts as its own.

- *C send() loop*: ``native/floor.c``: one blocking ``send()`` of one prepared frame to each socket, nothing else. Reads
  nothing from clients, has no pings, no compression. Fed by a WebSocket at ``/publish``.
- *C, frames joined*: the same, but frames that came in together are written together; for information, and only with
  ``--only``.
- *Reportcast*: ``reportcast-gateway`` as it is installed, with a Redis of its own and ``GATEWAY_CHANNELS=bench``; all
  other settings as they come. Fed as the watcher does it, by ``RedisBroker.publish``: in a burst, the next event when
  Redis has taken the one before, so that they reach the gateway some 0.1 ms apart, and not in one piece as elsewhere.
  Its frames are about 100 bytes larger than the event, for the envelope. Redis' CPU is not in its own. A client that is
  slower than a burst may be left out of all but the newest: that is counted as *skipped*.
- *Nchan*: nginx and ``libnginx-mod-nchan`` of Debian, one worker, ``peer_programs/nginx.conf``. Fed by Nchan's own
  publisher, by WebSocket. ``nchan_deflate_message_for_websocket`` (off by default) is on where clients offer it.
- *Node ws*: the broadcast of its documentation, with the package's defaults. ``perMessageDeflate`` (off by default) is
  on where clients offer it. Fed by a WebSocket at ``/publish``.
- *websockets*: ``serve`` and ``broadcast`` of the library, with its defaults (pings, compression), on uvloop. Fed
  likewise.
- *FastAPI pattern*: the ``ConnectionManager`` of FastAPI's documentation, on the gateway's own uvicorn and uvloop, with
  ``ws=websockets-sansio`` and uvicorn's defaults (pings, compression); logs warnings only. Fed likewise.
- *python-socketio*: ``AsyncServer`` on the same uvicorn, WebSocket transport only, ``emit`` to all. Fed by a client's
  ``emit``, handled one after the other. Its events have ``42["event",...]`` around them.

Python peers run on the interpreter and the packages of the checkout; python-socketio, ws and nginx are installed by
the benchmark, at the versions that ``peers.py`` and the results name.

**Figures.** CPU: user and system time of all of a server's processes, by the scheduler's own count (ns), from before
the first event until 20 ms after the last, over the receipts of all clients. One at a time: the next event is
published when the last client has the one before. In flight: 8 are published at once, the next 8 when the last client
has these. Left out are bursts of 64 KiB to 10 000 clients, whose 5 GB the kernel could not hold, and those that would
take a server longer than 5 s. Each round starts the server afresh and warms it up (20 events, 17 with 10 000 clients);
peers take turns; medians of the rounds. Memory: what resident memory grew by, over the connections, some 300 ms after
the last came; the first 50 connections are not counted. Stalled readers complete the handshake, have a small receive
buffer, and never read.
"""
