"""Errors, warnings, caveats and exit codes: the only module that everything else may import."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Literal

SHOWN_VALUE = 80  # characters of a cell that a message shows
Severity = Literal["error", "warning", "info"]


class ExitCode(IntEnum):
    """Exit codes of the command line."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    DATA = 3
    NOT_CONVERGED = 4
    STRICT = 5


class SurrogacyError(Exception):
    """Base class of every error that this package raises on purpose."""

    exit_code = ExitCode.UNEXPECTED


class UsageError(SurrogacyError):
    """The question makes no sense: an unknown set, model, option or value."""

    exit_code = ExitCode.USAGE


class OutputError(SurrogacyError):
    """A file or a stream cannot be written: a full disk, a closed stream."""


class ProcessError(SurrogacyError):
    """A process of this program could not be started, or ended before its time."""


class FigureError(SurrogacyError):
    """A figure cannot be drawn.

    Parameters
    ----------
    figure : str
        Name of its files, without ending.
    reason : str
    """

    exit_code = ExitCode.NOT_CONVERGED

    def __init__(self, figure: str, reason: str) -> None:
        self.figure = figure
        self.reason = reason
        super().__init__(figure, reason)

    def __str__(self) -> str:
        return f"figure {self.figure} could not be drawn: {self.reason}"


class Stopped(KeyboardInterrupt):
    """A signal to stop: Ctrl-C, SIGTERM or SIGHUP.

    Parameters
    ----------
    number : int
        Of the signal; the exit code is 128 more.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.written = False  # the signal came when the result was complete
        super().__init__(number)


class FitError(SurrogacyError):
    """A model cannot be fitted to these effects."""

    exit_code = ExitCode.NOT_CONVERGED


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, or odd, in one cell of the input.

    Parameters
    ----------
    code : str
        Rule that found it, such as ``"E101"``.
    severity : {"error", "warning", "info"}
    file : str
        File as the user named it.
    line : int
        Line in the file (first line is 1, so the first data row of a CSV is 2); 0 = no single line.
    trial, column, value : str
        Where it is and what stands there.
    rule : str
        What is violated.
    fix : str
        The likeliest cure.
    """

    code: str
    severity: Severity
    file: str
    line: int
    trial: str
    column: str
    value: str
    rule: str
    fix: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        value = self.value if len(self.value) <= SHOWN_VALUE else f"{self.value[:SHOWN_VALUE]}..."
        cell = f"{self.column} = {value!r}" if value else self.column
        parts = [f"{place}: {self.code} {self.severity}", self.trial, cell]
        return ": ".join(part for part in parts if part) + f": {self.rule}. Fix: {self.fix}."


def own_faults(faults: Iterable[Fault]) -> list[Fault]:
    """Return the faults of the user's own rows, without those of the shipped tables."""
    return [fault for fault in faults if not fault.file.startswith("data/trials/")]


def data_warnings(faults: Iterable[Fault]) -> list[Fault]:
    """Return the warnings about the user's own rows."""
    return [fault for fault in own_faults(faults) if fault.severity == "warning"]


class DataError(SurrogacyError):
    """The input data are wrong.

    Parameters
    ----------
    faults : sequence of Fault
        Every fault, not only the first.
    columns : sequence of (heading, meaning)
        Interpretation of each column of a user's table, as far as it was read.
    """

    exit_code = ExitCode.DATA

    def __init__(self, faults: Sequence[Fault], columns: Sequence[tuple[str, str]] = ()) -> None:
        self.faults = tuple(faults)
        self.columns = tuple(columns)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class CaveatCode(StrEnum):
    """Code of a caveat: what decisions, marks and counts read instead of its sentence."""

    ADDED = "added"
    APPROXIMATE_ERRORS = "approximate-errors"
    AS_TABULATED = "as-tabulated"
    ASSUMPTION = "assumption"
    BIAS = "bias"
    BOUNDARY = "boundary"
    DISAGREEMENT = "disagreement"
    FEW_TRIALS = "few-trials"
    FLAT_SLOPE = "flat-slope"
    GRID = "grid"
    IMPLIED_EVENTS = "implied-events"
    LARGE_NEW_TRIAL = "large-new-trial"
    LEFT_OUT = "left-out"
    MIXED_ENDPOINTS = "mixed-endpoints"
    NARROW_BAND = "narrow-band"
    NOT_DEFINED = "not-defined"
    PRIOR_DOMINATES = "prior-dominates"
    SAMPLING = "sampling"
    SCATTER = "scatter"
    SCATTER_AT_MEAN = "scatter-at-mean"
    SHARED_CONTROL = "shared-control"
    UNVERIFIED = "unverified"
    WITHOUT_SURROGATE_EFFECT = "without-surrogate-effect"


@dataclass(frozen=True)
class Caveat:
    """Sentence that must stand wherever the numbers stand, and its code.

    Parameters
    ----------
    code : CaveatCode
        What decisions read.
    text : str
        What readers read.
    """

    code: CaveatCode
    text: str

    def __str__(self) -> str:
        return self.text
