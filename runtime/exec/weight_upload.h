// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>

#include "runtime/base/result.h"
#include "runtime/cuda/stream.h"
#include "runtime/engine/engine.h"

namespace llcuda {

/// Puts the weights that an engine holds on the device and checks their hashes on the way: several threads read pieces
/// of the file into pinned memory and hash them (weight_reader.h) while earlier ones are copied, so that a file is read
/// once. `addresses`: of each buffer of the engine. Done when it returns. kBadInput: the weights are damaged, or cannot
/// be read.
Result<void> uploadWeights(const Engine& engine, std::span<const cuda::CUdeviceptr> addresses,
                           const std::shared_ptr<const cuda::Context>& context, const cuda::Stream& stream);

} // namespace llcuda
