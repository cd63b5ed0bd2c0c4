"""The network of a program: an operating system's sockets, in memory, where every arrival is somebody's choice.

The transports, servers and streams of the standard library run on it as they stand. `Kernel` holds the sockets and what is
on its way between them, `kernel.selector` says what is ready, and `kernel.patched()` puts it under `socket`.

What belongs here: sockets, channels, names, and what may go wrong with them. What does not: the loop, tasks, and who chooses
(`sim.live`).
"""

from sim.live.net.channel import Connection, Incoming
from sim.live.net.kernel import Kernel
from sim.live.net.network_loop import NetworkLoop

__all__ = ["Connection", "Incoming", "Kernel", "NetworkLoop"]
