"""Explanations for whoever doubts a number: the records behind a figure, or one record's story."""
