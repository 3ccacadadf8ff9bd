"""The figure of lines at values of a moderator."""

import pytest

from surrogacy.figures.moderated_lines import moderated_lines_data, plot_moderated_lines
from surrogacy.models.moderated_line import ModeratedLine
from surrogacy.models.moderator import factor_moderator


def test_figure_draws_every_comparison_and_three_lines(moderation, tmp_path):
    bubbles, lines = moderated_lines_data(moderation)
    assert len(bubbles) == len(moderation.posterior.effects)
    assert list(dict.fromkeys(lines["place"])) == ["0.1", "0.5", "0.9"]
    median = lines[lines["place"] == "0.5"]
    line = moderation.line_at(float(median["value"].iloc[0]))
    assert median["median"].to_numpy() == pytest.approx(line.predict(median["surrogate"].to_numpy())[0], abs=1e-3)
    assert (median["prediction_low"] < median["low"]).all()
    ax = plot_moderated_lines(moderation)
    ax.figure.savefig(tmp_path / "lines.png", dpi=50)
    bar = ax.figure.axes[-1]
    texts = [label.get_text() for label in bar.get_xticklabels()]
    assert len(texts) == 3
    assert all("slope" in text and "STE" in text for text in texts)
    assert bar.get_title(loc="left") == "PPS/PFS ratio (PPS of the illness-death model)"


def test_figure_of_two_levels(sets):
    found = ModeratedLine().fit(sets["all"], factor_moderator(sets["all"], "line"))
    bar = plot_moderated_lines(found).figure.axes[-1]
    assert any(label.get_text().startswith("second: slope") for label in bar.get_xticklabels())
