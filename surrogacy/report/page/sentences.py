"""Notes of the screen as sentences of the page."""

from surrogacy.report.typography import with_minus_signs


def sentence(text: str) -> str:
    """Return a note of the screen as a sentence: without its mark, with a capital letter, minus signs and a full stop.

    Symbols such as r, and words with a digit or a hyphen, which may be names, remain as they are.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> sentence("! weighted regression: the interval includes 0"), sentence("r with one trial left out: 0.48")
    ('Weighted regression: the interval includes 0.', 'r with one trial left out: 0.48.')
    """
    words = with_minus_signs(text.removeprefix("! ").strip())
    first = words.split(" ", 1)[0].rstrip(",:")
    if len(first) > 1 and first.isalpha() and first.islower():
        words = words[0].upper() + words[1:]
    return words if words.endswith((".", ":", "?", "!")) else f"{words}."
