"""What feeds.yaml may say already and the program can't do yet. Whoever builds one of these deletes its line.

A word is `table.key`, or `table.key=value` for one value of a key. What it says is accepted, checked as far as its
shape goes, and named in a warning with what happens in the meantime (DESIGN 3.1, Defaults and paths).
"""

UNBUILT: dict[str, str] = {
    "defaults.keep": "everything is kept",
}


def is_built(word: str) -> bool:
    """Tell whether a key or value has its function already."""
    return word not in UNBUILT
