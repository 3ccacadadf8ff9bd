"""Sets of more than a thousand comparisons: what is omitted is named, and time and memory stay moderate."""

import time

import numpy as np
import pytest

from surrogacy.effects import Effects
from surrogacy.fit import main
from surrogacy.stats.bootstrap import PIECE, resampled_r


def write_table(path, k):
    generator = np.random.default_rng(1)
    n = generator.integers(60, 600, k)
    true = generator.normal(-0.3, 0.3, k)
    se = np.sqrt(4 / np.array([0.9 * n, 0.6 * n]))
    effects = np.array([true, 0.1 + 0.5 * true]) + se * generator.standard_normal((2, k))
    rows = ["trial,n_exp,n_ctl,hr_pfs,se_pfs,hr_os,se_os"]
    for i in range(k):
        (x, y), (sx, sy) = np.exp(effects[:, i]), se[:, i]
        rows.append(f"T{i},{n[i] // 2},{n[i] // 2},{x:.4f},{sx:.4f},{y:.4f},{sy:.4f}")
    path.write_text("\n".join(rows))


@pytest.mark.slow
def test_omitted_outputs_are_named(tmp_path, capsys):
    write_table(tmp_path / "large.csv", 1200)
    out = tmp_path / "out"
    arguments = [
        "--pairs",
        str(tmp_path / "large.csv"),
        "--out",
        str(out),
        "--format",
        "png",
        "--model",
        "weighted-regression",
    ]
    assert main([*arguments, "bivariate-reml"]) == 0
    shown = capsys.readouterr()
    assert "1,200 comparisons, more than 1,000: without leave-one-out" in shown.err
    assert {path.name for path in (out / "figures").glob("*.png")} == {"bubble-large.png"}


@pytest.mark.slow
def test_time_grows_linearly_with_the_comparisons(tmp_path):
    seconds = []
    for k in (1200, 1200, 4800):  # the first run loads the libraries
        write_table(tmp_path / "large.csv", k)
        start = time.process_time()
        arguments = ["--pairs", str(tmp_path / "large.csv"), "--out", str(tmp_path / "out"), "--format", "png"]
        assert main([*arguments, "--model", "weighted-regression", "bivariate-reml", "--quiet"]) == 0
        seconds.append(time.process_time() - start)
    assert seconds[2] < 8 * seconds[1]  # linear: 4, quadratic: 16


def test_the_bootstrap_in_pieces_is_the_bootstrap(monkeypatch):
    generator = np.random.default_rng(0)
    effects = Effects.from_arrays(generator.normal(size=(12, 2)), np.full((12, 2), 0.1), n=np.arange(1, 13) * 10)
    whole = resampled_r(effects, effects.n, 500, np.random.default_rng(3))
    monkeypatch.setattr("surrogacy.stats.bootstrap.PIECE", 100)
    assert np.array_equal(resampled_r(effects, effects.n, 500, np.random.default_rng(3)), whole)
    assert PIECE > 100
