// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "codegen/sass/sass_listing.h"
#include "runtime/schema/engine_hash.h"
#include "runtime/schema/phase_facts.h"
#include "tools/llcuda-inspect/report.h"
#include "tools/llcuda-inspect/text_table.h"

namespace llcuda::inspect {
namespace {

using nlohmann::ordered_json;

Result<codegen::SassListing> listingOf(const Engine& engine, const fb::Kernel& kernel, const std::string& nvdisasm) {
  const auto images = engine.segment(schema::SegmentKind::kImages);
  for (const fb::Image* image : *kernel.images())
    if (image->kind() == fb::ImageKind::cubin_sm_75)
      return codegen::disassemble(nvdisasm, images.subspan(image->span().offset(), image->span().bytes()));
  return unsupported(engine.path(), " has no machine code for SM 7.5; compile it with --target sm_75");
}

ordered_json kernelJson(const fb::Kernel& kernel, const codegen::SassListing& listing) {
  return {{"op", kernel.op()->str()},
          {"name", kernel.name()->str()},
          {"threads", kernel.threads()},
          {"instructions", listing.instructions.size()},
          {"registers", kernel.registers()},
          {"spill_bytes", kernel.spill_bytes()},
          {"static_shared_bytes", kernel.static_shared_bytes()},
          {"dynamic_shared_bytes", kernel.dynamic_shared_bytes()},
          {"sass_xxh3", hexadecimal(schema::hashBytes(std::as_bytes(std::span(listing.text))))}};
}

/// What stands for a weight in the report: "q4_k:14336x4096", or its bytes where the engine does not know its source.
std::map<uint32_t, std::string> weightShapes(const fb::Engine& engine) {
  std::map<uint32_t, std::string> shapes;
  for (uint32_t i = 0; i < engine.buffers()->size(); ++i)
    if (const fb::Buffer& buffer = *engine.buffers()->Get(i); buffer.kind() == fb::BufferKind::weight)
      shapes[i] = std::to_string(buffer.bytes()) + "B";
  if (engine.weight_sources())
    for (const fb::WeightSource* source : *engine.weight_sources())
      shapes[source->buffer()] =
          source->encoding()->str() + ":" + std::to_string(source->rows()) + "x" + std::to_string(source->columns());
  return shapes;
}

ordered_json launchJson(const fb::Launch& launch, const std::map<uint32_t, std::string>& shapes) {
  ordered_json weights = ordered_json::array();
  for (const fb::Argument* argument : *launch.arguments())
    if (const auto shape = shapes.find(argument->buffer()); shape != shapes.end())
      weights.push_back(shape->second);
  return {{"kernel", launch.kernel()},
          {"layer", launch.layer()},
          {"grid", {launch.grid_x(), launch.grid_y(), launch.grid_z()}},
          {"weights", std::move(weights)}};
}

} // namespace

Result<ordered_json> machineCodeJson(const Engine& engine, const std::string& nvdisasm) {
  const fb::Engine& metadata = engine.metadata();
  const std::map<uint32_t, std::string> shapes = weightShapes(metadata);
  ordered_json kernels = ordered_json::array(), phases = ordered_json::array();
  for (const fb::Kernel* kernel : *metadata.kernels()) {
    LLCUDA_ASSIGN_OR_RETURN(const codegen::SassListing listing, listingOf(engine, *kernel, nvdisasm));
    kernels.push_back(kernelJson(*kernel, listing));
  }
  for (const fb::Phase* phase : *metadata.phases()) {
    ordered_json launches = ordered_json::array();
    for (uint32_t i = 0; i < stepOf(*phase, true).count(); ++i) // what a step always runs
      launches.push_back(launchJson(*phase->launches()->Get(i), shapes));
    phases.push_back({{"kind", phaseName(*phase)}, {"rows", phase->rows()}, {"launches", std::move(launches)}});
  }
  return ordered_json{{"nvrtc", metadata.compiler()->nvrtc() ? metadata.compiler()->nvrtc()->str() : ""},
                      {"kernels", std::move(kernels)},
                      {"phases", std::move(phases)}};
}

} // namespace llcuda::inspect
