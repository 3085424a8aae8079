"""The web server: serves the published folder over HTTP."""
