"""`publish.hub`: which addresses are valid, and warnings about hubs that can't work or are not safe."""

import pytest

from tests.config.reading import problems, said, warnings

SITE = "site: {base_url: https://planet.example.org/}\n"


def test_a85_the_hub_is_normalised_and_there_is_none_by_default() -> None:
    assert said(SITE + "publish: {hub: HTTPS://Hub.Example.org:443}").publish.hub == "https://hub.example.org/"
    assert said(SITE).publish.hub is None
    assert warnings(SITE + "publish: {hub: https://hub.example.org/}\nsources: [https://example.org/]\n") == []


@pytest.mark.parametrize(
    ("hub", "expected"),
    [
        pytest.param(
            "hub.example.org",
            '2:16: "hub.example.org" is not the address of a hub: it does not begin with http:// or https:// and a '
            "host; "
            "write https://host/",
            id="no-url",
        ),
        pytest.param(
            "7", '2:16: "7" is a number without quotes, not the address of a hub; write "7" in quotes', id="7"
        ),
        pytest.param(
            "https://me:secret@hub.example.org/",
            '2:16: "https://***@hub.example.org/" has a user name, and every feed shows this address; '
            "write https://host/",
            id="s44-userinfo",
        ),
    ],
)
def test_what_is_no_hub_is_told_with_its_line(hub: str, expected: str) -> None:
    assert problems(f"{SITE}publish: {{hub: {hub}}}\nsources: [https://example.org/]\n") == [expected]


@pytest.mark.parametrize(
    ("site", "hub", "expected"),
    [
        pytest.param(
            SITE,
            "http://hub.example.org/",
            ["http is not encrypted: others can answer for this hub; write https:// if it supports that"],
            id="s60-http",
        ),
        pytest.param(
            "site: {title: Planet}\n",
            "https://hub.example.org/",
            ["a hub can't fetch feeds from http://127.0.0.1:8080/; write their public address in site.base_url"],
            id="localhost",
        ),
        pytest.param(
            SITE,
            '"https://${NAME}.example.org/"',
            ["every feed shows this address, and so everybody can read the value of its variable"],
            id="s44-variable",
        ),
        pytest.param("site: {title: Planet}\n", "http://10.1.2.3/", [], id="both-on-the-operators-own-network"),
    ],
)
def test_what_works_otherwise_than_one_may_think_is_a_warning(site: str, hub: str, expected: list[str]) -> None:
    text = f"{site}publish: {{hub: {hub}}}\nsources: [https://example.org/]\n"
    assert warnings(text, {"NAME": "hub-of-mine"}) == [f"2:16: {warning}" for warning in expected]
