"""Simulation study: scenarios and numbers of chunks, from a TOML file or from a topic of docs/validation.md."""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import surrogacy
from surrogacy.errors import UsageError
from surrogacy.results.suggestions import did_you_mean
from surrogacy.simulation.chunks import TOPICS
from surrogacy.simulation.scenarios import NUMBERS_OF_TRIALS, SETTINGS_OF_TOPIC, Scenario, scenarios

CHUNKS = 4
MOST_CHUNKS = 100_000  # of a study: each is a file
MOST_COMPARISONS = 10_000_000  # of a chunk, over all its data sets: they are in memory at once
STUDY_KEYS = ("topic", "chunks", "data_sets", "scenario")
# Topics whose procedures are for comparisons without a shared control arm.
INDEPENDENT = frozenset(TOPICS) - {"models"}
PAIRS = frozenset({"mean", "tau", "unit_variance"})
WHOLE = frozenset({"k", "shared_arms", "data_sets"})


@dataclass(frozen=True)
class Chunk:
    """Data sets of a scenario that are simulated together.

    Parameters
    ----------
    scenario : Scenario
    seed : int
    """

    scenario: Scenario
    seed: int

    @property
    def label(self) -> str:
        """Words for progress and errors."""
        return f"{self.scenario.name}, k = {self.scenario.k}, chunk {self.seed}"

    @property
    def key(self) -> str:
        """Name that is different for every scenario, seed and version of the package."""
        text = repr((surrogacy.__version__, sorted(asdict(self.scenario).items()), self.seed))
        return f"{self.scenario.topic}-{hashlib.sha256(text.encode()).hexdigest()[:16]}-{self.seed:04d}"


@dataclass(frozen=True)
class Study:
    """Scenarios, each simulated in the same number of chunks.

    Parameters
    ----------
    scenarios : tuple of Scenario
    chunks : int
        Chunks per scenario, with seeds 0, 1, ...
    """

    scenarios: tuple[Scenario, ...]
    chunks: int = CHUNKS

    def every_chunk(self) -> tuple[Chunk, ...]:
        """Return the chunks, scenario by scenario."""
        return tuple(Chunk(scenario, seed) for scenario in self.scenarios for seed in range(self.chunks))


def read_study(source: str, chunks: int | None = None) -> Study:
    """Return the study of a topic, or of a TOML file.

    Parameters
    ----------
    source : str
        Topic of `surrogacy.simulation.chunks.TOPICS`, or path of a file.
    chunks : int, optional
        Chunks per scenario; default: those of the file, or 4.

    Raises
    ------
    UsageError
        If there is no such topic or file, or the file has an unknown key or an impossible value.

    Examples
    --------
    >>> len(read_study("threshold").every_chunk())
    32
    """
    if chunks is not None and chunks < 1:
        raise UsageError(f"--chunks {chunks}: at least 1 is needed")
    if source in SETTINGS_OF_TOPIC:
        return _limited(source, Study(scenarios(source), CHUNKS if chunks is None else chunks))
    path = Path(source)
    if not path.is_file():
        hint = did_you_mean(source, tuple(SETTINGS_OF_TOPIC)) or f"topics are {', '.join(SETTINGS_OF_TOPIC)}"
        raise UsageError(f"{source}: neither a file nor a topic; {hint}")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); give a file that can") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a TOML file ({error}); docs/simulation.md contains an example") from error
    study = _study(str(path), content)
    return _limited(str(path), study if chunks is None else replace(study, chunks=chunks))


def _limited(source: str, study: Study) -> Study:
    """Return the study; refuse more chunks than a folder and a scheduler can hold."""
    if (number := len(study.scenarios) * study.chunks) > MOST_CHUNKS:
        raise UsageError(
            f"{source}: chunks = {study.chunks} in each of {len(study.scenarios)} scenarios are {number:,} files, "
            f"at most {MOST_CHUNKS:,} are possible; give fewer chunks, with more data_sets in each"
        )
    return study


def _study(file: str, content: Mapping[str, Any]) -> Study:
    _refuse_unknown(file, content, STUDY_KEYS)
    topic, chunks = content.get("topic", "models"), content.get("chunks", CHUNKS)
    if not isinstance(chunks, int) or isinstance(chunks, bool) or chunks < 1:
        raise UsageError(f"{file}: chunks = {chunks!r} must be a whole number, at least 1")
    tables = content.get("scenario", [])
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise UsageError(
            f"{file}: there is no [[scenario]] in double brackets; add one with name and k for each scenario"
        )
    common = {"topic": topic} | ({"data_sets": content["data_sets"]} if "data_sets" in content else {})
    read = [scenario for table in tables for scenario in _scenarios(file, common | dict(table))]
    keys = [(scenario.name, scenario.k) for scenario in read]
    for key in keys:
        if keys.count(key) > 1:
            raise UsageError(f"{file}: two scenarios are called {key[0]!r} with k = {key[1]}; give each its name")
    return Study(tuple(read), chunks)


def _scenarios(file: str, table: Mapping[str, Any]) -> list[Scenario]:
    """Return the scenarios of a table: one for each number of comparisons."""
    known = [field.name for field in fields(Scenario)]
    _refuse_unknown(file, table, known)
    for name in ("name", "k"):
        if name not in table:
            raise UsageError(f"{file}: a [[scenario]] has no {name}; add {name} = ...")
    place = f"{file}: {_value(file, 'name', table['name'])}"
    values = {name: _value(place, name, value) for name, value in table.items() if name != "k"}
    numbers = [_value(place, "k", k) for k in (table["k"] if isinstance(table["k"], list) else [table["k"]])]
    if not numbers:
        raise UsageError(f"{place}: k = [] must contain at least one number of comparisons")
    try:
        made = [Scenario(**values, k=k) for k in numbers]
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from error
    for scenario in made:
        _check_topic(place, scenario)
    return made


def _check_topic(place: str, scenario: Scenario) -> None:
    """Refuse what the topic of a scenario, or the memory, does not allow."""
    topic, k = scenario.topic, scenario.k
    if topic not in TOPICS:
        raise UsageError(f"{place}: topic = {topic!r} must be one of {', '.join(TOPICS)}")
    if scenario.shared_arms and topic in INDEPENDENT:
        raise UsageError(
            f"{place}: shared_arms = {scenario.shared_arms} needs topic = 'models', not {topic!r}; change one of them"
        )
    for name, pair in (("tau", scenario.tau), ("unit_variance", scenario.unit_variance)):
        if topic != "correlation" and min(pair) == 0:
            raise UsageError(f"{place}: {name} = {list(pair)} must be above 0 with topic = {topic!r}")
    if topic == "two-sets" and k not in NUMBERS_OF_TRIALS:
        sizes = ", ".join(map(str, NUMBERS_OF_TRIALS))
        raise UsageError(f"{place}: k = {k} must be one of {sizes} with topic = 'two-sets'")
    if topic == "correlation" and scenario.data_sets < 2:
        raise UsageError(f"{place}: data_sets = 1 must be at least 2 with topic = 'correlation', which compares pairs")
    if (number := k * scenario.data_sets) > MOST_COMPARISONS:
        raise UsageError(
            f"{place}: data_sets = {scenario.data_sets} with k = {k} are {number:,} comparisons in a chunk, at most "
            f"{MOST_COMPARISONS:,} are possible; give fewer data_sets and more chunks"
        )


def _value(place: str, name: str, value: object) -> Any:
    """Return the value of a field in its type."""
    if name in ("name", "topic"):
        kind, possible = "text of one line", isinstance(value, str) and value.isprintable() and bool(value.strip())
    elif name in PAIRS:
        kind = "two numbers, surrogate then final"
        possible = isinstance(value, list) and len(value) == 2 and all(_is_number(part) for part in value)
    else:
        kind = "a whole number" if name in WHOLE else "a number"
        possible = _is_number(value) and (name not in WHOLE or isinstance(value, int))
    if not possible:
        raise UsageError(f"{place}: {name} = {value!r} must be {kind}")
    return tuple(map(float, value)) if isinstance(value, list) else value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _refuse_unknown(file: str, table: Mapping[str, Any], known: Sequence[str]) -> None:
    for name in table:
        if name not in known:
            hint = did_you_mean(name, known) or f"keys are {', '.join(known)}"
            raise UsageError(f"{file}: unknown key {name!r}; {hint}")
