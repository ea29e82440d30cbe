// SPDX-License-Identifier: Apache-2.0
// The tensors of one model in safetensors, in one file or split over several.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "compiler/ingest/checkpoint.h"
#include "compiler/ingest/safetensors_reader.h"
#include "runtime/base/result.h"

namespace llcuda::ingest {

/// A folder, or a file that is named as safetensors are.
bool isSafetensors(const std::string& path);

class SafetensorsSet {
public:
  /// A path that isSafetensors().
  static Result<SafetensorsSet> open(const std::string& path);
  /// The files of a Hugging Face folder: model.safetensors, or all that model.safetensors.index.json names. A file that
  /// is missing, a name that leaves the folder, a tensor that is not where the index says or is in two files are bad
  /// input; a folder that holds a model in another form is refused by what it holds.
  static Result<SafetensorsSet> openFolder(const std::string& folder);
  static Result<SafetensorsSet> openFile(const std::string& path);

  /// File after file, in the order of their data; no name comes twice.
  std::span<const SafetensorsTensor* const> tensors() const { return list; }
  const SafetensorsTensor* find(std::string_view name) const; ///< nullptr when absent
  /// The file that holds a tensor of this set, and where in it.
  FilePlace place(const SafetensorsTensor& tensor) const;
  /// What messages call it: the folder or the file.
  const std::string& path() const { return name; }

private:
  Result<void> add(SafetensorsFile file);
  Result<void> addIndexed(const std::string& indexPath);

  std::string name;
  std::vector<SafetensorsFile> files;
  std::vector<const SafetensorsTensor*> list; // these stay where they are when a file is moved
  std::unordered_map<std::string_view, const SafetensorsTensor*> index;
};

} // namespace llcuda::ingest
