"""One rule for the standard error of a hazard ratio, in the models and in post-progression analyses."""

import numpy as np
import pytest

from surrogacy.pps.read_summaries import hazard_ratio_of, read_all_inputs
from surrogacy.trials.frames import reported_effects
from surrogacy.trials.standard_errors import standard_error


@pytest.fixture(scope="module")
def effects(trials):
    return [effect for effect in reported_effects(trials.effects) if np.isfinite(effect.hr)]


def test_every_shipped_row_has_one_standard_error(effects):
    assert len(effects) > 250
    derived = 0
    for effect in effects:
        error, hr = standard_error(effect), hazard_ratio_of(effect)
        assert hr.se == (None if error is None else error.value), effect.effect_id
        derived += error is not None and error.method != "limits"
    assert derived == 17


def test_the_models_take_the_same_standard_errors(trials, effects):
    by_id = {effect.effect_id: hazard_ratio_of(effect).se for effect in effects}
    paired = trials.analysis_set("all")
    for column, side in enumerate(("surrogate_effect", "final_effect")):
        assert paired.se[:, column].tolist() == [by_id[name] for name in paired.factors[side]]


def test_a_decomposed_trial_keeps_them_and_says_where_they_come_from(trials, effects):
    by_id = {effect.effect_id: effect for effect in effects}
    inputs, _ = read_all_inputs(trials)
    derived = set()
    for trial in inputs:
        for hr in (trial.hr_os, *(cut.hr for cut in trial.cuts)):
            error = standard_error(by_id[hr.effect_id])
            assert hr.error == error
            if error is not None and error.method != "limits" and hr in (trial.hr_os, trial.cuts[0].hr):
                derived.add(trial.comparison)
                assert any(hr.effect_id in note for note in trial.notes)
    assert {"tace-2", "tepotinib-1l"} <= derived
