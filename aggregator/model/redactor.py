"""Replaces secrets by `***` in texts that a publisher, or an error about one, may echo (S44). Pure."""

import json
import re
from collections.abc import Iterable
from html import escape
from urllib.parse import quote, quote_plus, urlsplit

from aggregator.model.settings import Settings, Source
from aggregator.model.tokens import STRUCK, is_oddly_coded, strike_coded
from aggregator.urls import Url, host_of

MIN_SECRET = 6  # characters; a shorter secret would be replaced wherever its letters occur

_QUERY = "!$%&()*+,-./:;=?@[\\]^_`{|}~"  # characters that browsers do not escape in a query
_PATH = "!$%&'()*+,-./:;=@[\\]^_|~"
_HEX = re.compile("%[0-9A-F]{2}")
_HOST = re.compile("[A-Za-z0-9._-]+")
_ZEROS = 256  # first bytes of a body, by which UTF-16 is recognised


class Redactor:
    """Replaces secrets in texts: as they are, and escaped as in URLs, HTML and JSON, also with unnecessary escapes."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Prepare the written forms of some secrets; secrets under `MIN_SECRET` characters are ignored."""
        plain = {str.__str__(secret) for secret in secrets}
        longest_first = sorted((s for s in plain if len(s) >= MIN_SECRET), key=lambda s: (-len(s), s))
        self._forms = {secret: _forms_of(secret) for secret in longest_first}

    @classmethod
    def of(cls, settings: Settings) -> "Redactor":
        """Return the redactor for all secrets of the settings, except values such as that of `${HOST}`.

        A text that is the whole host of a source, or its scheme and host, is not a secret: the host is sent to name
        servers, and the feed's own links would be destroyed.
        """
        if not settings.secrets:
            return cls(())
        places = {urlsplit(source.url).netloc for source in settings.sources}
        places |= {host_of(source.url) for source in settings.sources}
        return cls(s for s in settings.secrets if _bare(str.__str__(s)) not in places)

    def for_source(self, source: Source) -> "Redactor":
        """Return the redactor for secrets that are sent to one publisher, the only ones that this publisher can echo,
        or that its programs are given.

        There may be 100,000 sources with a token each: searching a body for all of them would be too slow.
        """
        sent = [str.__str__(source.url), *(str.__str__(value) for _, value in source.headers)]
        sent += [str.__str__(part) for part in source.auth or ()]
        for program in (source.program, *source.hooks):
            if program is not None:
                sent += [str.__str__(value) for value in program.arguments]
                sent += [str.__str__(value) for _, value in program.environment]
        few = Redactor(())
        few._forms = {s: forms for s, forms in self._forms.items() if any(f in text for f in forms for text in sent)}
        return few

    def with_tokens(self, tokens: Iterable[str]) -> "Redactor":
        """Return a redactor that also replaces some tokens; tokens under `MIN_SECRET` characters are ignored."""
        more = Redactor(tokens)
        more._forms |= self._forms
        return more

    def text(self, text: str) -> str:
        """Return a text with secrets replaced."""
        for forms in self._forms.values():
            for form in forms:
                if form in text:
                    text = text.replace(form, STRUCK)
        return strike_coded(text, self._finds) if self._forms else text

    def _finds(self, text: str) -> bool:
        return any(form in text for forms in self._forms.values() for form in forms)

    def url(self, url: Url) -> Url:
        """Return an address with secrets replaced. It can't be fetched, but relative links still resolve against it."""
        return Url(self.text(url))

    def body(self, body: bytes) -> bytes:
        """Return a body with secrets replaced, before anything parses it; almost always the body is unchanged."""
        codecs = ("utf-16-le", "utf-16-be") if b"\0" in body[:_ZEROS] else ("utf-8",)
        for forms in self._forms.values():
            for form in forms:
                for codec in codecs:
                    needle = form.encode(
                        codec, errors="ignore"
                    )  # values of the environment may have unpaired surrogates
                    if len(needle) >= MIN_SECRET and needle in body:
                        body = body.replace(needle, STRUCK.encode(codec))
        if not self._forms or codecs != ("utf-8",) or not is_oddly_coded(body):
            return body
        text = body.decode("utf-8", "surrogateescape")
        struck = strike_coded(text, self._finds)
        return body if struck == text else struck.encode("utf-8", "surrogateescape")


def _forms_of(secret: str) -> tuple[str, ...]:
    """Return the forms in which a secret may be written, the longest first, since one form may contain another."""
    if _HOST.fullmatch(secret):  # most secrets: letters and digits need no escape, but hosts are written in lower case
        return tuple(dict.fromkeys((secret, secret.lower())))
    safe = secret.encode("utf-8", errors="replace").decode()
    forms = [quote(safe, safe=kept) for kept in ("", "/", _QUERY, _PATH)]
    forms.append(quote_plus(safe))
    forms += [_HEX.sub(lambda found: found[0].lower(), form) for form in forms]
    in_json = json.dumps(safe)[1:-1]
    forms += [in_json, in_json.replace("/", "\\/")]
    in_html = escape(secret)
    forms += [in_html, in_html.replace("&#x27;", "&#39;"), in_html.replace("&#x27;", "'"), escape(in_html)]
    forms.append(secret)
    different = dict.fromkeys(forms)
    return tuple(sorted(different, key=lambda form: (-len(form), form)))


def _bare(secret: str) -> str:
    return re.sub("^https?://", "", secret.strip(), flags=re.I).rstrip("/").lower()
