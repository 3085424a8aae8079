"""The web server: the published folder over HTTP, as it is."""
