"""Templates: bodies with tags in them, compiled once to closures over the XML."""
