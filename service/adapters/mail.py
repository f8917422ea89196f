"""Sends a plain-text message: into the log on a laptop, through an SMTP server elsewhere."""

from __future__ import annotations

import logging
import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import parse_qs, unquote, urlsplit

from service.errors import BadInput, Unavailable
from service.ports import Mailer
from service.settings import Settings

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 15
FORM = "smtp://USER:PASSWORD@HOST:587?from=courses@example.org, or smtps:// for port 465"


def open_mailer(settings: Settings) -> Mailer:
    """The mailer behind MAIL_URL.

    Raises:
        BadInput: the address misses the host or the sender.
    """
    url = urlsplit(settings.mail_url)
    if url.scheme == "console":
        return ConsoleMailer()
    sender = parse_qs(url.query).get("from", [unquote(url.username or "")])[0]
    if not url.hostname or "@" not in sender:
        raise BadInput(f"MAIL_URL needs a host and a sender: {FORM}.")
    return SmtpMailer(
        host=url.hostname,
        port=url.port or (465 if url.scheme == "smtps" else 587),
        encrypted=url.scheme == "smtps",
        user=unquote(url.username or ""),
        password=unquote(url.password or ""),
        sender=sender,
    )


def _message(to: str, subject: str, text: str) -> EmailMessage:
    message = EmailMessage()
    try:
        message["To"], message["Subject"] = to, subject
    except ValueError as error:
        raise BadInput("The address or the subject of a message holds a line break. Leave it out.") from error
    message.set_content(text)
    return message


class ConsoleMailer:
    """Writes messages into the log, for a laptop: nobody else reads them."""

    def send(self, to: str, subject: str, text: str) -> None:
        _message(to, subject, text)
        log.warning("mail to %s: %s\n%s", to, subject, text)


class SmtpMailer:
    """Sends through one SMTP server, a connection for each message. STARTTLS is used wherever the server offers it,
    and is demanded before a password is told.
    """

    def __init__(self, *, host: str, port: int, encrypted: bool, user: str, password: str, sender: str) -> None:
        self._host, self._port, self._encrypted = host, port, encrypted
        self._user, self._password, self._sender = user, password, sender

    def send(self, to: str, subject: str, text: str) -> None:
        """Send one message.

        Raises:
            BadInput: address or subject cannot stand in a message, or the server refuses the recipient.
            Unavailable: the server does not answer, or refuses us.
        """
        message = _message(to, subject, text)
        message["From"] = self._sender
        try:
            with self._connected() as server:
                self._enter(server)
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            raise BadInput(f"The mail server refuses the address {to}. Check it.") from error
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable("The mail server does not take the message now. Try again later.") from error

    def _connected(self) -> smtplib.SMTP:
        if self._encrypted:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self._host, self._port, timeout=TIMEOUT_SECONDS, context=context)
        return smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_SECONDS)

    def _enter(self, server: smtplib.SMTP) -> None:
        """Encrypt the connection if it is not, then sign in."""
        server.ehlo()
        if not self._encrypted and (self._password or server.has_extn("starttls")):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        if self._password:
            server.login(self._user, self._password)
