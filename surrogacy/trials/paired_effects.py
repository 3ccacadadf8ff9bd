"""Effects of the chosen hazard ratios, with their standard errors, covariates and caveats."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from surrogacy.effects import SIDES, Effects, Provenance
from surrogacy.errors import Caveat, CaveatCode
from surrogacy.results.endpoint_names import endpoint_of
from surrogacy.trials.analysis_set import Pairing
from surrogacy.trials.effect_choice import EffectChoice, analysed_patients, place_of
from surrogacy.trials.frames import ReportedEffect
from surrogacy.trials.shared_control import refuse_impossible_covariance
from surrogacy.trials.standard_errors import StandardError, standard_error


def paired_effects(
    trials: pd.DataFrame,
    added: Collection[str],
    pairing: Pairing,
    choices: Sequence[EffectChoice],
    name: str,
) -> Effects:
    """Build the effects of the chosen hazard ratios, with their caveats; a missing one is NaN.

    Parameters
    ----------
    trials : DataFrame
    added : collection of str
        Comparisons that a user added.
    pairing : Pairing
    choices : sequence of EffectChoice
        Of the comparisons of the set.
    name : str

    Raises
    ------
    DataError
        If the covariance of comparisons that share a control arm is impossible.
    """
    about = trials.iloc[[choice.place for choice in choices]]
    sides = {"surrogate": [choice.surrogate for choice in choices], "final": [choice.final for choice in choices]}
    errors = {
        side: [None if effect is None else standard_error(effect) for effect in chosen]
        for side, chosen in sides.items()
    }
    se = np.array([[np.nan if error is None else error.value for error in column] for column in errors.values()]).T
    hr = np.array([[np.nan if effect is None else effect.hr for effect in chosen] for chosen in sides.values()]).T
    known_rho = np.array([first_number(*(effect.rho_within for effect in _reported(choice))) for choice in choices])
    n_exp, n_ctl = (
        analysed_patients(about[column].to_numpy(dtype=float), column, sides) for column in ("n_exp", "n_ctl")
    )
    share = np.where(np.isnan(n_exp + n_ctl), 0.5, n_exp / (n_exp + n_ctl))
    # a control arm belongs to one trial: the same name in two trials is two arms
    arms = zip(about["trial"], about["control_group"], strict=True)
    groups = [f"{trial}/{control_group}" if control_group else "" for trial, control_group in arms]
    size = Counter(groups)

    covariates = {
        column: tuple(sys.intern(str(cell)) for cell in about[column])
        for column in ("stage", "line", "class", "masking", "region")
    }
    covariates["year"] = tuple("" if year != year else sys.intern(f"{year:.0f}") for year in about["year"])
    for side, chosen in sides.items():
        covariates[side] = tuple("" if effect is None else effect.endpoint for effect in chosen)
        covariates[f"{side}_effect"] = tuple("" if effect is None else effect.effect_id for effect in chosen)
    provenance = np.array(
        [
            [
                Provenance(0) if effect is None else provenance_of(effect, error)
                for effect, error in zip(chosen, errors[side], strict=True)
            ]
            for side, chosen in sides.items()
        ]
    ).T
    paired = replace(
        Effects.from_arrays(
            np.log(hr),
            se,
            rho_within=np.where(np.isnan(known_rho), pairing.rho_within, known_rho),
            n=n_exp + n_ctl,
            trial=about["trial"].tolist(),
            comparison=about["comparison"].tolist(),
            control_group=[group if size[group] > 1 else "" for group in groups],
            control_share=np.column_stack([share, share]),
            events=[math.nan if effect is None else effect.events_exp + effect.events_ctl for effect in sides["final"]],
            labels=about["label"].tolist(),
            name=name,
        ),
        rho_known=~np.isnan(known_rho),
        covariates=covariates,
        provenance=provenance,
    )
    if pairing.shared_control == "cov":
        refuse_impossible_covariance(paired, [place_of(_reported(choice)[-1]) for choice in choices])
    from_user = about["label"][about["comparison"].isin(added)].tolist()
    partly = from_user and len(from_user) < len(choices)
    text = f"added for this run, not in the curated table: {', '.join(from_user)}"
    of_added = (Caveat(CaveatCode.ADDED, text),) if partly else ()
    return replace(paired, caveats=caveats_of(paired) + of_added)


def _reported(choice: EffectChoice) -> list[ReportedEffect]:
    """Return the hazard ratios of a comparison, surrogate then final."""
    return [effect for effect in (choice.surrogate, choice.final) if effect is not None]


def provenance_of(effect: ReportedEffect, error: StandardError | None) -> Provenance:
    """Return the evidence of a hazard ratio and the derivation of its standard error as flags."""
    flags = Provenance[effect.evidence.upper()] if effect.evidence else Provenance.AS_GIVEN
    if error is not None:
        flags |= Provenance[error.method.upper()] | (Provenance.IMPRECISE if error.imprecise else Provenance(0))
    return flags


def first_number(*values: float) -> float:
    """Return the first value that is a number, else NaN."""
    return next((value for value in values if not np.isnan(value)), float("nan"))


def caveats_of(effects: Effects) -> tuple[Caveat, ...]:
    """Return the caveats of pairs: unverified hazard ratios, mixed endpoints, standard errors not from limits."""
    if not effects.provenance.any():
        return ()
    caveats = []

    def flagged(flags: Provenance) -> list[tuple[str, Provenance]]:
        cells = np.argwhere(effects.provenance & flags)
        return [
            (
                f"{effects.labels[i]} {endpoint_of(effects, i, SIDES[side])}",
                Provenance(int(effects.provenance[i, side])),
            )
            for i, side in cells
        ]

    unverified = [name for name, _ in flagged(Provenance.UNVERIFIED)]
    if unverified:
        reported = np.isfinite(effects.log_hr).sum()
        text = (
            f"unverified: {len(unverified)} of {reported} hazard ratios (or their limits) were not read in any source "
            f"({', '.join(unverified)})"
        )
        caveats.append(Caveat(CaveatCode.UNVERIFIED, text))
    for column, (side, words) in enumerate({"surrogate": "the surrogate", "final": "the final endpoint"}.items()):
        endpoints = Counter(
            endpoint_of(effects, int(i), side) for i in np.flatnonzero(np.isfinite(effects.log_hr[:, column]))
        )
        if len(endpoints) > 1:
            counts = ", ".join(f"{count} {name}" for name, count in endpoints.items())
            caveats.append(Caveat(CaveatCode.MIXED_ENDPOINTS, f"{words} is not one endpoint: {counts}"))
    approximate = [
        f"{name} from {flags.se_method}" + (", roughly" if Provenance.IMPRECISE in flags else "")
        for name, flags in flagged(Provenance.P | Provenance.EVENTS)
    ]
    if approximate:
        text = f"standard errors not from limits: {'; '.join(approximate)}"
        caveats.append(Caveat(CaveatCode.APPROXIMATE_ERRORS, text))
    return tuple(caveats)


def part_of(effects: Effects, chosen: npt.ArrayLike) -> Effects:
    """Return some of the comparisons, with the caveats that apply to them."""
    part, of_all = effects.take(chosen), caveats_of(effects)
    return replace(part, caveats=(*caveats_of(part), *(caveat for caveat in effects.caveats if caveat not in of_all)))
