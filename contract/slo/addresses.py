"""Addresses of mails and servers, in the forms that Alertmanager takes.

Alertmanager looks at mail addresses (RFC 5322, Go's net/mail) only when it sends: a wrong one would be found out by the
first page. It reads recipients and URLs as templates, so that no braces are let in.
"""

import re
from typing import Annotated

from pydantic import AfterValidator

from contract.slo.text import shown

_HOST = r"(?:[\w-]+(?:\.[\w-]+)*\.?|\[[0-9A-Fa-f:.]+\])"
_HOST_PORT = re.compile(rf"{_HOST}:(?P<port>[0-9]{{1,5}})")
_URL = re.compile(
    rf"(?i:https?)://(?:[\w.~!$&'()*+,;=:%-]*@)?{_HOST}(?::(?P<port>[0-9]{{1,5}}))?(?:[/?#][^\s{{}}]*)?",
)
_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_WORD = r"[\w!#$%&'*+/=?^`|~-]+"
_MAIL = rf"{_WORD}(?:\.{_WORD})*@[\w-]+(?:\.[\w-]+)*"
_NAME = r"""(?:"[^"\\{}]*"|[\w!#$%&'*+/=?^`|~-][\w!#$%&'*+/=?^`|~. -]*)"""
_ONE = rf"(?:{_MAIL}|(?:{_NAME} ?)?<{_MAIL}>)"
_SENDER = re.compile(_ONE)
_RECIPIENTS = re.compile(rf"{_ONE}(?:, ?{_ONE})*")


def host_and_port(given: str) -> str:
    """`smtp.example.com:587`, `[::1]:25`. Raises ValueError: another form, or no such port."""
    found = _HOST_PORT.fullmatch(given)
    if not found or not _is_port(found["port"]):
        wanted = "the server and a port of 1 to 65535, such as smtp.example.com:587"
        raise ValueError(f"{shown(given)} is no address of a mail server: write {wanted}")
    return given


def web_address(given: str) -> str:
    """Raises ValueError: not http or https, no host, or what no URL may have (blanks, braces, a lone `%`)."""
    found = _URL.fullmatch(given)
    port = found["port"] if found else None
    if not found or not given.isprintable() or _BROKEN_ESCAPE.search(given) or (port and not _is_port(port)):
        raise ValueError(f"{shown(given)} is no web address: write one such as https://beat.example.com/pacesetter")
    return given


def folder_address(given: str) -> str:
    """A web address that names of pages are put behind, without a slash at its end. Raises ValueError."""
    if "?" in given or "#" in given:
        raise ValueError(f"{shown(given)}: pages are put behind it: leave out what begins with `?` or `#`")
    return web_address(given).rstrip("/")


def mail_address(given: str) -> str:
    """One, with or without a name. Raises ValueError."""
    if not given.isprintable() or not _SENDER.fullmatch(given):
        wanted = "pacesetter@example.com or Pacesetter <pacesetter@example.com>"
        raise ValueError(f"{shown(given)} is no mail address: write one such as {wanted}")
    return given


def mail_addresses(given: str) -> str:
    """One or several, with a comma between. Raises ValueError."""
    if not given.isprintable() or not _RECIPIENTS.fullmatch(given):
        wanted = "oncall@example.com, or several with a comma between"
        raise ValueError(f"{shown(given)} is no mail address: write one such as {wanted}")
    return given


def one_line(given: str) -> str:
    """Raises ValueError: blank, or more than a line."""
    if not given.strip() or not given.isprintable():
        raise ValueError(f"{shown(given)} is not a line of text: write one, or leave the key out")
    return given


def _is_port(digits: str) -> bool:
    return 1 <= int(digits) <= 65_535


HostAndPort = Annotated[str, AfterValidator(host_and_port)]
WebAddress = Annotated[str, AfterValidator(web_address)]
FolderAddress = Annotated[str, AfterValidator(folder_address)]
MailAddress = Annotated[str, AfterValidator(mail_address)]
MailAddresses = Annotated[str, AfterValidator(mail_addresses)]
Line = Annotated[str, AfterValidator(one_line)]
