// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "tools/llcuda-inspect/predict_t4.h"
#include "tools/llcuda-inspect/text_table.h"

namespace llcuda::inspect {
namespace {

using nlohmann::ordered_json;

std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

double tokensPerSecond(double microseconds) {
  return 1e6 / microseconds;
}

} // namespace

ordered_json predictionJson(const codegen::Prediction& prediction, const PredictRequest& request) {
  ordered_json clocks = ordered_json::array(), kernels = ordered_json::array();
  for (size_t i = 0; i < prediction.microseconds.size(); ++i)
    clocks.push_back({{"mhz", request.megahertz[i]},
                      {"microseconds", prediction.microseconds[i]},
                      {"tokens_per_second", tokensPerSecond(prediction.microseconds[i])}});
  for (const codegen::PredictedKernel& kernel : prediction.kernels) {
    ordered_json times = ordered_json::array();
    for (const codegen::LaunchTime& time : kernel.times)
      times.push_back({{"memory_us", time.memory},
                       {"issue_us", time.issue},
                       {"pipe_us", time.pipe},
                       {"pipe", codegen::sassPipeName(time.busiest)},
                       {"launch_us", time.fixed},
                       {"bound", time.bound()}});
    kernels.push_back({{"name", kernel.name},
                       {"launches", kernel.launches},
                       {"bytes", kernel.bytes},
                       {"multiply_adds", kernel.multiplyAdds},
                       {"warp_instructions", kernel.instructions},
                       {"registers", kernel.registers},
                       {"warps_per_sm", kernel.warps},
                       {"bytes_in_flight_per_sm", kernel.bytesInFlight},
                       {"spills", kernel.spills},
                       {"longest_loop_bytes", kernel.longestLoop},
                       {"short_loads_in_loop", kernel.shortLoads},
                       {"times", std::move(times)}});
  }
  return {{"device", "NVIDIA T4 (predicted)"},
          {"context", request.context},
          {"clocks", std::move(clocks)},
          {"kernels", std::move(kernels)}};
}

std::string predictionText(const codegen::Prediction& prediction, const PredictRequest& request) {
  std::vector<std::string> head = {
      "kernel (all its launches of a token)", "launches", "MB", "regs", "warps/SM", "KiB in flight/SM", "instr/byte"};
  for (const double clock : request.megahertz) head.push_back("us @ " + fixed(clock, 0));
  head.push_back("bound");
  std::vector<std::vector<std::string>> rows = {head};
  for (const codegen::PredictedKernel& kernel : prediction.kernels) {
    std::vector<std::string> row = {kernel.name,
                                    std::to_string(kernel.launches),
                                    fixed(kernel.bytes / 1e6, 3),
                                    std::to_string(kernel.registers),
                                    std::to_string(kernel.warps),
                                    fixed(kernel.bytesInFlight / 1024, 1),
                                    fixed(kernel.instructions * 32 / std::max(kernel.bytes, 1.), 2)};
    for (const codegen::LaunchTime& time : kernel.times) row.push_back(fixed(time.total(), 1));
    std::string bounds;
    for (const codegen::LaunchTime& time : kernel.times)
      if (const std::string bound(time.bound()); bounds.find(bound) == std::string::npos)
        bounds += (bounds.empty() ? "" : ", ") + bound;
    row.push_back(bounds);
    rows.push_back(std::move(row));
  }
  std::string text =
      "Predicted for an NVIDIA T4, decode of one sequence at context " + std::to_string(request.context) +
      ": the largest of memory (264 GB/s x 0.92), issue and unit time, plus 3 us a launch\n\n" + textTable(rows) + "\n";
  for (size_t i = 0; i < prediction.microseconds.size(); ++i)
    text += "predicted at " + fixed(request.megahertz[i], 0) + " MHz: " + fixed(prediction.microseconds[i] / 1e3, 3) +
            " ms a token, " + fixed(tokensPerSecond(prediction.microseconds[i]), 1) + " tok/s\n";
  return text;
}

} // namespace llcuda::inspect
