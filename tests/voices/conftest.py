import pytest

from hearing.voices import VoiceEncoder


@pytest.fixture(scope="session")
def encoder() -> VoiceEncoder:
    return VoiceEncoder()
