"""Figures: a result in, a matplotlib Figure out. Nothing is computed here."""
