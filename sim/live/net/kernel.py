"""The kernel of a run: its sockets, what is on its way between them, and what may become of that."""

from __future__ import annotations

import errno
from socket import AF_UNIX, SO_REUSEPORT, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NoReturn

from sim.base.errors import ConfigError, unknown
from sim.base.mixer import MASK, key64, mark
from sim.live.net import http_faults
from sim.live.net.addresses import Addresses, Key, covers, is_part
from sim.live.net.datagrams import Datagrams
from sim.live.net.endpoint import Endpoint, fail
from sim.live.net.link import BYTES, CONNECT, DATAGRAM, DROP, DUPLICATE, REFUSE, RESET, SPLIT, Arrival, Connection, Link
from sim.live.net.patches import Replacement, patched, replacements
from sim.live.net.selector import PlannedSelector
from sim.live.net.sim_socket import SimSocket, new_socket
from sim.live.net.stream import Listener, Stream, begins_session, joined

FIRST_FD = 1_000_000_000
"""Descriptors are counted from here; no real one is that high."""


def refused(sentence: str) -> NoReturn:
    raise ConfigError(sentence)


class Kernel:
    """The network of one run. `owner` says who is running now: that is what the ends of connections are called.

    `at_once`: whatever is sent arrives at once, as on the loopback of a machine; then nothing is ever on its way.
    `refuse` is called with one line about what has no place in a run, and must raise.
    """

    def __init__(
        self, owner: Callable[[], str], *, at_once: bool = False, refuse: Callable[[str], NoReturn] = refused
    ) -> None:
        self.owner, self.at_once, self.refuse = owner, at_once, refuse
        self.files: dict[int, Endpoint] = {}
        self.selector = PlannedSelector(self.files)
        self.addresses = Addresses()
        self.names = self.addresses.names
        self.bound: dict[Key, Endpoint] = {}
        self.cuts: dict[tuple[str, str], None] = {}
        self._fds = FIRST_FD
        self._sent = 0
        self._busy: dict[Link, None] = {}
        self._datagrams: list[tuple[Arrival, Datagrams, Any]] = []
        self._connections: dict[Connection, None] = {}
        self._between: dict[tuple[str, str], int] = {}
        self._settling = False
        self._closed = False

    # --- what programs and the loop use -------------------------------------------------------------

    def socket(self, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> SimSocket:
        """A socket of this run, as `socket.socket`."""
        return new_socket(self, family, type, proto, fileno)

    def socketpair(self, family: int | None = None, type: int = SOCK_STREAM, proto: int = 0) -> tuple[Any, Any]:
        """Two ends that are connected. What is sent on one can be read on the other at once."""
        family = AF_UNIX if family is None else family
        if type != SOCK_STREAM:
            self.refuse(
                "socket.socketpair: only SOCK_STREAM can be simulated; use it, or asyncio.Queue within a process"
            )
        name = self.owner()
        ends = [Stream(self, -1, family, type, proto, name) for _ in range(2)]
        self._connect(name, name, *ends, direct=True)
        for end in ends:
            end.local = end.peer = ""
            end.begin()
            self.open(end)
        return self.socket(family, type, proto, ends[0].fd), self.socket(family, type, proto, ends[1].fd)

    def replacements(self) -> list[Replacement]:
        """What stands for the real network while the run lasts: (object, attribute, replacement)."""
        return replacements(self)

    def patched(self) -> AbstractContextManager[None]:
        """Within it, this thread's sockets are those of the run."""
        return patched(self)

    def name_address(self, address: tuple[str, int] | str, name: str) -> None:
        """Whoever listens at `address`, a host and a port or a path, is called `name`; and so is the host known."""
        self.addresses.name(address, name)

    def owner_of(self, handle: Any) -> str | None:
        """Whose socket the callback of a handle of the loop is about; None: it is not about a socket."""
        callback = handle._callback
        fd = getattr(getattr(callback, "__self__", None), "_sock_fd", None)
        if fd is None:
            held = next((each for each in handle._args or () if isinstance(each, SimSocket)), None)
            fd = held.fileno() if held is not None else None
        end = self.files.get(fd) if fd is not None else None
        return end.owner if end is not None else None

    # --- what arrives -------------------------------------------------------------------------------

    def arrivals(self) -> Sequence[Arrival]:
        """What may arrive now, in the order sent: the first of each link, and every datagram."""
        if not self._busy and not self._datagrams:
            return ()
        found = [link.flight[0] for link in self._busy if link.is_open]
        found += [arrival for arrival, _, _ in self._datagrams]
        if self.cuts:
            found = [arrival for arrival in found if not self._is_cut(arrival)]
        return found if len(found) < 2 else sorted(found, key=_number)

    def arrive(self, arrival: Arrival, how: str = "") -> None:
        """`arrival` comes, or `how` happens to it instead, one of its faults. Raises `LookupError` if it cannot come
        now."""
        if arrival not in self.arrivals():
            raise LookupError(arrival.number)
        kind = how.partition("(")[0]
        if how and kind not in arrival.faults:
            raise ConfigError(
                f"{arrival.what} {arrival.source}->{arrival.target}: {unknown('fault', kind, arrival.faults)}"
            )
        if arrival.link is None:
            self._datagram(arrival, how)
        else:
            self._head(arrival.link, how)
        self.settle()

    def _head(self, link: Link, how: str) -> None:
        """The first of `link` comes."""
        arrival = link.flight.popleft()
        crowded = not link.has_room
        link.load -= len(arrival.data)
        if how == SPLIT:
            half = len(arrival.data) // 2
            rest = self._arrival(arrival.what, link, arrival.data[half:])
            link.flight.appendleft(rest)
            link.load += len(rest.data)
            arrival.data = arrival.data[:half]
        if not link.flight:
            del self._busy[link]
        if arrival.what == CONNECT:
            self._meet(link, how == REFUSE)
        elif how and how != SPLIT:
            http_faults.strike(link.target, arrival.data, how)
        else:
            link.target.arrived(arrival)
        if crowded and link.has_room:
            link.source.wake()
        link.source.changed()
        self._forget_idle()

    def _meet(self, link: Link, refuse: bool) -> None:
        """A connection has come to where it was sent."""
        client, server = link.source, link.target
        listener = self._listener(client)
        if listener is None or refuse:
            client.die(errno.ECONNRESET if client.is_unix else errno.ECONNREFUSED)
            server.dead = True
            return
        server.owner = listener.owner
        server.options = dict(listener.options)
        if not client.connected:
            client.begin()
        server.begin()
        listener.queue.append(server)
        listener.wake()

    def _datagram(self, arrival: Arrival, how: str) -> None:
        index = next(i for i, flying in enumerate(self._datagrams) if flying[0] is arrival)
        _, sender, address = self._datagrams[index]
        del self._datagrams[index]
        if how == DROP:
            return
        if how == DUPLICATE:
            self._fly(arrival.source, arrival.target, arrival.data, sender, address)
        target = self._bound_at(sender, address)
        if isinstance(target, Datagrams):
            target.arrived(arrival.data, sender.local)
        else:
            sender.bounced()

    # --- faults -------------------------------------------------------------------------------------

    def connections(self) -> list[Connection]:
        """The connections whose two ends hold them, in the order in which they were begun."""
        return [connection for connection in self._connections if connection.alive]

    def reset(self, connection: Connection) -> None:
        """Both ends see that the connection is reset; what is on its way is lost."""
        for end in (connection.server, connection.client):
            end.die()
        self._forget_idle()

    def cut(self, source: str, target: str) -> None:
        """What crosses from `source` to `target` is held back; a name covers what is numbered after it."""
        self.cuts[source, target] = None

    def heal(self, source: str, target: str) -> None:
        self.cuts.pop((source, target), None)
        self.settle()

    def crash(self, owner: str) -> None:
        """All sockets of `owner` and of what is called `owner/...` vanish. Who was connected to it sees a reset, after
        what was on its way already."""
        waiting = [link.target for link in self._busy if link.flight[0].what == CONNECT]
        for end in [*self.files.values(), *waiting]:
            if is_part(end.owner, owner) and end.fd >= 0:
                end.vanish()
        self.settle()

    # --- marks --------------------------------------------------------------------------------------

    def mark(self) -> int:
        """64 bits of all that is here and on its way: equal for equal states, in every process. Descriptors, ports and
        the numbers of arrivals do not count."""
        total = 0
        for end in self._ends():
            total += end.mark()
        for arrival, _, address in self._datagrams:
            total += key64(repr((arrival.source, arrival.target, arrival.data, address)).encode())
        for source, target in self.cuts:
            total += key64(f"cut {source}->{target}".encode())
        return total & MASK

    def _ends(self) -> Iterable[Endpoint]:
        yield from self.files.values()
        for (
            connection
        ) in self._connections:  # those that nobody has accepted yet, and those whose last words are flying
            for end in (connection.client, connection.server):
                if end.fd < 0 or end.closed:
                    yield end

    # --- what endpoints do --------------------------------------------------------------------------

    def open(self, end: Endpoint) -> int:
        """The next descriptor, for `end`."""
        end.fd = self._fds
        self._fds += 1
        self.files[end.fd] = end
        return end.fd

    def forget(self, end: Endpoint) -> None:
        """`end` was closed."""
        self.files.pop(end.fd, None)
        for key in [key for key, each in self.bound.items() if each is end]:
            if isinstance(key[1], tuple):
                del self.bound[key]
        self._forget_idle()
        self.settle()

    def put(self, link: Link, what: str, data: bytes = b"") -> None:
        """Something is sent on a link."""
        if link.silent:
            return
        link.source.changed()
        arrival = self._arrival(what, link, data)
        connection = link.connection
        if connection.direct:
            link.target.arrived(arrival)
            return
        if what == BYTES and begins_session(data):
            connection.sealed = True
        link.flight.append(arrival)
        link.load += len(data)
        self._busy[link] = None
        self.settle()

    def put_datagram(self, sender: Datagrams, data: bytes, address: Any) -> None:
        address = self.addresses.whole(sender.family, address)
        if sender.local is None:
            self.bind(sender, self.addresses.nowhere(sender.family))
        if sender.is_unix and self._bound_at(sender, address) is None:
            fail(errno.ENOENT)
        self._fly(sender.owner, self._called(sender, address), data, sender, address)
        self.settle()

    def _fly(self, source: str, target: str, data: bytes, sender: Datagrams, address: Any) -> None:
        self._sent += 1
        arrival = Arrival(self._sent, DATAGRAM, source, target, data, None, 0)
        self._datagrams.append((arrival, sender, address))

    def _arrival(self, what: str, link: Link, data: bytes) -> Arrival:
        self._sent += 1
        connection = link.connection
        names = (connection.target, connection.source) if link.from_server else (connection.source, connection.target)
        return Arrival(self._sent, what, *names, data, link, connection.ordinal)

    def bind(self, end: Endpoint, address: Any) -> None:
        if end.local is not None and not (end.is_unix and end.local == ""):
            fail(errno.EINVAL)
        address = self.addresses.whole(end.family, address, known=False)
        if not end.is_unix and address[1] == 0:
            address = (address[0], self.names.next_port(), *address[2:])
        key = self.addresses.key(end.kind, end.family, address)
        if key in self.bound and not (end.options.get((SOL_SOCKET, SO_REUSEPORT))):
            fail(errno.EADDRINUSE)
        end.local = address
        if address != "":
            self.bound[key] = end
        end.owner = self.addresses.called(key) or end.owner

    def listen(self, end: Endpoint, backlog: int) -> None:
        if isinstance(end, Listener):
            end.backlog = backlog
            return
        if isinstance(end, Stream | Datagrams):
            fail(errno.EINVAL if isinstance(end, Stream) else errno.EOPNOTSUPP)
        if end.local is None:
            self.bind(end, self.addresses.nowhere(end.family))
        end.become(Listener(self, end.fd, end.family, end.kind, end.proto, end.owner, backlog=backlog))

    def unlink(self, path: str) -> None:
        """The path of a Unix socket no longer leads anywhere."""
        for kind in (SOCK_STREAM, SOCK_DGRAM):
            self.bound.pop(self.addresses.key(kind, AF_UNIX, path), None)

    def connect(self, end: Endpoint, address: Any) -> None:
        if isinstance(end, Stream):
            fail(errno.EISCONN if end.connected else errno.ECONNABORTED if end.dead else errno.EALREADY)
        if isinstance(end, Listener):
            fail(errno.EISCONN)
        address = self.addresses.whole(end.family, address)
        if isinstance(end, Datagrams):
            if end.local is None:
                self.bind(end, self.addresses.nowhere(end.family, address))
            end.peer = address
            end.changed()
            return
        if end.local is None:
            self.bind(end, self.addresses.nowhere(end.family, address))
        client = Stream(self, end.fd, end.family, end.kind, end.proto, end.owner)
        server = Stream(self, -1, end.family, end.kind, end.proto, self._called(end, address))
        if end.is_unix:
            found = self._bound_at(end, address)
            if not isinstance(found, Listener) or found.closed:
                fail(errno.ENOENT if found is None else errno.ECONNREFUSED)
        client.owner = self.owner()
        connection = self._connect(client.owner, server.owner, client, server)
        end.owner = client.owner
        end.become(client)
        client.peer = server.local = address
        server.peer = client.local
        self.put(connection.client.out, CONNECT)
        if client.is_unix:
            client.begin()
            return
        fail(errno.EINPROGRESS)

    def _connect(self, source: str, target: str, client: Stream, server: Stream, direct: bool = False) -> Connection:
        pair = (min(source, target), max(source, target))
        self._between[pair] = ordinal = self._between.get(pair, 0) + 1
        connection = joined(source, target, ordinal, client, server, direct)
        self._connections[connection] = None
        return connection

    def takes_connection(self, server: Stream) -> bool:
        """Whether the one that `server` is for would accept now; if nobody listens, it is refused, which can be done at
        any time."""
        listener = self._listener(server.connection.client)
        return listener is None or not listener.is_full

    def settle(self) -> None:
        """Where whatever is sent arrives at once, it does."""
        if not self.at_once or self._settling:
            return
        self._settling = True
        try:
            while arrivals := self.arrivals():
                self._settling = True
                first = arrivals[0]
                if first.link is None:
                    self._datagram(first, "")
                else:
                    self._head(first.link, "")
        finally:
            self._settling = False

    def close(self) -> None:
        """The run is over: nothing is held any longer."""
        self._closed = True
        for held in (self.files, self.bound, self._busy, self._datagrams, self._connections):
            held.clear()  # type: ignore[attr-defined]

    def _listener(self, client: Stream) -> Listener | None:
        found = self._bound_at(client, client.peer)
        return found if isinstance(found, Listener) and not found.closed else None

    def _bound_at(self, end: Endpoint, address: Any) -> Endpoint | None:
        for key in self.addresses.keys(end.kind, end.family, address):
            found = self.bound.get(key)
            if found is not None:
                return found
        return None

    def _called(self, end: Endpoint, address: Any) -> str:
        """What whoever is at `address` is called."""
        found = self._bound_at(end, address)
        key = self.addresses.key(end.kind, end.family, address)
        return self.addresses.called(key) or (found.owner if found is not None else self.addresses.told(address))

    def _is_cut(self, arrival: Arrival) -> bool:
        ways = [(arrival.source, arrival.target)]
        if arrival.what == CONNECT:
            ways.append((arrival.target, arrival.source))  # its answer has to come back
        return any(covers(a, source) and covers(b, target) for a, b in self.cuts for source, target in ways)

    def _forget_idle(self) -> None:
        """Drop links on which nothing is any longer, and connections that both ends have left."""
        for link in [link for link in self._busy if not link.flight]:
            del self._busy[link]
        for connection in [each for each in self._connections if each.client.closed and each.server.closed]:
            if not connection.client.out.flight and not connection.server.out.flight:
                del self._connections[connection]


def _number(arrival: Arrival) -> int:
    return arrival.number


__all__ = ["Kernel", "RESET", "mark"]
