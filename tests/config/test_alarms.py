"""`alarms`: what it becomes, and the messages for what it can't be."""

from datetime import time

import pytest

from aggregator.errors import ConfigError
from aggregator.model.settings import Alarming
from tests.config.reading import said


def test_r67_alarms_become_settings_whose_addresses_are_secret() -> None:
    read = said("alarms: {feed: a/b.atom, webhook: 'https://x.example/${T}', quiet: 22:00 - 7:30}", {"T": "abcdefgh"})
    assert read.alarms.feed == "a/b.atom"
    assert read.alarms.quiet == (time(22), time(7, 30))
    assert repr(read.alarms.webhook) == "***"
    assert "https://x.example/abcdefgh" in {str.__str__(secret) for secret in read.secrets}
    assert said("alarms: {webhook: 'https://x.example/', digest: 8:05}").alarms.digest == time(8, 5)
    assert said("").alarms == Alarming()


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{feed: alarms}", '"alarms" does not end with .atom; write alarms.atom'),
        ("{feed: all.atom}", '"all.atom" is reserved for outputs of the program; write another path'),
        ("{feed: /x.atom}", '"/x.atom" begins with a slash; write x.atom'),
        (
            "{webhook: me}",
            '"me" is not the address of a webhook: it does not begin with http:// or https:// and a host',
        ),
        ("{webhook: 'https://me:abc@x.example/'}", "has a user name, which is not sent"),
        (
            "{webhook: 'https://x.example/', quiet: 22-7}",
            '"22-7" is not a span of hours; write one such as 22:00-07:00',
        ),
        ("{webhook: 'https://x.example/', quiet: '22:00-22:00'}", "begins when it ends; write two times"),
        ("{webhook: 'https://x.example/', digest: '24:00'}", '"24:00" is not a time of day; write one such as 08:00'),
        ("{webhook: 'https://x.example/', digest: '8:00', quiet: 1:00-2:00}", "quiet has no effect beside digest"),
        ("{digest: '8:00'}", "nobody is told of alarms; write webhook or notify as well, or remove this"),
    ],
)
def test_what_alarms_can_not_be(written: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        said(f"alarms: {written}")
    assert message in str(caught.value)


def test_the_feed_of_alarms_has_a_path_of_its_own() -> None:
    with pytest.raises(ConfigError, match=r'"old.atom" is in publish.aliases too; write another path'):
        said("alarms: {feed: old.atom}\npublish: {aliases: {OLD.atom: all.atom}}")
