// SPDX-License-Identifier: Apache-2.0
// What codegen hands to the compilers of kernel images and to the plan: one specialised kernel, and one launch of it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "codegen/formats/launch_work.h"
#include "codegen/spec/tile_table.h"

namespace llcuda::codegen {

/// How a kernel uses the buffer behind a parameter; the plan derives lifetimes from it.
/// A workspace, which a launch writes before it reads it, is kWrite.
enum class Access : uint8_t { kRead, kWrite, kReadWrite };

/// A kernel parameter. Every parameter is a pointer into device memory: shapes, strides and constants are template
/// arguments, and what changes from step to step lies in device buffers. A captured graph so stays valid for ever.
struct Param {
  std::string name; ///< the role, by which a launch binds it: "weight", "x", "residual", ...
  std::string type; ///< as written in the entry: "const float*", "uint8_t*"
  Access access = Access::kRead;

  bool operator==(const Param&) const = default;
};

/// One kernel with every shape, encoding and epilogue as a constant. KernelBuilder makes it.
struct KernelSpec {
  std::string op; ///< snake_case name, that of the header: "glu_linear"
  /// The entry's extern "C" name, shown by every tool and parsed by none: the op, the constants, and a hash of all that
  /// is below, so that two specs of one name are equal.
  std::string name;
  std::string header; ///< "codegen/kernels/linear/glu_linear.cuh"
  std::string call;   ///< one C++ call expression over the parameter names: "gluLinear<576, 1536, ...>(weight, x, y)"
  std::vector<Param> params;
  uint32_t threads = 0;            ///< threads per block; also its __launch_bounds__
  uint32_t minBlocksPerSm = 1;     ///< second argument of __launch_bounds__
  uint32_t dynamicSharedBytes = 0; ///< beyond the static shared memory

  bool operator==(const KernelSpec&) const = default;

  /// The translation unit: the include and an extern "C" __global__ entry that makes the call.
  std::string source() const;
};

/// XXH3 of what makes the kernel, all but its names: header, call, parameters and how they are used, launch bounds,
/// shared memory.
uint64_t contentHash(const KernelSpec& kernel);

struct Dim3 {
  uint32_t x = 1, y = 1, z = 1;
};

/// Blocks of `size` that cover `count`.
constexpr uint32_t divideUp(uint32_t count, uint32_t size) {
  return (count + size - 1) / size;
}

/// One launch of a kernel. Arguments are bound by parameter name, in the order of `kernel.params`.
struct LaunchSpec {
  LaunchSpec(KernelSpec kernel, Dim3 grid, const LaunchWork& work, TileRequest tileRequest = {})
      : kernel(std::move(kernel)), grid(grid), work(work), tileRequest(std::move(tileRequest)) {}

  KernelSpec kernel;
  Dim3 grid;
  LaunchWork work;
  TileRequest tileRequest; ///< what the kernel's tile was chosen from
};

} // namespace llcuda::codegen
