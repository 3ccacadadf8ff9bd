"""Console script: ``surrogacy fit ...`` is ``python -m surrogacy.fit ...``, and ``surrogacy pps`` likewise."""

from __future__ import annotations

import sys


def main() -> int:
    """Dispatch to a command."""
    from surrogacy.cli.fit import main as fit

    command, *arguments = sys.argv[1:] or ["--help"]
    if command == "fit":
        return fit(arguments)
    if command == "pps":
        from surrogacy.cli.pps import main as pps

        return pps(arguments, program="surrogacy pps")
    if command == "template":
        from surrogacy.cli.template import main as template

        return template(arguments)
    return fit(sys.argv[1:] or ["--help"], program="surrogacy fit")


if __name__ == "__main__":
    sys.exit(main())
