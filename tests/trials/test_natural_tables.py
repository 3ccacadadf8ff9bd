"""Tables as people have them: each is read as it is meant, or refused with the cell and the remedy."""

import pytest

from surrogacy.errors import DataError
from surrogacy.fit import main
from surrogacy.trials import read_pairs
from tests.support.natural_cells import TABLES
from tests.support.plain_effects import assert_plain_effects


@pytest.fixture(params=TABLES, ids=lambda table: table.name)
def natural(request, tmp_path):
    path = tmp_path / request.param.name
    path.write_bytes(request.param.content)
    return request.param, path


def test_the_table_is_read_as_it_is_meant_or_refused_with_the_remedy(natural):
    table, path = natural
    try:
        trials = read_pairs(path)
        faults = trials.faults
    except DataError as error:
        trials, faults = None, error.faults
    shown = "\n".join(map(str, faults))
    assert {(fault.code, fault.line, fault.column) for fault in faults if fault.severity != "info"} == table.faults, (
        shown
    )
    assert {fault.code for fault in faults if fault.severity == "info"} == table.remarks, shown
    for words in table.words:
        assert words in shown
    assert (trials is None) == table.refused
    if trials is not None:
        assert_plain_effects(trials.pair(trials.surrogates))


@pytest.mark.slow
def test_the_command_line_prints_no_traceback(natural, capsys):
    table, path = natural
    assert main(["--check", "--pairs", str(path)]) == (3 if table.refused else 0)
    shown = "".join(capsys.readouterr())
    assert "Traceback" not in shown
    assert "unexpected" not in shown


def test_there_are_enough_tables():
    assert len({table.name for table in TABLES}) == len(TABLES) >= 25
