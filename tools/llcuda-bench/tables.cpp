// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "tools/llcuda-bench/bench.h"

namespace llcuda::bench {
namespace {

using nlohmann::ordered_json;

Statistics timesOf(const Measured& measured) {
  return statisticsOf({measured.samplesNs.begin(), measured.samplesNs.end()});
}

ordered_json rowJson(const Subject& subject, const Measured& row) {
  const Statistics time = timesOf(row), speed = statisticsOf(speeds(row));
  return {
      {"build_version", llcuda_version()},
      {"gpu_info", subject.session.device},
      {"backends", subject.session.on_host ? "host" : "CUDA"},
      {"model_filename", subject.file},
      {"model_type", std::string(subject.engine.architecture) + " " + subject.engine.name},
      {"model_size", subject.engine.weight_bytes},
      {"type_k", subject.engine.key_type},
      {"type_v", subject.engine.value_type},
      {"flash_attn", true},
      {"n_prompt", row.test.prompt},
      {"n_gen", row.test.generate},
      {"n_depth", row.test.depth},
      {"test_time", row.time},
      {"avg_ns", static_cast<uint64_t>(std::llround(time.mean))},
      {"stddev_ns", static_cast<uint64_t>(std::llround(time.deviation))},
      {"avg_ts", speed.mean},
      {"stddev_ts", speed.deviation},
      {"samples_ns", row.samplesNs},
      {"samples_ts", speeds(row)},
  };
}

std::string testName(const Test& test) {
  std::string name = test.prompt != 0 ? "pp" + std::to_string(test.prompt) : "";
  if (test.generate != 0)
    name += (name.empty() ? "tg" : "+tg") + std::to_string(test.generate);
  if (test.depth != 0)
    name += " @ d" + std::to_string(test.depth);
  return name;
}

std::string markdownTable(const Subject& subject, const std::vector<Measured>& rows) {
  std::string table = "| model | size | device | test | t/s |\n| --- | ---: | --- | ---: | ---: |\n";
  for (const Measured& row : rows) {
    const Statistics speed = statisticsOf(speeds(row));
    char figures[128];
    std::snprintf(figures, sizeof(figures), "%.2f ± %.2f", speed.mean, speed.deviation);
    char size[64];
    std::snprintf(size, sizeof(size), "%.2f MiB", static_cast<double>(subject.engine.weight_bytes) / (1 << 20));
    table += std::string("| ") + subject.engine.architecture + " " + subject.engine.name + " | " + size + " | " +
             subject.session.device + " | " + testName(row.test) + " | " + figures + " |\n";
  }
  return table;
}

} // namespace

std::string jsonText(const std::vector<ordered_json>& rows, const std::string& format) {
  constexpr auto kReplace = ordered_json::error_handler_t::replace;
  if (format == "json")
    return ordered_json(rows).dump(2, ' ', false, kReplace) + "\n";
  std::string lines;
  for (const ordered_json& row : rows) lines += row.dump(-1, ' ', false, kReplace) + "\n";
  return lines;
}

std::string table(const Subject& subject, const std::vector<Measured>& rows, const std::string& format) {
  if (format == "md")
    return markdownTable(subject, rows);
  std::vector<ordered_json> objects;
  for (const Measured& row : rows) objects.push_back(rowJson(subject, row));
  return jsonText(objects, format);
}

} // namespace llcuda::bench
