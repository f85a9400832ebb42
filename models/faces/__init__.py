"""The face encoder: whose face it is."""
