"""The operator's rules: include, exclude, rewrite and routes. Pure."""
