#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command on so many multiprocessors of a GPU, by the CUDA Multi-Process Service: the waves and tails of a
smaller card, with the clock and the memory of this one.

usage: multiprocessors.py COUNT -- COMMAND ...

nvidia-cuda-mps-control is started for it, with folders of its own, and ended with it. What MPS gives is a share in
whole per cent: 40 of an H200's 132 are 30 %.
"""
import argparse
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile

CONTROL = "nvidia-cuda-mps-control"
NO_GPU = 5  # as the tools' exit code
MULTIPROCESSOR_COUNT = 16  # CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT
PROBE = "--count-multiprocessors"  # how this program asks itself, in a process of its own


class MpsError(Exception):
    """Why there is no such share, in one line."""


def percentage(count, total):
    """The share that is at most `count` of `total`; MPS rounds a share up to whole multiprocessors."""
    if not 0 < count <= total:
        raise MpsError(f"the GPU has {total} multiprocessors, {count} are not to be had")
    share = 100 * count // total
    if share == 0:
        raise MpsError(f"{count} of {total} multiprocessors are less than one per cent, the least that MPS gives")
    return share


def count_here():
    """Prints how many multiprocessors a context of this process has."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        raise SystemExit(f"no CUDA driver can be loaded: {error}") from None
    device, context, count = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_int()
    for name, arguments in (("cuInit", (0,)), ("cuDeviceGet", (ctypes.byref(device), 0)),
                            ("cuDevicePrimaryCtxRetain", (ctypes.byref(context), device)),
                            ("cuDeviceGetAttribute", (ctypes.byref(count), MULTIPROCESSOR_COUNT, device))):
        if code := getattr(driver, name)(*arguments):
            raise SystemExit(f"{name} answers {code}")
    print(count.value)


def count_of(environment):
    """Multiprocessors of a process with this environment. A process of its own, since the driver reads it once."""
    done = subprocess.run([sys.executable, os.path.abspath(__file__), PROBE], capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise MpsError((done.stderr.strip().splitlines() or ["no reason given"])[-1])
    return int(done.stdout)


def control(environment, *arguments, said=None):
    try:
        done = subprocess.run([CONTROL, *arguments], input=said, capture_output=True, text=True, env=environment, timeout=60)
    except FileNotFoundError:
        raise MpsError(f"{CONTROL} is not installed; it comes with NVIDIA's driver") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MpsError(f"{CONTROL} does not run: {error}") from error
    if done.returncode != 0:
        reason = ((done.stderr + done.stdout).strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise MpsError(f"{CONTROL} does not start: {reason}")


@contextlib.contextmanager
def limited_to(count, environment=None):
    """The environment in which programs have `count` multiprocessors, while the service runs."""
    environment = dict(os.environ if environment is None else environment)
    share = percentage(count, count_of(environment))
    with tempfile.TemporaryDirectory(prefix="llcuda-mps-") as folder:
        environment |= {f"CUDA_MPS_{name}_DIRECTORY": os.path.join(folder, name.lower()) for name in ("PIPE", "LOG")}
        for name in ("pipe", "log"):
            os.mkdir(os.path.join(folder, name))
        # A program that is told to end ends the service first.
        before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
        control(environment, "-d")
        try:
            environment["CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"] = str(share)
            try:
                seen = count_of(environment)
            except MpsError as error:
                raise MpsError(f"the service gives no context: {error}") from error
            print(f"MPS: {share} % of the GPU, the driver says {seen} multiprocessors", file=sys.stderr, flush=True)
            yield environment
        finally:
            control(environment, said="quit\n")
            signal.signal(signal.SIGTERM, before)


def main():
    if sys.argv[1:] == [PROBE]:
        return count_here()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int)
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    try:
        with limited_to(arguments.count) as environment:
            return subprocess.run(arguments.command, env=environment).returncode
    except MpsError as error:
        print(f"multiprocessors: {error}", file=sys.stderr)
        return NO_GPU
    except OSError as error:
        print(f"multiprocessors: {arguments.command[0]}: {error.strerror}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
