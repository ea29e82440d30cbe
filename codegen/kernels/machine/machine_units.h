// SPDX-License-Identifier: Apache-2.0
// What the kernels of this folder measure, for the device and for who reads their results.
#pragma once

namespace llcuda {

/// Units of a multiprocessor, by the instruction that occupies them.
enum class MachineUnit : int {
  kTensorInt8, ///< IMMA.8816
  kTensorF16,  ///< HMMA.1688 into f32
  kFma,        ///< FFMA
  kDot,        ///< IDP.4A
  kAlu,        ///< LOP3 and SHF, one each
  kSpecial,    ///< MUFU
  kHalves,     ///< HFMA2
  kShuffle,    ///< SHFL
  kMatrices,   ///< LDSM.x4
  kShared,     ///< LDS.128
  kL1,         ///< LDG.128 of lines that the L1 cache has
};
constexpr int kMachineUnits = 11;

/// Instructions of a chain in one turn of the loop.
constexpr int kMachineSteps = 8;
/// Words that the units which read read: of each load of a turn other ones, and in the next turn those after them, up
/// to kMachineShifts; word w is w * kMachineFactor.
constexpr int kMachineShifts = 8;
constexpr int kMachineWords = (8 * kMachineSteps + kMachineShifts) * 128;
constexpr unsigned kMachineFactor = 2654435761u;

/// Where a chain of loads takes its words from.
enum class MachineLevel : int { kShared, kL2 };
constexpr int kSharedChainWords = 1024;

/// Words of shared memory of a block whose neighbours are counted: 32 KiB.
constexpr int kResidentWords = 8192;

} // namespace llcuda
