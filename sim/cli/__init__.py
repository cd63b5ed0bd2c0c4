"""The command line. One module per command, imported when that command is called; no logic lives here.

What belongs here: reading arguments, choosing what to print, exit statuses.
What does not: anything that another program might call.
"""

from __future__ import annotations

import atexit
import importlib
import io
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

STARTED = time.perf_counter()
"""When the command began, for `seconds_total`: before anything heavy is imported."""

import click  # noqa: E402

from sim.base import printing  # noqa: E402
from sim.base.errors import ExitStatus, SimError, unknown  # noqa: E402
from sim.base.overdue import WATCH  # noqa: E402
from sim.base.unforeseen import is_unwritable, told  # noqa: E402
from sim.cli.terminal import wants_colour  # noqa: E402

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS: dict[str, str] = {
    "run": "Run scenario files: the whole trace, what was emitted and rejected, the digest.",
    "fuzz": "Run many schedules by seed; violations are minimised.",
    "check": "Explore every schedule within the bounds.",
    "explore": "Walk a graph by hand, in a browser.",
    "conform": "Tell whether a log is a path of a model, and if not, where and why.",
    "host": "Run the machines of a model for real: agents, a journal, artifacts.",
    "answer": "Answer a question of a hosted session.",
    "move": "Make a move in a hosted session, such as stop.",
    "sessions": "List the campaigns and hosted sessions, by git branch.",
    "resume": "Resume a campaign or a hosted session.",
    "status": "Say how a run, a session or a log stands: cost, waste, what is wrong, what next.",
    "demo": "Tell a race from nothing to its fix.",
    "doctor": "Say what is installed, and what each part is for.",
    "new": "Create a folder with a model, a scenario and tests that pass.",
    "draw": "Draw the machines of a model.",
    "bench": "Measure the overhead of measuring.",
    "surface": "Compare the public surface of two source trees.",
}
"""Command name -> what it does. Each is a module of this package that defines a click command named `command`;
the words are here so that `sim --help` loads none of them."""


class CommandGroup(click.Group):
    """Says of an unknown command what is said of any unknown name."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        names = self.list_commands(ctx)
        if args[0] not in names:
            ctx.fail(unknown("command", args[0], names))
        return super().resolve_command(ctx, args)


class _Interrupted(Exception):
    """A KeyboardInterrupt by another name."""


@contextmanager
def _without_a_blank_line() -> Iterator[None]:
    """Click prints one at a KeyboardInterrupt."""
    try:
        yield
    except KeyboardInterrupt:
        raise _Interrupted from None


class _LazyGroup(CommandGroup):
    """Imports a command's module only when that command is called: `sim --help` stays fast."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"sim.cli.{cmd_name}").command
        if signal.getsignal(signal.SIGINT) is _interrupted:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # from here on there is something to keep
        return command

    def make_context(self, *words: Any, **more: Any) -> click.Context:
        with _without_a_blank_line():
            return super().make_context(*words, **more)

    def invoke(self, ctx: click.Context) -> Any:
        with _without_a_blank_line():
            return super().invoke(ctx)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Click would load every command to see whether it is hidden."""
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=says) for name, says in COMMANDS.items() if name.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]


def _version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Which version this is, and whether it walks natively."""
    if wanted:
        from importlib.metadata import version

        from sim.native import missing

        printing.out(f"sim, version {version('roundsim')}; {missing() or 'with its native extension'}")
        context.exit()


@click.command(cls=_LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version and exit."
)
@click.pass_context
def group(context: click.Context) -> None:
    """Simulate, fuzz and check consensus rounds written as explicit state machines. Without a command: what to try
    first."""
    if context.invoked_subcommand is None:
        from sim.cli.welcome import welcome

        welcome()


def main(argv: list[str] | None = None) -> None:
    """Entry point of the console script; exits with an `ExitStatus`. A termination signal is an interrupt: what was
    found until then is kept. A character that the terminal cannot show is escaped."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")
    heeded = callable(signal.getsignal(signal.SIGINT))  # neither ignored nor unknown
    if heeded:
        signal.signal(signal.SIGINT, _interrupted)
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)  # the last there: Python then takes handlers away
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy would take memory and threads for what we never do
    status = call(argv)
    exec("")  # noqa: S102  # else Python dies of an interrupt that came up in a text that is run, as of a dataclass, and was caught
    if heeded:
        signal.signal(signal.SIGINT, lambda *_: os._exit(status))  # the answer is out
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except OSError:
        sys.stderr = None  # it is full: Python would try again at exit, and call that a failure
    sys.exit(status)


def _interrupted(*_: object) -> None:
    """While modules are being loaded an exception could end up anywhere, and there is nothing to keep."""
    try:
        os.write(2, b"sim: interrupted\n")
    finally:  # standard error may be closed
        os._exit(ExitStatus.INTERRUPTED)


def call(argv: list[str] | None = None) -> int:
    """Run one command line and return its exit status; errors go to standard error, one line each."""
    WATCH.ended = ""
    printing.LOOK.coloured = wants_colour()
    try:
        status = group.main(args=argv, prog_name="sim", standalone_mode=False)
    except SimError as error:
        return _end(ExitStatus.BAD_INPUT, *error.mistakes)
    except click.ClickException as error:
        if isinstance(error, _HELP):
            printing.err(*f"sim: {error.format_message()}".split("\n"))
            return ExitStatus.BAD_INPUT
        return _end(ExitStatus.BAD_INPUT, error.format_message())
    except (KeyboardInterrupt, _Interrupted, click.Abort):
        if WATCH.ended:
            return _ended()
        printing.err("sim: interrupted")
        return ExitStatus.INTERRUPTED
    except BrokenPipeError:
        sys.stdout = None  # the reader is gone: there is nothing to flush
        return ExitStatus.AS_EXPECTED
    except SystemExit:  # click's own, where it completes words
        raise
    except BaseException as error:  # whatever nobody has foreseen below
        if sys.flags.dev_mode or isinstance(error, SystemExit):  # completion of a shell ends that way
            raise
        return _end(*_unforeseen(error))
    finally:
        WATCH.stop()
    return _ended() if WATCH.ended else int(status or 0)


def _end(status: ExitStatus, *mistakes: str) -> int:
    """The end of a command that failed: what is wrong, one line each."""
    printing.err(*(f"sim: {mistake}" for mistake in mistakes))
    return status


def _ended() -> int:
    """A handler ran for too long."""
    return _end(ExitStatus.INCOMPLETE, f"incomplete: {WATCH.ended}")


def _unforeseen(error: BaseException) -> tuple[ExitStatus, str]:
    if is_unwritable(error):
        sys.stdout = None  # do not retry at exit what could not be written
    status, line = told(error)
    return status, f"incomplete: {line}" if status is ExitStatus.INCOMPLETE else line


_HELP: Any = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""A command without its arguments, in newer versions of click: the message is the whole help."""
