import asyncio

from sim.host.adapter import Reply, Silent
from sim.metrics import TokenUsage


class Fake:
    def __init__(s, d):
        s.d = d

    async def ask(self, q):
        await asyncio.sleep(self.d)
        return Reply(
            q.answers[0] if q.answers else None, text=f"{q.process}: fine", usage=TokenUsage(100, 10), model="gpt-4o"
        )

    async def close(self):
        pass


def adapter_of(name, given, where, allowed, folder):
    return Silent() if given.get("kind") == "silent" else Fake(given.get("delay", 0.1))
