// SPDX-License-Identifier: Apache-2.0
// An engine's decode phase as codegen/sass/predictor.h takes it.
#include "tools/llcuda-inspect/predict_t4.h"

#include <map>

#include "runtime/engine/launch_work.h"

namespace llcuda::inspect {
namespace {

const fb::Phase* decodePhase(const Engine& engine) {
  for (const fb::Phase* phase : *engine.metadata().phases())
    if (phase->feeds_back() && phase->rows() == 1)
      return phase;
  return nullptr;
}

const fb::Image* cubinOf(const fb::Kernel& kernel) {
  for (const fb::Image* image : *kernel.images())
    if (image->kind() == fb::ImageKind::cubin_sm_75)
      return image;
  return nullptr;
}

Result<codegen::PredictedCode> codeOf(const Engine& engine, const fb::Kernel& kernel, const std::string& nvdisasm) {
  const fb::Image* image = cubinOf(kernel);
  if (!image)
    return unsupported(engine.path(), " has no machine code for SM 7.5; compile it with --target sm_75");
  codegen::PredictedCode code = {
      kernel.name()->str(),      kernel.threads(),
      kernel.registers(),        kernel.static_shared_bytes() + kernel.dynamic_shared_bytes(),
      kernel.spill_bytes() != 0, {}};
  LLCUDA_ASSIGN_OR_RETURN(code.listing, codegen::disassemble(nvdisasm, engine.image(*image)));
  return code;
}

} // namespace

Result<codegen::Prediction> predictT4(const Engine& engine, const PredictRequest& request) {
  const fb::Phase* phase = decodePhase(engine);
  if (!phase)
    return unsupported(engine.path(), " has no decode phase for one row");
  codegen::PredictedStep step;
  step.rows = {.rows = 1, .sequences = 1, .positions = request.context};
  std::map<uint32_t, uint32_t> places; // in the step, of the engine's kernels
  for (const fb::Launch* launch : *phase->launches()) {
    const auto [place, isNew] = places.try_emplace(launch->kernel(), step.kernels.size());
    if (isNew) {
      LLCUDA_ASSIGN_OR_RETURN(codegen::PredictedCode code,
                              codeOf(engine, *engine.metadata().kernels()->Get(launch->kernel()), request.nvdisasm));
      step.kernels.push_back(std::move(code));
    }
    step.launches.push_back(
        {place->second, launch->grid_x() * launch->grid_y() * launch->grid_z(), workOf(*launch->work())});
  }
  return codegen::predictStep(step, request.megahertz);
}

} // namespace llcuda::inspect
