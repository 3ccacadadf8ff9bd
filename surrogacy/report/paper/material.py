"""Material for a paper of one run, from which the files are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from surrogacy.report.paper.checklists import Checklist


@dataclass(frozen=True)
class PaperMaterial:
    """Texts, references and checklists of a run.

    Parameters
    ----------
    files : mapping of str to str
        Text by file name.
    numbers : mapping of str to int
        Numbers of the references by their keys, the same in all texts and tables.
    checklists : tuple of Checklist
    """

    files: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    checklists: tuple[Checklist, ...] = ()
