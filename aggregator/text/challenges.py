"""Telling a bot challenge from an ordinary refusal (P27). We never try to pass one."""

from collections.abc import Mapping

# What such pages hold, in lower case. Not what a plain "access denied" holds: that is an answer.
_MARKS = (
    b"/cdn-cgi/challenge-platform/",  # Cloudflare
    b"cf-chl-",
    b"cf_chl_",
    b"<title>just a moment...</title>",
    b"<title>attention required! | cloudflare</title>",
    b"ddos-guard",
    b"checking your browser before accessing",
    b"sucuri_cloudproxy_js",
    b"_incapsula_resource",
    b"making sure you&#39;re not a bot",  # Anubis
    b"making sure you're not a bot",
    b"awswafcookiedomainlist",
    b"captcha-delivery.com",  # DataDome
    b"px-captcha",
    b"g-recaptcha",
    b"h-captcha",
    b"cf-turnstile",
    b"enable javascript and cookies to continue",
)


# Only there does a page count: a plain 404 may well have a form with a captcha in it.
_STATUSES = frozenset({401, 403, 405, 406, 429, 503})


def is_challenge(status: int, headers: Mapping[str, str], body: bytes) -> bool:
    """Tell whether an answer asks for a browser with a person before it.

    Args:
        status: of the answer.
        headers: names in any case.
        body: its beginning, unpacked.
    """
    if headers.get("cf-mitigated", "").strip().lower() == "challenge":
        return True
    if headers.get("x-amzn-waf-action", "").strip().lower() in ("challenge", "captcha"):
        return True
    if status not in _STATUSES:
        return False
    if body.lstrip()[:1] != b"<" and "html" not in headers.get("content-type", "").lower():
        return False
    text = body.lower()
    return any(mark in text for mark in _MARKS)
