"""Finds the parts of an address that are probably secret, and their encoded forms in texts (S44). Pure."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from html import unescape
from typing import Any
from urllib.parse import SplitResult, unquote, unquote_plus, urlsplit

from aggregator.model.record import record
from aggregator.urls import Url, start_of, without_secrets

STRUCK = "***"
MIN_SEGMENT = 8  # characters: a shorter part of a path is never a token
MIN_VALUE = 6  # characters: a shorter value of a query is never a token
LONG = 20  # characters: a longer part without digits is not a word
ROUNDS = 8  # rounds of decoding, since a text may be encoded several times

# Names of parameters whose value is always secret: `auth`, `access_token`, `X-Amz-Signature`.
_SECRET_NAME = re.compile(
    r"(?:.*[_.-])?(?:api|access|auth|private|secret|user|feed|rss|member|csrf|id|login)?"
    r"(?:auth|token|key|sig|signature|secret|pass|passwd|password|passcode|pwd|hash|session|sid|jwt|ticket|credentials?)",
    re.I,
)
_SECRET_WORD = re.compile("secret|token|passw|apikey", re.I)  # such a segment of a path is secret
_WORD = re.compile(r"[a-z]{1,15}|[A-Z][a-z]{1,15}|[A-Z]{1,12}|[0-9]{1,8}")
_ALNUM = re.compile("[A-Za-z0-9]+")
_SWITCH = re.compile("(?<=[a-zA-Z])(?=[0-9])|(?<=[0-9])(?=[a-zA-Z])|(?<=[a-z])(?=[A-Z])")
_PIECES = re.compile(r"[/;,:@!&?=.|]")

_CODED = re.compile(r"%[0-9A-Fa-f]{2}|&#?\w|\\[u/]")
_ODD = rb"%(?:25)*(?:2[DE]|3[0-9]|[46][1-9A-F]|[57][0-9A]|4F|6F|5F|7E)|&(?:amp;)*#x?[0-9]|\\u00[2-7]"
_ODDLY_CODED = re.compile(_ODD, re.I)
_JSON = re.compile(r"\\u([0-9A-Fa-f]{4})")
_RUN = re.compile(r"[^\s\"'<>]+")
_ASCII_RUN = re.compile(r"[!-~]+")


@record(kw_only=False)
class Secrets:
    """Parts of an address that are probably secret."""

    tokens: frozenset[str]  # not words: replaced wherever they occur
    values: frozenset[str]  # values of secret parameters; may be words, so replaced in links and ids only
    pairs: frozenset[str]  # name=value, as written

    @property
    def all(self) -> frozenset[str]:
        """Tokens and values together."""
        return self.tokens | self.values


def secrets_of(address: str) -> Secrets:
    """Return the probably secret parts of userinfo, path, query and fragment of an address.

    A part is probably secret if it looks random, or if its name says so (`token=`). Words, years and short numbers are
    not secret: every page of a publisher may have them in its address.
    """
    parts = split(address)
    if parts is None:
        return Secrets(frozenset(), frozenset(), frozenset())
    tokens, values, said = set[str](), set[str](), set[str]()
    user, colon, password = parts.netloc.rpartition("@")[0].partition(":")
    tokens |= {each for each in _spelled(user) if is_random(each)}
    tokens |= {each for each in _spelled(password) if len(each) >= MIN_VALUE}
    if colon and user:
        said.add(f"{user}:{password}")
    for segment in parts.path.split("/"):
        tokens |= {each for each in _spelled(segment) if is_random(each) or _says_secret(each)}
        for pair in re.split("[;&]", segment):
            _take(pair, tokens, values, said)
    for pair in (*re.split("[&;]", parts.query), *re.split("[&;]", parts.fragment)):
        _take(pair, tokens, values, said)
    return Secrets(frozenset(tokens), frozenset(values), frozenset(said))


def _take(pair: str, tokens: set[str], values: set[str], said: set[str]) -> None:
    """Add the secret parts of `name=value`, or of a value alone."""
    name, equals, value = pair.partition("=")
    if not equals:
        name, value = "", pair
    found = {each for each in _spelled(value) if is_random(each)}
    tokens |= found
    names = {each for each in _spelled(value) if len(each) >= MIN_VALUE} if _SECRET_NAME.fullmatch(name) else set()
    values |= names
    tokens |= {each for each in names if len(each) >= LONG or re.search("[0-9A-Z]", each)}
    if equals and (found or names):
        said.add(pair)


def is_random(part: str) -> bool:
    """Report whether a part of an address looks random, not written by a person.

    True for `9f8e7d6c`, `s3cr3tt0ken` and 20 letters in a row; false for `blog2024`, `2026-01-15`, `rss2.0.xml` and
    `the-big-story-of-the-day`.
    """
    if len(part) < MIN_SEGMENT or "/" in part:
        return False
    runs = _ALNUM.findall(part)
    if len(part) >= LONG and not all(_WORD.fullmatch(word) for run in runs for word in _SWITCH.split(run)):
        return True
    return any(map(_is_random_run, runs))


def _is_random_run(run: str) -> bool:
    letters = sum(char.isalpha() for char in run)
    digits = len(run) - letters
    if not digits:
        return len(run) > 12 and len(_SWITCH.findall(run)) > 3
    if not letters:
        return digits > 10
    if len(run) >= MIN_SEGMENT and re.fullmatch("[0-9a-f]+|[0-9A-F]+", run):
        return True
    switches = len(_SWITCH.findall(run))
    return (len(run) >= MIN_SEGMENT and (switches > 1 or digits > 4)) or (len(run) >= MIN_VALUE and switches > 2)


def _says_secret(segment: str) -> bool:
    return len(segment) >= MIN_SEGMENT and bool(_SECRET_WORD.search(segment))


def split(address: str) -> SplitResult | None:
    """Return the parts of an address; None if it can't be parsed."""
    try:
        return urlsplit(address if "://" in address or address.startswith("//") else f"//{address}")
    except ValueError:
        return None


def _spelled(part: str) -> set[str]:
    """Return a part as written and decoded, and the pieces of both, such as `token` of `token.xml`."""
    whole = {part, unquote(part), unquote_plus(part)}
    for _ in range(2):
        whole |= {unquote(each) for each in whole}
    return {piece for each in whole for piece in (each, *_PIECES.split(each)) if piece}


# Spellings -----------------------------------------------------------------------------------------------------------


def forms(text: str) -> Iterator[str]:
    """Yield a text, then each of its decoded forms: percent-encoding, HTML and JSON escapes, also nested."""
    yield text
    for _ in range(ROUNDS):
        if not _CODED.search(text):
            return
        before = text
        for decode in (unquote, unescape, _from_json):
            decoded = decode(text)
            if decoded != text:
                text = decoded
                yield text
        if text == before:
            return


def _from_json(text: str) -> str:
    return _JSON.sub(lambda found: chr(int(found[1], 16)), text).replace("\\/", "/") if "\\" in text else text


def holds(text: str, finds: Callable[[str], bool]) -> bool:
    """Report whether `finds` is true for a text or one of its decoded forms."""
    return any(map(finds, forms(text)))


def strike_coded(text: str, finds: Callable[[str], bool]) -> str:
    """Replace each run between blanks, quotes and angle brackets whose decoded form contains a secret.

    Secrets that are not encoded are replaced by the caller before.

    Args:
        text: plain text, HTML, JSON or an address.
        finds: reports whether a decoded text contains a secret.
    """
    if not _CODED.search(text) or not holds(text, finds):
        return text
    return _RUN.sub(lambda found: _struck_run(found[0], finds), text)


def _struck_run(run: str, finds: Callable[[str], bool]) -> str:
    if not _CODED.search(run) or not holds(run, finds):
        return run
    rest = len(run) - len(run.rstrip("\\"))  # trailing backslashes escape the quote after the run
    kept = run[len(run) - rest :]
    run = run[: len(run) - rest]
    narrower = _ASCII_RUN.sub(lambda found: STRUCK if holds(found[0], finds) else found[0], run)
    return (STRUCK if holds(narrower, finds) else narrower) + kept


def is_oddly_coded(body: bytes) -> bool:
    """Report whether a body has escapes of characters that need none: letters, digits, `-`, `.`, `_` and `~`."""
    return bool(_ODDLY_CODED.search(body))


class Needles:
    """Finds many patterns in texts that almost never contain one.

    A regular expression of a hundred alternatives tries a hundred of them at each character. Each pattern therefore has
    a literal that every match contains; the literal is searched first, which is fast.

    Args:
        patterns: (literal, pattern). Case of the literal is ignored. If two patterns match at the same position, the
            first one counts.
    """

    def __init__(self, patterns: Iterable[tuple[str, str]]) -> None:
        self._patterns = tuple(dict.fromkeys((literal.lower(), pattern) for literal, pattern in patterns))

    def __bool__(self) -> bool:
        """Report whether there are any patterns."""
        return bool(self._patterns)

    def among(self, texts: Sequence[str]) -> "Needles":
        """Return the patterns whose literal is in one of some texts."""
        lower = [text.lower() for text in texts]
        return Needles(each for each in self._patterns if any(each[0] in text for text in lower))

    def search(self, text: str) -> bool:
        """Report whether a pattern matches in a text."""
        pattern = self._there(text)
        return pattern is not None and bool(pattern.search(text))

    def sub(self, replaced: str | Callable[[re.Match[str]], str], text: str) -> str:
        """Return a text with all matches replaced."""
        pattern = self._there(text)
        return text if pattern is None else pattern.sub(replaced, text)

    def _there(self, text: str) -> re.Pattern[str] | None:
        lower = text.lower()
        found = [pattern for literal, pattern in self._patterns if literal in lower]
        return _compiled("|".join(found)) if found else None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def whatever_case(parts: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield literals and patterns that match some texts without regard to case, the longest first."""
    for part in longest_first(parts):
        yield part, f"(?i:{re.escape(part)})"


def longest_first(parts: Iterable[str]) -> list[str]:
    """Return texts with the longest first, the order of searching if one may be part of another."""
    return sorted(set(parts), key=lambda part: (-len(part), part))


class PrivateRedactor:
    """Replaces secrets of private sources in texts for operators: logs, errors, reports.

    Operators know the configured addresses, so that only tokens in them are replaced. Of addresses that answers
    redirected to or named, everything except the host is replaced.

    Args:
        configured: addresses in feeds.yaml.
        met: addresses that answers redirected to or named.
    """

    def __init__(self, configured: Iterable[str], met: Iterable[str] = ()) -> None:
        configured, met = tuple(configured), tuple(met)
        tokens = {token for address in (*configured, *met) for token in secrets_of(address).tokens}
        tokens |= {pair for address in (*configured, *met) for pair in secrets_of(address).pairs}
        ours = {place_of(address) for address in configured}
        places = {place for address in met if (place := place_of(address)) and place not in ours}
        self._tokens = Needles(whatever_case(tokens))
        self._places = Needles(
            (place, rf"(?i:(?<![\w.-]){re.escape(place)}/?(?!\.?[\w/%-]))") for place in longest_first(places)
        )

    def text(self, text: str) -> str:
        """Return a text with secrets replaced."""
        if not self._tokens and not self._places:
            return text
        text = self._places.sub(lambda found: f"{found[0].partition('/')[0]}/{STRUCK}", text)
        return strike_coded(self._tokens.sub(STRUCK, text), self._tokens.search)

    def record(self, value: Any) -> Any:
        """Return a JSON value with secrets replaced in all texts; names of fields stay."""
        few = PrivateRedactor(())  # a report has thousands of texts, and usually none of the secrets
        said = tuple(forms(json.dumps(value, ensure_ascii=False)))
        few._tokens, few._places = self._tokens.among(said), self._places.among(said)
        return few._record(value)

    def _record(self, value: Any) -> Any:
        match value:
            case str():
                return self.text(value)
            case list() | tuple():
                return [self._record(each) for each in value]
            case dict():
                return {name: self._record(each) for name, each in value.items()}
        return value


def safe_address(url: Url, secrets: Iterable[str], *, private: bool) -> Url:
    """Return a source's address as operators may see it: without secrets of feeds.yaml, and of a private source without
    tokens."""
    return without_secrets(url, {*secrets, *secrets_of(url).all} if private else secrets)


def led_address(url: Url, secrets: Iterable[str], *, private: bool) -> Url:
    """Return an address that a source redirected to, for operators; for a private source only scheme and host."""
    return start_of(url) if private else without_secrets(url, secrets)


def place_of(address: str) -> str | None:
    """Return host and path of an address, without userinfo, query and final slash; None if the path is empty."""
    parts = split(address)
    if parts is None or not parts.path.rstrip("/"):
        return None
    return parts.netloc.rpartition("@")[2] + parts.path.rstrip("/")
