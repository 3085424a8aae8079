"""Tests of the addresses that `serve` prints when it starts."""

from pathlib import Path

import pytest

from aggregator.cli.serve import where
from aggregator.config.loader import read_config


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", "http://127.0.0.1:8080/"),
        ("serve: {bind: '[::1]:80'}", "http://[::1]/ from [::1]:80"),
        ("site: {base_url: 'https://p.example/x'}", "https://p.example/x/ from 127.0.0.1:8080"),
    ],
)
def test_where_it_listens_is_said_if_readers_come_another_way(said: str, expected: str) -> None:
    settings = read_config(f"{said}\nsources: ['https://a.example/f']\n".encode(), Path("feeds.yaml"), {})
    assert where(settings) == expected
