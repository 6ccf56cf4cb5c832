"""The cell stack: every object of a sample in one self-describing HDF5 file."""
