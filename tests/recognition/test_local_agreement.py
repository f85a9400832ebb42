from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hearing.recognition.engine import RecognizedWord, spread
from hearing.recognition.local_agreement import LocalAgreement
from hearing.recognition.text import normalized

TEXTS = st.lists(st.sampled_from(["turn", "Turn", "the", "left", "left.", "machine,", "off"]), max_size=8)


def words(text: str | list[str]) -> tuple[RecognizedWord, ...]:
    texts = text.split() if isinstance(text, str) else text
    return spread(texts, [1.0] * len(texts), 1.0)


def texts(recognized: tuple[RecognizedWord, ...]) -> str:
    return " ".join(word.text for word in recognized)


def test_commits_what_two_hypotheses_agree_on() -> None:
    agreement = LocalAgreement()
    agreement.update(words("turn of"))
    assert texts(agreement.committed) == ""
    agreement.update(words("Turn off the lab"))
    assert (texts(agreement.committed), texts(agreement.tentative)) == ("Turn", "off the lab")
    agreement.update(words("turn off the left one"))
    assert (texts(agreement.committed), texts(agreement.tentative)) == ("Turn off the", "left one")


def test_contradicted_words_stay_and_the_rest_goes_on_after_them() -> None:
    agreement = LocalAgreement()
    agreement.update(words("turn off the left"))
    agreement.update(words("turn off the left"))
    agreement.update(words("turn of the left machine"))
    assert (texts(agreement.committed), texts(agreement.tentative)) == ("turn off the left", "machine")


def test_empty_hypothesis_takes_nothing_back() -> None:
    agreement = LocalAgreement()
    agreement.update(words("stop now"))
    agreement.update(words("stop now please"))
    agreement.update(())
    assert (texts(agreement.committed), texts(agreement.tentative)) == ("stop now", "")


@given(st.lists(TEXTS, max_size=8))
def test_committed_words_never_change(hypotheses: list[list[str]]) -> None:
    agreement = LocalAgreement()
    for hypothesis in hypotheses:
        before = agreement.committed
        agreement.update(words(hypothesis))
        assert agreement.committed[: len(before)] == before


@given(st.lists(TEXTS, max_size=5), TEXTS)
def test_nothing_is_committed_that_only_one_hypothesis_had(hypotheses: list[list[str]], last: list[str]) -> None:
    agreement = LocalAgreement()
    for hypothesis in hypotheses:
        agreement.update(words(hypothesis))
    before, tentative = agreement.committed, normalized(agreement.tentative)
    agreement.update(words(last))
    fresh = normalized(agreement.committed[len(before) :])
    assert fresh == tentative[: len(fresh)]


@given(TEXTS)
def test_repeated_hypothesis_is_committed_as_a_whole(hypothesis: list[str]) -> None:
    agreement = LocalAgreement()
    agreement.update(words(hypothesis))
    agreement.update(words(hypothesis))
    assert agreement.committed == words(hypothesis)
    assert agreement.tentative == ()
