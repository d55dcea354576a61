"""Several things at the same time."""

from zenoo_rpc._compat import Crew


def side_by_side(*jobs):
    """Run jobs at the same time: tasks in one twin, threads in the other."""
    with Crew(lambda: None, len(jobs)) as crew:
        for job in jobs:
            crew.start(job)
