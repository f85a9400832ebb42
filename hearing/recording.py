"""Recordings on disk: a multichannel audio file with its array, or a recording folder.

A recording folder holds `audio.wav`, `array.yaml`, and optionally `playback.wav`, `motion.jsonl`, `camera.mp4`,
`camera.yaml` and `reference/`. Audio is read in blocks, so that memory stays constant however long the recording is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hearing.arrays import MicrophoneArray, array_names, load_array
from hearing.audio_file import AudioFile, open_audio
from hearing.errors import InputError
from hearing.motion import MotionLog
from hearing.types import AudioBlock, Float32Array

BLOCK_SIZE = 512
"""Samples in a block, as many as in an audio message of the ROS nodes."""

_READ_SIZE = 65_536
_UNLIKE = 20.0  # dB; microphones of one array hear nearly the same
_SAME_LENGTH = 0.1  # s; recorders do not stop all their files at the same sample


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A recording that has passed all checks and can be read.

    Attributes
    ----------
    session_id
        Name of the recording: the folder's name, or the audio file's without its extension.
    audio
        The audio file.
    array
        The microphones, as many as the file has channels.
    reference
        Folder with the truth, if the recording has one.
    played
        What the robot's loudspeaker played, if it was recorded; any number of channels.
    motion
        File that says how the robot moved, see `hearing.motion.MotionLog`, if there is one.
    notices
        One line each about what is done to the recording or left unused.
    """

    session_id: str
    audio: AudioFile
    array: MicrophoneArray
    reference: Path | None = None
    played: AudioFile | None = None
    motion: Path | None = None
    notices: tuple[str, ...] = ()

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.audio.duration

    @property
    def playback(self) -> Path | None:
        """The file of what the robot's loudspeaker played, if it was recorded."""
        return self.played.path if self.played is not None else None

    @property
    def playback_channels(self) -> int:
        """Number of channels of the playback, 0 without one."""
        return self.played.channels if self.played is not None else 0

    def blocks(self, size: int = BLOCK_SIZE) -> Iterator[AudioBlock]:
        """Read the recording at `SAMPLE_RATE` in blocks of `size` samples; the last one may be shorter."""
        start = 0
        for samples in self.audio.blocks(size):
            yield AudioBlock(samples, start)
            start += len(samples)

    def blocks_with_playback(self, size: int = BLOCK_SIZE) -> Iterator[tuple[AudioBlock, Float32Array | None]]:
        """Read the recording as `blocks` does, and with every block what was played meanwhile.

        Yields
        ------
        The block, and the playback of shape (len(block.samples), playback_channels) on the same sample clock: silence
        where there is none any more, None without a playback.
        """
        if self.played is None:
            for block in self.blocks(size):
                yield block, None
            return
        silence = np.zeros((size, self.played.channels), dtype=np.float32)
        playback = self.played.blocks(size)
        for block in self.blocks(size):
            samples = next(playback, silence)
            yield block, np.concatenate([samples, silence])[: len(block.samples)]

    def read(self) -> Float32Array:
        """Read the whole recording at `SAMPLE_RATE` as an array of shape (n_samples, n_microphones)."""
        return np.concatenate([block.samples for block in self.blocks(_READ_SIZE)])


def open_recording(path: Path, array: str | Path | None = None, playback: Path | None = None) -> Recording:
    """Check a recording and open it.

    Parameters
    ----------
    path
        An audio file that libsndfile reads (wav, flac, ...), or a recording folder.
    array
        Name of a built-in array or path of an array YAML file. Needed with an audio file; with a folder it takes the
        place of the folder's `array.yaml`.
    playback
        Audio file of what the robot's loudspeaker played; takes the place of the folder's `playback.wav`.

    Raises
    ------
    InputError
        If a file is missing, no audio, empty, cut off or holds samples that are no sound, if the array is missing,
        unknown or does not have as many microphones as the file has channels, or if `motion.jsonl` has a mistake.
    """
    if not path.is_dir():
        return _open_file(path, path.stem, array, playback)
    audio = path / "audio.wav"
    if not audio.is_file():
        raise InputError(f"{path}: no audio.wav in this folder; give an audio file or a recording folder")
    if array is None and not (path / "array.yaml").is_file():
        raise InputError(f"{path}: no array.yaml in this folder; add it, or add --array NAME or FILE.yaml")
    return _open_file(
        audio,
        path.resolve().name,
        array or path / "array.yaml",
        playback or _if_there(path / "playback.wav"),
        reference=path / "reference" if (path / "reference").is_dir() else None,
        motion=_if_there(path / "motion.jsonl"),
        notices=(f"{path / 'camera.mp4'} is not used yet",) if (path / "camera.mp4").is_file() else (),
    )


def _if_there(path: Path) -> Path | None:
    # What is there but is no file is refused when it is opened.
    return path if path.exists() else None


def _open_file(
    path: Path,
    session_id: str,
    array: str | Path | None,
    playback: Path | None,
    reference: Path | None = None,
    motion: Path | None = None,
    notices: tuple[str, ...] = (),
) -> Recording:
    audio = open_audio(path)
    if array is None:
        raise InputError(f"{path}: the array is not known; add --array NAME or FILE.yaml, see `hearing arrays`")
    microphones = load_array(array)
    _check_channels(path, audio.channels, microphones)
    played = open_audio(playback) if playback is not None else None
    if motion is not None:
        MotionLog.load(motion)
    notices = (*notices, *_odd_channels(path, audio.check()), *audio.notices())
    if played is not None:
        played.check()
        notices = (*notices, *played.notices(), *_other_length(played, audio))
    return Recording(session_id, audio, microphones, reference, played, motion, notices)


def _check_channels(path: Path, channels: int, array: MicrophoneArray) -> None:
    microphones = array.n_microphones
    if channels == microphones:
        return
    fitting = [name for name in array_names() if load_array(name).n_microphones == channels]
    hint = f"arrays with {channels}: {', '.join(fitting)}" if fitting else "describe your array in a YAML file"
    raise InputError(
        f"{path}: {channels} channel{'s' if channels > 1 else ''}, "
        f"but the array {array.name} has {microphones} microphones; {hint}"
    )


def _odd_channels(path: Path, level: NDArray[np.float64]) -> Iterator[str]:
    """Make a notice of channels whose level in dB is far from the upper median: dead or broken microphones."""
    usual = np.sort(level)[len(level) // 2]
    odd = [str(channel) for channel in 1 + np.flatnonzero(np.abs(level - usual) > _UNLIKE)]
    if odd:
        yield f"{path}: much louder or quieter than the others: channel {', '.join(odd)}; check the microphone"


def _other_length(played: AudioFile, audio: AudioFile) -> Iterator[str]:
    """Make a notice of a playback that does not last as long as the audio."""
    longer = played.duration - audio.duration
    if longer < -_SAME_LENGTH:
        yield f"{played.path} ends {-longer:.1f} s before {audio.path}; it is silent from there on"
    elif longer > _SAME_LENGTH:
        yield f"{played.path} goes on for {longer:.1f} s after the end of {audio.path}, which is not used"
