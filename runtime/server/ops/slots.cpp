// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/ops/slots.h"

namespace llcuda::server {
namespace {

Json slotOf(std::size_t id, uint32_t context, const ActiveRequest* request) {
  const ActiveRequest idle;
  const ActiveRequest& shown = request ? *request : idle;
  const bool isEndless = !request || shown.maxTokens < 0;
  const int64_t left = isEndless ? -1 : shown.maxTokens - static_cast<int64_t>(shown.generated);
  Json slot = {{"id", id},
               {"n_ctx", context},
               {"speculative", false},
               {"is_processing", request != nullptr},
               {"n_prompt_tokens", shown.promptTokens},
               {"n_prompt_tokens_processed", shown.computedTokens},
               {"n_prompt_tokens_cache", shown.cachedTokens}};
  Json next = {{"has_next_token", request != nullptr}, {"n_remain", left}, {"n_decoded", shown.generated}};
  slot["next_token"] = Json::array({std::move(next)});
  return slot;
}

} // namespace

Json slotsOf(const Service& service) {
  const std::vector<ActiveRequest> active = service.active();
  Json slots = Json::array();
  for (std::size_t id = 0; id < service.stats().slots; ++id) {
    const ActiveRequest* found = nullptr;
    for (const ActiveRequest& request : active)
      if (request.isRunning && request.slot == id)
        found = &request;
    slots.push_back(slotOf(id, service.context(), found));
  }
  return slots;
}

} // namespace llcuda::server
