"""Notes of the screen as sentences of report.html."""

import pytest

from surrogacy.report.page.sentences import sentence


@pytest.mark.parametrize(
    ("note", "shown"),
    [
        ("! standard errors not from limits: SPACE OS from p", "Standard errors not from limits: SPACE OS from p."),
        ("r with one trial left out: 0.48 to -0.73", "r with one trial left out: 0.48 to \u22120.73."),
        ("A threshold may not exist.", "A threshold may not exist."),
        ("tactics-2022: too few trials", "tactics-2022: too few trials."),
        ("mRECIST was used", "mRECIST was used."),
    ],
)
def test_a_note_is_a_sentence_and_names_are_unchanged(note, shown):
    assert sentence(note) == shown
