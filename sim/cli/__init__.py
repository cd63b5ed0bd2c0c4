"""The command line. One module per command, imported when that command is called; no logic lives here.

What belongs here: reading arguments, choosing what to print, exit statuses.
What does not: anything that another program might call.
"""

from __future__ import annotations

import errno
import importlib
import io
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

STARTED = time.perf_counter()
"""When the command began, for `seconds_total`: before anything heavy is imported."""

import click  # noqa: E402

from sim.base import printing  # noqa: E402
from sim.base.errors import ExitStatus, SimError, unknown  # noqa: E402
from sim.base.overdue import WATCH  # noqa: E402

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS: dict[str, str] = {
    "run": "Run scenario files: the whole trace, what was emitted and rejected, the digest.",
    "fuzz": "Run many schedules by seed; violations are minimised.",
    "check": "Explore every schedule within the bounds.",
    "conform": "Tell whether a log is a path of a model, and if not, where and why.",
    "sessions": "List the campaigns that are kept, by git branch.",
    "resume": "Resume a campaign.",
    "status": "Show the tokens, duplicates, replays, latency and cost of a run.",
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


class _LazyGroup(CommandGroup):
    """Imports a command's module only when that command is called: `sim --help` stays fast."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"sim.cli.{cmd_name}").command
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Click would load every command to see whether it is hidden."""
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=says) for name, says in COMMANDS.items() if name.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]


@click.command(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="roundsim", prog_name="sim")
def group() -> None:
    """Simulate, fuzz and check consensus rounds written as explicit state machines."""


def main(argv: list[str] | None = None) -> None:
    """Entry point of the console script; exits with an `ExitStatus`. A termination signal is an interrupt: what was
    found until then is kept. A character that the terminal cannot show is escaped."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    status = call(argv)
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except OSError:
        sys.stderr = None  # it is full: Python would try again at exit, and call that a failure
    sys.exit(status)


def call(argv: list[str] | None = None) -> int:
    """Run one command line and return its exit status; errors go to standard error, one line each."""
    try:
        status = group.main(args=argv, prog_name="sim", standalone_mode=False)
    except SimError as error:
        printing.err(*(f"sim: {mistake}" for mistake in error.mistakes))
        return ExitStatus.BAD_INPUT
    except click.ClickException as error:
        text = f"sim: {error.format_message()}"
        printing.err(*(text.split("\n") if isinstance(error, _HELP) else [text]))
        return ExitStatus.BAD_INPUT
    except (KeyboardInterrupt, click.Abort):
        if WATCH.ended:
            return _ended()
        printing.err("sim: interrupted")
        return ExitStatus.INTERRUPTED
    except BrokenPipeError:
        sys.stdout = None  # the reader is gone: there is nothing to flush
        return ExitStatus.AS_EXPECTED
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        sys.stdout = None  # do not retry at exit what could not be written
        printing.err(f"sim: standard output cannot be written: {error.strerror}; free some space")
        return ExitStatus.BAD_INPUT
    finally:
        WATCH.stop()
    return _ended() if WATCH.ended else int(status or 0)


def _ended() -> int:
    """A handler ran for too long."""
    printing.err(f"sim: incomplete: {WATCH.ended}")
    return ExitStatus.INCOMPLETE


_HELP: Any = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""A command without its arguments, in newer versions of click: the message is the whole help."""
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
