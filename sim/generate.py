"""Data sets of random scenes: shards of mixtures, made by any number of workers, continued where they stopped.

A shard is a tar file as WebDataset reads it. Every sample has the files

- `KEY.mixture.flac`: the recording, all microphones,
- `KEY.talkers.flac`: what the first microphone hears of each talker, one channel each, in the order of `talkers` in the
  metadata: the target of masks,
- `KEY.direct.flac`: the same without the room, aligned in time: the target of dereverberation and of recognizers,
- `KEY.json`: the scene, the segments with words and directions, the true microphone array, and what was measured.

A sample depends on the data set's seed and its own number only, so that the shards are the same byte by byte whoever
makes them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from hearing_datasets import Split
from hearing_sim.distribution import SceneDistribution, load_distribution
from hearing_sim.random_scenes import random_scene
from hearing_sim.reference import reference_segments
from hearing_sim.scene import Scene
from hearing_sim.simulation import Simulation, direct_speech, simulate
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE

SHARD_SIZE = 50
DESCRIPTION = "dataset.json"
INDEX = "shards.jsonl"
ATTEMPTS = 20
_PARTS = ("direct.flac", "json", "mixture.flac", "talkers.flac")


@dataclass(frozen=True, slots=True)
class DatasetPlan:
    """What a data set is made of.

    Attributes
    ----------
    distribution
        Name of a built-in distribution, or a YAML file.
    number
        How many mixtures.
    seed
        The same one gives the same mixtures.
    split
        Whose voices are used.
    shard_size
        Mixtures in a shard.
    """

    distribution: str
    number: int
    seed: int = 0
    split: Split = "train"
    shard_size: int = SHARD_SIZE

    def __post_init__(self) -> None:
        if self.number < 1 or self.shard_size < 1:
            raise InputError("a data set needs at least 1 scene, and 1 scene in a shard")
        if self.seed < 0:
            raise InputError(f"seed is {self.seed}; give 0 or more")
        if self.split not in ("train", "dev", "test"):
            raise InputError(f"split {self.split!r} is unknown; known are: train, dev, test")

    @property
    def shards(self) -> list[range]:
        """Numbers of the mixtures in each shard."""
        starts = range(0, self.number, self.shard_size)
        return [range(start, min(start + self.shard_size, self.number)) for start in starts]

    def describe(self) -> dict[str, Any]:
        """Describe the data set so that nobody continues it with another one."""
        distribution = dataclasses.asdict(load_distribution(self.distribution))
        return {"seed": self.seed, "split": self.split, "shard_size": self.shard_size, "distribution": distribution}


Engine = Callable[[DatasetPlan, Sequence[int], Path], Iterator[int]]
"""Makes shards of a data set in a folder, and yields the number of each one that is done."""


def generate(plan: DatasetPlan, out_dir: Path, engine: Engine, done: Callable[[int], None]) -> list[Path]:
    """Make a data set, or what is missing of it.

    Parameters
    ----------
    plan
        What it is made of.
    out_dir
        Folder of the shards. Those that are complete are kept; damaged ones are made anew: by their digests in
        shards.jsonl once the data set has been finished, until then by the samples that they list.
    engine
        Who makes the shards.
    done
        Is told the number of mixtures of every finished shard, the kept ones included.

    Returns
    -------
    All shards in order.

    Raises
    ------
    InputError
        If the folder holds another data set or cannot be written, or a scene cannot be made.
    """
    _claim(plan, out_dir)
    try:
        return _make_missing(plan, out_dir, engine, done)
    except OSError as error:
        raise InputError(
            f"{out_dir}: cannot be written ({error.strerror}); make room, then run the same command to go on"
        ) from error


def _make_missing(plan: DatasetPlan, out_dir: Path, engine: Engine, done: Callable[[int], None]) -> list[Path]:
    for left_over in out_dir.glob("shard-*.part"):  # by a worker that was killed
        left_over.unlink()
    paths = [out_dir / _shard_name(number) for number in range(len(plan.shards))]
    digests = _known_digests(out_dir / INDEX)
    missing = []
    for number, (path, samples) in enumerate(zip(paths, plan.shards, strict=True)):
        if _complete(path, samples, digests.get(path.name)):
            done(len(samples))
        else:
            missing.append(number)
    for number in engine(plan, missing, out_dir):
        done(len(plan.shards[number]))
    lines = [
        json.dumps({"shard": path.name, "samples": len(samples), "sha256": _digest(path)}) + "\n"
        for path, samples in zip(paths, plan.shards, strict=True)
    ]
    temporary = out_dir / f"{INDEX}.part"
    temporary.write_text("".join(lines), encoding="utf-8")
    temporary.replace(out_dir / INDEX)
    return paths


def local_engine(workers: int) -> Engine:
    """Make shards in `workers` processes of this machine."""

    def run(plan: DatasetPlan, missing: Sequence[int], out_dir: Path) -> Iterator[int]:
        if workers <= 1 or len(missing) <= 1:
            for number in missing:
                write_shard(plan, number, out_dir)
                yield number
            return
        # One thread each: numerical libraries that share a core with another process only slow both down.
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ.setdefault(name, "1")
        with ProcessPoolExecutor(min(workers, len(missing)), mp_context=get_context("spawn")) as pool:
            futures = {pool.submit(write_shard, plan, number, out_dir): number for number in missing}
            try:
                for future in as_completed(futures):
                    future.result()
                    yield futures[future]
            except BrokenProcessPool as error:
                raise InputError(
                    "a worker was killed, perhaps for want of memory; run this again with fewer --workers to go on"
                ) from error
            finally:
                pool.shutdown(cancel_futures=True)

    return run


def ray_engine() -> Engine:
    """Make shards on all machines of a Ray cluster that share the folder; without a cluster, on this one.

    Raises
    ------
    InputError
        If Ray is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise InputError("engine ray needs Ray; run: pip install 'robot-hearing[scale]'") from error

    def run(plan: DatasetPlan, missing: Sequence[int], out_dir: Path) -> Iterator[int]:
        ray.init(ignore_reinit_error=True, log_to_driver=False)
        remote = ray.remote(num_cpus=1)(write_shard)
        pending = {remote.remote(plan, number, out_dir.absolute()): number for number in missing}
        while pending:
            (finished, *_), _ = ray.wait(list(pending))
            ray.get(finished)
            yield pending.pop(finished)

    return run


def write_shard(plan: DatasetPlan, number: int, out_dir: Path) -> None:
    """Make one shard; it appears complete or not at all."""
    distribution = load_distribution(plan.distribution)
    path = out_dir / _shard_name(number)
    temporary = path.with_suffix(f".{os.getpid()}.part")
    try:
        with tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as shard:
            for sample in plan.shards[number]:
                for name, content in _sample_files(distribution, plan, sample):
                    entry = tarfile.TarInfo(name)
                    entry.size = len(content)
                    shard.addfile(entry, io.BytesIO(content))
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)


def sample_scene(distribution: SceneDistribution, plan: DatasetPlan, sample: int) -> tuple[Scene, Simulation]:
    """Make one mixture. A scene that cannot be, such as one in which nobody fits, is drawn again.

    Raises
    ------
    InputError
        If that happens again and again.
    """
    error: InputError | None = None
    for attempt in range(ATTEMPTS):
        (seed,) = np.random.SeedSequence((plan.seed, sample, attempt)).generate_state(1)
        try:
            scene = random_scene(distribution, int(seed), plan.split)
            return scene, simulate(scene)
        except InputError as refused:
            error = refused
    raise InputError(f"distribution {plan.distribution}: no scene in {ATTEMPTS} attempts; the last one: {error}")


def _sample_files(distribution: SceneDistribution, plan: DatasetPlan, sample: int) -> Iterable[tuple[str, bytes]]:
    scene, simulation = sample_scene(distribution, plan, sample)
    names = list(simulation.talkers)
    key = f"{sample:08d}"
    metadata = {
        "scene": dataclasses.asdict(scene),
        "segments": reference_segments(scene, simulation.turns),
        "talkers": names,
        "array": {"name": simulation.array.name, "microphones": simulation.array.positions.tolist()},
        "rt60": round(simulation.rt60, 3),
        "snr_db": None if simulation.snr_db is None else round(simulation.snr_db, 2),
        "gain": simulation.gain,
    }
    yield f"{key}.direct.flac", _flac(_first_channels(direct_speech(scene, simulation), names))
    yield f"{key}.json", json.dumps(metadata).encode()
    yield f"{key}.mixture.flac", _flac(simulation.mixture)
    yield f"{key}.talkers.flac", _flac(_first_channels(simulation.talkers, names))


def _first_channels(images: dict[str, NDArray[np.float64]], names: list[str]) -> NDArray[np.float64]:
    """Return what the first microphone hears of each talker, (n_samples, n_talkers); one silent sample of nobody."""
    return np.stack([images[name][:, 0] for name in names], axis=1) if names else np.zeros((1, 1))


def _flac(signal: NDArray[np.float64]) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, signal, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def _claim(plan: DatasetPlan, out_dir: Path) -> None:
    """Write what the folder is for, or check that it is for the same."""
    description = json.dumps(plan.describe(), indent=1) + "\n"
    file = out_dir / DESCRIPTION
    try:
        if file.exists():
            if file.read_text(encoding="utf-8") != description:
                raise InputError(f"{out_dir} holds another data set, see {file}; choose another folder, or remove it")
            return
        if out_dir.exists() and any(out_dir.iterdir()):
            raise InputError(f"{out_dir} exists and is no data set; choose another folder")
        out_dir.mkdir(parents=True, exist_ok=True)
        file.write_text(description, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out_dir}: cannot be written ({error.strerror}); give another --out folder") from error


def _complete(path: Path, samples: range, digest: str | None) -> bool:
    """Tell whether a shard holds all its samples, unchanged if its digest is known; an unreadable one does not."""
    if not path.is_file():
        return False
    try:
        with tarfile.open(path) as shard:
            listed = shard.getnames() == [f"{sample:08d}.{part}" for sample in samples for part in _PARTS]
    except (tarfile.TarError, OSError):
        return False
    return listed and digest in (None, _digest(path))


def _known_digests(index: Path) -> dict[str, str]:
    """Return the digests of the shards of a data set that has been finished before; none if the index is damaged."""
    try:
        entries = [json.loads(line) for line in index.read_text(encoding="utf-8").splitlines()]
        return {entry["shard"]: entry["sha256"] for entry in entries}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _shard_name(number: int) -> str:
    return f"shard-{number:06d}.tar"
