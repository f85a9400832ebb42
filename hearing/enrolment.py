"""Voices of people who want to be known, from recordings and the microphone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from hearing.activity import WINDOW, VoiceActivity
from hearing.audio_file import open_audio
from hearing.errors import InputError
from hearing.likeness import Profile
from hearing.recognition.catalogue import MODELS
from hearing.recognition.store import locate
from hearing.stft import HOP
from hearing.types import SAMPLE_RATE, Float32Array, SourceAudio
from hearing.voices import VoiceEncoder, VoicePrint

LEAST_SPEECH = 3.0
"""Seconds of speech that are needed to know a voice."""
_BLOCK = 8192


def enroll_voice(recordings: Iterable[Iterable[Float32Array]], encoder: VoiceEncoder) -> Profile:
    """Learn a voice.

    Parameters
    ----------
    recordings
        One person speaks in each; blocks of samples at 16 kHz, of shape (n_samples,).
    encoder
        The network.

    Raises
    ------
    InputError
        If there is too little speech.
    """
    activity = VoiceActivity(locate(MODELS["silero-vad-v6"]) / "silero_vad_v6.onnx")
    profile, seconds = Profile(), 0.0
    for blocks in recordings:
        heard = _heard(blocks, activity, encoder)
        seconds += heard.seconds
        if heard.embedding is not None:
            profile.update(heard.embedding, heard.quality)
    if seconds < LEAST_SPEECH:
        raise InputError(f"{seconds:.1f} s of speech are too little to know a voice; give {LEAST_SPEECH:g} s or more")
    return profile


def recorded(path: Path) -> Iterable[Float32Array]:
    """Check an audio file and read its first channel.

    Raises
    ------
    InputError
        If it cannot be used.
    """
    audio = open_audio(path)
    audio.check()
    return (block[:, 0] for block in audio.blocks(_BLOCK))


def recorded_live(seconds: float) -> list[Float32Array]:
    """Record from the system's default microphone.

    Raises
    ------
    InputError
        If there is none.
    """
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise InputError("the microphone needs PortAudio: install it with `apt install libportaudio2`") from error
    try:
        samples = sounddevice.rec(round(seconds * SAMPLE_RATE), SAMPLE_RATE, channels=1, dtype="float32", blocking=True)
    except sounddevice.PortAudioError as error:
        raise InputError(f"microphone: {error}; connect one, or give --voice FILE") from error
    return [np.asarray(samples, np.float32)[:, 0]]


def _heard(blocks: Iterable[Float32Array], activity: VoiceActivity, encoder: VoiceEncoder) -> VoicePrint:
    """Hear one recording, leaving out where nobody speaks."""
    heard = VoicePrint(encoder)
    activity.reset()
    for block in blocks:
        padded = np.pad(block, (0, -len(block) % HOP))
        talking = np.ones(len(padded) // HOP, np.float32)
        likely = activity.process(SourceAudio(0, padded, padded, talking, 0))
        heard.process(block, np.repeat(likely[:, 0], WINDOW // HOP))
    return heard
