"""The mail of the demo ends in a folder."""

import stat
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from hub.cli.demo_mail import mail_folder, mailing_to
from hub.desk.sending import MailSender
from hub.settings import Settings


def _letter(text: str) -> EmailMessage:
    letter = EmailMessage()
    letter["Subject"], letter["From"], letter["To"] = "재고 문의: ../etc/x", "demo@example.com", "md1@example.com"
    letter.set_content(text)
    return letter


async def test_a_letter_becomes_a_file_and_goes_nowhere(tmp_path: Path) -> None:
    folder, text = tmp_path / "mails", "안녕하세요.\n.\n..점으로 시작하는 줄\n"
    async with mail_folder(folder) as port:
        # Whatever the environment names is not used.
        elsewhere = Settings(
            home=tmp_path, smtp_host="mail.example.com", smtp_from="cs@example.com", smtp_to="a@example.com"
        )
        settings = mailing_to(port, elsewhere, url="http://127.0.0.1:8000")
        await MailSender(settings).send(_letter(text))
        await MailSender(settings).send(_letter("둘째"))

    first, second = sorted(folder.iterdir())
    kept = message_from_bytes(first.read_bytes(), policy=policy.default)
    assert (kept["To"], kept.get_content().splitlines()) == ("md1@example.com", text.splitlines())
    assert [path.name[:4] for path in (first, second)] == ["0001", "0002"]
    assert first.name == "0001 재고 문의 .. etc x.eml"
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert settings.smtp_recipients == ()
