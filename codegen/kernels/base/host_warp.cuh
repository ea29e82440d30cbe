// SPDX-License-Identifier: Apache-2.0
// Warp operations on the host. Included by host.cuh alone.
#pragma once

#include "codegen/kernels/base/host.cuh"

namespace llcuda {
namespace host {

/// Every lane gets the value of lane `source(lane)`.
template <typename T, typename Source>
LLCUDA_DEVICE T permute(const char* operation, T value, int argument, Source source) {
  struct Operands {
    T value, result;
    int argument;
  } mine{value, value, argument};
  meet(operation, mine, [&](Operands* const* lanes) {
    for (int l = 0; l < 32; ++l) lanes[l]->result = lanes[source(l, lanes[l]->argument)]->value;
  });
  return mine.result;
}

/// Combines values[i] over each group of kLanes lanes, for each i: in halves, as a butterfly of shuffleXor does, so
/// that sums have the same bits.
template <int kLanes, int kCount, typename T, typename Combine>
LLCUDA_DEVICE void reduce(const char* operation, T (&values)[kCount], Combine combine) {
  meet(operation, values, [&](T(*const* lanes)[kCount]) {
    for (int i = 0; i < kCount; ++i) {
      T part[32];
      for (int l = 0; l < 32; ++l) part[l] = (*lanes[l])[i];
      for (int width = kLanes / 2; width > 0; width /= 2)
        for (int group = 0; group < 32; group += kLanes)
          for (int l = group; l < group + width; ++l) part[l] = combine(part[l], part[l + width]);
      for (int l = 0; l < 32; ++l) (*lanes[l])[i] = part[l / kLanes * kLanes];
    }
  });
}

} // namespace host

LLCUDA_DEVICE void syncWarp() {
  char nothing = 0;
  host::meet("syncWarp", nothing, [](char* const*) {});
}

template <typename T>
LLCUDA_DEVICE T shuffle(T value, int lane) {
  return host::permute("shuffle", value, lane, [](int, int source) { return source & 31; });
}
template <typename T>
LLCUDA_DEVICE T shuffleXor(T value, int mask) {
  return host::permute("shuffleXor", value, mask, [](int lane, int mask) { return (lane ^ mask) & 31; });
}
/// The value of the lane `count` below; the lowest lanes keep their own.
template <typename T>
LLCUDA_DEVICE T shuffleUp(T value, int count) {
  return host::permute("shuffleUp", value, count, [](int lane, int n) { return lane >= n ? lane - n : lane; });
}
template <typename T>
LLCUDA_DEVICE T shuffleDown(T value, int count) {
  return host::permute("shuffleDown", value, count, [](int lane, int n) { return lane + n < 32 ? lane + n : lane; });
}

/// Bit l says whether lane l came with true.
LLCUDA_DEVICE uint32_t ballot(bool predicate) {
  uint32_t mine = predicate;
  host::meet("ballot", mine, [](uint32_t* const* lanes) {
    uint32_t bits = 0;
    for (int l = 0; l < 32; ++l) bits |= *lanes[l] << l;
    for (int l = 0; l < 32; ++l) *lanes[l] = bits;
  });
  return mine;
}

/// Sums or largest values over each group of kLanes neighbouring lanes, a power of two, in every lane of the group; of
/// an array element by element, still in one meeting.
template <int kLanes, typename T, int kCount>
LLCUDA_DEVICE void groupSum(T (&values)[kCount]) {
  host::reduce<kLanes>("groupSum", values, [](T a, T b) { return a + b; });
}
template <int kLanes, typename T, int kCount>
LLCUDA_DEVICE void groupMax(T (&values)[kCount]) {
  host::reduce<kLanes>("groupMax", values, [](T a, T b) { return maxOf(a, b); });
}
template <int kLanes, typename T>
LLCUDA_DEVICE T groupSum(T value) {
  T values[1] = {value};
  groupSum<kLanes>(values);
  return values[0];
}
template <int kLanes, typename T>
LLCUDA_DEVICE T groupMax(T value) {
  T values[1] = {value};
  groupMax<kLanes>(values);
  return values[0];
}
/// The same over the whole warp.
template <typename T, int kCount>
LLCUDA_DEVICE void warpSum(T (&values)[kCount]) {
  groupSum<32>(values);
}
template <typename T, int kCount>
LLCUDA_DEVICE void warpMax(T (&values)[kCount]) {
  groupMax<32>(values);
}
template <typename T>
LLCUDA_DEVICE T warpSum(T value) {
  return groupSum<32>(value);
}
template <typename T>
LLCUDA_DEVICE T warpMax(T value) {
  return groupMax<32>(value);
}

} // namespace llcuda
