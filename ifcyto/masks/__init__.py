"""Masks: from pixels to the pixels that matter."""
