// SPDX-License-Identifier: Apache-2.0
// The machine code of a kernel as nvdisasm prints it: instructions in order, and the loops among them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace llcuda::codegen {

/// What an instruction of SM 7.0 and later tells the scheduler, bits 105 to 121 of its 128. Each warp has six
/// scoreboards.
struct SassControl {
  uint8_t stall = 1; ///< cycles until the warp's next instruction, at least 1
  uint8_t writeBarrier = kNone,
          readBarrier = kNone; ///< scoreboards that are set until results stand, operands are read
  uint8_t waits = 0;           ///< a bit for each scoreboard that has to be free

  static constexpr uint8_t kNone = 7;
};

/// What a warp's access takes of the path of shared memory and L1, in bytes, by the addresses that its lanes have: for
/// paths of 64 and of 128 bytes a cycle (access_bytes.h).
struct SassAccess {
  double bytes64 = 0, bytes128 = 0;
};

struct SassInstruction {
  uint32_t address = 0;
  std::string opcode; ///< with its modifiers: "LDG.E.128.CONSTANT.SYS"
  SassControl control;
  std::string guard = {};                ///< "@!P0", or empty
  std::string operands = {};             ///< "R4, [R2+0x10]"
  std::optional<size_t> target = {};     ///< of a branch: the instruction's place in its listing
  std::optional<SassAccess> access = {}; ///< where block_run.h has found it; else it counts by its width

  /// "LDG"
  std::string_view name() const { return std::string_view(opcode).substr(0, opcode.find('.')); }
};

/// Instructions first ... last of a listing, closed by a branch from the last to the first.
struct SassLoop {
  size_t first = 0, last = 0;

  size_t length() const { return last - first + 1; }
};

/// One kernel. An SM 7.5 instruction has 16 bytes.
struct SassListing {
  std::string kernel;
  std::vector<SassInstruction> instructions; ///< up to the end of the code; the padding behind it is left out
  std::vector<SassLoop> loops;               ///< those that hold no other loop, in order
  std::vector<SassLoop> outerLoops;          ///< those that do
  std::string text; ///< labels and instructions with operands, a line each, the kernel's name as @

  uint64_t codeBytes() const { return instructions.size() * 16; }
};

/// Reads what `nvdisasm -c` prints of a cubin, and with -hex its control codes: its kernels, one or more. Text of
/// another form is kBadInput.
Result<std::vector<SassListing>> parseKernels(std::string_view text);
/// The first kernel.
Result<SassListing> parseSass(std::string_view text);

/// Runs `nvdisasm` (a path, or a name on PATH) over a cubin. kUnsupported when the program cannot be run.
Result<std::vector<SassListing>> disassembleKernels(const std::string& nvdisasm, std::span<const std::byte> cubin);
Result<SassListing> disassemble(const std::string& nvdisasm, std::span<const std::byte> cubin);

} // namespace llcuda::codegen
