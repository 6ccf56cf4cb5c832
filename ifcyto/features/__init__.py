"""Features: numbers of each object, computed from its images inside its masks."""
