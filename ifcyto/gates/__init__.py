"""Gates and populations: geometry on named features, booleans, counts and statistics."""
