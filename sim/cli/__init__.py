"""The command line. One module a command, imported when that command is called; no logic lives here.

What belongs here: reading arguments, choosing what to print, exit statuses.
What does not: anything that another program could want to call.
"""

from __future__ import annotations

import errno
import importlib
import signal
import sys
import time

STARTED = time.perf_counter()
"""When the command began, for `seconds_total`: before anything heavy is imported."""

import click  # noqa: E402

from sim.errors import ExitStatus, SimError  # noqa: E402

COMMANDS: dict[str, str] = {
    name: name for name in ("run", "fuzz", "check", "sessions", "resume", "status", "bench", "surface")
}
"""Command name -> module of this package that defines a click command named `command`."""


class _LazyGroup(click.Group):
    """Imports a command's module only when that command is asked for: `sim --help` stays fast."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"sim.cli.{COMMANDS[cmd_name]}")
        command: click.Command = module.command
        return command


@click.command(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="roundsim", prog_name="sim")
def group() -> None:
    """Simulate, fuzz and check consensus rounds written as explicit state machines."""


def main(argv: list[str] | None = None) -> None:
    """Entry point of the console script; exits with an `ExitStatus`. Being told to end is an interrupt: what
    was found until then is kept."""
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
