"""Compiled loops of the masks; the modules of the room above wrap them."""
