from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearing.speech import ClauseSplitter, split_clauses


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("", []),
        ("  \n ", []),
        ("Stop!", ["Stop!"]),
        ("Okay, I will bring it. Wait here.", ["Okay,", "I will bring it.", "Wait here."]),
        ("It weighs 1,250.5 kg at 3.5 bar.", ["It weighs 1,250.5 kg at 3.5 bar."]),
        ("Dr. Smith met J. K. Rowling at St. Mary. He left.", ["Dr. Smith met J. K. Rowling at St. Mary.", "He left."]),
        ("Bring bolts, e.g. of No. 5 there. No. Stop!", ["Bring bolts,", "e.g. of No. 5 there.", "No.", "Stop!"]),
        ("We open at 7 a.m. and close at 5 p.m. Then go.", ["We open at 7 a.m. and close at 5 p.m.", "Then go."]),
        ("Well... maybe. Let me see\u2026 yes", ["Well...", "maybe.", "Let me see\u2026", "yes"]),
        ("It starts on May 5, 2026 at ten.", ["It starts on May 5, 2026 at ten."]),
        ("1. Open the door. 2. Go in bay 5. Then wait.", ["1. Open the door.", "2. Go in bay 5.", "Then wait."]),
        ('He said "Go." Then he went.', ['He said "Go."', "Then he went."]),
        ("First line\nsecond line", ["First line", "second line"]),
        ("The pallet is in bay four and the box is on the bench and so is the drill.",
         ["The pallet is in bay four", "and the box is on the bench and so is the drill."]),
        ("Yes, one, two, three, four, five, six, seven, eight.",
         ["Yes,", "one, two, three, four, five, six,", "seven, eight."]),
    ],
)  # fmt: skip
def test_clauses_end_where_a_speaker_would_pause(text: str, clauses: list[str]) -> None:
    assert split_clauses(text) == clauses


WRITTEN = st.text(alphabet="aBd5 ,.;:!?\u2026\n-'\"", max_size=300)


@settings(deadline=None)
@given(WRITTEN, st.lists(st.integers(1, 30), min_size=1, max_size=20))
def test_pieces_change_nothing(text: str, lengths: list[int]) -> None:
    splitter, clauses, at = ClauseSplitter(), [], 0
    for length in [*lengths * (len(text) // sum(lengths) + 1)]:
        clauses += splitter.feed(text[at : at + length])
        at += length
    assert at >= len(text)
    assert clauses + splitter.flush() == split_clauses(text)


@settings(deadline=None)
@given(WRITTEN)
def test_nothing_is_lost(text: str) -> None:
    assert "".join("".join(split_clauses(text)).split()) == "".join(text.split())


def test_a_clause_is_known_with_the_first_letter_after_it() -> None:
    splitter = ClauseSplitter()
    assert splitter.feed("I am on my way.") == []
    assert splitter.feed(" ") == []
    assert splitter.feed("W") == ["I am on my way."]
    assert splitter.flush() == ["W"]


def test_text_without_punctuation_does_not_wait_for_ever() -> None:
    clauses = split_clauses("word " * 500)
    assert max(map(len, clauses)) <= 400
    assert " ".join(clauses) == ("word " * 500).strip()


def test_flush_starts_a_new_text() -> None:
    splitter = ClauseSplitter()
    first = splitter.feed("Yes, I do that. x") + splitter.flush()
    assert splitter.feed("Yes, I do that. x") + splitter.flush() == first == ["Yes,", "I do that.", "x"]
