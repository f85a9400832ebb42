import dataclasses
import errno
import os
import tarfile

import numpy as np
import pytest
import yaml
from hearing_datasets.shards import read_shard
from hearing_sim.generate import DatasetPlan, generate, local_engine, ray_engine

from hearing.errors import InputError

DISTRIBUTION = {
    "name": "tiny",
    "duration": [2, 2],
    "rooms": {"smallest": [4, 4, 2.5], "largest": [6, 6, 3], "rt60": [0.2, 0.3]},
    "people": {"number": [1, 2], "collections": {"synthesis": 1.0}},
    "conversation": {"gap": [0, 0.2], "cut": True},
    "machines": {"number": [1, 1], "kinds": ["fan"], "recorded": 0.0},
    "arrays": ["respeaker_4mic"],
    "snr_db": [10, 10],
}


@pytest.fixture
def plan(tmp_path, no_kit):
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(DISTRIBUTION))
    return DatasetPlan(str(tmp_path / "tiny.yaml"), 5, seed=3, shard_size=2)


def make(plan, out, workers=1):
    counts = []
    paths = generate(plan, out, local_engine(workers), counts.append)
    assert sum(counts) == plan.number
    return paths


def test_samples_hold_what_training_needs(plan, tmp_path):
    samples = [sample for path in make(plan, tmp_path / "out") for sample in read_shard(path)]
    assert [sample.key for sample in samples] == [f"{number:08d}" for number in range(5)]
    for sample in samples:
        assert sample.mixture.shape == (32000, 4)
        talkers = sample.metadata["talkers"]
        assert sample.talkers.shape == sample.direct.shape == (32000, max(1, len(talkers)))
        assert sample.metadata["snr_db"] in (None, 10.0)
        assert {segment["speaker"] for segment in sample.metadata["segments"]} <= set(talkers)
        # The direct sound is a part of what the room makes of it, at the same time (generalized cross-correlation).
        for wet, dry in zip(sample.talkers.T, sample.direct.T, strict=True):
            if dry.any():
                cross = np.fft.rfft(wet, 65536) * np.conj(np.fft.rfft(dry, 65536))
                correlation = np.fft.irfft(cross / (np.abs(cross) + 1e-9))
                assert correlation[[-1, 0, 1]].max() > 0.5 * correlation.max()


def test_any_number_of_workers_makes_the_same_bytes(plan, tmp_path):
    alone, together = make(plan, tmp_path / "alone"), make(plan, tmp_path / "together", workers=2)
    assert [path.name for path in alone] == [path.name for path in together]
    for one, other in zip(alone, together, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert (tmp_path / "alone" / "shards.jsonl").read_text() == (tmp_path / "together" / "shards.jsonl").read_text()


def test_goes_on_where_it_stopped_and_mends_what_is_damaged(plan, tmp_path):
    paths = make(plan, tmp_path / "out")
    contents = [path.read_bytes() for path in paths]
    kept = paths[0].stat().st_mtime_ns
    paths[1].unlink()
    paths[2].write_bytes(contents[2][:1000])
    make(plan, tmp_path / "out")
    assert [path.read_bytes() for path in paths] == contents
    assert paths[0].stat().st_mtime_ns == kept
    assert not list((tmp_path / "out").glob("*.part"))


def test_notices_a_changed_byte_and_clears_what_a_killed_worker_left(plan, tmp_path):
    paths = make(plan, tmp_path / "out")
    content = paths[1].read_bytes()
    paths[1].write_bytes(content[:2000] + bytes([content[2000] ^ 255]) + content[2001:])
    (tmp_path / "out" / "shard-000001.999.part").write_bytes(b"half a shard")
    make(plan, tmp_path / "out")
    assert paths[1].read_bytes() == content
    assert not list((tmp_path / "out").glob("*.part"))


def test_a_full_disk_and_a_killed_worker_are_one_line(plan, tmp_path):
    def full(plan, missing, out_dir):
        raise OSError(errno.ENOSPC, "No space left on device")
        yield

    with pytest.raises(InputError, match=r"No space left on device.*to go on"):
        generate(plan, tmp_path / "out", full, lambda _: None)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hearing_sim.generate.write_shard", _die)
        with pytest.raises(InputError, match="fewer --workers"):
            generate(plan, tmp_path / "out", local_engine(2), lambda _: None)


def _die(plan, number, out_dir):
    os._exit(9)


def test_more_of_the_same_data_set(plan, tmp_path):
    few = make(plan, tmp_path / "out")
    first = few[0].read_bytes()
    more = make(dataclasses.replace(plan, number=6), tmp_path / "out")
    assert more[0].read_bytes() == first
    with tarfile.open(more[2]) as shard:
        assert len(shard.getnames()) == 8


def test_another_data_set_is_not_mixed_in(plan, tmp_path):
    make(plan, tmp_path / "out")
    with pytest.raises(InputError, match="holds another data set"):
        make(dataclasses.replace(plan, seed=4), tmp_path / "out")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("precious")
    with pytest.raises(InputError, match="is no data set"):
        make(plan, tmp_path / "mine")


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"number": 0}, "at least 1"), ({"seed": -1}, "seed is -1"), ({"split": "all"}, "known are")],
)
def test_plans_that_make_no_sense(plan, changes, message):
    with pytest.raises(InputError, match=message):
        dataclasses.replace(plan, **changes)


def test_engine_that_is_not_installed_says_how_to_get_it(plan, tmp_path):
    try:
        import ray  # noqa: F401
    except ImportError:
        with pytest.raises(InputError, match=r"robot-hearing\[scale\]"):
            ray_engine()
    else:
        assert generate(plan, tmp_path / "out", ray_engine(), lambda _: None)


def test_damaged_shards_are_refused(tmp_path):
    (tmp_path / "shard.tar").write_bytes(b"no tar")
    with pytest.raises(InputError, match="make it anew"):
        list(read_shard(tmp_path / "shard.tar"))
