import pytest
from hearing_datasets import kit_clips, kit_root, split_of
from hearing_datasets.splits import kit_splits, split_of_clip


@pytest.mark.parametrize("kind", ["speakers", "clips", "faces"])
def test_splits_are_disjoint_and_fixed(kind):
    train, dev, test = (set(kit_splits()[split][kind]) for split in ("train", "dev", "test"))
    assert len(train | dev | test) == len(train) + len(dev) + len(test)
    assert len(train) > len(dev) > 0
    assert test
    for split, names in (("train", train), ("dev", dev), ("test", test)):
        assert {split_of(name) for name in names} == {split}


@pytest.mark.skipif(kit_root() is None, reason="needs the data kit")
def test_every_clip_of_the_kit_is_listed_once():
    listed = {
        name: split for split, kinds in kit_splits().items() for kind in ("speakers", "clips") for name in kinds[kind]
    }
    for clip in kit_clips("."):
        assert listed[clip.speaker or f"{clip.collection}/{clip.name}"] == split_of_clip(clip)
