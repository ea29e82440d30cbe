// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>

namespace llcuda {

/// Calls `work(begin, end)` over disjoint ranges that cover 0 ... count, each at most `grain` long, on `threads`
/// threads, and returns when all are done. Which thread takes which range is left open, so `work` may depend on the
/// range alone.
void parallelFor(unsigned threads, size_t count, size_t grain, const std::function<void(size_t, size_t)>& work);

} // namespace llcuda
