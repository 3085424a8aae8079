"""Plain functions on text: what XML allows, what an IRI is, what a slug is."""
