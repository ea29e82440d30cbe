// SPDX-License-Identifier: Apache-2.0
// The tensors of a model under one set of names, those of GGUF (`blk.0.attn_q.weight`), whatever kind of file holds
// them. A checkpoint may also stand over another one and change what it answers: quantised, merged with an adapter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "codegen/formats/tensor_type.h"
#include "runtime/base/result.h"

namespace llcuda::ingest {

struct TensorInfo {
  std::string name;
  formats::TensorType type;   ///< of the bytes that read() answers
  std::vector<uint64_t> dims; ///< dims[0] is contiguous: a linear layer of `out` rows and `in` columns has {in, out}
};

/// The encoded elements of a tensor, row after row.
struct TensorBytes {
  formats::TensorType type = formats::TensorType::kF32;
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner = nullptr; ///< of bytes that do not lie in a mapped file
};

/// The layer of a tensor, the number in `blk.<number>.`; nothing for tensors of the whole model.
std::optional<uint64_t> layerOf(std::string_view name);

/// Where the bytes of a tensor lie in a file, as they are.
struct FilePlace {
  std::string path;
  uint64_t offset = 0; ///< of the tensor's first byte
};

class Checkpoint {
public:
  virtual ~Checkpoint() = default;
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;

  /// In the order of the file.
  std::span<const TensorInfo> tensors() const { return list; }
  const TensorInfo* find(std::string_view name) const; ///< nullptr when absent

  /// All bytes of one of tensors(), as many as its type and dims say. What lies in a file is a view of its mapping;
  /// what is computed is computed anew at each call, so that a model never has to be in memory as a whole. Calls may
  /// come from several threads.
  virtual Result<TensorBytes> read(const TensorInfo& tensor) const = 0;

  /// Where read() finds what it answers; nothing for a tensor that is computed. A checkpoint that stands over another
  /// one asks that one for the tensors that it leaves alone.
  virtual std::optional<FilePlace> filePlace(const TensorInfo& tensor) const;

  /// How messages call the tensor of a name, also one that is absent: as its file calls it, and by that file.
  virtual std::string title(std::string_view name) const { return std::string(name); }

protected:
  Checkpoint() = default;
  /// Names must differ.
  void setTensors(std::vector<TensorInfo> tensors);

private:
  std::vector<TensorInfo> list;
  std::unordered_map<std::string_view, size_t> index; // views of `list`
};

/// One that stands over `base`, whose names it keeps.
class CheckpointOver : public Checkpoint {
public:
  /// The base's, of a tensor that has its type.
  std::optional<FilePlace> filePlace(const TensorInfo& tensor) const override;
  std::string title(std::string_view name) const override { return base->title(name); }

protected:
  explicit CheckpointOver(std::unique_ptr<const Checkpoint> base) : base(std::move(base)) {}
  /// The base's tensor of this name, as it is.
  Result<TensorBytes> readStored(const TensorInfo& tensor) const;

  const std::unique_ptr<const Checkpoint> base;
};

/// An error of `checkpoint`'s tensor of a name, which the message lacks.
Error errorOf(const Checkpoint& checkpoint, std::string_view name, const Error& error);

} // namespace llcuda::ingest
