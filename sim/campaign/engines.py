"""Who runs the chunks: processes on this machine, a Dask scheduler, or Ray. One interface: an executor.

An engine covers what `concurrent.futures` leaves open: how it is started and ended, how many tasks it can use at a
time, and which exceptions report that a worker died.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, TypeVar

from sim.base.errors import ConfigError, unknown
from sim.campaign import worker
from sim.campaign.private_ray import LOOPBACK, check_private, private_ray
from sim.campaign.worker import ready
from sim.run.local import LocalExecutor, WorkerDied

T = TypeVar("T")

NAMES = ("local", "dask", "ray")
_MODULES = {"local": (), "dask": ("distributed",), "ray": ("ray",)}
_OWN_MODULES = {**_MODULES, "dask": ("distributed", "cryptography")}
"""What is needed to start one: only whoever has its certificate may use a scheduler of ours."""
TRIES_MAX = 5
"""How many workers may die before the first one answers."""


@dataclass(frozen=True)
class Engine:
    """A running engine."""

    name: str
    executor: Executor
    workers: int
    """How many tasks run at a time."""
    died: tuple[type[BaseException], ...]
    """What a future raises after its worker died."""


def read_spec(spec: str) -> tuple[str, str | None]:
    """The name of an engine, and the address of one that is running. Raises `ConfigError` if the engine is unknown or
    not installed."""
    name, has_address, address = spec.partition("=")
    if name not in NAMES:
        raise ConfigError(f"--engine {spec}: {unknown('engine', name, NAMES)}")
    if has_address and (name == "local" or not address):
        raise ConfigError(f"--engine {spec}: write local, dask, ray, dask=ADDRESS or ray=ADDRESS")
    for module in (_MODULES if address else _OWN_MODULES)[name]:
        if find_spec(module) is None:
            raise ConfigError(f"--engine {name}: {module} is not installed; pip install 'roundsim[{name}]'")
    return name, address or None


@contextmanager
def started(spec: str, workers: int) -> Iterator[Engine]:
    """The engine that `spec` names: `local`, `dask`, `ray`, or `dask=ADDRESS`, `ray=ADDRESS` of one that is running.
    `workers` is how many processes are started for it; a running one has its own.

    What still runs at the end is abandoned. Raises `ConfigError` if the engine is unknown or not installed, or if
    nothing answers at the address.
    """
    name, address = read_spec(spec)
    with {"local": _local, "dask": _dask, "ray": _ray}[name](address, workers) as engine:
        _wait_for_a_worker(engine)
        yield engine


def _wait_for_a_worker(engine: Engine) -> None:
    """Waits until one of them has answered: a time bound begins then, and what cannot start says why."""
    for tries in range(TRIES_MAX):
        try:
            engine.executor.submit(ready).result()
        except engine.died as death:
            if tries == TRIES_MAX - 1:
                raise ConfigError(f"--engine {engine.name}: {death}") from None
        except Exception as error:
            raise ConfigError(
                f"--engine {engine.name}: a worker cannot run roundsim: {error}; install it there"
            ) from None
        else:
            return


@contextmanager
def _local(_address: str | None, workers: int) -> Iterator[Engine]:
    executor = LocalExecutor(workers, worker.__name__)
    try:
        yield Engine("local", executor, workers, (WorkerDied,))
    finally:
        executor.shutdown(cancel_futures=True)


@contextmanager
def _dask(address: str | None, workers: int) -> Iterator[Engine]:
    import distributed

    dask: Any = distributed  # it has no types
    spec = "dask" if address is None else f"dask={address}"
    with ExitStack() as opened:
        opened.enter_context(_without_the_cancelled())
        try:
            there = address if address is not None else opened.enter_context(_own_scheduler(workers))
            client = opened.enter_context(dask.Client(there, timeout=CONNECT_S))
        except (OSError, ValueError) as error:
            raise ConfigError(f"--engine {spec}: no scheduler answers there: {error}") from None
        width = sum(client.ncores().values())
        if not width:
            raise ConfigError(f"--engine {spec}: the scheduler has no workers; start some: dask worker {address}")
        # pure=False: a chunk that is run again after a crash is a new task, not the old one's answer
        yield Engine("dask", client.get_executor(pure=False), width, (dask.KilledWorker,))


class _Cancelled(logging.Filter):
    """Leaves out what is said of chunks that nobody waits for any longer: they were given up on purpose."""

    def filter(self, record: logging.LogRecord) -> bool:
        kind = record.exc_info[0] if record.exc_info else None
        return kind is None or "Cancelled" not in kind.__name__


@contextmanager
def _without_the_cancelled() -> Iterator[None]:
    """Dask's executor passes results on in callbacks of its loop, which logs whatever ends one."""
    loop, given_up = logging.getLogger("tornado.application"), _Cancelled()
    loop.addFilter(given_up)
    try:
        yield
    finally:
        loop.removeFilter(given_up)


def _own_scheduler(workers: int) -> Any:
    """A scheduler with workers, reached from this machine only and only with the certificate that is made for it."""
    from distributed import LocalCluster

    return LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=workers,
        threads_per_worker=1,
        dashboard_address=None,
        host=LOOPBACK,
        security=True,
        silence_logs=logging.ERROR,  # its processes starting and ending is not interesting
    )


CONNECT_S = 20
"""Seconds that a scheduler has to answer."""


@contextmanager
def _ray(address: str | None, workers: int) -> Iterator[Engine]:
    spec = "ray" if address is None else f"ray={address}"
    with private_ray(workers) if address is None else nullcontext({"address": address}) as given:
        import ray as installed

        ray: Any = installed
        lost = ray.exceptions
        try:
            ray.init(log_to_driver=False, logging_level="error", **given)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ConfigError(f"--engine {spec}: no Ray answers there: {error}") from None
        try:
            if address is None:
                check_private(ray)
            width = int(ray.cluster_resources().get("CPU", 0)) or 1
            deaths = lost.WorkerCrashedError, lost.NodeDiedError, lost.ObjectLostError, lost.OutOfMemoryError
            yield Engine("ray", _RayExecutor(ray), width, deaths)
        finally:
            ray.shutdown()


class _RayExecutor(Executor):
    """Ray's tasks with the interface of `concurrent.futures`."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        # the campaign itself runs a task again after its worker died: only it counts how often
        self._call = ray.remote(max_retries=0, num_cpus=1)(_call)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = self._call.remote(fn, args, kwargs).future()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Does nothing: what still runs ends with Ray."""


def _call(fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
    return fn(*args, **kwargs)
