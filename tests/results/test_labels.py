"""Labels: every model, endpoint, weight and estimate has one, and no label is a code name."""

import re
from typing import get_args

import pytest

from surrogacy.models import REGISTRY, create
from surrogacy.results.labels import ENDPOINTS, ESTIMATES, GLOSSARY, HEADINGS, MODELS, WEIGHTS, Weights, estimate_label
from surrogacy.trials import columns
from tests.support.effects import simulated

CLOSED_FORM = ("weighted-pearson", "weighted-regression", "bivariate-reml", "bivariate-bayes", "daniels-hughes")
CODE_NAME = re.compile(r"[a-z]_[a-z]|^[a-z]+-(pearson|reml|bayes)")


def test_every_model_endpoint_and_weight_has_a_label():
    assert set(REGISTRY) <= set(MODELS)
    assert set(columns.ENDPOINTS) <= set(ENDPOINTS)
    assert set(get_args(Weights)) == set(WEIGHTS)


@pytest.mark.parametrize("name", CLOSED_FORM)
def test_every_estimate_has_a_label(name):
    settings = {"bootstrap": 50} if name == "weighted-pearson" else {}
    result = create(name, **settings).fit(simulated(12))
    keys = {key.removesuffix("_delta") for key in result.estimates}
    assert keys <= set(ESTIMATES)
    assert not any(CODE_NAME.search(estimate_label(key, "OS")) for key in result.estimates)


@pytest.mark.parametrize("group", GLOSSARY)
def test_no_label_is_a_code_name_and_each_has_a_definition(group):
    for label in GLOSSARY[group].values():
        assert not CODE_NAME.search(label.name("OS", "PFS"))
        assert "{" not in label.describe("OS", "PFS")
        assert label.definition.endswith(".")


def test_no_heading_is_a_code_name():
    assert not [heading for heading in HEADINGS.values() if CODE_NAME.search(heading)]
