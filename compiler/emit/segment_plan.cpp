// SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/segment_plan.h"

#include <filesystem>

#include "codegen/formats/layout_names.h"
#include "compiler/emit/buffer_source.h"
#include "runtime/schema/engine_file.h"
#include "runtime/schema/engine_hash.h"

namespace llcuda::emit {
namespace {

/// Index in `files` of the file of a path, which is added when it is new.
Result<uint32_t> fileIndex(std::vector<fb::SourceFileT>& files, const std::string& path) {
  std::error_code error;
  const std::string absolute = std::filesystem::absolute(path, error).lexically_normal().string();
  const auto known = llvm::find_if(files, [&](const fb::SourceFileT& file) { return file.path == absolute; });
  if (known != files.end())
    return static_cast<uint32_t>(known - files.begin());
  const uint64_t bytes = error ? 0 : std::filesystem::file_size(absolute, error);
  if (error)
    return badInput(path, ": its weights cannot be referred to: ", error.message());
  files.emplace_back();
  files.back().path = absolute;
  files.back().bytes = bytes;
  return static_cast<uint32_t>(files.size() - 1);
}

Result<fb::WeightSourceT> sourceRecord(plan::TensorAttr source, const ingest::FilePlace& place,
                                       const ingest::Checkpoint& checkpoint, std::vector<fb::SourceFileT>& files) {
  LLCUDA_ASSIGN_OR_RETURN(const models::TensorBytes rows, sourceRows(source, checkpoint));
  fb::WeightSourceT record;
  LLCUDA_ASSIGN_OR_RETURN(record.file, fileIndex(files, place.path));
  record.rows = static_cast<uint64_t>(source.getRows());
  record.columns = static_cast<uint64_t>(source.getCols());
  record.bytes = rows.bytes.size();
  record.offset = place.offset + static_cast<uint64_t>(source.getFirstRow()) * (record.bytes / record.rows);
  record.xxh3 = schema::hashBytes(rows.bytes);
  record.encoding = formats::tensorTypeInfo(source.getEncoding()).name;
  record.layout = formats::layoutName(source.getLayout());
  record.pair_rows = static_cast<uint32_t>(source.getPairRows());
  record.group_rows = static_cast<uint32_t>(source.getGroupRows());
  return record;
}

void place(SegmentPlan& segment, plan::BufferOp buffer) {
  segment.bytes = schema::alignUp(segment.bytes);
  segment.buffers.push_back(buffer);
  segment.offsets.push_back(segment.bytes);
  segment.bytes += static_cast<uint64_t>(buffer.getBytes());
}

} // namespace

SegmentPlan planSegment(plan::EngineOp engine, plan::BufferKind kind) {
  SegmentPlan segment;
  for (plan::BufferOp buffer : engine.getOps<plan::BufferOp>())
    if (buffer.getKind() == kind)
      place(segment, buffer);
  return segment;
}

Result<WeightPlan> planWeights(plan::EngineOp engine, const ingest::Checkpoint& checkpoint, bool refer) {
  WeightPlan weights;
  std::vector<plan::BufferOp> referenced;
  for (plan::BufferOp buffer : engine.getOps<plan::BufferOp>()) {
    if (buffer.getKind() != plan::BufferKind::Weight)
      continue;
    const auto source = llvm::dyn_cast<plan::TensorAttr>(buffer.getSourceAttr());
    const ingest::TensorInfo* tensor = source && refer ? checkpoint.find(source.getName()) : nullptr;
    const std::optional<ingest::FilePlace> at = tensor ? checkpoint.filePlace(*tensor) : std::nullopt;
    if (!at) {
      place(weights.embedded, buffer);
      continue;
    }
    LLCUDA_ASSIGN_OR_RETURN(fb::WeightSourceT record, sourceRecord(source, *at, checkpoint, weights.files));
    weights.sources.push_back(std::move(record));
    referenced.push_back(buffer);
  }
  weights.referenced.bytes = weights.embedded.bytes;
  for (plan::BufferOp buffer : referenced) place(weights.referenced, buffer);
  return weights;
}

} // namespace llcuda::emit
