"""The C header of one model: its query function, and what its inputs and outputs are."""

from __future__ import annotations

import re
from typing import Any


def header_text(name: str, inputs: list[dict[str, Any]], outputs: list[dict[str, Any]], sizes: list[str]) -> str:
    """`include/<name>.h`. A port is a dict of name, dtype and shape; an extent that varies is the name of its size."""
    upper = name.upper()
    lines = [
        f"/* {name}.h: a compiled model; see kc.h for how to call it. */",
        f"#ifndef KC_MODEL_{upper}_H",
        f"#define KC_MODEL_{upper}_H",
        '#include "kc.h"',
        "#ifdef __cplusplus",
        'extern "C" {',
        "#endif",
        "",
    ]
    lines += [f"#define KC_{upper}_SIZE_{_constant(size)} {i}" for i, size in enumerate(sizes)]
    for kind, ports in (("IN", inputs), ("OUT", outputs)):
        for i, port in enumerate(ports):
            shape = "".join(f"[{extent}]" for extent in port["shape"])
            lines.append(
                f"#define KC_{upper}_{kind}_{_constant(port['name'])} {i} /* {port['dtype']} {shape or 'scalar'} */"
            )
    lines += [
        "",
        f"const kc_model *kc_{name}_query(uint32_t max_abi, const kc_env *env);",
        "",
        "#ifdef __cplusplus",
        "}",
        "#endif",
        "#endif",
        "",
    ]
    return "\n".join(lines)


def _constant(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", name.upper())
