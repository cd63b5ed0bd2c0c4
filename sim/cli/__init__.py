"""The command line. One module a command, imported when that command is called; no logic lives here.

What belongs here: reading arguments, choosing what to print, exit statuses.
What does not: anything that another program could want to call.
"""

from __future__ import annotations

import errno
import importlib
import io
import signal
import sys
import time
from typing import TYPE_CHECKING

STARTED = time.perf_counter()
"""When the command began, for `seconds_total`: before anything heavy is imported."""

import click  # noqa: E402

from sim.base.errors import ExitStatus, SimError, nearest  # noqa: E402

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS: dict[str, str] = {
    "run": "Run scenario files: the whole trace, what was emitted and rejected, the digest.",
    "fuzz": "Run many schedules by seed; what is found is minimised.",
    "check": "Walk every schedule within the bounds.",
    "sessions": "The campaigns that are kept, by git branch.",
    "resume": "Go on with a campaign.",
    "status": "Tokens, duplicates, replays, latency and cost of a run.",
    "new": "Make a folder with a model, a scenario and tests that pass.",
    "draw": "Draw the machines of a model.",
    "bench": "Measure what measuring costs.",
    "surface": "Compare the public surface of two source trees.",
}
"""Command name -> what it does. Each is a module of this package that defines a click command named `command`;
the words are here so that `sim --help` loads none of them."""


class _LazyGroup(click.Group):
    """Imports a command's module only when that command is asked for: `sim --help` stays fast."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS:
            ctx.fail(f"there is no command {args[0]!r}{nearest(args[0], COMMANDS)}; sim --help lists them")
        return super().resolve_command(ctx, args)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"sim.cli.{cmd_name}").command
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """As in click, which would load every command to see whether it is hidden."""
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=says) for name, says in COMMANDS.items() if name.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]


@click.command(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="roundsim", prog_name="sim")
def group() -> None:
    """Simulate, fuzz and check consensus rounds written as explicit state machines."""


def main(argv: list[str] | None = None) -> None:
    """Entry point of the console script; exits with an `ExitStatus`. Being told to end is an interrupt: what
    was found until then is kept. A character that a terminal does not have is spelt out."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(call(argv))


def call(argv: list[str] | None = None) -> int:
    """Run one command line and return its exit status; errors go to standard error, one line each."""
    try:
        status = group.main(args=argv, prog_name="sim", standalone_mode=False)
    except SimError as error:
        for mistake in error.mistakes:
            click.echo(f"sim: {mistake}", err=True)
        return ExitStatus.BAD_INPUT
    except click.ClickException as error:
        click.echo(f"sim: {error.format_message()}", err=True)
        return ExitStatus.BAD_INPUT
    except (KeyboardInterrupt, click.Abort):
        click.echo("sim: interrupted", err=True)
        return ExitStatus.INTERRUPTED
    except BrokenPipeError:
        sys.stdout = None  # the reader is gone: nothing is left to flush
        return ExitStatus.AS_EXPECTED
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        sys.stdout = None  # what could not be written is not tried again at the exit
        click.echo(f"sim: standard output cannot be written: {error.strerror}; make room for it", err=True)
        return ExitStatus.BAD_INPUT
    return int(status or 0)


_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
