"""A certificate of our own for a host that a run serves over TLS: of a key that is drawn in each process and never leaves it.

The standard library speaks TLS, but cannot make certificates. This is as much of X.509 (RFC 5280) and of ECDSA over P-256
(FIPS 186-5) as one needs that signs itself. Its key protects nothing: what it seals never leaves the process either.
"""

from __future__ import annotations

import base64
import hashlib
import os
import ssl
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
"""P-256."""

Point = tuple[int, int] | None
_ECDSA_SHA256 = b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
_EC_KEY = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
_P256 = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
_COMMON_NAME = b"\x06\x03\x55\x04\x03"
_FROM, _UNTIL = b"200101000000Z", b"491231235959Z"
_SUBJECT_KEY, _KEY_USAGE, _NAMES, _CONSTRAINTS, _AUTHORITY_KEY = 14, 15, 17, 19, 35
"""Extensions, by the last part of their number."""


class Certified(NamedTuple):
    """What serves a host, and what has to be trusted for it."""

    server: ssl.SSLContext
    pem: str


@lru_cache(maxsize=256)
def certified(host: str) -> Certified:
    """A certificate for `host`, made once in a process. Draws from the operating system, and writes a file for a moment."""
    secret = 1 + int.from_bytes(os.urandom(40)) % (_N - 1)
    public = _times(secret, _G)
    assert public is not None
    point = b"\x04" + public[0].to_bytes(32) + public[1].to_bytes(32)
    pem = _pem("CERTIFICATE", _certificate(host, secret, point))
    key = _sequence(_integer(1), _tagged(4, secret.to_bytes(32)), _tagged(0xA0, _P256), _tagged(0xA1, _bits(point)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.num_tickets = 0
    with TemporaryDirectory(prefix="roundsim-") as folder:
        path = Path(folder) / "both.pem"
        path.touch(mode=0o600)
        path.write_text(pem + _pem("EC PRIVATE KEY", key), "ascii")
        context.load_cert_chain(path)
    return Certified(context, pem)


def _certificate(host: str, secret: int, point: bytes) -> bytes:
    name = _sequence(_tagged(0x31, _sequence(_COMMON_NAME, _tagged(0x0C, b"roundsim, for one run"))))
    number = hashlib.sha1(point, usedforsecurity=False).digest()
    extensions = _sequence(
        _extension(_CONSTRAINTS, _sequence(_tagged(1, b"\xff")), critical=True),
        _extension(_KEY_USAGE, _tagged(3, b"\x02\x84"), critical=True),
        _extension(_NAMES, _sequence(_name_of(host))),
        _extension(_SUBJECT_KEY, _tagged(4, number)),
        _extension(_AUTHORITY_KEY, _sequence(_tagged(0x80, number))),
    )
    told = _sequence(
        _tagged(0xA0, _integer(2)),
        _integer(int.from_bytes(number[:8]) or 1),
        _sequence(_ECDSA_SHA256),
        name,
        _sequence(_tagged(0x17, _FROM), _tagged(0x17, _UNTIL)),
        name,
        _sequence(_sequence(_EC_KEY, _P256), _bits(point)),
        _tagged(0xA3, extensions),
    )
    return _sequence(told, _sequence(_ECDSA_SHA256), _bits(_signed(told, secret)))


def _name_of(host: str) -> bytes:
    try:
        return _tagged(0x87, ip_address(host).packed)
    except ValueError:
        return _tagged(0x82, host.encode("idna"))


def _signed(data: bytes, secret: int) -> bytes:
    digest = int.from_bytes(hashlib.sha256(data).digest())
    once = 1 + int.from_bytes(os.urandom(40)) % (_N - 1)
    point = _times(once, _G)
    assert point is not None
    r = point[0] % _N
    return _sequence(_integer(r), _integer(pow(once, -1, _N) * (digest + r * secret) % _N))


# --- P-256 ----------------------------------------------------------------------------------------------


def _times(number: int, point: Point) -> Point:
    total: Point = None
    while number:
        if number & 1:
            total = _plus(total, point)
        point = _plus(point, point)
        number >>= 1
    return total


def _plus(one: Point, other: Point) -> Point:
    if one is None or other is None:
        return one or other
    (x1, y1), (x2, y2) = one, other
    if x1 == x2 and (y1 + y2) % _P == 0:
        return None
    slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, _P) if one == other else (y2 - y1) * pow(x2 - x1, -1, _P)
    x = (slope * slope - x1 - x2) % _P
    return x, (slope * (x1 - x) - y1) % _P


# --- DER ------------------------------------------------------------------------------------------------


def _tagged(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def _sequence(*parts: bytes) -> bytes:
    return _tagged(0x30, b"".join(parts))


def _integer(number: int) -> bytes:
    return _tagged(2, number.to_bytes(number.bit_length() // 8 + 1))


def _bits(content: bytes) -> bytes:
    return _tagged(3, b"\0" + content)


def _extension(number: int, content: bytes, *, critical: bool = False) -> bytes:
    return _sequence(bytes((6, 3, 0x55, 0x1D, number)), _tagged(1, b"\xff") if critical else b"", _tagged(4, content))


def _pem(what: str, der: bytes) -> str:
    text = base64.b64encode(der).decode("ascii")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {what}-----", *lines, f"-----END {what}-----", ""])
