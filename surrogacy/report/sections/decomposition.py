"""Decomposition: the way from the PFS effect of a trial to its OS effect, of the trial in focus and of every trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial

from surrogacy.analysis.fit_run import FitRun
from surrogacy.analysis.pps_run import PpsRun
from surrogacy.pps.decomposition import Decomposition, main_decomposition
from surrogacy.report.captions import sentences
from surrogacy.report.section import (
    BLANK,
    Cell,
    Column,
    Detail,
    Drawing,
    Grid,
    Heading,
    Note,
    Section,
    Table,
    columns,
    drawing,
    record_table,
    table,
    text,
)
from surrogacy.report.sections.decomposition_answer import answer, every_trial_answer, residual_p_record
from surrogacy.results.format import months, number, share_with_interval, with_interval
from surrogacy.results.labels import GAP_PARTS, OS_HAZARD_RATIOS

RESIDUAL_P = "p of the residual (two-sided)"
PANELS = 4  # decompositions of the trial in focus in one waterfall
CURVES = 2  # calibrations whose hazard ratio is drawn over time


def section(run: PpsRun) -> Section:
    """Return the decompositions of the trial in focus."""
    main = run.main
    tables: tuple[Table, ...] = ()
    if run.decompositions and run.focus is not None:
        title = f"From the effect on {run.focus.endpoint} to that on OS: {run.focus.name}"
        note = residual_p_note(run.every_trial)
        tables = decomposition_table("decomposition", title, run.decompositions, note) + _direct_death_table(run)
    details = () if main is None else (*_details(run, main), *_warnings(main.problems), Note(_equal_pps(main)))
    return Section(
        key="decomposition",
        answer=() if main is None else answer(run, main),
        details=details,
        tables=tables,
        record={
            "focus": None if run.focus is None else run.focus.comparison,
            "decompositions": list(map(decomposition_record, run.decompositions)),
            "by_direct_death": [asdict(scenario) for scenario in run.by_direct_death],
        },
        prose="" if main is None else f"{main.words}\n",
    )


def every_trial_section(run: PpsRun) -> Section:
    """Return one decomposition of every trial whose medians allow it, and why the others have none."""
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
            "every_trial": list(map(decomposition_record, run.every_trial)),
            "residual_p_values": residual_p_record(run.every_trial),
            "not_decomposed": dict(run.not_decomposed),
        },
    )


def focus_section(run: FitRun) -> Section:
    """Return the decompositions of the comparisons in focus, for the document of a fit."""
    records = list(map(decomposition_record, run.decompositions))
    return Section(key="pps", record={"pps": records[0] if records else None, "pps_comparisons": records})


def _warnings(problems: Sequence[str]) -> Iterator[Note]:
    return (Note(f"! {problem}", warning=True) for problem in problems)


def _details(run: PpsRun, main: Decomposition) -> Iterator[Detail]:
    """Return the way from PFS to OS, a row a scenario."""
    headings = (
        "PFS effect, calibration",
        "HR PFS",
        "OS HR, equal PPS",
        "OS HR, own PPS",
        *(f"{name.capitalize()}, log HR" for name in GAP_PARTS),
    )
    yield Heading(f"{main.inputs.name}: from the effect on {main.inputs.endpoint} to that on OS")
    caption = text("decomposition_screen_caption", observed=with_interval(main.hazard_ratios["observed"], 3))
    yield Grid(headings, tuple(map(_row, run.decompositions)), caption=caption)


def _model_pps(one: Decomposition) -> str:
    return " / ".join(number(value, 1) for value in one.calibration.median_pps)


def _row(one: Decomposition) -> tuple[str | Cell, ...]:
    scenario = Cell(f"{one.calibration.scenario}, {one.calibration.name}", f"model PPS {_model_pps(one)} months")
    ratios = (number(one.hazard_ratios[key].value, 3) for key in ("pfs", "equal", "model"))
    parts = (Cell(with_interval(one.effects[key]), share_with_interval(one.shares[key])) for key in GAP_PARTS)
    return (scenario, *ratios, *parts)


def _equal_pps(main: Decomposition) -> str:
    equal = main.equal_pps
    return text(
        "equal_pps",
        label=main.calibration.label,
        none=number(equal.none, 3),
        endless=number(equal.endless, 3),
        complete=number(equal.endless_complete, 3),
        needed=months(equal.needed),
        observed=number(main.hazard_ratios["observed"].value, 3),
    )


def summary_line(one: Decomposition) -> str:
    """Return one line on a comparison in focus for the report of a fit."""
    ratios = {key: number(one.hazard_ratios[key].value, 3) for key in OS_HAZARD_RATIOS}
    return text(
        "summary",
        label=one.calibration.label,
        endpoint=one.inputs.endpoint,
        **ratios,
        parts=one.parts_in_words,
        identified="" if one.identified else " The split is not identified",
    )


def _every_grid(decompositions: Sequence[Decomposition]) -> Grid:
    """Return one line a trial; intervals are in the table of the folder."""
    rows = [
        (
            one.inputs.name,
            one.inputs.endpoint,
            *(number(one.hazard_ratios[key].value) for key in OS_HAZARD_RATIOS),
            number(one.p_residual),
        )
        for one in decompositions
    ]
    caption = text(
        "every_caption",
        residual_p=residual_p_note(decompositions),
        unclear=sum(not one.identified for one in decompositions),
        size=len(decompositions),
    )
    headings = ("Trial", "PFS effect", "HR", "OS HR: equal PPS", "own PPS", "observed", "p of the residual")
    return Grid(headings, tuple(rows), caption=caption)


def residual_p_note(decompositions: Sequence[Decomposition]) -> str:
    """Return the meaning of a p-value of a residual, and how many there are of them."""
    counts = residual_p_record(decompositions)
    expected = number(counts["expected_below_0.05"])
    return text("residual_p_note", tests=counts["tests"], expected=expected, below=counts["below_0.05"])


def decomposition_table(
    name: str, title: str, decompositions: Sequence[Decomposition], residual_p: str
) -> tuple[Table, ...]:
    """Return a row a decomposition: hazard ratios along the way, and the shares of the gap with their intervals."""
    of_ratio = partial(with_interval, digits=3)
    printed = (
        Column("trial", "Trial"),
        Column("scenario", "PFS effect"),
        Column("calibration", "Calibration"),
        Column("model_pps", "Model PPS, months (control / experimental)"),
        *(Column(f"ratio {key}", heading, of_ratio) for key, heading in OS_HAZARD_RATIOS.items()),
        *(Column(f"part {key}", f"{heading}, log HR", with_interval) for key, heading in GAP_PARTS.items()),
        *(
            Column(f"of {key}", f"{heading}, share of the gap", share_with_interval)
            for key, heading in GAP_PARTS.items()
        ),
        Column("split", "Split identified"),
        Column("p_residual", RESIDUAL_P, number),
        Column("endless", "OS HR, PPS → ∞ (follow-up of the trial; complete)"),
        Column("pps_needed", "PPS that dilution alone would need, months", months),
    )
    shown = [_printed_cells(one) for one in decompositions]
    rows = [decomposition_record(one) | cells for one, cells in zip(decompositions, shown, strict=True)]
    notes = dict.fromkeys(f"{one.inputs.name}: {problem}" for one in decompositions for problem in one.problems)
    intervals = f"Intervals: {decompositions[0].effects['gap'].method}, 95%."
    note = f"{text('decomposition_method')} {intervals} {text('share_sets')} {residual_p} {'. '.join(notes)}."
    return record_table(name, title, rows, printed, note, print_only=shown[0])


def _printed_cells(one: Decomposition) -> dict[str, object]:
    """Return the cells of the printed table that combine numbers."""
    equal = one.equal_pps
    return {
        "trial": one.inputs.name,
        "scenario": one.calibration.scenario,
        "model_pps": _model_pps(one),
        **{f"ratio {key}": one.hazard_ratios[key] for key in OS_HAZARD_RATIOS},
        **{f"part {key}": one.effects[key] for key in GAP_PARTS},
        **{f"of {key}": one.shares[key] for key in GAP_PARTS},
        "split": "yes" if one.identified else "no",
        "endless": f"{number(equal.endless, 3)}; {number(equal.endless_complete, 3)}",
    }


def decomposition_record(one: Decomposition) -> dict[str, object]:
    """Return one decomposition as a flat record of numbers."""
    calibration, inputs = one.calibration, one.inputs
    follow_up = inputs.follow_up.value or (None, None)
    record: dict[str, object] = {
        "comparison": inputs.comparison,
        "endpoint": inputs.endpoint,
        "cut": calibration.cut,
        "pfs_effect": calibration.pfs,
        "calibration": calibration.name,
        "n_ctl": inputs.n[0],
        "n_exp": inputs.n[1],
        "direct_death": inputs.direct_death.value,
        "direct_death_assumed": inputs.direct_death.assumed,
        "follow_up_low": follow_up[0],
        "follow_up_high": follow_up[1],
        "follow_up_assumed": inputs.follow_up.assumed,
        "median_pfs_ctl": calibration.median_pfs[0],
        "median_pfs_exp": calibration.median_pfs[1],
        "model_pps_ctl": calibration.median_pps[0],
        "model_pps_exp": calibration.median_pps[1],
    }
    families = {"hr": one.hazard_ratios, "log_hr": one.effects, "share": one.shares, "model_share": one.model.shares}
    for prefix, estimates in families.items():
        for key, estimate in estimates.items():
            name = f"{prefix}_{key}"
            record |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    for key, share_set in one.gap.share_sets.items():
        outside = share_set.shape == "outside"
        record |= {
            f"share_{key}_set": share_set.shape,
            f"share_{key}_excluded_low": share_set.low if outside else None,
            f"share_{key}_excluded_high": share_set.high if outside else None,
        }
    for ordering in one.model.orderings:
        record |= {f"{part}_{ordering.reference}_first": getattr(ordering, part) for part in ("dilution", "imbalance")}
    return record | {
        "hr_pps_endless": one.equal_pps.endless,
        "hr_pps_endless_complete": one.equal_pps.endless_complete,
        "pps_needed": one.equal_pps.needed,
        "pps_needed_complete": one.equal_pps.needed_complete,
        "expected_deaths": one.model.expected_deaths,
        "p_residual": one.p_residual,
        "p_hazard_ratio": one.resampling.p_hazard_ratio,
        "identified": one.identified,
        "resamples": one.resampling.trials,
        "lost": one.resampling.lost,
        "at_boundary": one.resampling.at_boundary,
        "problems": "; ".join(one.problems),
    }


def _direct_death_table(run: PpsRun) -> tuple[Table, ...]:
    printed = columns(
        "direct_death equal model dilution_of_model dilution imbalance residual",
        direct_death="Share of PFS events that are deaths",
        equal=OS_HAZARD_RATIOS["equal"],
        model=OS_HAZARD_RATIOS["model"],
        dilution_of_model="Dilution, of the model's attenuation",
        dilution="Dilution, of the gap",
        imbalance="Imbalance, of the gap",
        residual="Residual, of the gap",
        digits=3,
    )
    label = "calibration M, first PFS effect of the table of decompositions"
    if run.main is not None:
        label = run.main.calibration.label
    about = "shares of the gap and of the model's attenuation, point values without intervals"
    note = f"{label[0].upper()}{label[1:]}; {about}."
    title = "What the share of deaths without progression changes"
    return record_table("direct_death", title, [asdict(scenario) for scenario in run.by_direct_death], printed, note)


def by_hazard_ratio(run: PpsRun) -> list[Decomposition]:
    """Return the decompositions of the trial in focus whose PFS effect is a hazard ratio."""
    return [one for one in run.decompositions if one.calibration.pfs == "hazard-ratio"]


def waterfall_drawings(run: PpsRun) -> Iterator[Drawing]:
    """Return the way from the PFS effect of the trial in focus to its OS effect."""
    drawn = by_hazard_ratio(run)[:PANELS]
    if drawn:
        name = f"waterfall-{drawn[0].inputs.comparison}"
        yield drawing("waterfall", name, waterfall_caption(drawn), drawn)


def waterfall_caption(drawn: Sequence[Decomposition]) -> str:
    """Return the caption of the way from the PFS effect to the OS effect; every share names its calibration."""
    main = main_decomposition(drawn) or drawn[0]
    identified = all(one.identified for one in drawn)
    return text(
        "waterfall",
        trial=main.inputs.name,
        endpoint=main.inputs.endpoint,
        scenarios="; ".join(f"{one.calibration.label}: {one.calibration.words}" for one in drawn),
        method=main.effects["gap"].method,
        shown=" ".join(one.parts_in_words for one in drawn),
        identified="" if identified else " The split is not identified by these data.",
        label=main.calibration.label,
        notes=sentences("Note", main.problems),
    )
