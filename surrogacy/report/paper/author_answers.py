"""Answers of an author for the checklists (``report.yml``): reading, checking, and a template."""

from __future__ import annotations

from pathlib import Path

from surrogacy.errors import DataError, Fault
from surrogacy.report.paper.checklists import prompts
from surrogacy.results.suggestions import did_you_mean

EXAMPLE = "rationale: >\n  PFS is measured earlier than OS, and later treatment does not change it."


def read_answers(path: Path) -> dict[str, str]:
    """Return the answers by key; keys without a text are omitted.

    Parameters
    ----------
    path : Path

    Raises
    ------
    DataError
        If the file cannot be read, is not YAML, or a key is not one of those of the template. The message names file,
        line, value and remedy.
    """
    import yaml

    name = str(path)
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        fix = "give an existing file; surrogacy template report.yml writes a form"
        raise DataError([_fault(name, 0, "", "", error.strerror or str(error), fix)]) from error
    except UnicodeDecodeError as error:
        raise DataError([_fault(name, 0, "", "", "the file is not UTF-8", "save it as UTF-8")]) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        rule = f"not valid YAML: {getattr(error, 'problem', None) or 'the text cannot be read'}"
        fix = "put a text with a colon or a quotation mark after >, on an indented line of its own"
        raise DataError([_fault(name, mark.line + 1 if mark else 0, "", "", rule, fix)]) from error
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        fix = "write one key per line, such as rationale: text"
        raise DataError(
            [_fault(name, node.start_mark.line + 1, "", "", "the file is not a list of keys and texts", fix)]
        )
    return _checked(name, node.value)


def _checked(name: str, pairs: list[tuple[object, object]]) -> dict[str, str]:
    """Return the texts of a mapping, or raise all its faults."""
    import yaml

    faults, answers = [], {}
    for key, value in pairs:
        assert isinstance(key, yaml.Node)
        assert isinstance(value, yaml.Node)
        line, word = key.start_mark.line + 1, str(key.value)
        if word not in prompts():
            hint = did_you_mean(word, tuple(prompts())) or f"use one of {', '.join(prompts())}"
            faults.append(_fault(name, line, word, "", "there is no item with this key", hint))
        elif word in answers:
            faults.append(_fault(name, line, word, "", "the key occurs twice", "keep one of the two texts"))
        elif not isinstance(value, yaml.ScalarNode):
            faults.append(_fault(name, line, word, "", "the answer is not a text", f"write it as one text: {word}: >"))
        else:
            answers[word] = "" if value.tag.endswith(":null") else " ".join(value.value.split())
    if faults:
        raise DataError(faults)
    return {key: text for key, text in answers.items() if text}


def _fault(file: str, line: int, column: str, value: str, rule: str, fix: str) -> Fault:
    return Fault("E190", "error", file, line, "", column, value, rule, fix)


def answers_template() -> str:
    """Return a template of ``report.yml``: every key with its question, without an answer."""
    lines = "\n".join(f"# {prompt}\n{key}:\n" for key, prompt in prompts().items())
    indented = EXAMPLE.replace("\n", "\n#   ")
    return (
        "# Answers of the authors for the checklists. Leave a key empty if there is no answer yet.\n"
        f"# A text with a colon stands after >, on indented lines:\n#   {indented}\n\n{lines}"
    )
