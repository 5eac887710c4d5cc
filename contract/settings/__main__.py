"""Prints `.env.example`."""

from contract.settings.reading import example

print(example(), end="")
