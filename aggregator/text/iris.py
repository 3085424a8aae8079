"""Checks which texts can be published as an id: IRIs that follow the rules of their scheme (A4).

An id that is an IRI is published byte for byte: otherwise subscribers of a site that moves to this program would see
all entries as new. The grammar is RFC 3987. The rules of `tag:` and `urn:` are those of their RFCs, extended by the
non-ASCII characters of RFC 3987.
"""

import re
from functools import cache, lru_cache
from typing import Final

_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20\x7f-\x9f<>\"{}|\\^`\ud800-\udfff\ufffe\uffff]+")

# RFC 3987, section 2.2: ucschar is allowed wherever ASCII is, iprivate only in a query.
_UCSCHAR: Final = "\xa0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef" + "".join(
    f"{chr(plane << 16 | (0x1000 if plane == 14 else 0))}-{chr(plane << 16 | 0xFFFD)}" for plane in range(1, 15)
)
_IPRIVATE: Final = "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"
# Section 4.1: no bidirectional formatting characters. Unicode 6.3 added U+061C and U+2066 to U+2069.
_BIDI: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

_ENCODED = "%[0-9A-Fa-f]{2}"
_PLAIN = "A-Za-z0-9._~!$&'()*+,;=:@/"  # RFC 3986, without brackets, which only enclose IPv6 addresses
_SCHEME = "[A-Za-z][A-Za-z0-9+.-]*:"
_URI = re.compile(rf"{_SCHEME}(?:[{_PLAIN}?-]|{_ENCODED})+(?:#(?:[{_PLAIN}?-]|{_ENCODED})*)?")
_PATH = rf"(?:[{_PLAIN}{_UCSCHAR}-]|{_ENCODED})"
_QUERY = rf"(?:\?(?:[{_PLAIN}?{_UCSCHAR}{_IPRIVATE}-]|{_ENCODED})*)?"
_FRAGMENT = rf"(?:#(?:[{_PLAIN}?{_UCSCHAR}-]|{_ENCODED})*)?"
_IDENTIFIER: Final = rf"{_SCHEME}(?![#]|\Z){_PATH}*{_QUERY}{_FRAGMENT}"
_DATE = "[0-9]{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01]))?)?"
_LETTER = f"a-z0-9{_UCSCHAR}"
_DNS = f"[{_LETTER}](?:[{_LETTER}.-]*[{_LETTER}])?"
_RULES: Final = {  # scheme in lower case to its rule; compiled at first use, since a poll without news needs none
    # RFC 4151, section 2.1: a lower-case domain or mail address, and a date on which the author owned it.
    "tag": rf"tag:(?:[{_LETTER}._-]+@)?{_DNS},{_DATE}:{_PATH}*{_QUERY}{_FRAGMENT}",
    # RFC 2141. RFC 8141 extends it, so a name that follows RFC 2141 is valid by both.
    "urn": rf"(?i:urn):[A-Za-z0-9][A-Za-z0-9-]{{1,31}}:(?:[A-Za-z0-9()+,.:=@;$_!*'{_UCSCHAR}-]|{_ENCODED})+",
    "http": r"(?i:http)://[^/?#].*",  # RFC 9110, section 4.2.1: the host must not be empty
    "https": r"(?i:https)://[^/?#].*",
    "ftp": r"(?i:ftp)://[^/?#].*",
}
_UUID = re.compile(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)  # RFC 9562, section 4


@lru_cache(1024)  # look-ups, decisions and each format ask for the same ids
def is_iri(text: str) -> bool:
    """Return True if a text is an absolute IRI by the characters of RFC 3987."""
    return _IRI.fullmatch(text) is not None and "%%" not in text


@lru_cache(1024)
def is_identifier(text: str) -> bool:
    """Return True if a text can be published unchanged as an id: an IRI that follows the rules of its scheme (A4)."""
    return _compiled(_IDENTIFIER).fullmatch(text) is not None and _BIDI.search(text) is None and _keeps_rules(text)


def is_uri(text: str) -> bool:
    """Return True if a text is a URI by RFC 3986 that follows the rules of its scheme."""
    return _URI.fullmatch(text) is not None and _keeps_rules(text)


def _keeps_rules(text: str) -> bool:
    if text[:9].lower() == "urn:uuid:":
        return _UUID.fullmatch(text) is not None
    rule = _RULES.get(text.partition(":")[0].lower())
    return rule is None or _compiled(rule).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
