# SPDX-License-Identifier: Apache-2.0
"""Clocks, power and temperature of a GPU once a second while something else runs, from nvidia-smi."""
import shutil
import statistics
import subprocess
import threading
import time

FACTS = {"name": "name", "driver": "driver_version", "memory_mib": "memory.total", "power_limit_w": "power.limit",
         "max_sm_mhz": "clocks.max.sm", "max_memory_mhz": "clocks.max.mem"}
READINGS = {"sm_mhz": "clocks.sm", "memory_mhz": "clocks.mem", "power_w": "power.draw", "celsius": "temperature.gpu",
            "busy_percent": "utilization.gpu"}
# Why clocks are below their maximum: drivers before 535 know the second name alone.
REASONS = ("clocks_event_reasons.active", "clocks_throttle_reasons.active")
REASON_BITS = {0x4: "power cap", 0x8: "hardware slowdown", 0x20: "thermal", 0x40: "hardware thermal", 0x80: "power brake"}
TEXT = ("name", "driver")
BUSY = 50  # per cent


class GpuError(Exception):
    pass


def query(gpu, fields):
    program = shutil.which("nvidia-smi")
    if not program:
        raise GpuError("no NVIDIA GPU: nvidia-smi is not installed (in Colab: Runtime > Change runtime type > T4 GPU)")
    return [program, "-i", str(gpu), "--query-gpu=" + ",".join(fields), "--format=csv,noheader,nounits"]


def ask(gpu, fields):
    done = subprocess.run(query(gpu, fields), capture_output=True, text=True)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().splitlines()
        raise GpuError(f"no NVIDIA GPU: nvidia-smi says: {said[0] if said else 'nothing'}")
    return done.stdout.strip()


def number(text):
    """None for what this GPU does not report ("[N/A]")."""
    try:
        return float(text)
    except ValueError:
        return None


def parse_reading(line):
    *values, reasons = [value.strip() for value in line.split(",")]
    if len(values) != len(READINGS):
        raise GpuError(f"nvidia-smi says {line!r}, not {len(READINGS) + 1} values")
    reading = {key: number(value) for key, value in zip(READINGS, values)}
    bits = int(reasons, 16) if reasons.startswith("0x") else 0
    reading["throttled"] = [name for bit, name in REASON_BITS.items() if bits & bit]
    return reading


def facts(gpu):
    values = [value.strip() for value in ask(gpu, FACTS.values()).split(",")]
    return {key: value if key in TEXT else number(value) for key, value in zip(FACTS, values)}


def summary(readings):
    """Of the readings under load; of all, when none was."""
    loaded = [reading for reading in readings if (reading["busy_percent"] or 0) >= BUSY] or readings
    known = {key: [reading[key] for reading in loaded if reading[key] is not None] for key in READINGS}
    result = {key: statistics.median(values) for key, values in known.items() if values}
    if known["sm_mhz"]:
        result["lowest_sm_mhz"] = min(known["sm_mhz"])
    result["throttled"] = sorted({name for reading in loaded for name in reading["throttled"]})
    return result


class Clocks:
    """nvidia-smi in the background, a line a second."""

    def __init__(self, gpu):
        self.readings = []  # of (time.monotonic(), reading)
        self.error = None
        fields = [*READINGS.values(), self.reasons_field(gpu)]
        self.process = subprocess.Popen([*query(gpu, fields), "-l", "1"], stdout=subprocess.PIPE, text=True)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    @staticmethod
    def reasons_field(gpu):
        try:
            ask(gpu, REASONS[:1])
            return REASONS[0]
        except GpuError:
            ask(gpu, REASONS[1:])
            return REASONS[1]

    def read(self):
        for line in self.process.stdout:
            try:
                self.readings.append((time.monotonic(), parse_reading(line)))
            except (GpuError, ValueError) as error:
                self.error = error

    def between(self, start, end):
        if self.error:
            raise GpuError(str(self.error))
        if self.process.poll() is not None:
            raise GpuError(f"nvidia-smi ended with exit code {self.process.returncode}")
        readings = [{"second": round(at - start, 1), **reading} for at, reading in self.readings if start <= at <= end]
        return {"summary": summary(readings) if readings else {}, "readings": readings}

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.thread.join()
