"""Readers: from the instrument's files to cells. Use :func:`ifcyto.open_acquisition`."""
