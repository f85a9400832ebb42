"""Who says an utterance, and to whom."""

from hearing.attribution.addressee import AddressCues, AddresseeModel
from hearing.attribution.config import UNKNOWN, Attribution, AttributionConfig, Weights
from hearing.attribution.persons import PersonAttribution

__all__ = [
    "UNKNOWN",
    "AddressCues",
    "AddresseeModel",
    "Attribution",
    "AttributionConfig",
    "PersonAttribution",
    "Weights",
]
