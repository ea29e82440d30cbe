# SPDX-License-Identifier: Apache-2.0
"""Says what the wheel needs: no Python of one kind, since ctypes has no ABI of its own; glibc 2.34 and x86-64."""
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WheelTag(BuildHookInterface):
    def initialize(self, version, build_data):
        build_data["pure_python"] = False
        build_data["tag"] = "py3-none-manylinux_2_34_x86_64"
