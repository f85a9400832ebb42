"""The speaker encoder: where its weights come from, and what its scores mean."""
