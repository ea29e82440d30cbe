// SPDX-License-Identifier: Apache-2.0
// The tensors of Inputs/bnb.safetensors, a file that is known to be sound.
#pragma once

#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "compiler/ingest/safetensors_reader.h"

namespace llcuda::ingest {

class BnbFile {
public:
  /// No bytes for a tensor that the file lacks.
  std::span<const std::byte> find(const std::string& name) const {
    const SafetensorsTensor* tensor = file.find(name);
    return tensor ? tensor->data : std::span<const std::byte>();
  }

  const SafetensorsFile& tensors() const { return file; }

private:
  const SafetensorsFile file = SafetensorsFile::open(std::string(LLCUDA_TEST_INPUTS) + "/bnb.safetensors").value();
};

/// A line of Inputs/bnb.txt.
struct BnbGolden {
  std::string layer, dtype;
  uint64_t rows = 0, columns = 0, hash = 0;
};

inline std::vector<BnbGolden> bnbGoldens() {
  std::ifstream file(std::string(LLCUDA_TEST_INPUTS) + "/bnb.txt");
  std::vector<BnbGolden> goldens;
  for (BnbGolden golden;
       file >> golden.layer >> golden.dtype >> golden.rows >> golden.columns >> std::hex >> golden.hash >> std::dec;)
    goldens.push_back(golden);
  return goldens;
}

/// 64-bit FNV-1a.
inline uint64_t hashOf(std::span<const std::byte> bytes) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const std::byte byte : bytes) hash = (hash ^ static_cast<uint64_t>(byte)) * 0x100000001B3;
  return hash;
}

} // namespace llcuda::ingest
