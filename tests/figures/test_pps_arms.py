"""The figure of PPS and OS over arms."""

import pytest

from surrogacy.figures.pps_arms import plot_pps_arms, pps_arms_data
from surrogacy.pps.coupling import coupling_audit
from tests.support.drawn_labels import identified_symbols


def test_figure_shows_arms_and_nulls(audit):
    data = pps_arms_data(audit)
    assert len(data) == len(audit.arms)
    assert [arm.median_pps for arm in data] == pytest.approx([arm.median_os - arm.median_pfs for arm in data])
    assert max(arm.area for arm in data) == 1
    left, right, below_left, below_right = plot_pps_arms(audit, focus="tactics")
    assert left.get_xlim() == right.get_xlim()
    assert left.get_ylim() == right.get_ylim()
    assert "median OS − median PFS" in left.get_xlabel()
    assert any(text.get_text() == "TACTICS" for text in left.texts)
    assert f"r = {audit['r_os_pps'].value:.2f}" in left.get_title(loc="left")
    assert "descriptive" in right.get_title(loc="right")
    controls = [arm.trial for arm in data if not arm.experimental]
    joined = sum(controls.count(arm.trial) for arm in data if arm.experimental)
    for axes in (left, right):
        assert {disc.comparison for disc in identified_symbols(axes)} == {arm.identifier for arm in data}
        assert len(axes.lines) == joined
    key = [text.get_text() for text in left.figure.legends[0].get_texts()]
    assert key[1:3] == ["expected if PFS and PPS were unrelated", "expected if arms differed by chance alone"]
    assert below_left.get_xlabel() == "Correlation of median OS and PPS over arms"
    assert below_right.get_xlim()[1] == 1


def test_figure_of_model_pps_says_so(arms):
    left, _, _, _ = plot_pps_arms(coupling_audit(arms, definition="model", resamples=50))
    assert "of the model" in left.get_xlabel()
    assert not left.texts
