"""The option ``--check``: the tables are checked, and nothing is fitted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from surrogacy.analysis.settings import FitSettings
from surrogacy.cli.streams import counted, result_stream
from surrogacy.errors import DataError, ExitCode, SurrogacyError, user_faults
from surrogacy.evaluation.placement import require_focus
from surrogacy.results.requirements import refuse_unfittable, usability_lines
from surrogacy.trials import AnalysisSet, TrialSet

MOST_NAMES = 20  # of added comparisons in the summary line


def check(settings: FitSettings, *, strict: bool) -> ExitCode:
    """Print every error, warning and remark on the tables, one per line.

    Raises
    ------
    DataError
        If the tables have errors.
    """
    try:
        trials = settings.read()
    except DataError as error:
        with result_stream():
            _print_columns(error.columns)
        raise
    with result_stream():
        _print_columns(trials.columns)
    in_sets = [] if settings.pairs_table else trials.check_sets()
    errors = [fault for fault in in_sets if fault.severity == "error"]
    if errors:
        raise DataError(errors)
    faults = user_faults(trials.faults) if settings.added else [*trials.faults, *in_sets]
    warnings, remarks = (sum(fault.severity == severity for fault in faults) for severity in ("warning", "info"))
    with result_stream():
        for fault in faults:
            print(fault)
        _print_usable(settings, trials)
        print(f"{_size(settings, trials)}: no errors, {counted(warnings, 'warning')}, {counted(remarks, 'remark')}")
    return ExitCode.STRICT if strict and warnings else ExitCode.OK


def _size(settings: FitSettings, trials: TrialSet) -> str:
    if settings.added:
        names = ", ".join(trials.added[:MOST_NAMES]) + (", ..." if len(trials.added) > MOST_NAMES else "")
        return f"{settings.added}: {counted(len(trials.added), 'comparison')} read ({names})"
    hazard_ratios = int(trials.effects["hr"].notna().sum())
    return f"{len(trials.trials)} comparisons, {hazard_ratios} hazard ratios, {len(trials.arms)} arms"


def _print_usable(settings: FitSettings, trials: TrialSet) -> None:
    """Print the comparisons that each model uses and leaves out, and the remedy."""
    pairs = _pairs(settings, trials)
    sets = [paired.effects for paired in pairs]
    if settings.focus is not None and settings.focus_required:
        require_focus(trials, pairs, settings.focus)
    for effects in sets:
        for line in usability_lines(settings.fitted_models, effects, complete=settings.pairs_table is not None):
            print(line)
    for paired in pairs:
        for line in _not_fitted_lines(paired, trials.added):
            print(line)
    if settings.required_models:
        refuse_unfittable(sets, settings.fitted_models, settings.required_models)


def _not_fitted_lines(paired: AnalysisSet, added: Sequence[str]) -> Iterator[str]:
    """Yield the added comparisons of a set that no fit includes, by reason: predicted only, or not used."""
    by_reason: dict[str, list[str]] = {}
    for entry in paired.flow:
        if not entry.included and entry.comparison in added:
            by_reason.setdefault(entry.reason, []).append(entry.comparison)
    for reason, names in by_reason.items():
        listed = ", ".join(names[:MOST_NAMES]) + (", ..." if len(names) > MOST_NAMES else "")
        yield f"{paired.effects.name}: {listed}: {reason}"


def _pairs(settings: FitSettings, trials: TrialSet) -> list[AnalysisSet]:
    """Pair the effects of the named sets, or of the default sets that have at least one pair."""
    if settings.pairs_table or settings.sets_named or settings.pairing.surrogates:
        return settings.pair(trials)
    names = [name for name in dict.fromkeys(settings.sets) if name in trials.sets]
    pairs: list[AnalysisSet] = []
    for part in [replace(settings, sets=(name,)) for name in names]:
        with suppress(SurrogacyError):
            pairs += part.pair(trials)
    return pairs


def _print_columns(columns: Sequence[tuple[str, str]]) -> None:
    """Print the interpretation of each column of a user's table."""
    width = max((len(heading) for heading, _ in columns), default=0)
    for heading, meaning in columns:
        print(f"{heading:<{width}}  {meaning}")
