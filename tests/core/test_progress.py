"""The progress bar: what it draws, and what it says where it cannot be had."""

import io
import subprocess
import sys

import pytest
from tqdm import std, tqdm

from zenoo_rpc.batch.options import Progress
from zenoo_rpc.errors import MissingExtraError
from zenoo_rpc.progress import ProgressBar


def progress(completed, total=10, refused=0):
    return Progress(
        completed=completed,
        total=total,
        percentage=100.0 * completed / total,
        stats={"applied": completed - refused, "refused": refused},
    )


@pytest.fixture
def bars(monkeypatch):
    """The bars that were made; they draw into a text that takes itself for a terminal."""
    made = []

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    class Kept(tqdm):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, file=Terminal(), ncols=80, mininterval=0, **kwargs)
            made.append(self)

    monkeypatch.setattr("tqdm.auto.tqdm", Kept)
    monkeypatch.setattr(std.TMonitor, "start", lambda self: None)  # no thread for a test
    yield made
    for bar in made:
        bar.close()


def test_bar_follows_the_records(bars):
    """The bar stands where the last progress was; its unit is the record, apart from the number."""
    draw = ProgressBar()
    for completed in (0, 4, 4, 10):
        draw(progress(completed))

    [bar] = bars
    assert (10, 10, " record") == (bar.n, bar.total, bar.unit)


def test_bar_names_refusals(bars):
    """Refused records stand beside the bar, and only where there are any."""
    draw = ProgressBar()
    draw(progress(4))
    assert "refused" not in bars[0].fp.getvalue()

    draw(progress(10, refused=3))
    bars[0].refresh()
    assert "refused=3" in bars[0].fp.getvalue()


def test_bar_stays_as_it_stands(bars):
    """A batch that ends early leaves the bar where it was."""
    draw = ProgressBar()
    draw(progress(4))
    draw.close()

    assert "4/10" in bars[0].fp.getvalue()
    assert "10/10" not in bars[0].fp.getvalue()


def test_no_bar_without_a_terminal(capsys):
    """Where the output goes into a file, nothing is drawn."""
    draw = ProgressBar()
    draw(progress(10, refused=1))
    draw.close()

    assert ("", "") == capsys.readouterr()


def test_without_tqdm(monkeypatch):
    """Without the extra the error says how to get it; it is an ImportError too."""
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)

    with pytest.raises(MissingExtraError) as caught:
        ProgressBar()

    expected = "progress=True needs tqdm: pip install tqdm"
    assert expected == str(caught.value)
    assert isinstance(caught.value, ImportError)


NOTEBOOK = """
import sys, types
shell = types.SimpleNamespace(config={"IPKernelApp": {}})
sys.modules["IPython"] = types.SimpleNamespace(get_ipython=lambda: shell)
from zenoo_rpc.progress import ProgressBar
draw = ProgressBar()
draw({"completed": 10, "total": 10, "percentage": 100.0, "stats": {"refused": 0}})
draw.close()
"""


def test_a_notebook_with_widgets(bars, monkeypatch):
    """There tqdm chooses the bar."""
    monkeypatch.setattr("zenoo_rpc.progress._in_notebook", lambda: True)
    monkeypatch.setattr("zenoo_rpc.progress.find_spec", lambda name: name)

    ProgressBar()

    assert 1 == len(bars)


@pytest.mark.parametrize("code", [NOTEBOOK, NOTEBOOK.replace("IPKernelApp", "no_kernel")])
def test_a_notebook_without_widgets(code):
    """It has no terminal, and shows a line of text nevertheless, without a warning of tqdm's.

    A script does not.
    """
    command = [sys.executable, "-W", "always", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    assert ("10/10" in done.stderr) is (code is NOTEBOOK)
    assert "Warning" not in done.stderr
