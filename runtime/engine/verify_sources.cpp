// SPDX-License-Identifier: Apache-2.0
// Weight sources: each weight buffer lies in the weights segment or behind its end with one source, whose numbers are
// those that packing it relies on.
#include <string_view>

#include "codegen/formats/tensor_type.h"
#include "codegen/pack/pack.h"
#include "runtime/engine/verify_parts.h"

namespace llcuda::verify {
namespace {

Result<void> verifyFiles(const fb::Engine& engine) {
  const auto& files = *engine.source_files();
  if (files.size() == 0 || files.size() > kMaxSourceFiles)
    return corrupt("source_files has ", files.size(), " entries, allowed are 1 to ", kMaxSourceFiles);
  for (uint32_t f = 0; f < files.size(); ++f) {
    const std::string_view path = files[f]->path()->string_view();
    if (path.empty() || path.size() > kMaxPathBytes || path.find('\0') != path.npos || path.back() == '/')
      return corrupt("source_files[", f, "].path is no path of a file of up to ", kMaxPathBytes, " bytes");
    if (files[f]->bytes() > kMaxBufferBytes)
      return corrupt("source_files[", f, "].bytes is ", files[f]->bytes(), ", allowed are ", kMaxBufferBytes);
  }
  return {};
}

Result<void> verifyPacking(const fb::WeightSource& source, const fb::Buffer& buffer) {
  const auto type = formats::tensorTypeByName(source.encoding()->string_view());
  if (!type)
    return badInput(".encoding is none that this version knows");
  const auto layout = pack::layoutByName(source.layout()->string_view());
  if (!layout)
    return badInput(".layout is none that this version knows");
  LLCUDA_ASSIGN_OR_RETURN(const uint64_t packed, pack::packedBytes(*layout, source.rows(), source.columns()));
  if (packed != buffer.bytes())
    return badInput(" makes ", packed, " bytes for a buffer of ", buffer.bytes());
  const formats::TensorTypeInfo& info = formats::tensorTypeInfo(*type);
  // packedBytes() keeps rows and columns so small that no product wraps.
  const uint64_t rowBytes = (source.columns() + info.blockElements - 1) / info.blockElements * info.blockBytes;
  if (source.columns() % info.blockElements != 0 || source.bytes() != source.rows() * rowBytes)
    return badInput(".bytes is ", source.bytes(), " for ", source.rows(), " x ", source.columns(), " elements of ",
                    info.name);
  const uint32_t group = source.group_rows() == 0 ? source.pair_rows() : source.group_rows();
  if (source.rows() > UINT32_MAX || source.pair_rows() % 2 != 0 || source.pair_rows() > group ||
      (group != 0 && source.rows() % group != 0))
    return badInput(".pair_rows is ", source.pair_rows(), " of groups of ", group, " of ", source.rows(), " rows");
  return {};
}

Result<void> verifySource(const fb::Engine& engine, const fb::WeightSource& source, uint64_t segmentBytes) {
  if (source.buffer() >= engine.buffers()->size())
    return badInput(".buffer is ", source.buffer(), " of ", engine.buffers()->size());
  const fb::Buffer& buffer = *engine.buffers()->Get(source.buffer());
  if (buffer.kind() != fb::BufferKind::weight || buffer.offset() < segmentBytes)
    return badInput(".buffer is ", source.buffer(), ", which is no weight behind the segment");
  if (!engine.source_files() || source.file() >= engine.source_files()->size())
    return badInput(".file is ", source.file(), ", there are ",
                    engine.source_files() ? engine.source_files()->size() : 0);
  if (!spanFits(source.offset(), source.bytes(), engine.source_files()->Get(source.file())->bytes()))
    return badInput(" ends past its file");
  return verifyPacking(source, buffer);
}

} // namespace

Result<void> verifySources(const fb::Engine& engine, const EngineSegments& segments) {
  if (engine.source_files())
    LLCUDA_RETURN_IF_ERROR(verifyFiles(engine));
  if (!engine.weight_sources())
    return {}; // verifyBuffers() has seen that no weight ends past the segment
  const uint64_t segmentBytes = segments[static_cast<std::size_t>(schema::SegmentKind::kWeights)].size();
  const auto& sources = *engine.weight_sources();
  if (sources.size() > engine.buffers()->size())
    return corrupt("weight_sources has ", sources.size(), " entries for ", engine.buffers()->size(), " buffers");
  for (uint32_t i = 0; i < sources.size(); ++i) {
    if (i != 0 && sources[i]->buffer() <= sources[i - 1]->buffer())
      return corrupt("weight_sources[", i, "].buffer is ", sources[i]->buffer(), " and does not rise");
    if (auto result = verifySource(engine, *sources[i], segmentBytes); !result)
      return makeError(result.error().code, "metadata: weight_sources[", i, "]", result.error().message);
  }
  uint32_t behind = 0;
  for (const fb::Buffer* buffer : *engine.buffers()) {
    if (buffer->kind() != fb::BufferKind::weight)
      continue;
    if (buffer->offset() + buffer->bytes() > segmentBytes)
      ++behind;
  }
  if (behind != sources.size())
    return corrupt("weight_sources has ", sources.size(), " entries for ", behind, " weights behind the segment");
  return {};
}

} // namespace llcuda::verify
