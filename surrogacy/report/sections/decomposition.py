"""Decomposition of the gap between PFS and OS effect, for the trial in focus and for every trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from surrogacy.analysis.fit_run import FitRun
from surrogacy.analysis.pps_run import PpsRun
from surrogacy.pps.decomposition import Decomposition, main_decomposition
from surrogacy.pps.gap_scenarios import of_scenario
from surrogacy.pps.structure import TransitionStructure
from surrogacy.pps.trial_summary import TrialSummary
from surrogacy.report.captions import caption_of
from surrogacy.report.section import (
    BLANK,
    Cell,
    Detail,
    Drawing,
    Grid,
    Heading,
    Note,
    Section,
    Table,
    drawing,
    phrase,
    table,
    text,
)
from surrogacy.report.sections.decomposition_answer import answer, endpoint_name, every_trial_answer, residual_p_record
from surrogacy.results.format import months, number, percent, share_with_interval, with_interval
from surrogacy.results.labels import GAP_PARTS, OS_HAZARD_RATIOS

PANELS = 4  # decompositions of the trial in focus in one waterfall
CURVES = 2  # calibrations whose hazard ratio is drawn over time


def section(run: PpsRun) -> Section:
    """Return the decompositions of the trial in focus."""
    main = run.main
    tables: tuple[Table, ...] = ()
    if run.decompositions and run.focus is not None:
        title = f"From the effect on {run.focus.endpoint} to that on OS: {run.focus.name}"
        note = residual_p_note(run.every_trial)
        tables = decomposition_table("decomposition", title, run.decompositions, note)
        tables += _direct_death_table(run) + _structure_table(run, run.focus)
    return Section(
        key="decomposition",
        answer=() if main is None else tuple(answer(run, main)),
        details=() if main is None else tuple(_details(run, main)),
        tables=tables,
        record={
            "focus": None if run.focus is None else run.focus.comparison,
            "decompositions": [decomposition.record for decomposition in run.decompositions],
            "by_direct_death": [asdict(scenario) for scenario in run.by_direct_death],
            "by_structure": [scenario.record for scenario in run.by_structure],
            "dilution_over_structures": run.dilution_range and asdict(run.dilution_range),
        },
        prose="" if main is None else f"{main.words}\n",
    )


def every_trial_section(run: PpsRun) -> Section:
    """Return one decomposition per trial whose medians allow it, and the reasons why others have none."""
    title = "Every trial whose medians allow it"
    refused = [{"comparison": comparison, "why": why} for comparison, why in run.not_decomposed.items()]
    labels = dict(zip(run.trials.trials["comparison"], run.trials.trials["label"], strict=True))
    tables: tuple[Table, ...] = ()
    if run.every_trial:
        tables = (
            *decomposition_table("every_trial", title, run.every_trial, residual_p_note(run.every_trial)),
            *table("not_decomposed", refused, labels=labels),
        )
    return Section(
        key="every_trial",
        answer=every_trial_answer(run.every_trial),
        details=(BLANK, Heading(f"{title} ({len(run.every_trial)})"), _every_grid(run.every_trial)),
        tables=tables,
        record={
            "every_trial": [decomposition.record for decomposition in run.every_trial],
            "residual_p_values": residual_p_record(run.every_trial),
            "not_decomposed": dict(run.not_decomposed),
        },
    )


def focus_section(run: FitRun) -> Section:
    """Return the decompositions of the comparisons in focus, for the document of a fit."""
    records = [
        {**decomposition.record, "dilution_over_structures": ranges and asdict(ranges)}
        for decomposition in run.decompositions
        for ranges in (run.dilution_ranges.get(decomposition.inputs.comparison),)
    ]
    return Section(key="pps", record={"pps": records[0] if records else None, "pps_comparisons": records})


def _details(run: PpsRun, main: Decomposition) -> Iterator[Detail]:
    """Return a table with one row per scenario, and the remarks on the main one."""
    endpoint = endpoint_name([main.inputs])
    headings = (
        f"{endpoint} effect, calibration",
        f"HR {endpoint}",
        "OS HR, equal PPS",
        "OS HR, PPS as calibrated",
        *(f"{name.capitalize()}, log HR" for name in GAP_PARTS),
    )
    observed, equal = main.hazard_ratios["observed"], main.equal_pps
    needed = "none" if equal.needed is None else f"{number(equal.needed, 0)} months"
    yield Heading(f"{main.inputs.name}: from the effect on {main.inputs.endpoint} to that on OS")
    caption = text("decomposition_screen_caption", observed=with_interval(observed, 3))
    yield Grid(headings, tuple(map(_row, run.decompositions)), caption=caption)
    yield from (Note(problem, warning=True) for problem in main.problems)
    yield Note(
        text(
            "equal_pps",
            label=main.calibration.label,
            none=number(equal.none, 3),
            endless=number(equal.endless, 3),
            complete=number(equal.endless_complete, 3),
            needed=needed,
            observed=number(observed.value, 3),
        )
    )
    if run.dilution_range:
        yield _structure_grid(run, main)


def _structure_grid(run: PpsRun, main: Decomposition) -> Grid:
    """Return the OS hazard ratio with equal PPS and the share of dilution, by structure of the hazards."""
    rows = tuple(
        (
            _effect_on_deaths(scenario.structure, main.inputs),
            f"{scenario.structure.shape:g}",
            number(scenario.point.equal, 3),
            percent(scenario.point.dilution),
        )
        for scenario in of_scenario(run.by_structure, main.calibration)
    )
    caption = text("structures_caption", label=main.calibration.label)
    headings = ("HR of death without progression", "Weibull shape", "OS HR, equal PPS", "Dilution of the gap")
    return Grid(headings, rows, caption=caption)


def _effect_on_deaths(structure: TransitionStructure, trial: TrialSummary) -> str:
    """Return the hazard ratio of death without progression."""
    return f"as {endpoint_name([trial])}" if structure.hr_direct_death is None else f"{structure.hr_direct_death:g}"


def _model_pps(decomposition: Decomposition) -> str:
    return " / ".join(number(value, 1) for value in decomposition.calibration.median_pps)


def _row(decomposition: Decomposition) -> tuple[str | Cell, ...]:
    calibration, effects, shares = decomposition.calibration, decomposition.effects, decomposition.shares
    scenario = Cell(f"{calibration.scenario}, {calibration.name}", f"model PPS {_model_pps(decomposition)} months")
    ratios = (number(decomposition.hazard_ratios[key].value, 3) for key in ("pfs", "equal", "model"))
    parts = (Cell(with_interval(effects[key]), share_with_interval(shares[key])) for key in GAP_PARTS)
    return (scenario, *ratios, *parts)


def summary_line(decomposition: Decomposition) -> str:
    """Return one line on a comparison in focus for the report of a fit."""
    ratios = {key: number(decomposition.hazard_ratios[key].value, 3) for key in OS_HAZARD_RATIOS}
    return text(
        "summary",
        label=decomposition.calibration.label,
        endpoint=decomposition.inputs.endpoint,
        **ratios,
        parts=decomposition.parts_in_words,
        identified="" if decomposition.identified else " The split is not identified",
    )


def _every_grid(decompositions: Sequence[Decomposition]) -> Grid:
    """Return one line per trial; the table of the folder has the intervals."""
    rows = [
        (
            decomposition.inputs.name,
            decomposition.inputs.endpoint,
            *(number(decomposition.hazard_ratios[key].value) for key in OS_HAZARD_RATIOS),
            number(decomposition.p_residual),
        )
        for decomposition in decompositions
    ]
    caption = text(
        "every_caption",
        residual_p=residual_p_note(decompositions),
        unclear=sum(not decomposition.identified for decomposition in decompositions),
        size=len(decompositions),
    )
    headings = ("Trial", "Endpoint", "HR", "OS HR: equal PPS", "PPS as calibrated", "observed", "p of the residual")
    return Grid(headings, tuple(rows), caption=caption)


def residual_p_note(decompositions: Sequence[Decomposition]) -> str:
    """Return the meaning of the p-value of a residual, with the number of such p-values."""
    counts = residual_p_record(decompositions)
    expected = number(counts["expected_below_0.05"])
    return text("residual_p_note", tests=counts["tests"], expected=expected, below=counts["below_0.05"])


def decomposition_table(
    name: str, title: str, decompositions: Sequence[Decomposition], residual_p: str
) -> tuple[Table, ...]:
    """Return a table of decompositions: hazard ratios, parts of the gap and their shares, with intervals."""
    cells = [_printed_cells(decomposition) for decomposition in decompositions]
    endpoint = endpoint_name([decomposition.inputs for decomposition in decompositions])
    problems = dict.fromkeys(
        f"{decomposition.inputs.name}: {problem}"
        for decomposition in decompositions
        for problem in decomposition.problems
    )
    return table(
        name,
        [{**decomposition.record, **row} for decomposition, row in zip(decompositions, cells, strict=True)],
        layout="decomposition",
        formats={"pps_needed": months},
        print_only=cells[0],
        title=title,
        endpoint=endpoint,
        start=f"{endpoint} HR{' (PPS → 0)' if endpoint == 'PFS' else ''}",
        structure=decompositions[0].calibration.structure.describe(endpoint),
        method=decompositions[0].effects["gap"].method,
        residual_p=residual_p,
        problems=". ".join(problems),
    )


def _printed_cells(decomposition: Decomposition) -> dict[str, str]:
    """Return the cells of the printed table that combine numbers."""
    equal = decomposition.equal_pps
    return {
        "trial": decomposition.inputs.name,
        "scenario": decomposition.calibration.scenario + (" of TTP" if decomposition.inputs.endpoint == "TTP" else ""),
        "model_pps": _model_pps(decomposition),
        **{f"ratio_{key}": with_interval(decomposition.hazard_ratios[key], 3) for key in OS_HAZARD_RATIOS},
        **{f"part_{key}": with_interval(decomposition.effects[key]) for key in GAP_PARTS},
        **{f"of_{key}": share_with_interval(decomposition.shares[key]) for key in GAP_PARTS},
        "split": "yes" if decomposition.identified else "no",
        "endless": f"{number(equal.endless, 3)}; {number(equal.endless_complete, 3)}",
    }


def _direct_death_table(run: PpsRun) -> tuple[Table, ...]:
    label = run.main.calibration.label if run.main else "calibration M, first PFS effect of the table of decompositions"
    records = [asdict(scenario) for scenario in run.by_direct_death]
    return table("direct_death", records, label=f"{label[0].upper()}{label[1:]}")


def _structure_table(run: PpsRun, trial: TrialSummary) -> tuple[Table, ...]:
    records = [
        {
            **scenario.record,
            "scenario": scenario.calibration.scenario,
            "model_pps": " / ".join(number(value, 1) for value in scenario.calibration.median_pps),
            "effect_on_deaths": _effect_on_deaths(scenario.structure, trial),
            "shape_of_exits": f"{scenario.structure.shape:g}",
        }
        for scenario in run.by_structure
    ]
    label = text("ttp_only") if trial.endpoint == "TTP" else ""
    return table(
        "structure",
        records,
        print_only=("scenario", "model_pps", "effect_on_deaths", "shape_of_exits"),
        trial=trial.name,
        endpoint=endpoint_name([trial]),
        label=label,
    )


def by_hazard_ratio(run: PpsRun) -> list[Decomposition]:
    """Return the decompositions of the trial in focus whose PFS effect is a hazard ratio."""
    return [decomposition for decomposition in run.decompositions if decomposition.calibration.pfs == "hazard-ratio"]


def waterfall_drawings(run: PpsRun) -> Iterator[Drawing]:
    """Return the waterfall from the PFS effect of the trial in focus to its OS effect, and the other calibrations."""
    drawn = by_hazard_ratio(run)[:PANELS]
    if not drawn:
        return
    main = main_decomposition(drawn) or drawn[0]
    name = f"waterfall-{main.inputs.comparison}"
    yield _waterfall(name, main, [main])
    others = [decomposition for decomposition in drawn if decomposition is not main]
    if others:
        yield _waterfall(f"{name}-supplement", main, others)


def _waterfall(name: str, main: Decomposition, drawn: list[Decomposition]) -> Drawing:
    calibrations = [decomposition.calibration for decomposition in drawn]
    scenarios = [text("waterfall_one", scenario=each.scenario, words=each.words) for each in calibrations]
    shown = text(
        "waterfall",
        trial=main.inputs.name,
        endpoint=main.inputs.endpoint,
        scenarios=scenarios[0] if len(scenarios) == 1 else text("waterfall_several"),
        identified="" if all(decomposition.identified for decomposition in drawn) else text("waterfall_not_identified"),
    )
    details = text(
        "waterfall_details",
        structure=main.calibration.structure.describe(endpoint_name([main.inputs])),
        method=main.effects["gap"].method,
        label=main.calibration.label,
    )
    first = drawn[0]
    parts = ", ".join(f"{part} {percent(first.shares[part].value)} of the gap" for part in GAP_PARTS)
    alternative = phrase(
        "alternative_texts",
        "waterfall",
        endpoint=main.inputs.endpoint,
        trial=main.inputs.name,
        pfs=number(first.hazard_ratios["pfs"].value),
        observed=number(first.hazard_ratios["observed"].value),
        scenarios=f"first of {len(drawn)} calibrations" if len(drawn) > 1 else first.calibration.scenario,
        parts=parts,
    )
    caption = caption_of([shown], [*map(_shares_of_gap, drawn), details], main.problems, "Note")
    return drawing("waterfall", name, caption, drawn, alternative=alternative)


def _shares_of_gap(decomposition: Decomposition) -> str:
    shares = ", ".join(f"{part} {share_with_interval(decomposition.shares[part])}" for part in GAP_PARTS)
    return text("waterfall_shares", shares=shares, label=decomposition.calibration.label)
