"""Numbers of things, in words for people."""


def counted(count: int, one: str, many: str = "") -> str:
    """Say how many: `1 source`, `1,200 sources`.

    Args:
        count: of them.
        one: what one of them is called.
        many: what several are called, if that is not `one` with an s.
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"
