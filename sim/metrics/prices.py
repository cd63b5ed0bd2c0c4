"""What tokens cost: prices as exact decimals, from your own table or from genai-prices.

No price is guessed. A model that neither source knows has no price, and callers can see that; the fork charges such a
model 10/30 USD, which looks like a known price in every sum that it enters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from typing import TYPE_CHECKING, Any

from sim.base.errors import unknown
from sim.metrics.checked import MetricsError, checked_count
from sim.metrics.usage import TokenUsage

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice

EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
"""Sums and products of money use this context: rounding is an error, never a result.

Our own context, because the caller's may round arbitrarily.
"""
EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
"""The default instant whose prices apply: that of a scenario. The wall clock is never read."""
USD_MAX = Decimal(10) ** 9
USD_DECIMALS = 12
_CACHE_MODELS = 1024


def exact_usd(name: str, value: Decimal | str | int | float) -> Decimal:
    """An amount of USD, exact; from 0 to 10^9 with at most 12 decimals.

    A float is taken as it is written (`0.3` is three tenths), because that is how scenario files
    spell prices. Raises `MetricsError` naming the amount.
    """
    expected = f"expected USD from 0 to {USD_MAX} with at most {USD_DECIMALS} decimals"
    if isinstance(value, bool) or not isinstance(value, Decimal | str | int | float):
        raise MetricsError(f"{name} is {value!r}; {expected}")
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise MetricsError(f"{name} is {value!r}; {expected}") from None
    if not amount.is_finite() or not 0 <= amount <= USD_MAX:
        raise MetricsError(f"{name} is {value!r}; {expected}")
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -USD_DECIMALS:
        raise MetricsError(f"{name} is {value!r}; {expected}")
    return amount.copy_abs()  # -0 is 0


def instant(name: str, text: object) -> datetime:
    """An instant with its timezone, as `isoformat` writes it. Raises `MetricsError` naming it."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise MetricsError(f"{name} is {text!r}; expected an instant with a timezone, such as {EPOCH.isoformat()}")
    return found


def usd_text(amount: Decimal) -> str:
    """An amount for JSON or a reader: exact, without exponent and trailing zeros (`0.0058`)."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True, slots=True)
class Rate:
    """USD per million tokens. `tiers` are (tokens, USD), ascending: a prompt of **more** tokens than
    that pays the tier's rate for all its tokens, cached or not, and for the whole answer."""

    base: Decimal
    tiers: tuple[tuple[int, Decimal], ...] = ()

    def at(self, input_tokens: int) -> Decimal:
        """The rate of a call with so many input tokens."""
        rate = self.base
        for above, tier in self.tiers:
            if input_tokens > above:
                rate = tier
        return rate


@dataclass(frozen=True, slots=True)
class Price:
    """What one model costs, and the source of the prices.

    A part without its own rate (None) costs what its whole costs: cached input and cache writes
    as input, reasoning as output. `per_call` is USD for each call. `source` names the price list and
    its version, `entry` the entry in it, `as_of` the instant whose prices these are (None: undated).
    """

    input: Rate
    output: Rate
    cached_input: Rate | None = None
    cache_write: Rate | None = None
    reasoning: Rate | None = None
    per_call: Decimal = Decimal(0)
    source: str = "own table"
    entry: str = ""
    as_of: datetime | None = None

    def of(self, usage: TokenUsage) -> Decimal:
        """Exact USD for **one call**; tiers make the price of a sum differ from the sum of prices."""
        prompt = usage.input_tokens
        plain_input = prompt - usage.cached_input_tokens - usage.cache_write_input_tokens
        plain_output = usage.output_tokens - usage.reasoning_output_tokens
        parts = (
            (plain_input, self.input),
            (usage.cached_input_tokens, self.cached_input or self.input),
            (usage.cache_write_input_tokens, self.cache_write or self.input),
            (plain_output, self.output),
            (usage.reasoning_output_tokens, self.reasoning or self.output),
        )
        millionths = Decimal(0)
        for tokens, rate in parts:
            millionths = EXACT.fma(rate.at(prompt), tokens, millionths)
        return EXACT.add(EXACT.scaleb(millionths, -6), self.per_call)

    def as_dict(self) -> dict[str, object]:
        """USD per million tokens as strings, each with its tiers, and the source."""
        rates: dict[str, object] = {}
        for name in ("input", "output", "cached_input", "cache_write", "reasoning"):
            rate: Rate | None = getattr(self, name)
            if rate is not None:
                rates[name] = usd_text(rate.base)
                if rate.tiers:
                    rates[f"{name}_tiers"] = [[above, usd_text(usd)] for above, usd in rate.tiers]
        return {
            "usd_per_million_tokens": rates,
            "usd_per_call": usd_text(self.per_call),
            "source": self.source,
            "entry": self.entry,
            "as_of": self.as_of.isoformat() if self.as_of else None,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Price:
        """The price that `as_dict` gave. Raises `MetricsError`, `KeyError` or `TypeError` for anything else."""
        rates = data["usd_per_million_tokens"]
        as_of = data["as_of"]
        return cls(
            **{name: _rate(rates, name) for name in KINDS if name in _REQUIRED or name in rates},
            per_call=exact_usd("usd_per_call", data["usd_per_call"]),
            source=str(data["source"]),
            entry=str(data["entry"]),
            as_of=None if as_of is None else instant("as_of", as_of),
        )


def _rate(rates: Mapping[str, Any], name: str) -> Rate:
    tiers = rates.get(f"{name}_tiers", [])
    return Rate(
        exact_usd(name, rates[name]),
        tuple((checked_count("tier", above), exact_usd(name, usd)) for above, usd in tiers),
    )


class PriceTable:
    """Prices by model name: your own table first, then genai-prices' offline snapshot.

    `own` maps a model's name (compared exactly) to USD per million tokens: `input` and `output`,
    optionally `cached_input`, `cache_write`, `reasoning`; each as Decimal, str, int or float.
    `source` names that table. `as_of` (with a timezone) is the instant whose prices apply. `snapshot=False` disables
    genai-prices.

    Raises `MetricsError`, one line for each mistake of the table.
    """

    def __init__(
        self,
        own: Mapping[str, Mapping[str, Decimal | str | int | float]] | None = None,
        *,
        source: str = "own table",
        as_of: datetime = EPOCH,
        snapshot: bool = True,
    ) -> None:
        if as_of.tzinfo is None:
            raise MetricsError(f"as_of is {as_of.isoformat()}; expected an instant with a timezone")
        self._as_of = as_of
        self._snapshot = snapshot
        self._own = _own_prices(own or {}, source)
        self._looked_up: dict[str, Price | None] = {}

    @classmethod
    def of(cls, prices: Mapping[str, Price | None]) -> PriceTable:
        """A table of only these prices, which were found before."""
        table = cls(snapshot=False)
        table._own = {model: price for model, price in prices.items() if price is not None}
        return table

    def price(self, model: str) -> Price | None:
        """What `model` costs, or None if unknown; a model without a name is unknown.
        The first look into genai-prices takes 0.5 s.

        genai-prices also accepts `provider/model` (`perplexity/sonar`), for names that do not identify the provider.
        """
        own = self._own.get(model)
        if own is not None or not self._snapshot or not model:
            return own
        if model not in self._looked_up:
            if len(self._looked_up) == _CACHE_MODELS:
                self._looked_up.clear()
            self._looked_up[model] = _snapshot_price(model, self._as_of)
        return self._looked_up[model]


_REQUIRED = ("input", "output")
KINDS = (*_REQUIRED, "cached_input", "cache_write", "reasoning")
"""The kinds of token that a price table may have a rate for; the first two are required."""


def _own_prices(table: Mapping[str, Mapping[str, Decimal | str | int | float]], source: str) -> dict[str, Price]:
    prices: dict[str, Price] = {}
    mistakes: list[str] = []
    for model, rates in table.items():
        parsed: dict[str, Rate | None] = dict.fromkeys(KINDS)
        mistakes += [f"price of {model}: {name} is missing" for name in _REQUIRED if name not in rates]
        for name, usd in rates.items():
            if name not in KINDS:
                mistakes.append(f"price of {model}: {unknown('kind of token', name, KINDS)}")
                continue
            try:
                parsed[name] = Rate(exact_usd(f"price of {model}: {name}", usd))
            except MetricsError as error:
                mistakes += error.mistakes
        price = _price(parsed, source=source, entry=model)
        if price is not None:
            prices[model] = price
    if mistakes:
        raise MetricsError(*mistakes)
    return prices


def _price(
    rates: Mapping[str, Rate | None],
    *,
    source: str,
    entry: str,
    as_of: datetime | None = None,
    per_call: Decimal = Decimal(0),
) -> Price | None:
    """A price of these rates by kind of token; None unless both required kinds are present."""
    if rates["input"] is None or rates["output"] is None:
        return None
    return Price(
        input=rates["input"],
        output=rates["output"],
        cached_input=rates["cached_input"],
        cache_write=rates["cache_write"],
        reasoning=rates["reasoning"],
        per_call=per_call,
        source=source,
        entry=entry,
        as_of=as_of,
    )


_SNAPSHOT_KEYS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cached_input": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "reasoning": "output_reasoning_mtok",
}


def _snapshot_price(model: str, as_of: datetime) -> Price | None:
    """The price in genai-prices. None also for models that are listed but not sold by tokens of both kinds (an
    embedding, a service by the hour)."""
    import genai_prices  # lazily: it takes half a second, which a run without costs saves

    seller = "litellm" if "/" in model else None  # its spelling: the provider is before the slash
    try:
        found = genai_prices.calc_price(genai_prices.Usage(), model, provider_id=seller, genai_request_timestamp=as_of)
    except LookupError:
        return None
    source = f"genai-prices {genai_prices.__version__}"
    if found.auto_update_timestamp is not None:  # the host program runs genai-prices' updater
        source += f", updated {found.auto_update_timestamp.isoformat()}"
    per_thousand_calls = _snapshot_rate(found.model_price, "requests_kcount")
    return _price(
        {kind: _snapshot_rate(found.model_price, key) for kind, key in _SNAPSHOT_KEYS.items()},
        source=source,
        entry=f"{found.provider.id}/{found.model.id}",
        as_of=as_of,
        per_call=EXACT.scaleb(per_thousand_calls.base, -3) if per_thousand_calls else Decimal(0),
    )


def _snapshot_rate(price: ModelPrice, key: str) -> Rate | None:
    value = getattr(price, key, None)
    if value is None:
        return None
    if isinstance(value, Decimal):
        return Rate(value)
    return Rate(value.base, tuple((tier.start, tier.price) for tier in value.tiers))
