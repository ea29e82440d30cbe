# SPDX-License-Identifier: Apache-2.0
"""The tests that are scripts: FileCheck tests (.mlir) and shell tests (.test), run against the release build.

`REQUIRES: model` needs the real model (LLCUDA_TEST_MODEL); `REQUIRES: gpu` needs a device; `REQUIRES: chromium`
Debian's chromium and chromium-driver, and selenium; `REQUIRES: mypy`, `hatchling` and `zensical` these modules.
"""
import ctypes
import importlib.util
import os
import shutil
import sys

import lit.formats

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
build = lit_config.params.get("build", os.path.join(root, "build", "release"))

config.name = "llcuda"
config.test_format = lit.formats.ShTest(execute_external=True)
config.suffixes = [".mlir", ".test"]
config.excludes = ["CMakeLists.txt", "Inputs"]
config.test_source_root = os.path.join(root, "tests")
config.test_exec_root = os.path.join(build, "lit")

tools = [os.path.join(build, "bin"), "/usr/lib/llvm-22/bin", os.path.dirname(sys.executable)]
config.environment["PATH"] = os.pathsep.join(tools + [config.environment["PATH"]])
config.environment["VIRTUAL_ENV"] = sys.prefix  # where the tools find NVRTC
# Caches of a test run stay in the build folder.
config.environment["XDG_CACHE_HOME"] = os.path.join(build, "cache")
config.substitutions += [("%python", sys.executable), ("%root", root), ("%build", build)]

if model := os.environ.get("LLCUDA_TEST_MODEL"):
    config.available_features.add("model")
    config.environment["LLCUDA_TEST_MODEL"] = model
    config.substitutions.append(("%model", model))


def gpus():
    """Number of CUDA devices of the real driver."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    return count.value if driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 else 0


if shutil.which("chromium") and shutil.which("chromedriver") and importlib.util.find_spec("selenium"):
    config.available_features.add("chromium")
for module in ("mypy", "hatchling", "zensical"):  # tools/dev/setup installs them
    if importlib.util.find_spec(module):
        config.available_features.add(module)
if gpus() > 0:
    config.available_features.add("gpu")
cargo_home = os.environ.get("CARGO_HOME", os.path.expanduser("~/.cargo"))
config.environment["PATH"] += os.pathsep + os.path.join(cargo_home, "bin")
if shutil.which("cargo-clippy", path=config.environment["PATH"]):
    config.available_features.add("clippy")
