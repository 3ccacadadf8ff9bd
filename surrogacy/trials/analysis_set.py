"""Choice of the hazard ratios of an analysis set, and the resulting set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from surrogacy.effects import Effects, Provenance
from surrogacy.errors import UsageError
from surrogacy.results.suggestions import unknown_name
from surrogacy.trials.cells import squash
from surrogacy.trials.columns import ENDPOINTS, EVIDENCE, SURROGATES
from surrogacy.trials.shared_control import SharedControl

Source = str | Mapping[str, Sequence[str]]
OneEndpoint = Literal["exclude", "include"]


@dataclass(frozen=True)
class Pairing:
    """Choice of the two hazard ratios of each comparison.

    Parameters
    ----------
    surrogates : tuple of str
        Surrogate endpoints in order of preference.
    final : tuple of str
        Final endpoints in order of preference; empty: OS, or the final endpoint that a user's table names.
    rho_within : float
        Within-trial correlation of the two log hazard ratios if none is reported, in [-1, 1].
    min_evidence : {"primary", "secondary", "unverified"}
        Weakest evidence that a hazard ratio may have.
    shared_control : {"cov", "first", "combine"}
        Treatment of comparisons that share a control arm; see `resolve_shared_controls`.
    one_endpoint : {"exclude", "include"}
        Treatment of comparisons with a hazard ratio of one endpoint alone. If they are included, the other endpoint is
        NaN, and models that need both effects leave them out. A hazard ratio without sufficient evidence is missing.

    Raises
    ------
    UsageError
        If an endpoint is surrogate and final at once, or a value is not one of those above.

    Examples
    --------
    >>> from surrogacy.trials import Pairing, read_trials
    >>> pairing = Pairing(surrogates=("TTP",), min_evidence="primary")
    >>> len(read_trials().analysis_set_with_flow("advanced", pairing).effects)
    6
    """

    surrogates: tuple[str, ...] = SURROGATES
    final: tuple[str, ...] = ()
    rho_within: float = 0.5
    min_evidence: str = "secondary"
    shared_control: SharedControl = "cov"
    one_endpoint: OneEndpoint = "exclude"

    def __post_init__(self) -> None:
        for endpoint in self.surrogates:
            if endpoint in self.final:
                raise UsageError(f"{endpoint} is the final endpoint and cannot be its own surrogate")
        if self.min_evidence not in EVIDENCE:
            raise UsageError(f"unknown evidence {self.min_evidence!r}; choose from {', '.join(EVIDENCE)}")
        if self.one_endpoint not in get_args(OneEndpoint):
            choices = ", ".join(get_args(OneEndpoint))
            raise UsageError(f"unknown treatment of one endpoint {self.one_endpoint!r}; choose from {choices}")
        if not -1 <= self.rho_within <= 1:
            raise UsageError(f"rho_within must lie in [-1, 1]; got {self.rho_within:g}")

    def spelled(self, held: Sequence[str], finals: Sequence[str]) -> Pairing:
        """Return the same choice with the endpoints in the spelling of the tables.

        Parameters
        ----------
        held : sequence of str
            Endpoints of the tables.
        finals : sequence of str
            Final endpoints of the tables.

        Raises
        ------
        UsageError
            If an endpoint is not known, or is surrogate and final at once.
        """
        surrogates, final = (endpoint_spelling(names, held) for names in (self.surrogates, self.final or finals))
        return replace(self, surrogates=surrogates, final=final)


DEFAULT_PAIRING = Pairing()


@dataclass(frozen=True, slots=True)
class FlowEntry:
    """Comparison that was considered for an analysis set.

    Parameters
    ----------
    comparison : str
    included : bool
    reason : str
        Reason for the exclusion, or for the missing effect of an included comparison; empty for a pair.
    """

    comparison: str
    included: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SurrogateOnly:
    """Comparison with a surrogate effect and no final effect, which is predicted.

    Parameters
    ----------
    comparison, trial, label : str
    endpoint : str
        Surrogate endpoint.
    effect_id : str
        Hazard ratio in the tables.
    log_hr, se : float
        Surrogate log hazard ratio and its standard error.
    n : float
        Patients of both arms; NaN = not stated.
    rho_within : float
        Within-trial correlation of the two log hazard ratios: as reported, else that of the pairing.
    rho_known : bool
        Whether it was reported.
    provenance : Provenance
        Evidence of the hazard ratio, and derivation of its standard error.
    added : bool
        Whether a user added the comparison.
    """

    comparison: str
    trial: str
    label: str
    endpoint: str
    effect_id: str
    log_hr: float
    se: float
    n: float
    rho_within: float
    rho_known: bool
    provenance: Provenance
    added: bool


@dataclass(frozen=True, eq=False)
class AnalysisSet:
    """Paired effects, and the comparisons considered.

    Parameters
    ----------
    name : str
    source : str or mapping
        Name of the file in ``sets/``, or the values that columns of trials.csv must have.
    effects : Effects
    flow : tuple of FlowEntry
        One entry per comparison.
    surrogate_only : tuple of SurrogateOnly
        Comparisons of the set without a final effect; a fit includes them only with ``one_endpoint="include"``.
    listed : bool
        Whether a list names the hazard ratios, as for a published table; otherwise a rule chooses them.
    """

    name: str
    source: Source
    effects: Effects
    flow: tuple[FlowEntry, ...]
    surrogate_only: tuple[SurrogateOnly, ...] = ()
    listed: bool = False


def endpoint_spelling(names: Sequence[str], held: Sequence[str]) -> tuple[str, ...]:
    """Return endpoints in the spelling of the tables, regardless of capitals, hyphens and blanks.

    Parameters
    ----------
    names : sequence of str
    held : sequence of str
        Endpoints of the tables.

    Raises
    ------
    UsageError
        If an endpoint is neither in the tables nor in the vocabulary of the shipped tables.
    """
    exact = {*ENDPOINTS, *held}
    similar = {squash(name) or name: name for name in (*ENDPOINTS, *held)}
    spelled = [name if name in exact else similar.get(squash(name) or name, "") for name in names]
    for name, spelling in zip(names, spelled, strict=True):
        if not spelling:
            raise UsageError(unknown_name(f"unknown endpoint {name!r}", name, held))
    return tuple(spelled)


def known_endpoints(names: Sequence[str], held: Sequence[str]) -> tuple[str, ...]:
    """Return the names that are in the tables or in the vocabulary of the shipped tables."""
    known = {squash(name) or name for name in (*ENDPOINTS, *held)}
    return tuple(name for name in names if (squash(name) or name) in known)
