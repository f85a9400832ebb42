"""Kept alignments of the data kit; `python -m hearing_datasets.alignments` makes them anew."""
