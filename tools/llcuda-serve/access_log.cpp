// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-serve/access_log.h"

#include <chrono>
#include <cstdio>
#include <ctime>

#include <nlohmann/json.hpp>

namespace llcuda::serve {
namespace {

double milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

/// "2026-11-30T19:00:00.123Z"
std::string now() {
  const auto time = std::chrono::system_clock::now().time_since_epoch();
  const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
  const auto seconds = static_cast<std::time_t>(whole / 1000);
  std::tm parts = {};
  ::gmtime_r(&seconds, &parts);
  char text[64];
  const std::size_t end = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + end, sizeof(text) - end, ".%03dZ", static_cast<int>(whole % 1000));
  return text;
}

} // namespace

std::string jsonLine(const server::AccessRecord& record) {
  nlohmann::ordered_json line = {
      {"time", now()},           {"request_id", record.requestId},  {"method", record.method}, {"path", record.path},
      {"status", record.status}, {"ms", milliseconds(record.took)}, {"bytes", record.bytes}};
  if (!record.keyName.empty())
    line["key"] = record.keyName;
  for (const server::Note& note : record.notes)
    std::visit([&](const auto& value) { line[note.name] = value; }, note.value);
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string plainLine(const server::AccessRecord& record) {
  char took[32];
  std::snprintf(took, sizeof(took), "%.1f ms", milliseconds(record.took));
  return now() + ' ' + record.method + ' ' + record.path + ' ' + std::to_string(record.status) + ' ' + took + ' ' +
         record.requestId;
}

} // namespace llcuda::serve
