"""Simulation studies: files of scenarios, shared control arms, Parquet files, and execution that can be interrupted."""

import logging
import os
import re
import signal
from dataclasses import fields, replace

import dask
import numpy as np
import pytest

import surrogacy
from surrogacy.cli import simulate
from surrogacy.errors import ProcessError, UsageError
from surrogacy.simulation import execution
from surrogacy.simulation.chunk_files import chunk_path, from_parquet, to_parquet, unfinished, write_chunk
from surrogacy.simulation.chunks import TOPICS, simulate_chunk
from surrogacy.simulation.data_sets import draw_sets
from surrogacy.simulation.report import as_csv, as_lines, study_performance
from surrogacy.simulation.scenarios import Scenario, scenarios
from surrogacy.simulation.study import Chunk, Study, read_study
from surrogacy.simulation.study_folder import study_folder
from tests.conftest import ROOT

STUDY = """
topic = "correlation"
chunks = 3
data_sets = 40

[[scenario]]
name = "weak"
k = [6, 9]
rho = 0.4
"""
SMALL = replace(scenarios("correlation")[0], data_sets=20)


def study_of(tmp_path, text):
    path = tmp_path / "study.toml"
    path.write_text(text)
    return read_study(str(path))


def test_a_file_of_scenarios(tmp_path):
    study = study_of(tmp_path, STUDY)
    assert [(s.name, s.k, s.rho, s.topic, s.data_sets) for s in study.scenarios] == [
        ("weak", 6, 0.4, "correlation", 40),
        ("weak", 9, 0.4, "correlation", 40),
    ]
    assert [(c.scenario.k, c.seed) for c in study.every_chunk()] == [(6, 0), (6, 1), (6, 2), (9, 0), (9, 1), (9, 2)]
    assert study.scenarios[0].mean == scenarios("correlation")[0].mean  # what a file leaves out is typical
    assert read_study(str(tmp_path / "study.toml"), chunks=1).chunks == 1
    assert read_study("threshold").scenarios == scenarios("threshold")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("rho = 0.4", "rho = 1.4", "weak: rho = 1.4 must be from -1 to 1"),
        ("rho = 0.4", "rhoo = 0.4", "unknown key 'rhoo'; did you mean 'rho'"),
        ("rho = 0.4", "rho = '0.4'", "weak: rho = '0.4' must be a number"),
        ("rho = 0.4", "tau = 0.2", "weak: tau = 0.2 must be two numbers, surrogate then final"),
        ("rho = 0.4", "tau = [0.2, -0.1]", "weak: tau = (0.2, -0.1) must be 0 or more"),
        ("rho = 0.4", "shared_arms = 4", "weak: shared_arms = 4 must be from 0 to 3, half of k"),
        ("rho = 0.4", "shared_arms = 2", "weak: shared_arms = 2 needs topic = 'models', not 'correlation'"),
        ("rho = 0.4", "rho = nan", "weak: rho = nan must be a number"),
        ("rho = 0.4", "mean = [inf, 0.0]", "weak: mean = [inf, 0.0] must be two numbers"),
        ("rho = 0.4", "topic = 'colour'", "weak: topic = 'colour' must be one of models, correlation"),
        (
            "rho = 0.4",
            "topic = 'models'\ntau = [0, 0.1]",
            "weak: tau = [0.0, 0.1] must be above 0 with topic = 'models'",
        ),
        ("k = [6, 9]", "topic = 'two-sets'\nk = [6, 7]", "weak: k = 7 must be one of 6, 9, 16, 45"),
        ("rho = 0.4", "data_sets = 1", "weak: data_sets = 1 must be at least 2 with topic = 'correlation'"),
        ("data_sets = 40", "data_sets = 10_000_000", "data_sets = 10000000 with k = 6 are 60,000,000 comparisons"),
        ("chunks = 3", "chunks = 1_000_000", "chunks = 1000000 in each of 2 scenarios are 2,000,000 files, at most"),
        ("chunks = 3", "chunks = true", "chunks = True must be a whole number"),
        ('"weak"', '""', "name = '' must be text of one line"),
        ('"weak"', '"a\\nb"', r"name = 'a\nb' must be text of one line"),
        ("k = [6, 9]", "k = []", "weak: k = [] must contain at least one number"),
        ("[[scenario]]", "[scenario]", "there is no [[scenario]] in double brackets"),
        ("k = [6, 9]", "k = 6.5", "weak: k = 6.5 must be a whole number"),
        ("k = [6, 9]", "k = 2", "weak: k = 2 must be at least 3"),
        ("k = [6, 9]", "k = [6, 6]", "two scenarios are called 'weak' with k = 6"),
        ("k = [6, 9]\n", "", r"a [[scenario]] has no k; add k = ..."),
        ("chunks = 3", "chunks = 0", "chunks = 0 must be a whole number, at least 1"),
        ('"correlation"', '"colour"', "topic = 'colour' must be one of models, correlation"),
        ("chunks = 3", "chunk = 3", "unknown key 'chunk'; did you mean 'chunks'"),
        ("chunks = 3", "chunks 3", "not a TOML file"),
    ],
)
def test_a_fault_of_a_file_is_named(tmp_path, old, new, words):
    with pytest.raises(UsageError) as error:
        study_of(tmp_path, STUDY.replace(old, new))
    assert words in str(error.value)
    assert str(error.value).startswith(str(tmp_path / "study.toml"))


def test_the_example_of_the_guide(tmp_path):
    guide = (ROOT / "docs" / "simulation.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", guide, re.S)
    study = study_of(tmp_path, example)
    assert [(s.name, s.k, s.patients, s.shared_arms) for s in study.scenarios] == [
        ("small trials", 6, 100, 1),
        ("small trials", 9, 100, 1),
    ]
    every_key = {field.name for field in fields(Scenario)} - {"topic"}
    assert every_key == {line.split(" = ")[0] for line in example.splitlines() if " = " in line} - {"topic", "chunks"}
    for topic in TOPICS:
        assert topic in guide
    commands = re.findall(r"^surrogacy simulate (.*?)(?:  +#.*)?$", guide, re.M)
    assert len(commands) == 3
    for command in commands:
        simulate.parser().parse_args(command.split())


def test_neither_a_file_nor_a_topic():
    with pytest.raises(UsageError, match="neither a file nor a topic; did you mean 'threshold'"):
        read_study("treshold")
    with pytest.raises(UsageError, match="--chunks 0: at least 1"):
        read_study("threshold", 0)


def test_the_key_of_a_chunk_depends_on_everything_that_determines_its_result(monkeypatch):
    chunk = Chunk(SMALL, 1)
    others = [replace(chunk, seed=2), *(Chunk(replace(SMALL, **change), 1) for change in ({"k": 7}, {"rho": 0.1}))]
    assert len({chunk.key, *(other.key for other in others)}) == 4
    assert chunk.key == Chunk(replace(SMALL), 1).key
    before = chunk.key
    monkeypatch.setattr("surrogacy.__version__", "99")
    assert chunk.key != before


def test_comparisons_with_a_shared_control_arm():
    """Covariance of the estimates of 40,000 data sets against that which the effects state; 4 Monte Carlo errors."""
    scenario = Scenario("models", "shared", 5, se_spread=0.0, size_spread=0.0, shared_arms=2, data_sets=40_000)
    sets = draw_sets(scenario, 1)
    effects = sets.effects(0)
    assert effects.trial == ("0", "0", "1", "1", "4")
    assert [list(group) for group in effects.dependent_groups()] == [[0, 1], [2, 3], [4]]
    between = np.kron(np.eye(2), scenario.between)
    for members in ([0, 1], [2, 3]):
        observed = np.cov(sets.log_hr[:, members].reshape(-1, 4).T)
        expected = effects.sampling_covariance(members) + between
        error = np.sqrt((expected**2 + np.outer(np.diag(expected), np.diag(expected))) / 40_000)
        assert np.all(np.abs(observed - expected) < 4 * error)
    across = np.cov(sets.log_hr[:, [1, 2]].reshape(-1, 4).T)[:2, 2:]
    assert np.abs(across).max() < 4 * expected.max() / np.sqrt(40_000)


def test_a_parquet_file_holds_the_outcomes_and_is_the_same_every_time():
    outcomes = simulate_chunk(SMALL, 1)
    content = to_parquet(outcomes)
    assert content == to_parquet(simulate_chunk(SMALL, 1))
    for read, written in zip(from_parquet(content), outcomes, strict=True):
        assert (read.procedure, read.target) == (written.procedure, written.target)
        for name in ("coverage", "width", "error"):
            assert np.array_equal(getattr(read, name), getattr(written, name), equal_nan=True)


def test_finished_chunks_are_kept_and_partial_files_are_not(tmp_path):
    chunks = Study((SMALL,), 3).every_chunk()
    write_chunk(tmp_path, chunks[1], b"finished")
    (tmp_path / f"{chunks[0].key}.123.partial").write_bytes(b"half")
    assert unfinished(tmp_path, chunks) == (chunks[0], chunks[2])
    assert [path.name for path in tmp_path.iterdir()] == [chunk_path(tmp_path, chunks[1]).name]


def test_a_run_goes_on_where_it_was_stopped(tmp_path):
    study, done = Study((SMALL,), 3), []
    chunks = study.every_chunk()
    execution.simulate_chunks(chunks[:1], tmp_path)
    execution.simulate_chunks(chunks, tmp_path, finished=done.append)
    assert done == list(chunks[1:])
    (row,) = study_performance(study, tmp_path)
    assert row.performance[0].data_sets == 60
    assert as_csv([row]).startswith("scenario,k,procedure,target,data_sets,coverage,")
    assert next(as_lines([row])) == "typical, k = 6: 60 data sets"


def test_workers_that_always_end_early_are_an_error_that_keeps_what_is_finished(tmp_path, monkeypatch):
    chunks = Study((SMALL,), 2).every_chunk()
    monkeypatch.setattr(execution, "_by_processes", lambda workers: lambda left: iter(()))
    write_chunk(tmp_path, chunks[0], b"finished")
    with pytest.raises(ProcessError, match=r"typical, k = 6, chunk 1 was finished .* the same command goes on"):
        execution.simulate_chunks(chunks, tmp_path)
    assert chunk_path(tmp_path, chunks[0]).read_bytes() == b"finished"


@pytest.mark.slow
@pytest.mark.parametrize("backend", execution.BACKENDS)
def test_a_chunk_that_kills_its_worker_does_not_stop_the_others(tmp_path, monkeypatch, backend):
    """A chunk that needs too much memory: the run ends with an error, and each of the other chunks is finished."""
    chunks = Study((SMALL,), 3).every_chunk()
    monkeypatch.setattr(execution, "simulated_file", deadly_file)
    monkeypatch.setattr(execution, "RESTARTS", 1)
    deaths = dask.config.set({"distributed.scheduler.allowed-failures": 0})
    with deaths, pytest.raises(ProcessError, match="workers ended early 1 times, last before typical, k = 6, chunk 1"):
        execution.simulate_chunks(chunks, tmp_path, backend=backend, workers=2)
    assert unfinished(tmp_path, chunks) == (chunks[1],)


def deadly_file(chunk, version):
    if chunk.seed == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return SIMULATED_FILE(chunk, version)


SIMULATED_FILE = execution.simulated_file


def test_an_error_in_a_chunk_names_it(monkeypatch):
    def fails(scenario, seed):
        raise ValueError("no such quantile")

    monkeypatch.setattr(execution, "simulate_chunk", fails)
    with pytest.raises(ValueError, match="no such quantile") as error:
        execution.simulated_file(Chunk(SMALL, 1), surrogacy.__version__)
    assert error.value.__notes__ == ["in typical, k = 6, chunk 1"]


def test_only_warnings_about_the_end_are_silenced(caplog):
    execution.silence_the_end()
    execution.silence_the_end()
    nanny = logging.getLogger("distributed.nanny")
    assert len(nanny.filters) == 1
    nanny.warning("Worker process still alive after 4.0 seconds, killing")
    nanny.warning("Restarting worker")
    assert [record.getMessage() for record in caplog.records] == ["Restarting worker"]


def test_one_run_at_a_time_in_a_folder(tmp_path):
    out = tmp_path / "new" / "out"
    with study_folder(out) as folder:
        assert folder == out / "chunks"
        with pytest.raises(UsageError, match=r"another simulation writes there; wait for its end"), study_folder(out):
            pass
    assert not (tmp_path / "new").exists()  # nothing was written
    with study_folder(out) as folder:
        (folder / "a.parquet").write_bytes(b"a")
    assert [path.name for path in out.rglob("*")] == ["chunks", "a.parquet"]


@pytest.mark.parametrize(("name", "kind"), [("chunks", "file"), ("performance.csv", "folder")])
def test_a_name_that_is_taken(tmp_path, name, kind):
    (tmp_path / name).touch() if kind == "file" else (tmp_path / name).mkdir()
    with pytest.raises(UsageError, match=rf"{name} is a {kind}; move it away"), study_folder(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_worker_with_another_version_is_refused():
    with pytest.raises(ProcessError, match=r"a worker has surrogacy .*, this process 0"):
        execution.simulated_file(Chunk(SMALL, 1), "0")
