"""Where recorded speech and noise come from: the data kit, installed wheels, synthesis."""

from hearing_datasets.alignment import align, clip_words
from hearing_datasets.clip import Clip, Phone, Word, read_clip
from hearing_datasets.kit import Split, kit_clips, kit_root, split_of
from hearing_datasets.packaged import packaged_clips, synthesize

__all__ = [
    "Clip",
    "Phone",
    "Split",
    "Word",
    "align",
    "clip_words",
    "kit_clips",
    "kit_root",
    "packaged_clips",
    "read_clip",
    "split_of",
    "synthesize",
]
