"""What the guard stopped, as the console and `intyg blocked` show it: ids and times, no person."""

from intyg.adapter.store import Block, Hold, Rows


def blocked_view(rows: Rows, limit: int) -> dict[str, list[dict[str, object]]]:
    """
    Blocks, newest first, and what is held, what waits longest first; at most `limit` of each.

    Times are UTC in ISO 8601.
    """
    return {
        "blocks": [_block(block) for block in rows.blocks.newest(limit)],
        "held": [_hold(hold) for hold in rows.blocks.holds(limit)],
    }


def _block(block: Block) -> dict[str, object]:
    return {
        "at": block.at.isoformat(),
        "intygsId": block.intygs_id,
        "contract": block.contract,
        "destination": block.destination,
        "signal": block.signal,
    }


def _hold(hold: Hold) -> dict[str, object]:
    return {
        "since": hold.since.isoformat(),
        "intygsId": hold.intygs_id,
        "contract": hold.contract,
        "deliveryId": hold.delivery_id,
        "logicalAddress": hold.logical_address,
        "why": hold.why,
        "askedAt": hold.asked_at.isoformat(),
        "askAgainAt": hold.ask_again_at.isoformat(),
    }
