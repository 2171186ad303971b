"""What leaves compressed: files always, pages unless another site asked for them, the stream of news never."""

import pytest

from hub.web.compression import may_compress
from tests.web.conftest import Browser


@pytest.mark.parametrize(
    ("path", "fetch_site", "expected"),
    [
        ("/cases", "same-origin", True),
        ("/cases", "none", True),
        ("/cases", None, True),
        ("/cases", "cross-site", False),
        ("/cases", "same-site", False),
        ("/static/desk.css", "cross-site", True),
        ("/vendor/htmx/htmx.min.js", "cross-site", True),
        ("/live", "same-origin", False),
        ("/live", None, False),
    ],
)
def test_no_other_site_learns_the_length_of_a_page(path: str, fetch_site: str | None, *, expected: bool) -> None:
    assert may_compress(path, fetch_site) is expected


def test_pages_and_files_leave_compressed(agent: Browser) -> None:
    client = agent.client
    page = client.get("/cases")
    script = client.get("/vendor/htmx/htmx.min.js")
    plain = client.get("/cases", headers={"accept-encoding": "identity"})
    led = client.get("/cases", headers={"sec-fetch-site": "cross-site"})

    assert (page.headers["content-encoding"], script.headers["content-encoding"]) == ("gzip", "gzip")
    assert "Accept-Encoding" in page.headers["vary"]
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in led.headers
    assert int(page.headers["content-length"]) < len(page.content)
    assert "<title>" in page.text
