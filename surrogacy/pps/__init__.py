"""Post-progression survival: what the time after progression does to the effect on overall survival."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from surrogacy.pps.coupling import coupling_audit
    from surrogacy.pps.coupling_identity import coupling_identity
    from surrogacy.pps.decomposition import decompose
    from surrogacy.pps.planning import plan
    from surrogacy.pps.structure import TransitionStructure
    from surrogacy.survival.hazard_ratios import Censoring, average_hazard_ratio, cox_hazard_ratio
    from surrogacy.survival.illness_death import IllnessDeath

__all__ = [
    "Censoring",
    "IllnessDeath",
    "TransitionStructure",
    "average_hazard_ratio",
    "coupling_audit",
    "coupling_identity",
    "cox_hazard_ratio",
    "decompose",
    "plan",
]

_WHERE = {
    "Censoring": "surrogacy.survival.hazard_ratios",
    "IllnessDeath": "surrogacy.survival.illness_death",
    "TransitionStructure": "surrogacy.pps.structure",
    "average_hazard_ratio": "surrogacy.survival.hazard_ratios",
    "cox_hazard_ratio": "surrogacy.survival.hazard_ratios",
    "coupling_audit": "surrogacy.pps.coupling",
    "coupling_identity": "surrogacy.pps.coupling_identity",
    "decompose": "surrogacy.pps.decomposition",
    "plan": "surrogacy.pps.planning",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    from importlib import import_module

    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'surrogacy.pps' has no attribute {name!r}")
