"""Speech recognition: partial words while somebody speaks, final words when the utterance ends."""

from hearing.recognition.recognizer import Recognizer

__all__ = ["Recognizer"]
