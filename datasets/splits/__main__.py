"""Write `kit.json` from the data kit."""

import json
import sys

from hearing_datasets.kit import kit_clips, kit_root, split_of
from hearing_datasets.splits import FILE, split_of_clip

root = kit_root()
if root is None:
    sys.exit("error: there is no data kit; set HEARING_DATA to its folder")
kinds = ("speakers", "clips", "faces")
splits: dict[str, dict[str, set[str]]] = {s: {kind: set() for kind in kinds} for s in ("train", "dev", "test")}
for clip in kit_clips("."):
    kind, name = ("speakers", clip.speaker) if clip.speaker else ("clips", f"{clip.collection}/{clip.name}")
    splits[split_of_clip(clip)][kind].add(name)
for line in (root / "faces" / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
    identity = json.loads(line)["identity"]
    splits[split_of(identity)]["faces"].add(identity)
content = {split: {kind: sorted(names) for kind, names in names_of.items()} for split, names_of in splits.items()}
FILE.write_text(json.dumps(content, indent=0) + "\n", encoding="utf-8")
