"""Decompositions on the short screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from surrogacy.analysis.pps_run import PpsRun
from surrogacy.pps.decomposition import Decomposition
from surrogacy.pps.gap_scenarios import DilutionRange
from surrogacy.pps.trial_summary import TrialSummary
from surrogacy.report.captions import versions
from surrogacy.report.section import BLANK, Detail, Entry, Grid, Heading, Note, Record, text
from surrogacy.results.format import number, share_with_interval, shares_interval, with_interval
from surrogacy.results.labels import OS_HAZARD_RATIOS

P_LIMIT = 0.05


def answer(run: PpsRun, main: Decomposition) -> Iterator[Detail]:
    """Return the parts of the gap of the trial in focus, and a table of the scenarios."""
    endpoint = endpoint_name([main.inputs])
    yield Heading(text("decomposition_title", name=main.inputs.name, endpoint=endpoint), versions(run.trials))
    ratios = {key: number(main.hazard_ratios[key].value) for key in OS_HAZARD_RATIOS}
    split = split_line(main, run.dilution_range)
    yield Note(text("decomposition_answer", endpoint=main.inputs.endpoint, split=split, **ratios))
    yield BLANK
    effect, ratio = f"{endpoint} effect, calibration", f"{endpoint} HR"
    headings = (effect, ratio, "OS HR: equal PPS", "with PPS difference", "Dilution of the gap")
    rows = [
        (
            f"{scenario.calibration.scenario}, {scenario.calibration.name}",
            *(number(scenario.hazard_ratios[key].value) for key in ("pfs", "equal", "model")),
            share_with_interval(scenario.shares["dilution"]),
        )
        for scenario in run.decompositions
    ]
    yield Grid(headings, tuple(rows), compact=True)
    observed = with_interval(main.hazard_ratios["observed"])
    key = "structures_footnote" if run.settings.structure.is_default else "structures_footnote_other"
    structures = text(key) if run.dilution_range else ""
    yield Note(text("decomposition_answer_footnote", observed=observed, structures=structures).rstrip())
    yield BLANK


def endpoint_name(trials: Sequence[TrialSummary]) -> str:
    """Return ``PFS``, ``TTP``, or ``PFS or TTP`` if some trials report only TTP."""
    kinds = {"TTP" if trial.endpoint == "TTP" else "PFS" for trial in trials}
    return " or ".join(sorted(kinds))


def split_line(decomposition: Decomposition, structures: DilutionRange | None) -> str:
    """Return the share of dilution in the gap, or that the data do not identify it."""
    keys = ("decomposition_not_identified", "dilution_range")
    if decomposition.identified:
        keys = ("decomposition_identified", "dilution_range_identified")
    shares = {name: share_with_interval(share) for name, share in decomposition.shares.items()}
    others = "" if structures is None else text(keys[1], span=shares_interval(structures.low, structures.high))
    return text(keys[0], patients=sum(decomposition.inputs.n), structures=others, **shares)


def every_trial_answer(decompositions: Sequence[Decomposition]) -> tuple[Entry, ...]:
    """Return the numbers of residuals that differ from 0 and of identified splits over all trials."""
    if not decompositions:
        return ()
    counts = residual_p_record(decompositions)
    numbers = {
        "size": len(decompositions),
        "identified": sum(decomposition.identified for decomposition in decompositions),
        "below": counts["below_0.05"],
        "expected": number(counts["expected_below_0.05"], 0),
    }
    return (Entry("All trials", text("every_answer", **numbers)),)


def residual_p_record(decompositions: Sequence[Decomposition]) -> Record:
    """Return the numbers of p-values of residuals, of those below 0.05, and of those expected below it by chance."""
    below = sum(decomposition.p_residual < P_LIMIT for decomposition in decompositions)
    size = len(decompositions)
    return {"tests": size, "below_0.05": below, "expected_below_0.05": P_LIMIT * size}
