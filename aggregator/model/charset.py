"""How the character set of a document was found, and what spoke against it (I2, I4, I6)."""

from dataclasses import dataclass
from enum import StrEnum

NAME_ENCODING = "; write encoding: "  # in a notice, before the name of the set that was found by the bytes


class Step(StrEnum):
    """What decided, in the order in which it is asked (I2)."""

    MARK = "mark"  # a byte order mark
    OPERATOR = "operator"  # `encoding` in feeds.yaml
    SHAPE = "shape"  # characters of two or four bytes, by how the document begins
    HEADER = "header"  # the charset parameter of Content-Type
    DECLARATION = "declaration"  # of XML
    META = "meta"  # of HTML
    UTF8 = "utf-8"  # nobody is right, but the bytes decode strictly
    DETECTED = "detected"  # by the bytes alone
    FALLBACK = "fallback"  # Windows-1252, in which all can be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Charset:
    """Why a document was read in the encoding that it was read in."""

    step: Step
    against: tuple[str, ...] = ()  # what said otherwise: "header: iso-8859-1"
    lossy: int = 0  # characters that could not be decoded and became U+FFFD
    mixed: int = 0  # characters in another set than the rest of the document


DECODED = Charset(step=Step.UTF8)
