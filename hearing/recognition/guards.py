"""Guards against invented text: recognizers write sentences into noise and silence."""

from __future__ import annotations

from hearing.recognition.engine import Recognition


def reason_to_drop(final: Recognition, draft: Recognition, duration: float) -> str | None:
    """Say why a recognition is invented, or None if it is believed."""
    if not final.words:
        return "nothing said"
    return None


def reason_to_withhold(draft: Recognition, duration: float) -> str | None:
    """Say why a draft is not shown, or None if it is believed."""
    return None
