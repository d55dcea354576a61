"""A progress bar, in a terminal or a notebook: the extra `progress` (tqdm)."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from .batch.options import Progress
from .errors import MissingExtraError


def _in_notebook() -> bool:
    """Whether a Jupyter kernel runs us; without ipywidgets the bar is a line of text there."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return "IPKernelApp" in getattr(shell, "config", {})


class ProgressBar:
    """A callback that draws how many records are done; `close` leaves it as it stands."""

    def __init__(self, label: str = "") -> None:
        notebook = _in_notebook()
        plain = notebook and find_spec("ipywidgets") is None  # which tqdm.auto would warn of
        try:
            if plain:
                from tqdm.std import tqdm
            else:
                from tqdm.auto import tqdm
        except ImportError:
            raise MissingExtraError("progress=True needs tqdm: pip install tqdm") from None
        # None switches it off where nobody looks at a terminal, which a notebook is none of
        disable = False if notebook else None
        self._bar = tqdm(desc=label, unit=" record", leave=True, disable=disable)

    def __call__(self, progress: Progress) -> None:
        self._bar.total = progress["total"]
        self._bar.update(progress["completed"] - self._bar.n)
        if refused := progress["stats"]["refused"]:
            self._bar.set_postfix(refused=refused, refresh=False)

    def close(self) -> None:
        """Leave the bar as it stands."""
        self._bar.close()
