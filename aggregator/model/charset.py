"""Records how the character set of a document was found, and which declarations contradict it (I2, I4, I6)."""

from enum import StrEnum

from aggregator.model.record import record

NAME_ENCODING = "; write encoding: "  # part of a notice, before the name of the detected character set


class Step(StrEnum):
    """Source of the character set, in order of precedence (I2)."""

    MARK = "mark"  # a byte order mark
    OPERATOR = "operator"  # `encoding` in feeds.yaml
    SHAPE = "shape"  # UTF-16 or UTF-32, recognised by the first bytes
    HEADER = "header"  # the charset parameter of Content-Type
    DECLARATION = "declaration"  # XML declaration
    META = "meta"  # HTML meta element
    UTF8 = "utf-8"  # no valid declaration, and the bytes are valid UTF-8
    DETECTED = "detected"  # guessed from the bytes
    FALLBACK = "fallback"  # Windows-1252, which can decode any bytes


@record
class Charset:
    """The encoding of a document: the step that chose it, contradicting declarations, and damage."""

    step: Step
    against: tuple[str, ...] = ()  # declarations of another encoding, such as "header: iso-8859-1"
    lossy: int = 0  # characters that could not be decoded and became U+FFFD
    mixed: int = 0  # characters in another encoding than the rest of the document


DECODED = Charset(step=Step.UTF8)
