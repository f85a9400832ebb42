"""The speech recognizer: its network, the data it learns from, training, export."""
