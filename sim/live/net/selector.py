"""The selector of a run: it never waits, and says what is ready in the order in which it became so.

It follows Linux's epoll, since order decides what runs first: a list of those that may be ready, each appended where it
becomes so or where somebody asks for more than before; a poll goes through the list, forgets who is not ready, and puts
who is to the end again (level-triggered).
"""

from __future__ import annotations

import selectors
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

    from sim.live.net.kernel_socket import KernelSocket


class PlannedSelector(selectors._BaseSelectorImpl):  # what stands behind every selector of the standard library
    """What is ready among `files`."""

    _fd_to_key: dict[int, selectors.SelectorKey]

    def __init__(self, files: dict[int, KernelSocket]) -> None:
        super().__init__()
        self._files = files
        self._listed: dict[int, None] = {}

    def register(self, fileobj: FileDescriptorLike, events: int, data: Any = None) -> selectors.SelectorKey:
        key = super().register(fileobj, events, data)
        self._list(key)
        return key

    def unregister(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        key = super().unregister(fileobj)
        self._listed.pop(key.fd, None)
        return key

    def modify(self, fileobj: FileDescriptorLike, events: int, data: Any = None) -> selectors.SelectorKey:
        """As epoll: who asks for something else keeps its place in the list."""
        key = self.get_key(fileobj)
        changed = key._replace(events=events, data=data)
        self._fd_to_key[key.fd] = changed
        if events != key.events:
            self._list(changed)
        return changed

    def woken(self, fd: int) -> None:
        """Something happened to the descriptor."""
        key = self._fd_to_key.get(fd)
        if key is not None:
            self._list(key)

    def _list(self, key: selectors.SelectorKey) -> None:
        if self._ready(key):
            self._listed.setdefault(key.fd)

    def _ready(self, key: selectors.SelectorKey) -> int:
        end = self._files.get(key.fd)
        return 0 if end is None else end.readiness() & key.events

    def close(self) -> None:
        super().close()
        self._listed.clear()

    def pending(self) -> bool:
        """Whether a poll would report anything."""
        return any(self._ready(self._fd_to_key[fd]) for fd in self._listed)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        listed = self._listed
        if not listed:
            return []
        ready = []
        for fd in list(listed):
            del listed[fd]
            key = self._fd_to_key[fd]
            mask = self._ready(key)
            if mask:
                ready.append((key, mask))
                listed[fd] = None
        return ready
