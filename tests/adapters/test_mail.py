"""Mail reaches the log on a laptop, and a real SMTP conversation elsewhere."""

from __future__ import annotations

import logging
import socketserver
import threading
from collections.abc import Iterator

import pytest

from service.adapters.mail import ConsoleMailer, SmtpMailer, open_mailer
from service.errors import BadInput, Unavailable
from service.settings import Settings


class Post(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs to hand over one message in clear."""

    def handle(self) -> None:
        self.wfile.write(b"220 post\r\n")
        answers = {"EHLO": b"250 post\r\n", "DATA": b"354 go on\r\n", "QUIT": b"221 bye\r\n"}
        while line := self.rfile.readline().decode().strip():
            word = line.split()[0].upper()
            if word == "RCPT" and "nobody" in line:
                self.wfile.write(b"550 no such person\r\n")
                continue
            self.wfile.write(answers.get(word, b"250 ok\r\n"))
            if word == "DATA":
                body = []
                while (part := self.rfile.readline()) != b".\r\n":
                    body.append(part.decode())
                self.server.letters.append("".join(body))  # type: ignore[attr-defined]
                self.wfile.write(b"250 taken\r\n")
            if word == "QUIT":
                return


@pytest.fixture
def post() -> Iterator[socketserver.TCPServer]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Post) as server:
        server.letters = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def smtp(post: socketserver.TCPServer, **changes: object) -> SmtpMailer:
    given = {"host": "127.0.0.1", "port": post.server_address[1], "encrypted": False, "user": "", "password": ""}
    return SmtpMailer(**{**given, "sender": "courses@example.org", **changes})  # type: ignore[arg-type]


def test_a_letter_arrives_with_its_sender_and_text(post: socketserver.TCPServer) -> None:
    smtp(post).send("ada@example.org", "Your invitation – welcome", "Come in:\nhttps://example.org/i/1")
    letter = post.letters[0]  # type: ignore[attr-defined]
    assert "From: courses@example.org" in letter
    assert "To: ada@example.org" in letter
    assert "https://example.org/i/1" in letter


def test_a_refused_recipient_is_the_callers_to_mend(post: socketserver.TCPServer) -> None:
    with pytest.raises(BadInput, match=r"nobody@example\.org"):
        smtp(post).send("nobody@example.org", "Hello", "Hello")


def test_a_server_that_is_away_is_worth_another_try() -> None:
    away = SmtpMailer(host="127.0.0.1", port=1, encrypted=False, user="", password="", sender="a@example.org")
    with pytest.raises(Unavailable):
        away.send("ada@example.org", "Hello", "Hello")


def test_no_password_is_told_over_a_connection_in_clear(post: socketserver.TCPServer) -> None:
    with pytest.raises(Unavailable):
        smtp(post, user="u", password="secret").send("ada@example.org", "Hello", "Hello")
    assert post.letters == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("mailer", [ConsoleMailer()])
def test_no_header_can_be_smuggled_in(mailer: ConsoleMailer) -> None:
    with pytest.raises(BadInput, match="line break"):
        mailer.send("ada@example.org\nBcc: eve@example.org", "Hello", "Hello")


def test_on_a_laptop_the_letter_is_in_the_log(caplog: pytest.LogCaptureFixture, settings: Settings) -> None:
    with caplog.at_level(logging.WARNING):
        open_mailer(settings).send("ada@example.org", "Hello", "The link: https://example.org")
    assert "The link: https://example.org" in caplog.text


@pytest.mark.parametrize("url", ["smtp:", "smtp://host", "smtps://user:word@host"])
def test_an_address_without_host_or_sender_is_refused(settings: Settings, url: str) -> None:
    with pytest.raises(BadInput, match="MAIL_URL"):
        open_mailer(settings.model_copy(update={"mail_url": url}))


def test_the_address_of_the_server_is_understood(settings: Settings) -> None:
    url = "smtps://me%40example.org:p%3Aw@mail.example.org?from=courses@example.org"
    found = open_mailer(settings.model_copy(update={"mail_url": url}))
    assert isinstance(found, SmtpMailer)
    assert (found._host, found._port, found._user, found._password, found._sender) == (
        "mail.example.org",
        465,
        "me@example.org",
        "p:w",
        "courses@example.org",
    )
