"""Alertmanager: pages and tickets go to their own receivers, and what is a consequence stays silent."""

from typing import Any

from contract.slo import Slo, duration_text
from contract.slo.schema import Notify
from ops.generate.plain_yaml import plain_yaml


def alertmanager(slo: Slo) -> str:
    """The text of ops/alertmanager.yml."""
    notify = slo.notify
    missing = "|".join(f"{job.capitalize()}Missing" for job in dict(slo.targets))
    return plain_yaml(
        {
            "global": _global(notify),
            "route": {
                "receiver": "ticket",
                "group_by": ["alertname", "sloth_slo"],
                "group_wait": duration_text(notify.group_wait),
                "group_interval": duration_text(notify.group_interval),
                "repeat_interval": duration_text(notify.repeat_ticket),
                "routes": [
                    # It always fires, and must mail nobody.
                    {"matchers": ['alertname="Watchdog"'], "receiver": "heartbeat"},
                    {
                        "matchers": ['severity="page"'],
                        "receiver": "page",
                        "repeat_interval": duration_text(notify.repeat_page),
                    },
                ],
            },
            "receivers": [_mail("page", notify.page), _mail("ticket", notify.ticket), _heartbeat(notify.heartbeat_url)],
            "inhibit_rules": [
                # Too few targets explain why objectives are unknown and no model is ready.
                {
                    "source_matchers": [f'alertname=~"{missing}"'],
                    "target_matchers": ['alertname=~".*Unknown|TargetDown|RankerNotReady"'],
                },
                # Who was paged for an objective needs no ticket for it.
                {
                    "source_matchers": ['severity="page"', 'sloth_slo!=""'],
                    "target_matchers": ['severity="ticket"', 'sloth_slo!=""'],
                    "equal": ["sloth_slo"],
                },
            ],
        }
    )


def _global(notify: Notify) -> dict[str, Any]:
    settings = {
        "smtp_smarthost": notify.smarthost,
        "smtp_from": notify.sender,
        "smtp_require_tls": notify.require_tls,
        "smtp_auth_username": notify.username,
        "smtp_auth_password_file": notify.password_file,
    }
    return {name: value for name, value in settings.items() if value is not None}


def _heartbeat(url: str | None) -> dict[str, Any]:
    return {"name": "heartbeat"} | ({"webhook_configs": [{"url": url}]} if url else {})


def _mail(name: str, to: str) -> dict[str, Any]:
    return {"name": name, "email_configs": [{"to": to, "send_resolved": True}]}
