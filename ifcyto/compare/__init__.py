"""Comparison: frequencies, tests, overlap and agreement. Numbers only, no drawing."""
