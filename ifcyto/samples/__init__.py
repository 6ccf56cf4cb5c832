"""Small synthetic cells with known truth, for documentation, tests and the demo."""
