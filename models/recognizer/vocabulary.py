"""The recognizer's vocabulary: Whisper's tokens that English needs, under numbers of their own."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

END = "<|endoftext|>"
PROMPT = ("<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>")
# Byte-level BPE writes a blank as U+0120; every other printable ASCII character stands for itself.
_ENGLISH = re.compile("[!-~\u0120]+")


def english_tokenizer(path: Path) -> tuple[str, NDArray[np.int64]]:
    """Cut a multilingual tokenizer down to the tokens of printable ASCII and those of the prompt.

    A token of ASCII is merged from tokens of ASCII only, so English text is cut up as before.

    Parameters
    ----------
    path
        Whisper's `tokenizer.json`.

    Returns
    -------
    json
        The smaller tokenizer.
    kept
        Old numbers of its tokens, of shape (vocabulary,).
    """
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    model = tokenizer["model"]
    special = {entry["content"]: entry for entry in tokenizer["added_tokens"]}
    old = sorted(
        (number, token)
        for token, number in model["vocab"].items()
        if _ENGLISH.fullmatch(token) and token not in special
    )
    model["vocab"] = {token: new for new, (_, token) in enumerate(old)}
    model["merges"] = [merge for merge in model["merges"] if "".join(_pair(merge)) in model["vocab"]]
    kept = [number for number, _ in old]
    tokenizer["added_tokens"] = []
    for content in (END, *PROMPT):
        tokenizer["added_tokens"].append(special[content] | {"id": len(kept)})
        kept.append(special[content]["id"])
    tokenizer["post_processor"] = None
    return json.dumps(tokenizer, ensure_ascii=False), np.array(kept)


def load_tokenizer(path: Path) -> tuple[Tokenizer, NDArray[np.int64]]:
    """Return the English tokenizer that is cut from Whisper's, and the old numbers of its tokens."""
    text, kept = english_tokenizer(path)
    return Tokenizer.from_str(text), kept


def _pair(merge: str | list[str]) -> list[str]:
    return merge.split(" ") if isinstance(merge, str) else merge
