"""Draws what a benchmark has found, for the docs; wants matplotlib beside zenoo_rpc."""

import itertools

OURS, LIMIT = "#714b67", "#b8b8b8"
OTHERS = ("#4c8bb0", "#7fb285", "#d9a441", "#c8705a", "#8d7bb5", "#5f9ea0", "#a0785a")


def bars(path, title, unit, groups, series):
    """Write an SVG file: beside each of *groups* a bar for each of *series*.

    *series* maps a label to a value for each group, None where there is none.
    """
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "zenoo_rpc"  # the same figures, the same file
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 4.2), layout="constrained")
    others = itertools.cycle(OTHERS)
    width = 0.84 / len(series)
    for place, (label, values) in enumerate(series.items()):
        own = "zenoo_rpc" in label
        color = OURS if own else LIMIT if label.startswith("bare") else next(others)
        found = [(n, value) for n, value in enumerate(values) if value is not None]
        axes.bar(
            [n + (place - (len(series) - 1) / 2) * width for n, _ in found],
            [value for _, value in found],
            width * 0.92,
            label=label,
            color=color,
            alpha=0.6 if own and place and "zenoo_rpc" in list(series)[place - 1] else 1,
        )
    axes.set_xticks(range(len(groups)), groups)
    axes.set_ylabel(unit)
    axes.set_title(title, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    figure.savefig(path, metadata={"Date": None})
