"""Questions of ``surrogacy add`` on a terminal; an invalid answer is explained, and the question is asked again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.prompt import Confirm, Prompt
from rich.text import Text

from surrogacy.errors import Fault, UsageError
from surrogacy.trials.columns import VERIFIED, Column
from surrogacy.trials.curated_copy import bibliography_keys, check_comparison, known_comparisons, preferred_effects
from surrogacy.trials.curation import (
    COLUMNS,
    Curation,
    check_cells,
    check_effect,
    complete_arm,
    complete_effect,
    complete_reference,
    complete_trial,
    identifier,
    with_limits,
)
from surrogacy.trials.rows import Row

ANSWERS = "answers"
COMPARISON_QUESTIONS = (
    "registry",
    "phase",
    "year",
    "stage",
    "line",
    "class",
    "experimental",
    "control",
    "n_exp",
    "n_ctl",
    "masking",
    "region",
)
SOURCE_QUESTIONS = ("author", "title", "journal", "year", "doi", "pmid")
NUMBER_QUESTIONS = ("endpoint", "analysis", "data_cut", "hr", "ci_low", "ci_high", "ci_level", "p")
ARM_QUESTIONS = (
    "label",
    "n",
    "median_os",
    "median_os_low",
    "median_os_high",
    "median_pfs",
    "median_pfs_low",
    "median_pfs_high",
    "pfs_endpoint",
    "evidence",
    "quote",
)


@dataclass(frozen=True)
class KnownRows:
    """Rows of the tables that the answers must fit.

    Parameters
    ----------
    comparisons : mapping of str to Row
        Rows of trials.csv by comparison.
    preferred : collection of (comparison, endpoint)
        Those that have a preferred row in effects.csv.
    keys : collection of str
        Keys of the bibliography.
    """

    comparisons: Mapping[str, Row]
    preferred: Collection[tuple[str, str]]
    keys: Collection[str]


def known_rows(folder: Path) -> KnownRows:
    """Return the rows of a folder that the answers must fit."""
    return KnownRows(known_comparisons(folder), preferred_effects(folder), bibliography_keys(folder))


def ask_for_trial(console: Console, known: KnownRows) -> Curation:
    """Ask for one comparison with its publication, hazard ratios and medians.

    Parameters
    ----------
    console : Console
    known : KnownRows

    Raises
    ------
    UsageError
        If the input ends, or the rows are not confirmed.
    """
    try:
        return _ask_for_trial(console, known)
    except EOFError:
        raise UsageError("the input ended before the last answer; nothing was written") from None


def _ask_for_trial(console: Console, known: KnownRows) -> Curation:
    console.print("An empty answer takes the value in brackets, if there is one; - leaves the cell empty.")
    _heading(console, "Comparison")
    trial = _ask_for_comparison(console, known.comparisons)
    _heading(console, "Publication")
    reference = _ask_for_reference(console, known.keys)
    effects: list[Row] = []
    more = True
    while more:
        _heading(console, f"Hazard ratio {len(effects) + 1}")
        effect = _ask_for_effect(console, trial["comparison"], reference, "OS" if effects else "PFS")
        if (trial["comparison"], effect["endpoint"]) in known.preferred:
            console.print("The tables have a preferred row for this endpoint; the new row is not preferred.")
            effect = effect.with_cells(preferred="false", preferred_reason="")
        effects.append(effect)
        more = Confirm.ask("Another hazard ratio of this comparison?", console=console, default=len(effects) == 1)
    arms = []
    if Confirm.ask("Medians of the arms?", console=console, default=False):
        surrogate = next((row["endpoint"] for row in effects if row["endpoint"] != "OS"), "PFS")
        arms = [_ask_for_arm(console, trial, name, surrogate) for name in ("exp", "ctl")]
    _heading(console, "Summary")
    console.print(Text(f"{trial['label']} ({trial['comparison']}), {trial['stage']}; {reference['key']}"))
    for row in effects:
        limits = f" ({row['ci_low']}-{row['ci_high']})" if row["ci_low"] and row["ci_high"] else ""
        console.print(Text(f"{row['endpoint']} {row['hr']}{limits}, {row['evidence']}: {row['quote']}"))
    if not Confirm.ask("Write these rows?", console=console, default=True):
        raise UsageError("the rows were not confirmed; nothing was written")
    return Curation((complete_trial(trial, reference["key"]),), tuple(effects), tuple(arms), (reference,))


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, style="bold"))


def _column(kind: str, name: str) -> Column:
    return next(column for column in COLUMNS[kind] if column.name == name)


def ask(console: Console, kind: str, name: str, default: str = "", *, required: bool = False) -> str:
    """Ask for a cell until the answer is valid.

    Parameters
    ----------
    console : Console
    kind : str
        Key of `surrogacy.trials.curation.COLUMNS`.
    name : str
        Column.
    default : str
        Value of an empty answer.
    required : bool
        Whether the cell must be filled although the column is optional.
    """
    column = _column("effect" if name == "evidence" else kind, name)
    spelling = {value.casefold(): value for value in column.allowed}
    explained = all(value in column.description for value in column.allowed)
    choices = "" if explained else f" ({', '.join(column.allowed)})"
    limits = "; the limits may follow, 0.59 (0.41-0.87)" if name == "hr" else ""
    prompt = Text(f"{column.description}{choices}{limits}" + (f" [{default}]" if default else ""))
    while True:
        answer = Prompt.ask(prompt, console=console, default=default, show_default=False).strip()
        answer = "" if answer == "-" else spelling.get(answer.casefold(), answer)
        row = with_limits(Row(ANSWERS, 0, {name: answer}))
        faults = check_cells(kind, row, partial=True)
        if faults:
            _explain(console, faults[:1])  # the others follow from it
        elif required and not answer:
            console.print(Text("An answer is required here.", style="red"))
        else:
            return answer


def _explain(console: Console, faults: Sequence[Fault]) -> None:
    for fault in faults:
        value = f" = {fault.value!r}" if fault.value else ""
        text = f"{fault.code} {fault.severity}: {fault.column}{value}: {fault.rule}. Fix: {fault.fix}."
        console.print(Text(text, style="red" if fault.severity == "error" else "yellow"))


def _ask_for_comparison(console: Console, known: Mapping[str, Row]) -> Row:
    """Ask for a comparison; if the tables have it, its row there is returned."""
    while True:
        cells = {"label": ask(console, "trial", "label")}
        cells["comparison"] = ask(console, "trial", "comparison", identifier(cells["label"]))
        if cells["comparison"] in known:
            console.print("The tables have this comparison; the hazard ratios are added to it.")
            return known[cells["comparison"]]
        faults = list(check_comparison(Row(ANSWERS, 0, cells), known))
        if not faults:
            break
        _explain(console, faults)
    cells["trial"] = ask(console, "trial", "trial", cells["comparison"])
    if cells["trial"] != cells["comparison"]:
        cells["control_group"] = ask(console, "trial", "control_group")
    return Row(ANSWERS, 0, {**cells, **{name: ask(console, "trial", name) for name in COMPARISON_QUESTIONS}})


def _ask_for_reference(console: Console, keys: Collection[str]) -> Row:
    key = ask(console, "source", "key")
    if key in keys:
        console.print("The bibliography has this publication.")
    names = ("doi", "pmid") if key in keys else SOURCE_QUESTIONS
    cells = {"key": key, **{name: ask(console, "source", name) for name in names}}
    return complete_reference(Row(ANSWERS, 0, cells))


def _ask_for_effect(console: Console, comparison: str, reference: Row, endpoint: str) -> Row:
    """Ask for a hazard ratio until its numbers agree with each other and with the quotation."""
    defaults = {"endpoint": endpoint, "analysis": "primary", "evidence": "primary"}
    while True:
        cells: dict[str, str] = {}
        for name in NUMBER_QUESTIONS:
            if name in cells:
                continue  # limits in the answer for the hazard ratio
            default = "0.95" if name == "ci_level" and cells["ci_low"] else ""
            answer = ask(console, "effect", name, defaults.get(name, default), required=name == "hr")
            cells |= with_limits(Row(ANSWERS, 0, {name: answer})).cells
        if cells["p"]:
            cells["p_sides"] = ask(console, "effect", "p_sides", defaults.get("p_sides", "2"))
        cells["evidence"] = ask(console, "effect", "evidence", defaults["evidence"])
        for name in ("where", "quote"):
            proof = cells["evidence"] in VERIFIED
            cells[name] = ask(console, "effect", name, defaults.get(name, ""), required=proof)
        row = complete_effect(Row(ANSWERS, 0, cells), comparison, reference)
        faults = check_effect(row)
        _explain(console, faults)
        errors = any(fault.severity == "error" for fault in faults)
        if not faults or (not errors and Confirm.ask("Keep these numbers?", console=console, default=False)):
            return row
        console.print("Please answer again; an empty answer takes the earlier one.")
        defaults = {name: text for name, text in cells.items() if text}


def _ask_for_arm(console: Console, trial: Row, arm: str, surrogate: str) -> Row:
    _heading(console, "Experimental arm" if arm == "exp" else "Control arm")
    defaults = {
        "label": trial.get("experimental" if arm == "exp" else "control", ""),
        "n": trial.get(f"n_{arm}", ""),
        "pfs_endpoint": surrogate,
        "evidence": "primary",
    }
    cells = {"arm": arm, **{name: ask(console, "arm", name, defaults.get(name, "")) for name in ARM_QUESTIONS}}
    return complete_arm(Row(ANSWERS, 0, cells), trial["comparison"])
