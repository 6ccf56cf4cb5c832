"""Classes: from tagged objects to a rule, and from a rule to the class of every object."""
