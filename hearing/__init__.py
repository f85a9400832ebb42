"""Far-field multi-speaker hearing for robots: who said what, from where, and to whom."""

__version__ = "0.1.0"
