"""Recognises bot challenges among refused requests (P27). The program never tries to pass a challenge."""

from collections.abc import Mapping

# Texts of challenge pages, in lower case. Texts of a plain "access denied" page are not included: that is a refusal.
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


# Statuses of challenges. A plain 404 page may contain a form with a captcha and is not a challenge.
_STATUSES = frozenset({401, 403, 405, 406, 429, 503})


def is_challenge(status: int, headers: Mapping[str, str], body: bytes) -> bool:
    """Return True if a response asks for a browser with a person.

    Args:
        status: HTTP status.
        headers: names in any case.
        body: the beginning of the body, decompressed.
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
