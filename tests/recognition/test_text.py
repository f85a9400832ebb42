from __future__ import annotations

import pytest

from hearing.recognition.text import matches, normalize


@pytest.mark.parametrize(
    ("text", "normal"), [("Machine,", "machine"), ("don't", "dont"), ("16-ounce", "16ounce"), ("\u266a", ""), ("", "")]
)
def test_normalize(text: str, normal: str) -> None:
    assert normalize(text) == normal


def test_matches_are_pairs_of_equal_words_in_order() -> None:
    assert matches(["turn", "of", "the", "left"], ["turn", "off", "the", "left"]) == [(0, 0), (2, 2), (3, 3)]
    assert matches(["a", "b"], ["b", "a"]) in ([(0, 1)], [(1, 0)])
    assert matches([], ["a"]) == []
