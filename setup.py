"""What pyproject.toml cannot say: the C runtime is optional, and its sources travel with the package."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_py import build_py

# What an installed package needs of runtime/: the header for artifacts, the host and the runner for C programs.
RUNTIME_SOURCES = ("include/kc.h", "kc_host.h", "kc_host.c", "kc_machine.c", "kc_run.c")


class BuildWithRuntimeSources(build_py):
    """Copies runtime/ to kcompile/runtime/native/ (a checkout reads runtime/ in place)."""

    def runtime_copies(self) -> dict[str, str]:
        target = Path(self.build_lib, "kcompile", "runtime", "native")
        return {str(target / name): str(Path("runtime", name)) for name in RUNTIME_SOURCES}

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for target, source in self.runtime_copies().items():
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        copies = [] if self.editable_mode else list(self.runtime_copies())
        return [*super().get_outputs(include_bytecode), *copies]

    def get_output_mapping(self) -> dict[str, str]:
        copies = {} if self.editable_mode else self.runtime_copies()
        return {**super().get_output_mapping(), **copies}


# A plain shared library: no Python.h, opened by ctypes. optional: without a C compiler the install goes on with a
# warning, and the package runs on one thread.
host = Extension(
    "kcompile.runtime._kc_host",
    sources=["runtime/kc_host.c", "runtime/kc_machine.c"],
    depends=["runtime/kc_host.h", "runtime/include/kc.h"],
    include_dirs=["runtime/include", "runtime"],
    extra_compile_args=["-std=c11", "-O2", "-pthread", "-fvisibility=hidden"],
    extra_link_args=["-pthread"],
    optional=True,
)

extensions = [host]

# The fast way from NumPy arrays into a model. It counts on the GIL: a free-threaded Python does without.
try:
    import numpy
except ImportError:
    numpy = None  # the package works without, as it does without a C compiler
if numpy is not None and not sysconfig.get_config_var("Py_GIL_DISABLED"):
    extensions.append(
        Extension(
            "kcompile.runtime._kc_call",
            sources=["runtime/kc_call.c", "runtime/kc_call_steps.c"],
            depends=["runtime/kc_call.h", "runtime/include/kc.h"],
            include_dirs=["runtime/include", "runtime", numpy.get_include()],
            extra_compile_args=["-std=c11", "-O2", "-fvisibility=hidden"],
            optional=True,
        )
    )

setup(ext_modules=extensions, cmdclass={"build_py": BuildWithRuntimeSources})
