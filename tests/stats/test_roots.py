"""Roots of increasing functions."""

import numpy as np
import pytest
from scipy.special import expit, logit

from surrogacy.stats.roots import increasing_root


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


def test_known_ends_are_not_evaluated_again():
    calls = []

    def line(x):
        calls.append(x)
        return x - 0.25

    assert increasing_root(line, np.zeros(1), np.ones(1), (np.array([-0.25]), np.array([0.75]))) == pytest.approx(0.25)
    assert len(calls) == 1
