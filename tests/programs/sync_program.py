"""A user's program, which type checkers have nothing to say against; it is not run."""

from zenoo_rpc.sync import (
    BatchExecutionError,
    CreateOperation,
    RecordOutcome,
    RetryPolicy,
    Status,
    ZenooClient,
)


def main() -> list[RecordOutcome]:
    """Create, update, read and delete partners."""
    with ZenooClient("localhost", port=8069, retry=RetryPolicy(attempts=3)) as client:
        client.login("demo", "admin", "admin")
        try:
            with client.batch(chunk_size=100, on_error="stop") as batch:
                partners = batch.create("res.partner", [{"name": "Ann"}], external_ids=["ann"])
        except BatchExecutionError as error:
            return [each for each in error.result if each.status is Status.REFUSED]

        manager = client.batch_manager
        made = manager.bulk_create("res.partner", ({"name": name} for name in ("Bob", "Cy")))
        manager.bulk_update("res.partner", {"city": "Bern"}, record_ids=partners.ids)
        manager.bulk_update("res.partner", [{"id": each, "color": each % 9} for each in made])
        rows = client.read("res.partner", partners.ids, ["name", "city"])
        names: list[str] = [row["name"] for row in rows]
        with client.batch_operation("res.partner", "create") as collector:
            collector.add({"name": names[0]})
        with client.transaction():
            client.write("res.partner", made, {"city": "Chur"})
        with manager.stream("res.partner", iter([{"name": "Dee"}])) as outcomes:
            told = [outcome.id for outcome in outcomes]
        manager.execute_operations([CreateOperation("res.partner", [{"name": "Eve"}])])
        manager.bulk_delete("res.partner", [*made, *told])
        client.unlink("res.partner", partners.ids)
        return list(partners.result)


if __name__ == "__main__":
    main()
