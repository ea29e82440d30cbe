// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/stacked_experts.h"

#include <charconv>

namespace llcuda::ingest {
namespace {

struct Expert {
  std::string stack; ///< the name of the tensor that it is part of
  uint64_t number;
};

/// Of `blk.<layer>.<module>.<number>.<suffix>`; nothing for other names.
std::optional<Expert> expertOf(std::string_view name) {
  const size_t suffix = name.rfind('.');
  const size_t dot = suffix == 0 || suffix == name.npos ? name.npos : name.rfind('.', suffix - 1);
  if (dot == name.npos || !layerOf(name) || std::string_view(name).find('.', 4) >= dot)
    return std::nullopt;
  uint64_t number = 0;
  const char *const first = name.data() + dot + 1, *const last = name.data() + suffix;
  const auto [end, error] = std::from_chars(first, last, number);
  if (first == last || end != last || error != std::errc())
    return std::nullopt;
  return Expert{std::string(name.substr(0, dot)) + "_exps" + std::string(name.substr(suffix)), number};
}

} // namespace

Result<std::unique_ptr<const Checkpoint>> StackedExperts::over(std::unique_ptr<const Checkpoint> base) {
  std::unique_ptr<StackedExperts> stacked(new StackedExperts(std::move(base)));
  LLCUDA_RETURN_IF_ERROR(stacked->stack());
  return std::unique_ptr<const Checkpoint>(std::move(stacked));
}

Result<void> StackedExperts::stack() {
  std::vector<TensorInfo> tensors;
  for (const TensorInfo& tensor : base->tensors()) {
    const std::optional<Expert> expert = expertOf(tensor.name);
    if (!expert) {
      tensors.push_back(tensor);
      continue;
    }
    if (base->find(expert->stack))
      return badInput("tensor ", base->title(tensor.name), " stands beside ", base->title(expert->stack),
                      ", which holds all experts");
    auto& experts = stacks[expert->stack];
    if (experts.empty())
      tensors.push_back({expert->stack, tensor.type, tensor.dims});
    if (!experts.emplace(expert->number, &tensor).second)
      return badInput("tensors ", base->title(experts[expert->number]->name), " and ", base->title(tensor.name),
                      " are the same expert");
  }
  for (TensorInfo& tensor : tensors) {
    const auto found = stacks.find(tensor.name);
    if (found == stacks.end())
      continue;
    uint64_t next = 0;
    const TensorInfo& first = *found->second.begin()->second;
    for (const auto& [number, expert] : found->second) {
      if (number != next++)
        return badInput("the model has ", base->title(expert->name), ", but no expert ", next - 1, " before it");
      if (expert->type != first.type || expert->dims != first.dims)
        return unsupported("tensor ", base->title(expert->name), " has another type or shape than ",
                           base->title(first.name), "; experts of one type and shape are supported");
    }
    tensor.type = first.type;
    tensor.dims = first.dims;
    tensor.dims.push_back(next);
  }
  setTensors(std::move(tensors));
  return {};
}

Result<TensorBytes> StackedExperts::read(const TensorInfo& tensor) const {
  const auto found = stacks.find(tensor.name);
  if (found == stacks.end())
    return readStored(tensor);
  const auto all = std::make_shared<std::vector<std::byte>>();
  for (const auto& [number, expert] : found->second) {
    LLCUDA_ASSIGN_OR_RETURN(const TensorBytes bytes, base->read(*expert));
    if (all->empty())
      all->reserve(bytes.bytes.size() * found->second.size());
    all->insert(all->end(), bytes.bytes.begin(), bytes.bytes.end());
  }
  return TensorBytes{tensor.type, *all, all};
}

std::optional<FilePlace> StackedExperts::filePlace(const TensorInfo& tensor) const {
  return stacks.contains(tensor.name) ? std::nullopt : CheckpointOver::filePlace(tensor);
}

std::string StackedExperts::title(std::string_view name) const {
  const auto found = stacks.find(name);
  return found == stacks.end() ? base->title(name) : base->title(found->second.begin()->second->name);
}

} // namespace llcuda::ingest
