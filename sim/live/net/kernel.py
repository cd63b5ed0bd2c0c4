"""The kernel of a run: its sockets, what is on its way between them, and what may become of that."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from socket import AF_UNIX, SOCK_STREAM
from ssl import SSLContext, SSLError
from typing import Any

from sim.base.errors import ConfigError, unknown
from sim.base.mixer import MASK, key64
from sim.live.net.addresses import Addresses
from sim.live.net.channel import BYTES, CONNECT, DROP, DUPLICATE, REFUSE, SPLIT, Channel, Connection, Datagram, Incoming
from sim.live.net.connections import Connections
from sim.live.net.datagram_socket import DatagramSocket
from sim.live.net.exchange import AGENT_TIMEOUT, CHOOSING, hint_s, strike
from sim.live.net.host_names import HostNames
from sim.live.net.kernel_socket import KernelSocket, failure
from sim.live.net.patches import patched
from sim.live.net.pipes import DrainEnd, ReadEnd, TetherEnd, WatchEnd, WriteEnd
from sim.live.net.seal import Seal
from sim.live.net.selector import PlannedSelector
from sim.live.net.sim_socket import SimSocket, new_socket
from sim.live.net.stream_socket import ListeningSocket, StreamSocket
from sim.live.net.traffic import Traffic

FIRST_FD = 1_000_000_000
"""Descriptors are counted from here; no real one is that high."""


Waits = Callable[[Callable[[], bool], str, float | None], bool]
"""Waits until something is so, in a call of this name, for so many seconds at most; whether it is then."""


class Kernel:
    """The network of one run. `owner` says who is running now: that is what the ends of connections are called.

    `at_once`: whatever is sent arrives at once, as on the loopback of a machine; then nothing is ever on its way.
    `refusal` makes the error that is raised for what has no place in a run, of one line about it.
    """

    def __init__(
        self, owner: Callable[[], str], *, at_once: bool = False, refusal: Callable[[str], BaseException] = ConfigError
    ) -> None:
        self.owner, self.at_once, self.refusal = owner, at_once, refusal
        self.files: dict[int, KernelSocket] = {}
        self.selector = PlannedSelector(self.files)
        self.addresses = Addresses()
        self.names: HostNames = self.addresses.names
        self.traffic = Traffic()
        self.on_met: Callable[[int], None] | None = None
        """Is told 64 bits of everything that a program learns by asking its sockets."""
        self.wait: Waits | None = None
        """Lets a thread of the run wait; None: only the loop's own runs, which may not."""
        self._next_fd = FIRST_FD
        self._connections = Connections()
        self._settling = False

    # --- what programs and the loop use -------------------------------------------------------------

    def socket(self, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> SimSocket:
        """A socket of this run, as `socket.socket`."""
        return new_socket(self, family, type, proto, fileno)

    def socketpair(self, family: int | None = None, type: int = SOCK_STREAM, proto: int = 0) -> tuple[Any, Any]:
        """Two ends that are connected. What is sent on one can be read on the other at once."""
        family = AF_UNIX if family is None else family
        if type != SOCK_STREAM:
            raise self.refusal(
                "socket.socketpair: only SOCK_STREAM can be simulated; use it, or asyncio.Queue within a process"
            )
        name = self.owner()
        one, other = (StreamSocket(self, -1, family, type, proto, name) for _ in range(2))
        self._connections.join(name, name, one, other, direct=True)
        for end in (one, other):
            end.local, end.peer, end.known = "", "", True
            end.begin()
            self.open(end)
        return self.socket(family, type, proto, one.fd), self.socket(family, type, proto, other.fd)

    def pipe(self, name: str, other: str, number: int, *, back: bool = False, direct: bool = False) -> tuple[Any, Any]:
        """The ends of a pipe, first that of `name`: it leads from `name` to `other`, or back. Of the pipes between these two
        it has this number. `direct`: what is written can be read at once."""
        kinds = (ReadEnd, WriteEnd) if back else (WriteEnd, ReadEnd)
        return self._within(name, other, number, kinds, direct=direct)

    def sink(self, name: str, takes: Callable[[bytes], object]) -> Any:
        """The end of a pipe to which `name` writes; `takes` is given all of it at once."""
        end, other = self._within(name, name, 1, (WriteEnd, DrainEnd), direct=True)
        other.drain = takes
        return end

    def tether(self, name: str, other: str) -> tuple[Any, Any]:
        """By what `name` knows of a process that is called `other`, and what that process has of it."""
        return self._within(name, other, 1, (WatchEnd, TetherEnd))

    def _within(
        self, name: str, other: str, number: int, kinds: tuple[type[Any], type[Any]], *, direct: bool = False
    ) -> tuple[Any, Any]:
        near, far = (
            kind(self, -1, AF_UNIX, SOCK_STREAM, 0, owner) for kind, owner in zip(kinds, (name, other), strict=True)
        )
        self._connections.join(name, other, near, far, direct=direct, within=number)
        for end in (near, far):
            self.open(end)
            end.begin()
        return near, far

    def patched(self) -> AbstractContextManager[None]:
        """Within it, this thread's sockets are those of the run."""
        return patched(self)

    def seal(self, sock: SimSocket, context: SSLContext) -> None:
        """Do TLS for whoever listens on `sock`."""
        listener = self.files[sock.fileno()]
        assert isinstance(listener, ListeningSocket)
        listener.tls = context

    def name_address(self, address: tuple[str, int] | str, name: str) -> None:
        """Whoever is bound to `address`, a host and a port or a path, after this is called `name`; the host is known."""
        self.addresses.name(address, name)

    def owner_of(self, handle: Any) -> str | None:
        """Whose socket the callback of a handle of the loop is about; None: it is not about a socket."""
        fd = getattr(getattr(handle._callback, "__self__", None), "_sock_fd", None)
        if fd is None:
            fd = next((each.fileno() for each in handle._args or () if isinstance(each, SimSocket)), None)
        end = self.files.get(fd) if fd is not None else None
        return end.owner if end is not None else None

    def meets(self, fd: int, what: object) -> None:
        """The program learns `what` of a socket. Of a TLS session only that there is something, as that differs in each run."""
        if self.on_met is not None:
            end = self.files.get(fd)
            sealed = isinstance(end, StreamSocket) and end.connection.sealed
            self.on_met(key64(repr((fd, bool(what) if sealed else what)).encode()))

    def close(self) -> None:
        """The run is over: nothing is held any longer."""
        self.files.clear()
        self._connections.clear()
        self.addresses.clear()
        self.traffic = Traffic()

    # --- what arrives -------------------------------------------------------------------------------

    def arrivals(self) -> Sequence[Incoming]:
        """What may arrive now, in the order sent: the first of each channel, and every datagram."""
        return self.traffic.arrivals()

    def arrival(self, number: int) -> Incoming:
        """What may arrive now and has this number. Raises `LookupError` if nothing has."""
        for arrival in self.arrivals():
            if arrival.number == number:
                return arrival
        raise LookupError(number)

    def arrive(self, arrival: Incoming, how: str = "") -> None:
        """`arrival` comes, or `how` happens to it instead, one of its faults. Raises `LookupError` if it cannot come
        now."""
        if arrival not in self.arrivals():
            raise LookupError(arrival.number)
        is_chosen, kind = how.startswith(CHOOSING), how.removeprefix(CHOOSING).partition("(")[0]
        possible = arrival.choices if is_chosen else arrival.faults
        if how and kind not in possible:
            what = "choice" if is_chosen else "fault"
            raise ConfigError(f"{arrival.what} {arrival.source}->{arrival.target}: {unknown(what, kind, possible)}")
        hint_s(how)  # a time that is not one is a mistake before anything happens
        self._comes(arrival, how)
        self.settle()

    def _comes(self, arrival: Incoming, how: str = "") -> None:
        if isinstance(arrival, Datagram):
            self._datagram_comes(arrival, how)
            return
        channel = arrival.channel
        assert channel is not None
        if arrival.begins and arrival.exchange is not None:
            arrival.exchange.arrives(how)
        if how == AGENT_TIMEOUT:
            self.traffic.delay(arrival)
            channel.source.changed()
            return
        crowded = not channel.has_room
        arrival = self.traffic.take(channel, split=how == SPLIT)
        if arrival.what == CONNECT:
            self._meet(channel, refuse=how == REFUSE)
        elif how and how != SPLIT:
            strike(channel.target, arrival, how)
        else:
            channel.target.arrived(arrival)
        if crowded and channel.has_room:
            channel.source.wake()
        channel.source.changed()
        self._connections.forget(channel.connection)

    def _meet(self, channel: Channel, refuse: bool) -> None:
        """A connection has come to where it was sent."""
        client, server = channel.source, channel.target
        listener = self._listener(client)
        if listener is None or refuse:
            server.dead = True
            server.changed()
            client.die(errno.ECONNRESET if client.is_unix else errno.ECONNREFUSED)
            return
        server.owner, server.proto, server.options = listener.owner, listener.proto, dict(listener.options)
        if not client.connected:
            client.begin()
        if listener.tls is not None:
            channel.connection.seal, channel.connection.sealed = Seal(listener.tls), True
        server.known = True
        server.begin()
        listener.queue.append(server)
        listener.wake()

    def _datagram_comes(self, datagram: Datagram, how: str) -> None:
        self.traffic.catch(datagram)
        if how == DROP:
            return
        sender, address = datagram.sender, datagram.address
        if how == DUPLICATE:
            self.traffic.fly(sender, address, datagram.source, datagram.target, datagram.data)
        target = self.addresses.find(sender, address)
        if isinstance(target, DatagramSocket) and not target.closed:
            target.arrived(datagram.data, self.addresses.seen(sender, target.peer))
        else:
            sender.bounced()

    def settle(self) -> None:
        """Where whatever is sent arrives at once, it does."""
        if not self.at_once or self._settling:
            return
        self._settling = True
        try:
            while arrivals := self.arrivals():
                self._comes(arrivals[0])
        finally:
            self._settling = False

    # --- faults -------------------------------------------------------------------------------------

    def connections(self) -> list[Connection]:
        """The connections that both ends hold, in the order in which they were begun; pairs of sockets within one process
        are not among them."""
        return self._connections.alive()

    def reset(self, connection: Connection) -> None:
        """Both ends see that the connection is reset; what is on its way is lost."""
        for end in (connection.server, connection.client):
            end.die()
        self._connections.forget(connection)

    def cut(self, source: str, target: str) -> None:
        """What crosses from `source` to `target` is held back; a name covers what is numbered after it."""
        self.traffic.cuts[source, target] = None

    def heal(self, source: str, target: str) -> None:
        self.traffic.cuts.pop((source, target), None)
        self.settle()

    def crash(self, owner: str) -> None:
        """All sockets of `owner` and of what is called `owner/...` vanish. Who was connected to it sees a reset, after
        what was on its way already."""
        for end in self._held_by(owner):
            end.vanish()
        self.settle()

    def leave(self, owner: str) -> None:
        """They are closed, as of a process that has ended."""
        for end in self._held_by(owner):
            end.close()
        self.settle()

    def _held_by(self, owner: str) -> list[KernelSocket]:
        return [end for end in self.files.values() if end.owner == owner or end.owner.startswith(f"{owner}/")]

    # --- marks --------------------------------------------------------------------------------------

    def mark(self) -> int:
        """64 bits of all that is here and on its way: equal for equal states, in every process. Descriptors, ports and
        the numbers of arrivals do not count."""
        ends = [*self.files.values(), *self._connections.without_descriptor()]
        return (sum(end.mark() for end in ends) + sum(self.traffic.marks())) & MASK

    # --- what sockets do ----------------------------------------------------------------------------

    def open(self, end: KernelSocket) -> None:
        """`end` gets the next descriptor."""
        end.fd = self._next_fd
        self._next_fd += 1
        self.files[end.fd] = end

    def become(self, old: KernelSocket, new: KernelSocket) -> None:
        """What `old` stood for is `new` from now on."""
        new.local, new.options = old.local, old.options
        self.files[old.fd] = new
        self.addresses.replace(old, new)
        new.changed()

    def shut(self, end: KernelSocket) -> None:
        """`end` was closed."""
        self.files.pop(end.fd, None)
        self.addresses.release(end)
        if isinstance(end, StreamSocket):
            self._connections.forget(end.connection)

    def put(self, channel: Channel, what: str, data: bytes = b"") -> None:
        """Something is sent on a channel."""
        if channel.silent or (what == BYTES and channel.replaced is channel.exchange is not None):
            return
        if channel.connection.direct:
            channel.target.arrived(Incoming(0, what, data, channel))
            return
        if what == BYTES and channel.connection.seal is not None and not channel.from_server:
            self._open(channel, channel.connection.seal, data)
        else:
            self.traffic.send(channel, what, data)
        channel.source.changed()
        self.settle()

    def _open(self, channel: Channel, seal: Seal, data: bytes) -> None:
        """A client sends what the network of its server opens."""
        try:
            sent, reply = seal.opens(data)
        except SSLError:
            self.reset(channel.connection)
            return
        if reply:
            self.traffic.send(channel.target.out, BYTES, reply, is_sealed=True)
            channel.target.changed()
        if sent:
            self.traffic.send(channel, BYTES, sent)

    def put_datagram(self, sender: DatagramSocket, data: bytes, address: Any) -> None:
        address = self.addresses.resolved(sender.family, address)
        if sender.local is None:
            self.addresses.bind(sender, self.addresses.nowhere(sender.family))
        if sender.is_unix:
            self.addresses.reach(sender, address, DatagramSocket)
        self.traffic.fly(sender, address, sender.owner, self.addresses.called(sender, address), data)
        self.settle()

    def listen(self, end: KernelSocket, backlog: int) -> None:
        if end.local is None:
            self.addresses.bind(end, self.addresses.nowhere(end.family))
        self.become(end, ListeningSocket(self, end.fd, end.family, end.kind, end.proto, end.owner, backlog=backlog))

    def connect(self, end: KernelSocket, address: Any) -> None:
        """A fresh `end` reaches for `address`. Over TCP that takes a while, and `BlockingIOError` says so."""
        address = self.addresses.resolved(end.family, address)
        if end.is_unix:
            self.addresses.reach(end, address, ListeningSocket)
        if end.local is None:
            self.addresses.bind(end, self.addresses.nowhere(end.family, address))
        target = self.addresses.called(end, address)
        client = StreamSocket(self, end.fd, end.family, end.kind, end.proto, self.owner())
        server = StreamSocket(self, -1, end.family, end.kind, end.proto, target)
        self._connections.join(client.owner, target, client, server)
        self.become(end, client)
        client.peer = server.local = address
        server.peer = client.local
        self.put(client.out, CONNECT)
        if not client.is_unix:
            raise failure(errno.EINPROGRESS)
        if not client.dead:
            client.known = True
            client.begin()

    def takes(self, server: StreamSocket) -> bool:
        """Whether the connection of `server` may come to where it was sent: not where too many wait already. Where nobody
        listens it comes, and is refused."""
        listener = self._listener(server.connection.client)
        return listener is None or not listener.is_full

    def _listener(self, client: StreamSocket) -> ListeningSocket | None:
        found = self.addresses.find(client, client.peer)
        return found if isinstance(found, ListeningSocket) and not found.closed else None
