"""Whether two entries with one link say the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.dedupe.agreement import Telling, agree
from aggregator.dedupe.tokens import tokens_of

TEXT = (
    "After nine years in a workshop cellar, the lamp of the old lighthouse is back where it belongs. Four people "
    "carried its lens up the one hundred and twelve steps in the early morning, before the wind got up."
)
COMMENT = "Somebody should have filmed this. The little museum next door has a model of the mechanism; go and see."
ZH = "从周一起,江边到山顶的老缆车停运七天。工人要换下用了三十年的主缆,并给两个站台铺上防滑的石板。"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param(("Lamp is back", TEXT), ("Lamp is back", TEXT), True, id="equal"),
        pytest.param(("Lamp is back", TEXT), ("Lamp is back", TEXT[:100] + "… read more"), True, id="excerpt"),
        pytest.param(("Lamp is back", TEXT), ("The lamp", TEXT[:100]), True, id="excerpt-under-another-title"),
        pytest.param(("Lamp is back", TEXT), ("Lamp is back", ""), True, id="title-alone-where-one-has-no-text"),
        pytest.param(("Lamp is back", TEXT), ("Worth reading", ""), False, id="other-title-no-text"),
        pytest.param(("Lamp is back", TEXT), ("Lamp is back", COMMENT), False, id="link-blog-with-the-same-title"),
        pytest.param(("Lamp is back", TEXT), ("Filmed?", COMMENT), False, id="link-blog"),
        pytest.param(("Release 1.2.3", TEXT), ("Release 1.2.4", TEXT), False, id="other-version"),
        pytest.param(("老缆车停运一周", ZH), ("老缆车停运一周", ZH[:30]), True, id="chinese-excerpt"),
        pytest.param(("老缆车停运一周", ""), ("旧书店的冬天", ""), False, id="chinese-other"),
        pytest.param(("", ""), ("", ""), False, id="nothing-agrees-with-nothing"),
    ],
)
def test_agreement(one: tuple[str, str], other: tuple[str, str], same: bool) -> None:
    assert agree(Telling(*one), Telling(*other)) is same
    assert agree(Telling(*other), Telling(*one)) is same


def test_mixed_tokens_need_no_segmentation() -> None:
    assert list(tokens_of("Android 15 正式发布!")) == ["android", "15", "正式", "式发", "发布"]


@given(st.text(), st.text())
def test_tokens_of_any_text_are_folded_and_never_empty(one: str, other: str) -> None:
    assert all(token and token == token.casefold() for token in tokens_of(one))
    assert agree(Telling(one, other), Telling(other, one)) in (True, False)
