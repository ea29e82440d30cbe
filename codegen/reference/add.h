// SPDX-License-Identifier: Apache-2.0
// y[i] = a[i] + b[i]
#pragma once

#include <cstddef>

namespace llcuda::reference {

/// `y` may be `a` or `b`.
template <typename Acc, typename In>
void add(const In* a, const In* b, size_t count, Acc* y) {
  for (size_t i = 0; i < count; ++i) y[i] = static_cast<Acc>(a[i]) + static_cast<Acc>(b[i]);
}

} // namespace llcuda::reference
