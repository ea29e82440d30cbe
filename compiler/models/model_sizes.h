// SPDX-License-Identifier: Apache-2.0
// The models that families are known for, by what decides whether they fit a device: for docs/models.md.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "compiler/models/family.h"

namespace llcuda::models {

struct ModelSize {
  const Family* family;
  std::string_view name;
  double parameters;                    ///< in thousands of millions, embeddings counted once
  uint32_t layers;                      ///< with a cache of their own
  uint32_t kvColumns;                   ///< kv heads times head size
  uint32_t context;                     ///< that it is trained for
  uint32_t localLayers = 0, window = 0; ///< of the layers, those that see `window` positions
  uint32_t localColumns = 0;            ///< of those, where they have other kvColumns
  uint64_t states = 0;                  ///< bytes that a sequence has besides its cache
};

std::span<const ModelSize> modelSizes();

/// An estimate, in bytes: the weights in Q4_K_M, 4.9 bits each.
uint64_t weightBytes(const ModelSize& size);
/// An estimate: positions of one sequence, keys and values in f16, that fit beside the weights, its states and 700
/// MB of activations and graphs into `bytes`; at most what the family is compiled for, 0 where the weights alone do not
/// fit.
uint32_t contextThatFits(const ModelSize& size, uint64_t bytes);

} // namespace llcuda::models
