"""Other readers of feeds at the same origin, by the same rules: Miniflux, newsboat and the library `reader`."""
