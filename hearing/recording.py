"""Recordings on disk: a multichannel audio file with its array, or a recording folder.

A recording folder holds `audio.wav`, `array.yaml`, and optionally `playback.wav`, `motion.jsonl`, `camera.mp4`,
`camera.yaml` and `reference/`. Audio is read in blocks, so that memory stays constant however long the recording is;
what was played and seen comes with the audio of the same time. Nothing of `hearing.vision` is imported without a video.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hearing.arrays import MicrophoneArray, array_names, load_array
from hearing.audio_file import AudioFile, open_audio
from hearing.errors import InputError
from hearing.motion import MotionLog
from hearing.types import AudioBlock, Float32Array

if TYPE_CHECKING:
    from hearing.vision.camera import Camera, Frame

BLOCK_SIZE = 512
"""Samples in a block, as many as in an audio message of the ROS nodes."""

_READ_SIZE = 65_536
_UNLIKE = 20.0  # dB; microphones of one array hear nearly the same
_SAME_LENGTH = 0.1  # s; recorders do not stop all their files at the same sample
_SLOW = 10.0  # frames per second; syllables open and close a mouth four or five times a second


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """A stretch of a recording.

    Attributes
    ----------
    block
        What was heard.
    playback
        What the robot's loudspeaker played meanwhile, of shape (n_samples, playback_channels): silence where there is
        none any more, None without a playback.
    frames
        What was seen meanwhile: the frames whose times the block contains, in order. The video's time is the audio's.
    """

    block: AudioBlock
    playback: Float32Array | None = None
    frames: tuple[Frame, ...] = ()


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
    video
        What the robot's camera saw, if it was recorded; it starts with the audio.
    camera
        Calibration of that camera; there if and only if there is a video.
    notices
        One line each about what is done to the recording or left unused.
    """

    session_id: str
    audio: AudioFile
    array: MicrophoneArray
    reference: Path | None = None
    played: AudioFile | None = None
    motion: Path | None = None
    video: Path | None = None
    camera: Camera | None = None
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

    def moments(self, size: int = BLOCK_SIZE) -> Iterator[Moment]:
        """Read the recording as `blocks` does, and with every block what was played and seen meanwhile.

        Raises
        ------
        InputError
            If the video turns out to be damaged.
        """
        frames = self._frames()
        following = next(frames, None)
        for block, playback in self.blocks_with_playback(size):
            seen = []
            while following is not None and following.time < block.end_time:
                seen.append(following)
                following = next(frames, None)
            yield Moment(block, playback, tuple(seen))

    def _frames(self) -> Iterator[Frame]:
        if self.video is None:
            return
        from hearing.vision.camera import open_video

        with open_video(self.video) as video:
            yield from video.frames()

    def read(self) -> Float32Array:
        """Read the whole recording at `SAMPLE_RATE` as an array of shape (n_samples, n_microphones)."""
        return np.concatenate([block.samples for block in self.blocks(_READ_SIZE)])


def open_recording(
    path: Path,
    array: str | Path | None = None,
    playback: Path | None = None,
    video: Path | None = None,
    camera: Path | None = None,
    seeing: bool = False,
) -> Recording:
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
    video
        What the robot's camera saw since the audio began; takes the place of the folder's `camera.mp4`.
    camera
        Calibration of that camera, see `hearing.vision.camera.load_camera`; takes the place of the folder's
        `camera.yaml`.
    seeing
        Whether the folder's video is wanted; otherwise it is left alone, however it is.

    Raises
    ------
    InputError
        If a file is missing, no audio, empty, cut off or holds samples that are no sound; if the array is missing,
        unknown or does not have as many microphones as the file has channels; if `motion.jsonl` has a mistake; if the
        video cannot be read, is cut off, has no calibration or another size than that says.
    """
    if not path.is_dir():
        return _open_file(path, path.stem, array, _Parts(playback=playback, video=video, camera=camera))
    audio = path / "audio.wav"
    if not audio.is_file():
        raise InputError(f"{path}: no audio.wav in this folder; give an audio file or a recording folder")
    if array is None and not (path / "array.yaml").is_file():
        raise InputError(f"{path}: no array.yaml in this folder; add it, or add --array NAME or FILE.yaml")
    seen = video or (_if_there(path / "camera.mp4") if seeing else None)
    parts = _Parts(
        playback=playback or _if_there(path / "playback.wav"),
        motion=_if_there(path / "motion.jsonl"),
        video=seen,
        camera=camera or (_if_there(path / "camera.yaml") if seen is not None else None),
        reference=path / "reference" if (path / "reference").is_dir() else None,
    )
    return _open_file(audio, path.resolve().name, array or path / "array.yaml", parts)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What there is of a recording besides its audio and its array."""

    playback: Path | None = None
    motion: Path | None = None
    video: Path | None = None
    camera: Path | None = None
    reference: Path | None = None


def _if_there(path: Path) -> Path | None:
    # What is there but is no file is refused when it is opened.
    return path if path.exists() else None


def _open_file(path: Path, session_id: str, array: str | Path | None, parts: _Parts) -> Recording:
    audio = open_audio(path)
    if array is None:
        raise InputError(f"{path}: the array is not known; add --array NAME or FILE.yaml, see `hearing arrays`")
    microphones = load_array(array)
    _check_channels(path, audio.channels, microphones)
    played = open_audio(parts.playback) if parts.playback is not None else None
    if parts.motion is not None:
        MotionLog.load(parts.motion)
    camera, of_video = _camera(parts.video, parts.camera, audio)
    notices = (*_odd_channels(path, audio.check()), *audio.notices())
    if played is not None:
        played.check()
        notices = (*notices, *played.notices(), *_other_length(played.path, played.duration, audio, "it is silent"))
    return Recording(
        session_id=session_id,
        audio=audio,
        array=microphones,
        reference=parts.reference,
        played=played,
        motion=parts.motion,
        video=parts.video,
        camera=camera,
        notices=(*notices, *of_video),
    )


def _camera(video: Path | None, calibration: Path | None, audio: AudioFile) -> tuple[Camera | None, tuple[str, ...]]:
    """Check a video and its calibration; return the camera, and notices."""
    if video is None:
        if calibration is not None:
            raise InputError(f"{calibration}: a camera's calibration without its video; add --video FILE")
        return None, ()
    if calibration is None:
        raise InputError(f"{video}: the camera is not known; add --camera FILE.yaml, or camera.yaml to the folder")
    from hearing.vision.camera import load_camera, open_video

    camera = load_camera(calibration)
    with open_video(video) as opened:
        if (opened.width, opened.height) != (camera.width, camera.height):
            raise InputError(
                f"{video}: {opened.width} x {opened.height} pixels, but {calibration} is of a camera with "
                f"{camera.width:g} x {camera.height:g}; give the calibration of this video"
            )
        duration, rate = opened.check(), opened.rate
    notices = _other_length(video, duration, audio, "nobody is seen")
    slow = 0 < rate < _SLOW
    return camera, (*notices, *([f"{video}: {rate:g} frames per second are few to read lips; use 15 to 30"] * slow))


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


def _other_length(path: Path, duration: float, audio: AudioFile, without: str) -> Iterator[str]:
    """Make a notice of a file that does not last as long as the audio."""
    longer = duration - audio.duration
    if longer < -_SAME_LENGTH:
        yield f"{path} ends {-longer:.1f} s before {audio.path}; {without} from there on"
    elif longer > _SAME_LENGTH:
        yield f"{path} goes on for {longer:.1f} s after the end of {audio.path}, which is not used"
