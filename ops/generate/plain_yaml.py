"""YAML as people would write it: no anchors, keys in their order, long expressions on one line."""

from typing import Any

import yaml

HEADER = "# Generated from ops/slo.yaml by `python -m ops.generate`: do not edit.\n"


class _PlainDumper(yaml.SafeDumper):
    """Without anchors: readers of rule files do not expect them."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def plain_yaml(document: Any) -> str:
    """The text of a generated file."""
    return HEADER + yaml.dump(document, Dumper=_PlainDumper, sort_keys=False, width=1000)
