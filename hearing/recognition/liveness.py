"""Whether somebody speaks in an utterance, or only a loudspeaker: announcements and radios are speech to recognizers.

What a loudspeaker sends lacks lows or highs and is distorted. A small network (`hearing_models.liveness`) hears that in
the log-mel frames that the recognizer hears.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from hearing.recognition.session import open_session
from hearing.types import Float32Array

_SHORTEST = 50
"""Log-mel frames: half a second. The network says nothing about less."""


class Liveness:
    """Tells living talkers from loudspeakers.

    Parameters
    ----------
    path
        The network; by default the one of the package.
    """

    def __init__(self, path: Path | None = None) -> None:
        packaged = Path(str(resources.files("hearing_models.liveness"))) / "weights" / "liveness.onnx"
        self._session = open_session(path or packaged, 1)

    def log_odds(self, mel: Float32Array) -> float:
        """Return the natural log-odds that somebody speaks who is there, given frames of shape (n_frames, 80)."""
        if len(mel) < _SHORTEST:
            return 0.0
        return float(self._session.run(None, {"mel": mel[None]})[0][0])
