"""Generate the blocking twin before every build: wheel, sdist, and editable install."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class TwinHook(BuildHookInterface):
    """Run `scripts/generate_twin.py`, which an sdist carries too."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the twin into the source tree, or fail the build with its refusals."""
        script = Path(self.root, "scripts", "generate_twin.py")
        spec = importlib.util.spec_from_file_location("generate_twin", script)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.generate(Path(self.root))
