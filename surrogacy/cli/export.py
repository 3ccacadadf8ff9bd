"""Command line: ``surrogacy export SET --format metafor|meta|revman|mvmeta``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from surrogacy.cli.options import new_set_command, path_of
from surrogacy.cli.shared_options import SHARED_PATIENTS, add_information, add_rho_within, pairing_of
from surrogacy.cli.streams import result_stream, warn
from surrogacy.cli.terminal import run_command, warn_of_data
from surrogacy.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from surrogacy.effects import Effects

FORMAT_NAMES = ("metafor", "meta", "revman", "mvmeta")
EXAMPLES = {
    "intermediate --format metafor": "intermediate-metafor.csv, its covariance matrix and an R script",
    "advanced --format meta --shared-control combine": "one row per control arm, for a program without covariances",
    "intermediate --format revman --add my_trials.csv --out mine.csv": "a set with my trials, for RevMan",
}


def parser(program: str = "surrogacy export") -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    command, group = new_set_command(
        program,
        "Writes the paired hazard ratios of an analysis set for another program: log hazard ratios with 17 "
        "significant digits, their variances and covariances, and a script that fits the corresponding model.",
        EXAMPLES,
    )
    add_rho_within(group)
    group = command.add_argument_group("Output")
    group.add_argument(
        "--format",
        required=True,
        choices=FORMAT_NAMES,
        help="metafor: R package, one row per hazard ratio and the covariance matrix of all; meta: R package, each "
        "endpoint on its own; revman: Review Manager, generic inverse variance; mvmeta: Stata, one row per comparison",
    )
    group.add_argument("--out", metavar="FILE", help="CSV file, which must not exist yet (default SET-FORMAT.csv)")
    add_information(group)
    return command


def main(arguments: Sequence[str] | None = None, program: str = "surrogacy export") -> int:
    """Run the command line, and return the exit code; see `surrogacy.cli.fit.main` for the parameters."""
    return run_command(parser(program), _run, arguments)


def _run(options: argparse.Namespace, _: Sequence[str]) -> ExitCode:
    from surrogacy.output.new_files import write_new_files
    from surrogacy.pps.shared_patients import set_with_shared_patients
    from surrogacy.report.exports.formats import FORMATS, REQUIRED, export_texts
    from surrogacy.results.requirements import left_out_sentence, split_by_requirements
    from surrogacy.trials import read_trials
    from surrogacy.trials.columns import SURROGATES

    (name,) = options.sets
    path = Path(options.out or f"{name}-{options.format}.csv")
    if path.suffix.lower() != ".csv":
        raise UsageError(f"--out {path}: the table is written as CSV; give a name that ends with .csv")
    pairing = pairing_of(options)
    trials = read_trials(path_of(options.trials), path_of(options.add))
    warn_of_data(trials, quiet=False)
    surrogates = pairing.surrogates or SURROGATES
    analysis_set = trials.analysis_set_with_flow(name, replace(pairing, surrogates=surrogates))
    if options.rho_within == SHARED_PATIENTS:
        analysis_set = set_with_shared_patients(trials, analysis_set)
    paired = analysis_set.effects
    part = split_by_requirements(paired, REQUIRED)
    omitted = left_out_sentence(part.left_out, len(paired))
    if not len(part.effects):
        raise UsageError(f"{name}: {omitted}")
    effects = part.effects
    if omitted:
        warn(f"{name}: {omitted}")
    unpaired = [entry.label for entry in analysis_set.surrogate_only if entry.comparison not in effects.comparison]
    if unpaired:
        warn(f"{name}: without a final effect, and therefore not in the file: {', '.join(unpaired)}")
    groups = {group for group in effects.control_group if effects.control_group.count(group) > 1} - {""}
    if groups and not FORMATS[options.format].between_comparisons:
        warn(
            f"{name}: {FORMATS[options.format].program} takes no covariance between comparisons; those that "
            f"share a control arm ({', '.join(sorted(groups))}) would count it twice. Remedy: --shared-control "
            "combine, or --format metafor"
        )
    description = _description(effects, options.shared_control)
    texts = export_texts(effects, options.format, path.stem, description)
    write_new_files(path.parent, texts)
    with result_stream():
        print("\n".join(description))
        print("Files:", ", ".join(str(path.parent / name) for name in texts))
    return ExitCode.OK


def _description(effects: Effects, shared_control: str) -> list[str]:
    """Return the set, its choices and its caveats as lines."""
    from surrogacy.results.endpoint_names import final_name, surrogate_names
    from surrogacy.results.format import assumed_correlation

    assumed = assumed_correlation(effects).removesuffix(" (assumed)")
    correlation = f"; within-trial correlation {assumed} where none is reported" if assumed else ""
    shared = f"; shared control arms: {shared_control}" if any(effects.control_group) else ""
    first = (
        f"{effects.name}: {len(effects)} comparisons of {len(effects.trials)} trials; surrogate "
        f"{', '.join(surrogate_names(effects))}; final endpoint {final_name(effects)}{correlation}{shared}"
    )
    return [first, *(caveat.text for caveat in effects.caveats)]
