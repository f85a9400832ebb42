import pytest
from hearing_models.recognizer.vocabulary import load_tokenizer
from tokenizers import Tokenizer

from hearing.recognition.catalogue import MODELS
from hearing.recognition.store import locate


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    """Return the English tokenizer that is cut from Whisper's."""
    return load_tokenizer(locate(MODELS["whisper-base"]) / "tokenizer.json")[0]
