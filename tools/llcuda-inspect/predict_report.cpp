// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
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

double tokensPerSecond(const codegen::Prediction& step, size_t clock) {
  return step.rows.rows * 1e6 / step.microseconds[clock];
}

/// What binds most of a step's time, and its share: "path 83 %".
std::string boundText(const codegen::Prediction& step, size_t clock) {
  const auto& bounds = step.bounds[clock];
  const auto most = std::ranges::max_element(bounds, {}, [](const auto& bound) { return bound.second; });
  return most->first + " " + fixed(most->second / step.microseconds[clock] * 100, 0) + " %";
}

/// How often llama.cpp's linears take the time of the step's; empty where that is not known.
std::string peerText(const StepPrediction& prediction, size_t clock) {
  if (prediction.peerLinears.empty())
    return "-";
  return fixed(prediction.peerLinears[clock] / prediction.linears[clock], 2);
}

ordered_json stepJson(const StepPrediction& prediction, const PredictRequest& request) {
  const codegen::Prediction& step = prediction.step;
  ordered_json clocks = ordered_json::array(), kernels = ordered_json::array();
  for (size_t i = 0; i < step.microseconds.size(); ++i) {
    clocks.push_back({{"mhz", request.megahertz[i]},
                      {"microseconds", step.microseconds[i]},
                      {"tokens_per_second", tokensPerSecond(step, i)},
                      {"bound_us", step.bounds[i]}});
    if (prediction.peerLinears.empty())
      continue;
    clocks.back()["linears_us"] = prediction.linears[i];
    clocks.back()["peer_linears_us"] = prediction.peerLinears[i];
  }
  for (const codegen::PredictedKernel& kernel : step.kernels) {
    ordered_json times = ordered_json::array();
    for (const codegen::LaunchTime& time : kernel.times)
      times.push_back({{"memory_us", time.memory},
                       {"l2_us", time.l2},
                       {"issue_us", time.issue},
                       {"pipe_us", time.pipe},
                       {"loops_us", time.loops},
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
  return {{"test", prediction.test},          {"rows", step.rows.rows},      {"sequences", step.rows.sequences},
          {"positions", step.rows.positions}, {"clocks", std::move(clocks)}, {"kernels", std::move(kernels)}};
}

/// What was measured of the machine, a line each.
std::string notesText(const PredictRequest& request) {
  std::string text;
  for (const std::string& note : request.notes) text += note + "\n";
  return text.empty() ? text : text + "\n";
}

/// Each kernel of a step, a line.
std::string kernelTable(const codegen::Prediction& step, const PredictRequest& request) {
  std::vector<std::string> head = {
      "kernel (all its launches of a step)", "launches", "MB", "regs", "warps/SM", "KiB in flight/SM", "instr/byte"};
  for (const double clock : request.megahertz) head.push_back("us @ " + fixed(clock, 0));
  head.push_back("bound");
  std::vector<std::vector<std::string>> rows = {head};
  for (const codegen::PredictedKernel& kernel : step.kernels) {
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
  return textTable(rows);
}

/// Each step a line: tok/s at each clock, and what binds it there.
std::string stepTable(const std::vector<StepPrediction>& steps, const PredictRequest& request) {
  std::vector<std::string> head = {"test", "rows", "ms @ " + fixed(request.megahertz.front(), 0)};
  for (const double clock : request.megahertz)
    head.insert(head.end(), {"tok/s @ " + fixed(clock, 0), "bound", "over tg", "over llama.cpp"});
  std::vector<std::vector<std::string>> rows = {head};
  for (const StepPrediction& prediction : steps) {
    const codegen::Prediction& step = prediction.step;
    std::vector<std::string> row = {prediction.test, std::to_string(step.rows.rows),
                                    fixed(step.microseconds.front() / 1e3, 3)};
    for (size_t i = 0; i < request.megahertz.size(); ++i)
      row.insert(row.end(),
                 {fixed(tokensPerSecond(step, i), 1), boundText(step, i),
                  fixed(step.microseconds[i] / steps.front().step.microseconds[i], 2), peerText(prediction, i)});
    rows.push_back(std::move(row));
  }
  return textTable(rows);
}

} // namespace

ordered_json predictionJson(const std::vector<StepPrediction>& steps, const PredictRequest& request) {
  ordered_json list = ordered_json::array();
  for (const StepPrediction& step : steps) list.push_back(stepJson(step, request));
  ordered_json report = {{"device", "NVIDIA T4 (predicted)"}, {"context", request.context}};
  if (!request.notes.empty())
    report["calibration"] = request.notes;
  report["steps"] = std::move(list);
  return report;
}

std::string predictionText(const std::vector<StepPrediction>& steps, const PredictRequest& request) {
  const codegen::Prediction& token = steps.front().step;
  std::string text = "Predicted for an NVIDIA T4, decode of one sequence at context " +
                     std::to_string(request.context) + ": the largest of memory (" +
                     fixed(request.machine.clock.memoryBytesPerSecond / 1e9 / codegen::kReadShare, 0) + " GB/s x " +
                     fixed(codegen::kReadShare, 2) + "), L2, issue, units and simulated loops of tensor cores, plus " +
                     fixed(request.machine.clock.launchMicroseconds, 1) + " us a launch\n\n" + notesText(request) +
                     kernelTable(token, request) + "\n" + stepTable(steps, request) +
                     "over tg: the step's time over that of one sequence; over llama.cpp: its linears' time in the "
                     "same model over this engine's\n\n";
  for (size_t i = 0; i < token.microseconds.size(); ++i)
    text += "predicted at " + fixed(request.megahertz[i], 0) + " MHz: " + fixed(token.microseconds[i] / 1e3, 3) +
            " ms a token, " + fixed(tokensPerSecond(token, i), 1) + " tok/s\n";
  return text;
}

} // namespace llcuda::inspect
