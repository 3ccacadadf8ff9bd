"""Command line: ``surrogacy cite SET --format bibtex|ris|csl-json|vancouver``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from surrogacy.cli.options import new_set_command, path_of
from surrogacy.cli.shared_options import DEFAULT_RHO_WITHIN, add_information, pairing_of
from surrogacy.cli.streams import result_stream, warn
from surrogacy.cli.terminal import run_command, warn_of_data
from surrogacy.errors import ExitCode

FORMAT_NAMES = ("bibtex", "ris", "csl-json", "vancouver")
EXAMPLES = {
    "intermediate --format vancouver": "numbered references of the trials, to paste into a paper",
    "advanced --format ris --out advanced.ris": "the same for a reference manager",
}


def parser(program: str = "surrogacy cite") -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    command, _ = new_set_command(
        program,
        "Writes the publications of the hazard ratios of an analysis set. Sources in which values were read, if these "
        "are not the publications, are added with --read.",
        EXAMPLES,
    )
    group = command.add_argument_group("Output")
    group.add_argument(
        "--format",
        required=True,
        choices=FORMAT_NAMES,
        help="bibtex: for LaTeX; ris: for EndNote and other reference managers; csl-json: for Zotero and pandoc; "
        "vancouver: numbered list",
    )
    group.add_argument("--read", action="store_true", help="add the texts in which values were read")
    group.add_argument("--out", metavar="FILE", help="new file (default: the references are printed)")
    add_information(group)
    command.set_defaults(rho_within=DEFAULT_RHO_WITHIN)  # the references do not depend on it
    return command


def main(arguments: Sequence[str] | None = None, program: str = "surrogacy cite") -> int:
    """Run the command line, and return the exit code; see `surrogacy.cli.fit.main` for the parameters."""
    return run_command(parser(program), _run, arguments)


def _run(options: argparse.Namespace, _: Sequence[str]) -> ExitCode:
    from dataclasses import replace

    from surrogacy.output.new_files import write_new_files
    from surrogacy.report.paper.bibliography import FORMATS
    from surrogacy.report.paper.trial_sources import trial_sources
    from surrogacy.trials import read_trials
    from surrogacy.trials.columns import SURROGATES

    (name,) = options.sets
    pairing = pairing_of(options)
    trials = read_trials(path_of(options.trials), path_of(options.add))
    warn_of_data(trials, quiet=False)
    pairing = replace(pairing, surrogates=pairing.surrogates or SURROGATES)
    sources = trial_sources(trials, [trials.analysis_set_with_flow(name, pairing).effects])
    references = [*sources.published, *(sources.read_only if options.read else ())]
    for source in sources.without_reference:
        named = ", ".join(filter(None, source.missing)) or "no source is named"
        warn(f"{name}: {source.label} has no reference in sources.bib ({named})")
    if unchecked := sum(reference.unchecked for reference in references):
        warn(f"{name}: the details of {unchecked} of {len(references)} references were not read in the publication")
    text = FORMATS[options.format](references)
    if options.out is None:
        with result_stream():
            print(text, end="")
        return ExitCode.OK
    path = Path(options.out)
    write_new_files(path.parent, {path.name: text})
    with result_stream():
        print(f"{len(references)} references: {path}")
    return ExitCode.OK
