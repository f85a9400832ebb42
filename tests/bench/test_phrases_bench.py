from __future__ import annotations

from pathlib import Path

from hearing.bench.phrases import PhraseScore, count, names_in, write_phrases_page


def test_names_are_what_begins_with_a_capital_or_a_digit() -> None:
    assert names_in("Bring Oyelaran part A-113, and go to bay 4.") == {"Oyelaran", "A-113", "4"}
    assert names_in("Stop!") == set()
    assert names_in("Please ask Anna Maria whether I'm late.") == {"Anna Maria"}


def test_counts_by_hand() -> None:
    pairs = [("Go to bay 4.", "go to Bay four"), ("Ask Anna.", "ask Hannah"), ("Stop.", "stop Anna")]
    assert count(["bay 4", "Anna"], pairs) == PhraseScore(listed=2, said=2, heard=1, invented=1, utterances=3)


def test_the_page_tells_what_a_list_is_worth(tmp_path: Path) -> None:
    score = PhraseScore(10, 20, 15, 1, 50)
    better = PhraseScore(10, 20, 18, 2, 50)
    write_phrases_page(
        {"said": {"without": score, "with": better}, "not said": {"without": score, "with": better}},
        "dev",
        tmp_path / "phrases.md",
    )
    text = (tmp_path / "phrases.md").read_text()
    assert "75 % of 20" in text
    assert "90 % of 20" in text
