"""Which texts can be an id that we publish: IRIs, and among them those that keep the rules of their own scheme (A4).

Checkers of feeds know RFC 3986 and the rules of `tag:` and `urn:`: an id that breaks these is an error to the W3C feed
validator, though RFC 3987 has nothing against its characters.
"""

import re
from typing import Final

from aggregator.characters import legal

_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20\x7f-\xa0<>\"{}|\\^`\s]+")

_ENCODED = "%[0-9A-Fa-f]{2}"
_CHARACTER = rf"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|{_ENCODED})"  # of RFC 3986, without brackets: they stand around IPv6
_FRAGMENT = rf"(?:#{_CHARACTER}*)?"
_URI = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]*:{_CHARACTER}+{_FRAGMENT}")
_DATE = "[0-9]{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01]))?)?"
_DNS = "[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?"
_RULES: Final = {  # of schemes, in lower case
    # RFC 4151, section 2.1: a name or a mail address in lower case, and the date on which its holder had it.
    "tag": re.compile(rf"tag:(?:[a-z0-9._-]+@)?{_DNS},{_DATE}:{_CHARACTER}*{_FRAGMENT}"),
    # RFC 2141, which RFC 8141 widens: what keeps it is valid by both.
    "urn": re.compile(rf"(?i:urn):[A-Za-z0-9][A-Za-z0-9-]{{1,31}}:(?:[A-Za-z0-9()+,.:=@;$_!*'-]|{_ENCODED})+"),
    "http": re.compile(r"(?i:http)://[^/?#].*"),  # RFC 9110, section 4.2.1: an empty host is none
    "https": re.compile(r"(?i:https)://[^/?#].*"),
    "ftp": re.compile(r"(?i:ftp)://[^/?#].*"),
}
_UUID = re.compile(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)  # RFC 9562, section 4


def is_iri(text: str) -> bool:
    """Tell whether a text is an absolute IRI by RFC 3987's characters."""
    return _IRI.fullmatch(text) is not None and "%%" not in text and legal(text) == text


def is_identifier(text: str) -> bool:
    """Tell whether a text can be an id in a feed as it is: a URI that keeps the rules of its scheme (A4)."""
    if _URI.fullmatch(text) is None:
        return False
    scheme = text.partition(":")[0].lower()
    if text[:9].lower() == "urn:uuid:":
        return _UUID.fullmatch(text) is not None
    rule = _RULES.get(scheme)
    return rule is None or rule.fullmatch(text) is not None
