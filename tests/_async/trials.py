"""Trials drawn at random: one after the other, each with the command that repeats it."""

from ..oracle import own_share, twin


async def all_go_well(server, path, carry_out, seeds):
    """Carry out what each seed draws; fail with the commands for those that went wrong.

    *carry_out* gets the server and the seed, and returns what is to be shown of the trial, and the
    verdicts.
    """
    failed = []
    for seed in own_share(server, seeds):
        server.store.reset()
        repeat = f"ZENOO_SEED={seed} pytest {path} --servers={server.name}"
        try:
            shown, verdicts = await carry_out(server, seed)
        except BaseException as error:
            error.add_note(f"{twin()}, repeat it with: {repeat}")
            raise
        if verdicts:
            failed.append(repeat)
            print(f"{twin()}: {repeat}", shown, *verdicts, sep="\n  ")
    assert [] == failed
