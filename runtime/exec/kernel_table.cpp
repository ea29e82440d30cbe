// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/kernel_table.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <new>
#include <utility>

#include "runtime/exec/carveout.h"

namespace llcuda {
namespace {

const fb::Image& imageOf(const fb::Kernel& kernel, fb::ImageKind kind) {
  for (const fb::Image* image : *kernel.images())
    if (image->kind() == kind)
      return *image;
  assert(false && "checked by hasImages()");
  return *kernel.images()->Get(0);
}

/// All kernels: those of phases with few rows first, and those that no phase launches behind them.
std::vector<uint32_t> orderOf(const fb::Engine& engine) {
  std::vector<const fb::Phase*> phases(engine.phases()->begin(), engine.phases()->end());
  std::ranges::stable_sort(phases, {}, [](const fb::Phase* phase) { return phase->rows(); });
  std::vector<uint32_t> order;
  std::vector<bool> seen(engine.kernels()->size());
  const auto add = [&](uint32_t kernel) {
    if (!seen[kernel])
      order.push_back(kernel);
    seen[kernel] = true;
  };
  add(engine.apply_edits()->kernel());
  for (const fb::Phase* phase : phases)
    for (const fb::Launch* launch : *phase->launches()) add(launch->kernel());
  for (uint32_t kernel = 0; kernel < seen.size(); ++kernel) add(kernel);
  return order;
}

} // namespace

KernelTable::KernelTable(const Engine& engine, const OpenedDevice& device) : engine(engine), device(device) {
  std::map<uint64_t, std::size_t> known; // modules, by where their images begin
  for (const fb::Kernel* kernel : *engine.metadata().kernels()) {
    images.push_back(&imageOf(*kernel, device.images));
    const auto [at, added] = known.try_emplace(images.back()->span().offset(), modules.size());
    if (added)
      modules.push_back(std::make_unique<Once<cuda::Module>>());
    moduleAt.push_back(at->second);
    functions.push_back(std::make_unique<Once<cuda::Function>>());
  }
  loader = std::jthread([this, order = orderOf(engine.metadata())](const std::stop_token& stop) {
    // A kernel that fails keeps its error for whoever needs it, and one that memory did not suffice for is loaded then.
    try {
      for (const uint32_t kernel : order)
        if (!stop.stop_requested())
          (void)function(kernel);
    } catch (const std::bad_alloc&) {
    }
  });
}

Result<const cuda::Function*> KernelTable::function(uint32_t kernel) const {
  Once<cuda::Function>& entry = *functions[kernel];
  std::call_once(entry.made, [&] { entry.value = load(kernel); });
  if (!*entry.value)
    return entry.value->error();
  return &**entry.value;
}

Result<void> KernelTable::loadAll() const {
  for (uint32_t kernel = 0; kernel < functions.size(); ++kernel) LLCUDA_RETURN_IF_ERROR(function(kernel));
  return {};
}

Result<const cuda::Module*> KernelTable::moduleOf(uint32_t kernel) const {
  Once<cuda::Module>& entry = *modules[moduleAt[kernel]];
  std::call_once(entry.made, [&] {
    entry.value =
        cuda::Module::load(device.context, engine.image(*images[kernel]),
                           detail::concat("kernel ", engine.metadata().kernels()->Get(kernel)->name()->string_view()));
  });
  if (!*entry.value)
    return entry.value->error();
  return &**entry.value;
}

Result<cuda::Function> KernelTable::load(uint32_t number) const {
  LLCUDA_RETURN_IF_ERROR(engine.check(schema::SegmentKind::kImages));
  LLCUDA_ASSIGN_OR_RETURN(const cuda::Module* module, moduleOf(number));
  const fb::Kernel& kernel = *engine.metadata().kernels()->Get(number);
  LLCUDA_ASSIGN_OR_RETURN(cuda::Function function,
                          module->function(kernel.name()->str(), kernel.dynamic_shared_bytes()));
  const uint32_t percent =
      carveoutPercent({.threads = kernel.threads(),
                       .registers = kernel.registers(),
                       .sharedBytes = kernel.static_shared_bytes() + kernel.dynamic_shared_bytes()});
  LLCUDA_RETURN_IF_ERROR(device.context->call(device.context->functions().cuFuncSetAttribute,
                                              "dividing the L1 cache for kernel " + function.name, function.handle,
                                              kPreferredCarveout, static_cast<int>(percent)));
  return function;
}

} // namespace llcuda
