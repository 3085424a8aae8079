"""The commands: a module each, with its line of help, its arguments and `run`.

`aggregator.cli.main` finds them by listing this folder. What a command needs is imported in `run`: `--help` is quick.
"""

STORY_NAMES = "an atom:id, a page's id or address, or an entry's link, own id or number"  # help of an argument
