"""Mail behind MAIL_URL: into the log on a laptop, by SMTP elsewhere."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import structlog

from service.errors import Unavailable
from service.ports import Mailer
from service.settings import Settings

PATIENCE_SECONDS = 15
log = structlog.get_logger()


def open_mailer(settings: Settings) -> Mailer:
    """The mailer that `settings.mail_url` names."""
    if urlsplit(settings.mail_url).scheme == "console":
        return ConsoleMailer()
    return SmtpMailer(settings.mail_url)


class ConsoleMailer:
    """Writes mail to the log, for development."""

    def send(self, to: str, subject: str, text: str) -> None:
        log.info("mail that nobody gets", to=to, subject=subject, text=text)


class SmtpMailer:
    """Sends by `smtp://` (with STARTTLS where the server offers it) or `smtps://`; one connection for each message."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)

    def send(self, to: str, subject: str, text: str) -> None:
        """Send one plain-text message.

        Raises:
            Unavailable: the server does not answer or refuses.
        """
        message = EmailMessage()
        message["To"], message["Subject"] = to, subject
        message["From"] = unquote(self._address.username or "") or f"coursewright@{self._address.hostname}"
        message.set_content(text)
        try:
            with self._connect() as server:
                if self._address.username:
                    server.login(unquote(self._address.username), unquote(self._address.password or ""))
                server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable(f"The mail server did not take the message to {to}: {error}.") from error

    def _connect(self) -> smtplib.SMTP:
        host, port = self._address.hostname or "localhost", self._address.port or 0
        context = ssl.create_default_context()
        if self._address.scheme == "smtps":
            return smtplib.SMTP_SSL(host, port, timeout=PATIENCE_SECONDS, context=context)
        server = smtplib.SMTP(host, port, timeout=PATIENCE_SECONDS)
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=context)
        return server
