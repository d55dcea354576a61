"""Models that come as data: sales orders and journal entries, with the fields of both releases.

Each file holds, by model, the arguments of `described`.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from .descriptions import described
from .models import Model
from .wording import Wording

FILES = {
    "sale.order": "sale.json",
    "sale.order.line": "sale.json",
    "account.move": "account.json",
    "account.move.line": "account.json",
}


@cache
def read(words: Wording, file: str) -> Mapping[str, Model]:
    """Return the models of a file as they are in a release."""
    text = Path(__file__).with_name(file).read_text("utf-8")
    return {name: described(words, name, **about) for name, about in json.loads(text).items()}


class Models(Mapping[str, Model]):
    """The models of one database by name; those that come as data are read when asked for."""

    def __init__(self, words: Wording, models: Mapping[str, Model]) -> None:
        self._words = words
        self._models = dict(models)

    def __contains__(self, name: object) -> bool:
        return name in self._models or name in FILES

    def __getitem__(self, name: str) -> Model:
        if name not in self._models and name in FILES:
            for each, model in read(self._words, FILES[name]).items():
                self._models.setdefault(each, model)
        return self._models[name]

    def __setitem__(self, name: str, model: Model) -> None:
        self._models[name] = model

    def __iter__(self) -> Iterator[str]:
        return iter(self._models | dict.fromkeys(FILES))

    def __len__(self) -> int:
        return len(self._models | dict.fromkeys(FILES))
