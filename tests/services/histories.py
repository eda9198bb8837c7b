"""All histories together."""

from partnerships.models.history_triggers import protected_models


def count_without_reason() -> int:
    """The rows of all histories that do not say what they belonged to."""
    histories = (model for model in protected_models() if hasattr(model, "history_change_reason"))
    return sum(model._base_manager.filter(history_change_reason=None).count() for model in histories)
