"""The way to a host in another process: over a Unix socket, or TCP."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable, Sequence

from sim.host import wire
from sim.host.link import Parcel, Receipt, Sender
from sim.host.link_address import Tls, endpoint_of, is_foreign


class Stream:
    """A link to the host that listens at this address (`Host(listen=...)`).

    It connects when there is something to carry, and again when the connection breaks. Raises `ConfigError` for what
    is not an address; plain TCP to another machine has to be asked for (`insecure`).
    """

    def __init__(self, address: str, *, tls: Tls | None = None, insecure: bool = False) -> None:
        self.endpoint = endpoint_of(address, tls, insecure=insecure, listens=False)
        self._tls = None if tls is None else tls.context(listens=False)
        self._connection: _Connection | None = None

    async def carry(self, parcels: Iterable[Parcel]) -> Sequence[Receipt]:
        """Write them one after the other, and read meanwhile what became of them."""
        receipts: list[Receipt] = []
        whole = False
        try:
            await self._carry(parcels, receipts)
            whole = True
        except TimeoutError:
            if not receipts:
                raise OSError(f"{self.endpoint.address} does not answer") from None
        except (OSError, EOFError):
            if not receipts:
                raise
        finally:
            if not whole:
                await self.close()
        return receipts

    async def _carry(self, parcels: Iterable[Parcel], receipts: list[Receipt]) -> None:
        waiting = iter(parcels)
        parcel = next(waiting, None)
        if parcel is None:
            return
        connection = self._connection
        if connection is None or connection.is_over():
            await self.close()
            connection = self._connection = await self._connect(parcel.sender)
        sent: deque[int | Receipt] = deque()
        """What is in flight, and what cannot be."""
        more = asyncio.Event()

        async def write() -> None:
            nonlocal parcel
            while parcel is not None:
                try:
                    frame = wire.parcel_frame(parcel)
                except ValueError as error:
                    sent.append(Receipt(parcel.mail.id, False, str(error)))
                else:
                    sent.append(parcel.mail.id)
                    connection.writer.write(frame)
                    del frame
                more.set()
                await connection.writer.drain()
                parcel = next(waiting, None)

        writing = asyncio.create_task(write())
        writing.add_done_callback(lambda _: more.set())
        try:
            while True:
                while sent:
                    one = sent.popleft()
                    receipts.append(one if isinstance(one, Receipt) else await connection.receipt(one))
                if writing.done():
                    if not sent:
                        break
                    continue
                more.clear()
                await more.wait()
            await writing
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    async def _connect(self, sender: Sender) -> _Connection:
        to = self.endpoint
        reader: asyncio.StreamReader
        async with asyncio.timeout(wire.GREETING_S):
            if to.path:
                reader, writer = await asyncio.open_unix_connection(to.path)
            else:
                name = {} if self._tls is None else {"server_hostname": to.host}
                reader, writer = await asyncio.open_connection(to.numeric, to.port, ssl=self._tls, **name)  # type: ignore[arg-type]
            connection = _Connection(reader, writer)
            try:
                if is_foreign(writer.get_extra_info("socket")):
                    raise OSError(f"{to.address} is held by another user")
                writer.write(wire.frame_of(wire.greeting_of(sender)))
                await writer.drain()
                said = await wire.read_frame(reader, wire.GREETING_MAX, wire.GREETING_S)
                if said is not None and "no" in said:
                    wire.receipt_of(said, 0)  # says why
                model = wire.greeted(said)
                if model and sender.model and model != sender.model:
                    raise OSError(f"there is {model}, not {sender.model}")
            except BaseException:
                await connection.close()
                raise
        return connection

    async def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def is_over(self) -> bool:
        return self.reader.at_eof() or self.reader.exception() is not None or self.writer.is_closing()

    async def receipt(self, number: int) -> Receipt:
        """What became of this message. Raises `TimeoutError` where neither anything comes nor anything goes."""
        reading = asyncio.create_task(wire.read_frame(self.reader, wire.GREETING_MAX, None))
        left = self._left()
        try:
            while not (await asyncio.wait({reading}, timeout=wire.QUIET_S))[0]:
                before, left = left, self._left()
                if left == before:
                    raise TimeoutError
            return wire.receipt_of(reading.result(), number)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    def _left(self) -> int:
        """Bytes that have not left yet: a large message on a slow line takes its time."""
        return self.writer.transport.get_write_buffer_size()

    async def close(self) -> None:
        self.writer.transport.abort()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await self.writer.wait_closed()
