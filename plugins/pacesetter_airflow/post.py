"""One attempt at one mail: whoever sends it must know whether it went out."""

import smtplib
from email.message import EmailMessage

from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.sdk.exceptions import AirflowException


class NotSent(Exception):
    """The mail certainly did not go out: no connection, or the server refused it."""


class Undecided(Exception):
    """The connection broke before the server had answered: the mail may have gone out."""


class _Mailer(SmtpHook):
    def hand_over(self, message: EmailMessage) -> None:
        """Once: the hook's own method sends again after whatever goes wrong, also after an answer that came late."""
        self._smtp_client.send_message(message)


def post(message: EmailMessage) -> None:
    """Send `message` over the connection `smtp_default` to its own addresses. Raises NotSent or Undecided."""
    mailer = _Mailer()
    try:
        opened = mailer.__enter__()
    except (OSError, smtplib.SMTPException, AirflowException) as error:
        raise NotSent(f"{type(error).__name__}: {error}") from error
    try:
        opened.hand_over(message)
    except smtplib.SMTPServerDisconnected as error:
        raise Undecided(f"{type(error).__name__}: {error}") from error
    except smtplib.SMTPException as error:
        raise NotSent(f"{type(error).__name__}: {error}") from error
    except OSError as error:
        raise Undecided(f"{type(error).__name__}: {error}") from error
    finally:
        mailer.__exit__(None, None, None)
