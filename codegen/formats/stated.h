// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace llcuda {

/// A fact of a table's record, which has no value of its own accord: a row that leaves it out does not compile.
template <typename T>
struct Stated {
  T value;
  constexpr Stated(T stated) : value(stated) {}
  constexpr operator T() const { return value; }
};

} // namespace llcuda
