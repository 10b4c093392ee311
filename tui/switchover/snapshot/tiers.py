"""What may be done to a service, and how much it takes to have it done. Known to the screens and to the agent alike."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["ACTIONS", "Tier", "tier_of"]


class Tier(StrEnum):
    """HARMLESS is done at once, CONFIRM after a yes, TYPED once the service's name was typed."""

    HARMLESS = "harmless"
    CONFIRM = "confirm"
    TYPED = "typed"


ACTIONS: dict[str, Tier] = {
    "start": Tier.HARMLESS,
    "reload": Tier.CONFIRM,
    "pause": Tier.CONFIRM,
    "restart": Tier.CONFIRM,
    "stop": Tier.CONFIRM,
    "scale": Tier.CONFIRM,
    "kill": Tier.TYPED,
    "remove": Tier.TYPED,
}


def tier_of(action: str, argument: str = "") -> Tier:
    """Return what an action takes. Scaling to nothing destroys what runs. Raise `KeyError` for no action."""
    if action == "scale" and argument.strip() == "0":
        return Tier.TYPED
    return ACTIONS[action]
