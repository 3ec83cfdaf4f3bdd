"""Layer: the base of all layers. A subclass gives `call` on tensors, and `build` if it has weights.

class Scale(Layer):
    def build(self, input_shape):
        self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")

    def call(self, inputs):
        return inputs * self.factor
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from kcompile.errors import ArgumentError, KcompileError, ShapeError, UnsupportedError
from kcompile.ir import types as t
from kcompile.tracing.abstract import abstract_call
from kcompile.tracing.bind import cast, convert
from kcompile.tracing.dtypes import is_float
from kcompile.tracing.structure import flatten, map_structure
from kcompile.tracing.tensor import EagerTensor, Tensor
from kcompile.tracing.trace import current_trace, outside_traces, scope

from .. import dtype_policies, regularizers
from ..operation import Node, symbolic_outputs
from ..ops.reduction import count_of
from ..tensor import KerasTensor, any_symbolic
from ..variable import Variable, autocast_to, variable_path, variable_scope
from .call_context import call_context, call_signature, entered
from .input_spec import check_inputs
from .layer_weights import LayerWeights
from .masks import keep_mask, masks_of, pass_on, with_masks


class Layer(LayerWeights):
    """See the module. `trainable`, `dtype` (a name or a policy), `name` and `activity_regularizer` go to `__init__`."""

    supports_masking = False
    input_spec: Any = None
    built = False
    _auto_config: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        self = super().__new__(cls)
        object.__setattr__(self, "_auto_config", (args, kwargs))
        return self

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _in_build_scope(cls.__dict__["build"])  # type: ignore[method-assign]

    def __init__(
        self, *, activity_regularizer: Any = None, trainable: bool = True, dtype: Any = None, autocast: bool = True,
        name: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(name=name)
        shape = kwargs.pop("input_shape", None)
        if kwargs.get("input_dim") is not None:
            shape = (kwargs["input_dim"],)
        kwargs.pop("input_dim", None)
        batch_shape = kwargs.pop("batch_input_shape", None)
        if kwargs:
            raise ArgumentError(f"{type(self).__name__} takes no argument of that name. Received: {sorted(kwargs)}")
        # the shape that a Sequential model starts from
        self._input_shape_arg = tuple(batch_shape) if batch_shape else None if shape is None else (None, *_shape(shape))
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.dtype_policy = dtype_policies.get(dtype)
        self.autocast = autocast
        self.built = False
        self._trainable = bool(trainable)
        self._trainable_variables: list[Variable] = []
        self._non_trainable_variables: list[Variable] = []
        self._loss_values: list[Any] = []
        self._build_shapes: dict[str, Any] | None = None
        self._path = ""

    def build(self, *shapes: Any, **named_shapes: Any) -> None:
        """Make the weights for inputs of these shapes. A layer without a build of its own has sublayers, which build
        themselves when `call` reaches them."""
        given = {**{f"input_{i}" if i else "input_shape": s for i, s in enumerate(shapes)}, **named_shapes}
        self._build_shapes = given
        self.built = True
        if self._layers and shapes and shapes[0] is not None:
            path = self._scope_path()
            with outside_traces(), variable_scope(path):
                self.compute_output_spec(*[_map_shapes(self._symbol, s) for s in shapes])

    # -- dtypes
    @property
    def dtype(self) -> str:
        return self.variable_dtype

    @property
    def variable_dtype(self) -> str:
        return self.dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        return self.dtype_policy.compute_dtype

    @property
    def input_dtype(self) -> str:
        return self.compute_dtype

    @property
    def path(self) -> str:
        """The name with the layers around it."""
        return self._path or self.name

    # -- calling
    def call(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define call()")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if "_loss_values" not in self.__dict__:
            raise KcompileError(f"{type(self).__name__}.__init__ must call super().__init__() first")
        args, kwargs = _arrays_as_tensors(args), _arrays_as_tensors(kwargs)
        if args and isinstance(args[0], list) and all(isinstance(x, int | float) for x in flatten(args[0])):
            args = (convert(args[0]), *args[1:])
        try:
            kwargs = with_masks(call_signature(type(self).call), args, kwargs)
            if any_symbolic((args, kwargs)):
                return self.symbolic_call(*args, **kwargs)
            return self._call_on_tensors(*args, **kwargs)
        except KcompileError as error:
            raise _placed(error, self) from None

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        outputs = self.compute_output_spec(*args, **kwargs)
        signature = call_signature(type(self).call)
        if signature.has_mask and not self._given(signature, args, "mask"):
            kwargs = {**kwargs, "mask": kwargs.get("mask")}  # as Keras notes it in files
        Node(self, args, kwargs, outputs)
        self._pass_masks_on(args, kwargs, outputs)
        return outputs

    def _pass_masks_on(self, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> None:
        inputs = args[0] if args else next(iter(kwargs.values()), None)
        previous = kwargs.get("mask")
        pass_on(self, inputs, outputs, masks_of(inputs) if previous is None else previous)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs for these symbolic inputs: `call` is traced with tensors that have shapes only."""
        types = abstract_call(self._call_on_tensors, *args, **kwargs)
        for layer in self._flatten_layers():
            layer._loss_values.clear()
        return symbolic_outputs(types)

    def compute_output_shape(self, *shapes: Any, **named_shapes: Any) -> Any:
        """The shape (or structure of shapes) of the output for inputs of these shapes."""
        outputs = self.compute_output_spec(
            *[_map_shapes(self._symbol, s) for s in shapes],
            **{k.removesuffix("_shape"): _map_shapes(self._symbol, s) for k, s in named_shapes.items()},
        )
        return map_structure(lambda x: x.shape, outputs)

    def _symbol(self, shape: Any) -> KerasTensor:
        return KerasTensor(shape, self.compute_dtype, name="shape")

    def _call_on_tensors(self, *args: Any, **kwargs: Any) -> Any:
        """The call itself, on tensors."""
        context = call_context()
        signature = call_signature(type(self).call)
        training = self._training_argument(signature, args, kwargs)
        if training is None:
            training = context.training
        if signature.has_training and "training" in kwargs and kwargs["training"] is None:
            kwargs.pop("training")
        if not signature.has_training:
            kwargs.pop("training", None)
        elif training is not None and "training" not in kwargs and not self._given(signature, args, "training"):
            kwargs["training"] = training
        if not signature.has_mask and kwargs.get("mask", False) is None:
            kwargs.pop("mask")
        if context.depth == 0:
            for layer in self._flatten_layers():
                layer._loss_values.clear()
        with (
            entered(training),
            scope(self.name),
            variable_scope(self._scope_path()),
            autocast_to(self._autocast_dtype()),
        ):
            args, kwargs = self._autocast(args), self._autocast(kwargs)
            if args and self.input_spec is not None:
                check_inputs(self.input_spec, args[0], self)
            if not self.built:
                self._build_for(signature.signature, args, kwargs)
                if args and self.input_spec is not None:
                    check_inputs(self.input_spec, args[0], self)
            outputs = self.call(*args, **kwargs)
            self._pass_masks_on(args, kwargs, outputs)
            if self.activity_regularizer is not None:
                for x in flatten(outputs):
                    self.add_loss(self.activity_regularizer(x) / count_of(x, (0,), x.element))
        return outputs

    @staticmethod
    def _given(signature: Any, args: tuple[Any, ...], name: str) -> bool:
        return name in signature.names[: len(args)]

    def _training_argument(self, signature: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if "training" in kwargs:
            return kwargs["training"]
        return args[signature.names.index("training")] if self._given(signature, args, "training") else None

    def _scope_path(self) -> str:
        """The path of variables made inside this layer's call or build."""
        around = variable_path()
        # a build inside the layer's own call is in its scope already
        return around if around.split("/")[-1] == self.name else f"{around}/{self.name}" if around else self.name

    def _autocast_dtype(self) -> str | None:
        return self.compute_dtype if self.autocast and self.compute_dtype != self.variable_dtype else None

    def _autocast(self, args: Any) -> Any:
        if not self.autocast or not is_float(self.compute_dtype):
            return args
        dtype = self.compute_dtype
        return map_structure(
            lambda x: keep_mask(x, cast(x, dtype)) if isinstance(x, Tensor) and t.is_float(x.element) else x, args
        )

    def _build_for(self, signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Build with the shapes of the arguments: the first one, or each that `build` names (`query_shape`)."""
        shapes = {
            k: map_structure(lambda x: tuple(x.shape) if isinstance(x, Tensor) else x, v)
            for k, v in signature.bind(self, *args, **kwargs).arguments.items()
            if k != "self" and any(isinstance(x, Tensor) for x in flatten(v))
        }
        if getattr(type(self).build, "is_default", False):
            self._build_shapes = shapes or None
            self.built = True
            return
        by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        wanted = [p for p in inspect.signature(self.build).parameters.values() if p.kind in by_place]
        named = {
            p.name: shapes[p.name.removesuffix("_shape")] for p in wanted if p.name.removesuffix("_shape") in shapes
        }
        if len(wanted) > 1 and named:
            self.build(**named)
        elif shapes:
            self.build(next(iter(shapes.values())))
        else:
            self.build(None)
        self.built = True

    # -- losses
    def add_loss(self, loss: Any) -> None:
        """Add scalar losses that depend on the inputs; the trainer adds them to the model's loss."""
        for value in flatten(loss):
            self._loss_values.append(value if isinstance(value, Tensor) else convert(value))

    @property
    def losses(self) -> list[Any]:
        """The losses of `add_loss` in the last call, then the penalties of regularized weights."""
        found = [v for layer in self._flatten_layers() for v in layer._loss_values]
        return found + [w.regularizer(w) for w in self.trainable_weights if w.regularizer is not None]

    # -- configs
    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer. A subclass whose __init__ takes arguments adds them."""
        config = {"name": self.name, "trainable": self.trainable, "dtype": dtype_policies.serialize(self.dtype_policy)}
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return {**config, **self._constructor_config()}

    def _constructor_config(self) -> dict[str, Any]:
        """The plain arguments of a subclass that has no get_config of its own."""
        if type(self).get_config is not Layer.get_config or type(self).__init__ is Layer.__init__:
            return {}
        args, kwargs = self._auto_config
        given = inspect.signature(type(self).__init__).bind(self, *args, **kwargs).arguments
        given = {k: v for k, v in given.items() if k not in ("self", "kwargs", "name", "trainable", "dtype")}
        if not all(isinstance(v, str | int | float | bool | None | tuple | list | dict) for v in given.values()):
            raise UnsupportedError(
                f"{type(self).__name__} takes arguments that are not plain values, so it needs a get_config() of its "
                f"own. Received: {given}"
            )
        return given

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that the layer was built with."""
        if self._build_shapes is None:
            return None
        if len(self._build_shapes) == 1:
            return {"input_shape": next(iter(self._build_shapes.values()))}
        return {"shapes_dict": self._build_shapes}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build with the shapes that `get_build_config` gave."""
        if not config:
            return
        if "shapes_dict" in config:
            self.build(**{k: _shapes_from_json(v) for k, v in config["shapes_dict"].items()})
        elif config.get("input_shape") is not None:
            self.build(_shapes_from_json(config["input_shape"]))
        self.built = True

    def save_own_variables(self, store: Any) -> None:
        """Write this layer's own variables into `store` under "0", "1", .."""
        for i, v in enumerate(self._own_variables()):
            store[str(i)] = v.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Read what `save_own_variables` wrote."""
        own = self._own_variables()
        if len(store.keys()) != len(own):
            raise ShapeError(f"layer '{self.name}' has {len(own)} variables. Received: {len(store.keys())} in the file")
        for i, v in enumerate(own):
            v.assign(np.asarray(store[str(i)]))

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        return previous_mask

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


Layer.build.is_default = True  # type: ignore[attr-defined]


def _in_build_scope(build: Callable[..., Any]) -> Callable[..., Any]:
    """`build`, run outside traces, with variable paths under the layer's name, noting shapes and that it is done."""

    @functools.wraps(build)
    def wrapped(self: Layer, *args: Any, **kwargs: Any) -> None:
        if getattr(self, "_building", False):
            build(self, *args, **kwargs)
            return
        object.__setattr__(self, "_building", True)
        try:
            path = self._scope_path()
            object.__setattr__(self, "_path", path)
            with outside_traces(), variable_scope(path):
                build(self, *args, **kwargs)
        finally:
            object.__setattr__(self, "_building", False)
        names = list(inspect.signature(build).parameters)[1:]
        self._build_shapes = {**dict(zip(names, args)), **kwargs}
        self.built = True

    return wrapped


def _shape(shape: Any) -> tuple[Any, ...]:
    return (shape,) if isinstance(shape, int | np.integer) else tuple(shape)


def _arrays_as_tensors(args: Any) -> Any:
    return map_structure(lambda x: EagerTensor(x) if isinstance(x, np.ndarray) else x, args)


def is_shape(value: Any) -> bool:
    """Whether `value` is one shape: ints and None."""
    return isinstance(value, list | tuple) and all(d is None or isinstance(d, int | np.integer) for d in value)


def _map_shapes(function: Callable[[Any], Any], shapes: Any) -> Any:
    if is_shape(shapes):
        return function(tuple(shapes))
    if isinstance(shapes, dict):
        return {k: _map_shapes(function, v) for k, v in shapes.items()}
    return type(shapes)(_map_shapes(function, s) for s in shapes)


def _shapes_from_json(shapes: Any) -> Any:
    return None if shapes is None else _map_shapes(tuple, shapes)


def _placed(error: KcompileError, layer: Layer) -> KcompileError:
    """`error`, with the layer it happened in."""
    if error.where is not None:
        return error
    trace = current_trace()
    place = trace.place if trace is not None else ""
    around = place.split("/")[0] if place and place.split("/")[0] != layer.name else ""
    where = f"layer '{layer.name}' ({type(layer).__name__})"
    error.where = f"model '{around}', {where}" if around else where
    error.args = (f"{error.message}\n  in {error.where}",)
    return error
