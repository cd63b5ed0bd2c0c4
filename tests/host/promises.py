"""What a host promises of messages, looked up in the journals that it leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from sim.host.journal import Journal


def not_arrived(journals: Iterable[Journal], session: str, *, nobody: Collection[str] = ()) -> list[str]:
    """What was sent in this session and neither came nor is on its way, but for what is sent to `nobody`; and what came more
    often than it was sent."""
    sent, came, under_way = Counter[str](), Counter[str](), Counter[str]()
    for journal in journals:
        for line in journal.trace(session):
            if "input" not in line.said:
                continue
            for put in line.said["outputs"]:
                if "send" in put:
                    inner = put["send"]
                    sent[f"{line.process}->{inner['to']} {inner['message']}{inner['fields']}"] += 1
            given = line.said["input"]
            arrival = given.get("deliver", given if "fault" in given else None)
            if arrival is not None:
                came[f"{arrival['from']}->{line.process} {arrival['message']}{arrival['fields']}"] += 1
        for mail in journal.mail(session):
            fields = {name: value for name, value in mail.message.items() if name != "@"}
            under_way[f"{mail.source}->{mail.target} {mail.message['@']}{fields}"] += 1
    lost, twice = sent - came - under_way, came - sent
    over = tuple(f"->{name} " for name in nobody)
    wrong = [f"{message} was sent and never came" for message in lost if not any(to in message for to in over)]
    return wrong + [f"{message} came more often than it was sent" for message in twice]
