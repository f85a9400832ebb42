"""A simulated scene heard from its folder and from its bag, by the real pipeline."""

from __future__ import annotations

from pathlib import Path

import yaml

from hearing import cli

SCENE = {
    "name": "one",
    "duration": 4.0,
    "seed": 3,
    "room": {"size": [6.0, 5.0, 3.0], "rt60": 0.3},
    "array": {"geometry": "respeaker_4mic", "position": [3.0, 2.5, 1.1]},
    "talkers": [{"name": "anna", "voice": "synthesis", "position": [4.8, 3.3, 1.55]}],
    "turns": [{"talker": "anna", "gap": 0.5, "text": "Where is the spare gripper?", "to": "robot"}],
}


def test_a_bag_is_heard_as_its_recording_is(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(yaml.safe_dump(SCENE))
    scene = ["simulate", str(tmp_path / "one.yaml"), "--out"]
    assert cli.main([*scene, str(tmp_path / "folder" / "one")]) == 0
    assert cli.main([*scene, str(tmp_path / "bag" / "one"), "--bag"]) == 0
    assert cli.main(["transcribe", str(tmp_path / "folder/one"), "--out", str(tmp_path / "from_folder")]) == 0
    assert cli.main(["replay", str(tmp_path / "bag/one"), "--out", str(tmp_path / "from_bag")]) == 0
    for name in ("segments.json", "words.jsonl", "tracks.jsonl"):
        heard = (tmp_path / "from_bag" / name).read_text()
        assert len(heard) > 10
        assert heard == (tmp_path / "from_folder" / name).read_text()
    assert (tmp_path / "from_bag" / "score.json").is_file()
