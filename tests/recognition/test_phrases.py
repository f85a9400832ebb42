from __future__ import annotations

from pathlib import Path

import pytest

from hearing.errors import InputError
from hearing.recognition.phrases import read_phrases


def test_every_line_is_a_phrase_but_for_comments_and_blanks(tmp_path: Path) -> None:
    path = tmp_path / "phrases.txt"
    path.write_text("\ufeff# the machines\ntorque wrench\n\n  LX-200\t\r\nbay #3\n", encoding="utf-8")
    assert read_phrases(path) == ("torque wrench", "LX-200", "bay #3")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"# nothing yet\n\n", "holds no phrases"),
        (b"lathe\n---\n", "the phrase '---' has no letters"),
        (b"lathe\n" * 1001, "1001 phrases, at most 1000"),
        (b"\xff\xfel\x00", "not a text file in UTF-8"),
        (None, "No such file"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(content: bytes | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "phrases.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=rf"phrases\.txt: .*{reason}"):
        read_phrases(path)
