"""Liveness: whether somebody speaks in an utterance, or only a loudspeaker or a machine."""
