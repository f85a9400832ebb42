"""Recordings on disk: a multichannel audio file with its array, or a recording folder.

A recording folder holds `audio.wav`, `array.yaml`, and optionally `playback.wav`, `camera.mp4`, `camera.yaml` and
`reference/`. Audio is read in blocks, so that memory stays constant however long the recording is.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from hearing.arrays import MicrophoneArray, array_names, load_array
from hearing.errors import InputError
from hearing.types import SAMPLE_RATE, AudioBlock, Float32Array

BLOCK_SIZE = 512
"""Samples in a block, as many as in an audio message of the ROS nodes."""

_READ_SIZE = 65_536
_LOUDEST = 100.0  # 40 dB above full scale: a float file beyond that holds integers or garbage
_UNLIKE = 20.0  # dB; microphones of one array hear nearly the same
_STREAMED_SIZE = 0xFFFFFFFF  # written by tools that pipe a wav file and cannot know its length


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording that has passed all checks and can be read.

    Attributes
    ----------
    session_id
        Name of the recording: the folder's name, or the audio file's without its extension.
    audio_path
        The audio file.
    array
        The microphones, as many as the file has channels.
    sample_rate
        Sample rate of the file in Hz; `blocks` resamples to `hearing.types.SAMPLE_RATE`.
    frames
        Length of the file in frames of its own sample rate.
    reference
        Folder with the truth, if the recording has one.
    playback
        What the robot's loudspeaker played, if it was recorded.
    notices
        One line each about what is done to the recording or left unused.
    """

    session_id: str
    audio_path: Path
    array: MicrophoneArray
    sample_rate: int
    frames: int
    reference: Path | None = None
    playback: Path | None = None
    notices: tuple[str, ...] = ()

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate

    def blocks(self, size: int = BLOCK_SIZE) -> Iterator[AudioBlock]:
        """Read the recording at `SAMPLE_RATE` in blocks of `size` samples; the last one may be shorter."""
        chunks: Iterable[Float32Array] = _read_chunks(self.audio_path)
        if self.sample_rate != SAMPLE_RATE:
            chunks = _resample(chunks, self.sample_rate, self.array.n_microphones)
        start = 0
        for samples in _regroup(chunks, size):
            yield AudioBlock(samples, start)
            start += len(samples)

    def read(self) -> Float32Array:
        """Read the whole recording at `SAMPLE_RATE` as an array of shape (n_samples, n_microphones)."""
        return np.concatenate([block.samples for block in self.blocks(_READ_SIZE)])


def open_recording(path: Path, array: str | Path | None = None) -> Recording:
    """Check a recording and open it.

    Parameters
    ----------
    path
        An audio file that libsndfile reads (wav, flac, ...), or a recording folder.
    array
        Name of a built-in array or path of an array YAML file. Needed with an audio file; with a folder it takes the
        place of the folder's `array.yaml`.

    Raises
    ------
    InputError
        If the file is missing, no audio, empty, cut off or holds samples that are no sound, or if the array is
        missing, unknown or does not have as many microphones as the file has channels.
    """
    if not path.is_dir():
        return _open_file(path, path.stem, array)
    audio = path / "audio.wav"
    if not audio.is_file():
        raise InputError(f"{path}: no audio.wav in this folder; give an audio file or a recording folder")
    if array is None and not (path / "array.yaml").is_file():
        raise InputError(f"{path}: no array.yaml in this folder; add it, or add --array NAME or FILE.yaml")
    playback = path / "playback.wav"
    reference = path / "reference"
    unused = [name for name in ("playback.wav", "camera.mp4") if (path / name).is_file()]
    return _open_file(
        audio,
        path.resolve().name,
        array or path / "array.yaml",
        reference=reference if reference.is_dir() else None,
        playback=playback if playback.is_file() else None,
        notices=tuple(f"{path / name} is not used yet" for name in unused),
    )


def _open_file(
    path: Path,
    session_id: str,
    array: str | Path | None,
    reference: Path | None = None,
    playback: Path | None = None,
    notices: tuple[str, ...] = (),
) -> Recording:
    info = _check_header(path)
    if array is None:
        raise InputError(f"{path}: the array is not known; add --array NAME or FILE.yaml, see `hearing arrays`")
    microphones = load_array(array)
    _check_channels(path, info.channels, microphones)
    notices = (*notices, *_odd_channels(path, _check_samples(path, info)))
    if info.samplerate != SAMPLE_RATE:
        loss = f"; it lacks all sound above {info.samplerate / 2000:g} kHz" if info.samplerate < SAMPLE_RATE else ""
        notices = (*notices, f"{path} is resampled from {info.samplerate} Hz to {SAMPLE_RATE} Hz{loss}")
    return Recording(session_id, path, microphones, info.samplerate, info.frames, reference, playback, notices)


def _check_header(path: Path) -> sf._SoundFileInfo:
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; check the path")
    if not path.is_file():
        raise InputError(f"{path}: not a regular file; give an audio file or a recording folder")
    try:
        if path.stat().st_size == 0:
            raise InputError(f"{path}: the file is empty (0 bytes); record or copy it again")
        _check_wav_length(path)
        info = sf.info(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    except sf.LibsndfileError as error:
        raise InputError(f"{path}: not an audio file ({_one_line(error)}); give a wav or flac file") from error
    if info.frames == 0:
        raise InputError(f"{path}: the file holds no sound (0 samples); record or copy it again")
    return info


def _check_wav_length(path: Path) -> None:
    """Raise InputError if a wav file's data chunk promises more bytes than follow; libsndfile reads those silently."""
    size = path.stat().st_size
    with path.open("rb") as file:
        riff = file.read(12)
        if riff[:4] != b"RIFF" or riff[8:] != b"WAVE":
            return
        while len(header := file.read(8)) == 8:
            name, promised = struct.unpack("<4sI", header)
            present = size - file.tell()
            if name == b"data":
                if present < promised != _STREAMED_SIZE:
                    raise InputError(
                        f"{path}: the file is cut off: its header promises {promised} bytes of sound, "
                        f"{present} are there; record or copy it again"
                    )
                return
            file.seek(promised + promised % 2, 1)


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


def _check_samples(path: Path, info: sf._SoundFileInfo) -> NDArray[np.float64]:
    """Read the file once, so that a broken one is refused before anything is made of it.

    Returns
    -------
    Level of the changes from sample to sample in dB, of shape (channels,); an offset does not count.
    """
    frames, power = 0, np.zeros(info.channels)
    for chunk in _read_chunks(path):
        bad = np.argwhere(~(np.abs(chunk) <= _LOUDEST))
        if len(bad):
            frame, channel = bad[0]
            raise InputError(
                f"{path}: the sample at {(frames + frame) / info.samplerate:.3f} s in channel {channel + 1} is "
                f"{chunk[frame, channel]:g}; samples must be numbers between about -1 and 1, export the file again"
            )
        frames += len(chunk)
        power += np.square(np.diff(chunk, axis=0), dtype=np.float64).sum(axis=0)
    if frames < info.frames:
        raise InputError(
            f"{path}: the file is cut off: its header promises {info.frames} samples, {frames} are there; "
            "record or copy it again"
        )
    level: NDArray[np.float64] = 10 * np.log10(power / info.frames + 1e-12)
    return level


def _odd_channels(path: Path, level: NDArray[np.float64]) -> Iterator[str]:
    """Make a notice of channels whose level in dB is far from the upper median: dead or broken microphones."""
    usual = np.sort(level)[len(level) // 2]
    odd = [str(channel) for channel in 1 + np.flatnonzero(np.abs(level - usual) > _UNLIKE)]
    if odd:
        yield f"{path}: much louder or quieter than the others: channel {', '.join(odd)}; check the microphone"


def _read_chunks(path: Path) -> Iterator[Float32Array]:
    try:
        with sf.SoundFile(path) as file:
            while len(chunk := file.read(_READ_SIZE, dtype="float32", always_2d=True)):
                yield chunk
    except sf.LibsndfileError as error:
        raise InputError(f"{path}: damaged audio ({_one_line(error)}); record or copy it again") from error


def _resample(chunks: Iterable[Float32Array], rate: int, channels: int) -> Iterator[Float32Array]:
    resampler = soxr.ResampleStream(rate, SAMPLE_RATE, channels, dtype="float32")
    for chunk in chunks:
        yield resampler.resample_chunk(chunk)
    yield resampler.resample_chunk(np.zeros((0, channels), dtype=np.float32), last=True)


def _regroup(chunks: Iterable[Float32Array], size: int) -> Iterator[Float32Array]:
    """Cut chunks of any length into blocks of `size` samples and a rest."""
    rest: Float32Array | None = None
    for chunk in chunks:
        samples = chunk if rest is None else np.concatenate([rest, chunk])
        whole = len(samples) - len(samples) % size
        for start in range(0, whole, size):
            yield samples[start : start + size]
        rest = samples[whole:]
    if rest is not None and len(rest):
        yield rest


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
