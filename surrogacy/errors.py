"""Errors, faults of the data, caveats and exit codes; every other module may import this one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Literal

SHOWN_VALUE = 80  # number of characters of a cell in a message
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
    """Base class of the errors that this package raises."""

    exit_code = ExitCode.UNEXPECTED


class UsageError(SurrogacyError):
    """An unknown or invalid set, model, option or value."""

    exit_code = ExitCode.USAGE


class OutputError(SurrogacyError):
    """A file or a stream cannot be written: a full disk, a closed stream."""


class ProcessError(SurrogacyError):
    """A process of this program could not be started, or ended too early."""


class FigureError(SurrogacyError):
    """A figure cannot be drawn.

    Parameters
    ----------
    figure : str
        Name of its files, without extension.
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
    """A signal that stops the program: Ctrl-C, SIGTERM or SIGHUP.

    Parameters
    ----------
    number : int
        Number of the signal; the exit code is 128 plus this number.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.written = False  # True if the results were complete when the signal arrived
        super().__init__(number)


class FitError(SurrogacyError):
    """A model cannot be fitted to these effects."""

    exit_code = ExitCode.NOT_CONVERGED


@dataclass(frozen=True, slots=True)
class Fault:
    """Error, warning or remark about a cell of the input.

    Parameters
    ----------
    code : str
        Code of the rule, such as ``"E101"``.
    severity : {"error", "warning", "info"}
    file : str
        File name as the user gave it.
    line : int
        Line of the file, from 1 (the first data row of a CSV is line 2); 0 = not a single line.
    trial, column, value : str
        Place and content of the cell.
    rule : str
        Rule that is violated.
    fix : str
        Most likely remedy.
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
        return (
            ": ".join(part for part in parts if part)
            + f": {self.rule}. Fix: {self.fix}"
            + ("" if self.fix.endswith("?") else ".")
        )


def user_faults(faults: Iterable[Fault]) -> list[Fault]:
    """Return the faults of the user's rows, without those of the shipped tables."""
    return [fault for fault in faults if not fault.file.startswith("data/trials/")]


def data_warnings(faults: Iterable[Fault]) -> list[Fault]:
    """Return the warnings about the user's rows."""
    return [fault for fault in user_faults(faults) if fault.severity == "warning"]


class DataError(SurrogacyError):
    """The input data are wrong.

    Parameters
    ----------
    faults : sequence of Fault
        All faults.
    columns : sequence of (heading, meaning)
        Interpretation of each column of a user's table that was read.
    """

    exit_code = ExitCode.DATA

    def __init__(self, faults: Sequence[Fault], columns: Sequence[tuple[str, str]] = ()) -> None:
        self.faults = tuple(faults)
        self.columns = tuple(columns)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class CaveatCode(StrEnum):
    """Code of a caveat, which decisions, marks and counts use instead of its sentence."""

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
    """Sentence that belongs wherever the numbers are printed, and its code.

    Parameters
    ----------
    code : CaveatCode
        Code for decisions.
    text : str
        Sentence for readers.
    """

    code: CaveatCode
    text: str

    def __str__(self) -> str:
        return self.text
