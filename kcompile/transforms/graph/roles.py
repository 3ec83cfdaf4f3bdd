"""What the arguments of @main are (`kernel.role`): weights that stay between calls, state that is updated, inputs."""

from __future__ import annotations

from kcompile.ir.core import Operation, Value


def role_of(argument: Value, function: Operation) -> str:
    """ "weight", "state" or "input"; an argument without attributes is an input."""
    attributes = function.get("arg_attrs")
    return str(attributes[argument.index].get("kernel.role", "input")) if attributes else "input"


class WeightOnly:
    """Which values of a function are known once the weights are: computed from weights and constants alone."""

    def __init__(self, function: Operation):
        self.known: dict[Value, bool] = {a: role_of(a, function) == "weight" for a in function.body.arguments}

    def __contains__(self, value: object) -> bool:
        assert isinstance(value, Value)
        pending = [value]
        while pending:
            current = pending[-1]
            if current in self.known:
                pending.pop()
                continue
            op = current.defining_op
            if op is None or op.regions or not op.has_trait("pure"):
                self.known[current] = False
                continue
            unknown = [v for v in op.operands if v not in self.known]
            if unknown:
                pending.extend(unknown)
            else:
                self.known[current] = all(self.known[v] for v in op.operands)
        return self.known[value]
