"""Keys and digests of entries, and which entries of different sources tell one story.

In doubt, two stories: a false merge hides news.
"""
