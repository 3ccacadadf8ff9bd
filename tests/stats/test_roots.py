"""Roots of increasing functions."""

import numpy as np
import pytest
from scipy.special import expit, logit

from surrogacy.stats.roots import increasing_root, nearly_linear_root


def test_roots_of_a_smooth_function_need_few_evaluations():
    p, calls = np.array([0.025, 0.5, 0.975]), []

    def excess(x):
        calls.append(x)
        return expit(x) - p

    root = increasing_root(excess, np.full(3, -5.0), np.full(3, 5.0))
    assert root == pytest.approx(logit(p), abs=1e-4)  # 2e-7 in the value of the function, whose derivative is 0.024
    assert len(calls) < 16


def test_brackets_that_miss_the_root_are_widened():
    root = increasing_root(lambda x: x - np.array([100.0, -100.0]), np.zeros(2), np.ones(2))
    assert root == pytest.approx([100.0, -100.0])


def test_a_jump_is_enclosed():
    root = increasing_root(lambda x: np.where(x < 0.3, -1.0, 1.0), np.zeros(1), np.ones(1))
    assert root == pytest.approx([0.3], abs=1e-5)


def test_roots_of_nearly_linear_functions():
    """Cubic functions, one with its root beyond the four points; each is evaluated at most four times."""
    bend, shift, counts = np.array([0.0, 0.02, 0.05]), np.array([0.3, 1.0, 3.0]), np.zeros(3)

    def excess(which, x):
        counts[which] += 1
        return x + bend[which] * x**3 - shift[which]

    x = np.array([-1.0, 0.0, 1.0, 2.0])[:, None] * np.ones(3)
    values = x + bend * x**3 - shift
    root = nearly_linear_root(excess, x, values)
    assert root + bend * root**3 == pytest.approx(shift, abs=1e-5)
    assert counts.max() <= 4


def test_a_bracket_encloses_the_root_of_a_step():
    step = np.array([0.0, 0.0, 1.0, 1.0])[:, None] - 0.5
    x = np.arange(4.0)[:, None]
    root = nearly_linear_root(lambda _, at: np.where(at < 1.3, -0.5, 0.5), x, step, (x[1], x[2]))
    assert root == pytest.approx([1.3], abs=1e-5)
