"""The connections of a run, and which of those between the same two ends each is."""

from __future__ import annotations

from collections.abc import Iterator

from sim.live.net.channel import Channel, Connection
from sim.live.net.stream_socket import StreamSocket


class Connections:
    """The connections that somebody holds still, or on which something is on its way."""

    def __init__(self) -> None:
        self._held: dict[Connection, None] = {}
        self._between: dict[tuple[str, ...], int] = {}

    def join(
        self,
        source: str,
        target: str,
        client: StreamSocket,
        server: StreamSocket,
        *,
        direct: bool = False,
        within: int = 0,
    ) -> None:
        """Make `client` and `server` the ends of one. One that is `within` a machine, and so not part of the network, is given
        its number."""
        pair = tuple(sorted((source, target)))
        ordinal = within or self._between.get(pair, 0) + (not direct)
        if not within:
            self._between[pair] = ordinal
        connection = Connection(source, target, ordinal, client, server, direct, within=within > 0)
        client.out = server.into = Channel(connection, client, server)
        server.out = client.into = Channel(connection, server, client)
        client.connection = server.connection = connection
        self._held[connection] = None

    def alive(self) -> list[Connection]:
        """Those that both ends hold, in the order in which they were begun."""
        return [one for one in self._held if one.alive and not one.direct and not one.within]

    def forget(self, connection: Connection) -> None:
        """Forget it if nobody needs it any longer."""
        if connection.left:
            self._held.pop(connection, None)

    def without_descriptor(self) -> Iterator[StreamSocket]:
        """The ends that nobody has accepted yet, and those whose last words are on their way."""
        for connection in self._held:
            for end in (connection.client, connection.server):
                if end.fd < 0 or end.closed:
                    yield end

    def clear(self) -> None:
        self._held.clear()
