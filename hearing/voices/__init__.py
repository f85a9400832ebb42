"""Voices: who speaks, by how he sounds."""

from hearing.voices.embedding import VoiceEncoder, VoicePrint
from hearing.voices.likelihood import VoiceLikelihood
from hearing.voices.profile import VoiceProfile

__all__ = ["VoiceEncoder", "VoiceLikelihood", "VoicePrint", "VoiceProfile"]
