// SPDX-License-Identifier: Apache-2.0
// rename_kernels ENGINE OUT: the engine with its kernels named k0, k1, ... in the metadata and in the host image's
// table. Machine code keeps the names: the copy runs on the host, and its cubins can be read.
#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/engine/engine.h"
#include "tests/runtime/engine/toy_engine.h"

namespace llcuda {
namespace {

using Bytes = std::vector<std::byte>;

/// Puts `to` over every string that is `from`, but for the end of the symbol of its body; it may not be longer.
size_t replaceStrings(Bytes& bytes, const std::string& from, const std::string& to) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::string whole = from + '\0'; // before the first string of a section any byte can stand
  size_t count = 0;
  for (size_t at = text.find(whole); at != text.npos; at = text.find(whole, at + 1)) {
    if (text.substr(0, at).ends_with("llcudaBody__"))
      continue;
    for (size_t i = 0; i < from.size(); ++i) bytes[at + i] = static_cast<std::byte>(i < to.size() ? to[i] : '\0');
    ++count;
  }
  return count;
}

Result<void> rename(const std::string& path, const std::string& out) {
  LLCUDA_ASSIGN_OR_RETURN(const Engine engine, Engine::open(path));
  fb::EngineT metadata;
  engine.metadata().UnPackTo(&metadata);
  std::array<Bytes, schema::kSegmentCount> segments;
  for (uint32_t i = 0; i < schema::kSegmentCount; ++i) {
    const auto stored = engine.segment(static_cast<schema::SegmentKind>(i));
    segments[i].assign(stored.begin(), stored.end());
  }
  Bytes& images = segments[static_cast<size_t>(schema::SegmentKind::kImages)];
  for (size_t k = 0; k < metadata.kernels.size(); ++k) {
    std::string& name = metadata.kernels[k]->name;
    const std::string number = "k" + std::to_string(k);
    if (replaceStrings(images, name, number) == 0)
      return badInput(path, ": its images do not name ", name);
    name = number;
  }
  segments[static_cast<size_t>(schema::SegmentKind::kMetadata)] = toy::metadataBytes(metadata);
  toy::writeFile(out, toy::fileOf({segments[0], segments[1], segments[2], segments[3], segments[4]}));
  return {};
}

} // namespace
} // namespace llcuda

int main(int argc, char** argv) {
  if (argc != 3)
    return 1;
  if (const auto renamed = llcuda::rename(argv[1], argv[2]); !renamed) {
    std::fprintf(stderr, "rename_kernels: %s\n", renamed.error().message.c_str());
    return 1;
  }
  return 0;
}
