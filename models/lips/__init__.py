"""Lips: whether a mouth speaks, and whether it makes a sound; trained on talking faces."""
