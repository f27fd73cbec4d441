from intyg.mocks.wire.ids import ById

SMALL = "9f1c2e3a-5b6d-4c7e-8f90-a1b2c3d4e5f6"


def test_a_uuid_is_found_in_either_case() -> None:
    kept: ById[int] = ById()
    kept[SMALL.upper()] = 1
    kept["Fraga-1"] = 2
    assert (kept[SMALL], kept.get(SMALL.swapcase()), SMALL in kept) == (1, 1, True)
    assert ("fraga-1" in kept, kept.get("fraga-1")) == (False, None)
    del kept[SMALL]
    assert list(kept.values()) == [2]
