"""The robot's own voice: speech synthesis with word times, how loud to speak, and what of it was heard."""

from hearing.speech.catalogue import DEFAULT_SYNTHESIZER, FALLBACK_SYNTHESIZER, load_synthesizer, synthesizer_names
from hearing.speech.clauses import ClauseSplitter, split_clauses
from hearing.speech.lombard import LombardFilter, LombardStyle
from hearing.speech.self_hearing import SelfHearing, self_heard
from hearing.speech.speaking import SaidWord, Speaking
from hearing.speech.synthesizer import ACTIVE_LEVEL_DB, SpeechClause, SpokenWord, Synthesizer

__all__ = [
    "ACTIVE_LEVEL_DB",
    "DEFAULT_SYNTHESIZER",
    "FALLBACK_SYNTHESIZER",
    "ClauseSplitter",
    "LombardFilter",
    "LombardStyle",
    "SaidWord",
    "SelfHearing",
    "Speaking",
    "SpeechClause",
    "SpokenWord",
    "Synthesizer",
    "load_synthesizer",
    "self_heard",
    "split_clauses",
    "synthesizer_names",
]
