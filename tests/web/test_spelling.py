"""Words that are put into a template when it is compiled are those that it would have asked for."""

import pytest
from jinja2 import DictLoader, Environment

from hub.web.spelling import spelling
from hub.web.words import LOCALES, Words

_PAGE = """{% macro state(t, code) %}{{ t("state." ~ code) }} {{ t("ui.close") }}{% endmacro %}
<a title="{{ t("ui.close") }}">{{ t("auth.sign_in" if is_new else "auth.sign_out") }}</a>
{{ state(t, "hold") }} {{ t("time.ago", span="<b>") }} {{ t("no.such_word") }} {{ t("ui." + "close") | upper }}
{% for t_of in [1] %}{{ t("views.title") ~ t_of }}{% endfor %}{{ t("hostile.words") }}{{ t.has("ui.close") }}"""


class _Hostile(Words):
    """With a word in its table that would be a tag."""

    def __call__(self, key: str, **words: object) -> str:
        return "<i>&" if key == "hostile.words" else super().__call__(key, **words)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("is_new", [True, False])
def test_a_page_is_the_same_as_if_each_word_were_asked_for(*, locale: str, is_new: bool):
    words = _Hostile(locale)
    plain = Environment(loader=DictLoader({"page": _PAGE}), autoescape=True)
    spelled = Environment(loader=DictLoader({"page": _PAGE}), autoescape=True)
    spelled.code_generator_class = spelling(words)

    page = spelled.get_template("page").render(t=words, is_new=is_new)

    assert page == plain.get_template("page").render(t=words, is_new=is_new)
    assert "&lt;i&gt;&amp;" in page
    assert words("auth.sign_in" if is_new else "auth.sign_out") in page


def test_words_that_stand_there_are_asked_for_once():
    asked: list[str] = []

    class Counted(Words):
        def __call__(self, key: str, **words: object) -> str:
            asked.append(key)
            return super().__call__(key, **words)

    words = Counted("ko")
    environment = Environment(loader=DictLoader({"page": _PAGE}), autoescape=True)
    environment.code_generator_class = spelling(words)
    for _ in range(2):
        environment.get_template("page").render(t=words, is_new=True)

    assert [asked.count(key) for key in ("views.title", "auth.sign_out", "state.hold", "time.ago")] == [1, 1, 2, 2]
