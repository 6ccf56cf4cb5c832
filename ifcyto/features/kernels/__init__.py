"""Compiled loops of the features; the modules of the room above wrap them."""
