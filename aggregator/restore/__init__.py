"""A store from what was published: read the site, put it together, write it."""
