"""Folder of a run with its tables and texts for a paper."""

import pytest

from surrogacy.fit import main
from tests.support.pinned_tables import PINNED


@pytest.fixture(scope="module")
def paper_folder(tmp_path_factory):
    """Folder of a run with two sets and one figure."""
    folder = tmp_path_factory.mktemp("paper") / "out"
    sets, figure = ("tactics-2022", "llovet-2019-pfs"), ("--figures", "bubble-tactics-2022", "--format", "svg")
    assert main([*sets, *PINNED, "--quiet", "--out", str(folder), *figure]) == 0
    return folder
