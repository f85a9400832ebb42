"""Voices: who speaks, by how he sounds."""

from hearing.likeness import Profile as VoiceProfile
from hearing.voices.embedding import VoiceEncoder, VoicePrint
from hearing.voices.likelihood import VoiceLikelihood

__all__ = ["VoiceEncoder", "VoiceLikelihood", "VoicePrint", "VoiceProfile"]
