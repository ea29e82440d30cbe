// SPDX-License-Identifier: Apache-2.0
// Threads that make the masks of requests with a grammar, beside the steps of the device.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "runtime/text/grammar.h"

namespace llcuda::serving {

struct MaskWorkerOptions {
  uint32_t threads = 0;                                      ///< 0: min(4, processors - 1), at least one
  std::function<void(const text::Grammar&)> beforeMask = {}; ///< called by a worker before each mask; for tests
};

/// Where one request stands in its grammar, and the mask of its next token.
class MaskJob {
public:
  /// What is asked of it is done. Only then, and until more is asked, may the rest be called; by one thread.
  bool isReady() const;
  /// A bit for each token. Not with an error.
  std::span<const uint32_t> mask() const { return words; }
  /// The grammar has ended: only stop tokens may come, if there are any.
  bool isStopped() const { return stopped; }
  const std::optional<Error>& error() const { return failure; }

private:
  friend class MaskWorkers;
  /// Tokens, or text that is the rest of one.
  using Step = std::variant<int32_t, std::string>;

  std::shared_ptr<const text::Grammar> grammar; // null: nobody needs it
  std::optional<text::Matcher> matcher;         // of the worker that has the job
  std::vector<uint32_t> words;
  std::mutex* mutex = nullptr; // the workers'
  std::vector<Step> steps;     // to be done
  bool isTaken = false;        // in the queue, or a worker has it
  bool stopped = false;
  std::optional<Error> failure;
};

/// Any thread. No job waits for another one as long as there are threads.
class MaskWorkers {
public:
  /// `vocabulary`: of the masks. Threads are started by the first job.
  MaskWorkers(uint32_t vocabulary, MaskWorkerOptions options);
  MaskWorkers(const MaskWorkers&) = delete;
  MaskWorkers& operator=(const MaskWorkers&) = delete;
  /// Waits for the masks that are being made.
  ~MaskWorkers();

  /// Begins with the first mask of a grammar.
  std::shared_ptr<MaskJob> begin(std::shared_ptr<const text::Grammar> grammar);
  /// The token came: the mask is that of the next one.
  void advance(const std::shared_ptr<MaskJob>& job, int32_t token) { add(job, token); }
  /// Text came that is the end of a token.
  void advance(const std::shared_ptr<MaskJob>& job, std::string text) { add(job, std::move(text)); }
  /// Nobody needs it any more; what it holds is freed by a worker.
  void drop(std::shared_ptr<MaskJob> job);

  /// Until all are ready, or `any` one is, or it is that late.
  void wait(std::span<const std::shared_ptr<MaskJob>> jobs, bool any, std::chrono::steady_clock::time_point end);

  /// Nanoseconds that workers have spent on masks.
  uint64_t workNs() const;

private:
  void add(const std::shared_ptr<MaskJob>& job, MaskJob::Step step);
  void enqueue(std::shared_ptr<MaskJob> job);
  void run();
  void work(const std::shared_ptr<MaskJob>& job, std::unique_lock<std::mutex>& lock);
  Result<void> make(MaskJob& job, const text::Grammar& grammar, std::span<const MaskJob::Step> steps);

  uint32_t vocabulary;
  MaskWorkerOptions options;
  mutable std::mutex mutex;
  std::condition_variable arrived, done;
  std::deque<std::shared_ptr<MaskJob>> queue;
  bool stopping = false;
  uint64_t spentNs = 0;
  std::vector<std::thread> threads;
};

} // namespace llcuda::serving
