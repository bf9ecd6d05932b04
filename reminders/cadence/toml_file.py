"""Writes a cadence as the TOML file that reads back as the same cadence."""

from messaging.versions import toml_values
from reminders.cadence import cadence_definition


def write(cadence: cadence_definition.Cadence) -> str:
    """Return the file, every field written out except those that are empty or say what is understood anyway."""
    fields = cadence.model_dump(mode="json", exclude={"steps", "kinds", "quiet_hours"}, exclude_none=True)
    lines = [f"{name} = {toml_values.value(value)}" for name, value in fields.items() if value != []]
    lines += ["", "[quiet_hours]", *toml_values.fields(cadence.quiet_hours.model_dump(mode="json"))]
    tables = [("steps", cadence.steps), *((f"kinds.{toml_values.key(kind)}", of) for kind, of in cadence.kinds.items())]
    for header, steps in tables:
        for step in steps:
            lines += ["", f"[[{header}]]"]
            lines += toml_values.fields(step.model_dump(mode="json", exclude_defaults=True))
    return "\n".join(lines) + "\n"
