import pytest

from surrogacy.errors import UsageError
from surrogacy.fit import main
from surrogacy.pps.read_summaries import read_inputs
from surrogacy.results.suggestions import did_you_mean, similar_names, unknown_name
from surrogacy.trials import read_trials


def test_each_name_is_suggested_once():
    known = {"SPACE": "space", "space": "space", "TRACE": "trace", "Grace": "grace", "ACE": "ace", "spice": "spice"}
    names = similar_names("spade", known)
    assert names[:2] == ("space", "spice")
    assert len(names) == len(set(names)) <= 3


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("xyz", ""),
        ("advancd", "did you mean 'advanced'?"),
        ("sun-1170x", "did you mean 'sun-1170', 'sun-117' or 'sun-1171'?"),
    ],
)
def test_sentences(name, text):
    assert did_you_mean(name, ["advanced", "sun-117", "sun-1171", "sun-1170", "space", "sun-11"]) == text


def test_an_unknown_name_lists_all_names():
    assert unknown_name("unknown set 'x'", "x", ["a", "b"]) == "unknown set 'x'; choose from a, b"


def test_a_label_and_its_identifier_are_one_suggestion_in_pps():
    with pytest.raises(UsageError, match=r"did you mean '([^']*)'") as raised:
        read_inputs(read_trials(), "nowhere")
    suggested = str(raised.value).partition("did you mean ")[2].rstrip("?").replace(" or ", ", ").split(", ")
    assert len(suggested) == len(set(suggested)) <= 3


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["intermediat"], "'intermediate'"),
        (["tactics-2022", "--endpoints", "PSF"], "'PFS'"),
        (["tactics-2022", "--model", "bivariate-rlem"], "'bivariate-reml'"),
        (["tactics-2022", "--focus", "tactic", "--check"], "'tactics'"),
    ],
)
def test_unknown_names_on_the_command_line(arguments, name, capsys):
    assert main([*arguments, "--json", "--quiet"]) == 2
    assert f"did you mean {name}" in capsys.readouterr().err
