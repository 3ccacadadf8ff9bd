"""Console script: ``surrogacy COMMAND ...``; each command is a module of `surrogacy.cli` with a function ``main``."""

from __future__ import annotations

import sys
from importlib import import_module

from surrogacy.results.suggestions import did_you_mean

COMMANDS = {
    "fit": "fit surrogacy models to analysis sets, or to your own table",
    "pps": "decompose the effect on survival into progression and post-progression survival",
    "template": "write a table to fill in with your trials",
    "add": "curate a trial into a copy of the trial tables",
    "export": "write an analysis set for metafor, meta, RevMan or mvmeta",
    "cite": "write the references of an analysis set",
    "simulate": "simulate trials, and report the coverage of every interval",
}


def main() -> int:
    """Dispatch to a command.

    A first argument that is neither a command nor similar to one belongs to ``fit``: ``surrogacy intermediate``.
    """
    command, *arguments = sys.argv[1:] or ["--help"]
    if command in ("-h", "--help"):
        sys.stdout.write(_help())
        return 0
    if command in COMMANDS:
        return _run(command, arguments)
    if hint := did_you_mean(command, tuple(COMMANDS)):
        sys.stderr.write(f"error: there is no command {command!r}; {hint}\n")
        return 2
    return _run("fit", sys.argv[1:])


def _run(command: str, arguments: list[str]) -> int:
    return int(import_module(f"surrogacy.cli.{command}").main(arguments, program=f"surrogacy {command}"))


def _help() -> str:
    width = max(map(len, COMMANDS))
    commands = "\n".join(f"  {name:<{width}}  {purpose}" for name, purpose in COMMANDS.items())
    return (
        f"usage: surrogacy COMMAND [OPTION ...]\n\nCommands:\n{commands}\n\n"
        "surrogacy COMMAND --help explains the options of a command.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
