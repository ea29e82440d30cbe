// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/mask_workers.h"

#include <algorithm>
#include <utility>

namespace llcuda::serving {
namespace {

using Clock = std::chrono::steady_clock;

uint32_t threadCount(uint32_t asked) {
  if (asked != 0)
    return asked;
  const uint32_t processors = std::thread::hardware_concurrency();
  return std::clamp(processors, 2u, 5u) - 1;
}

} // namespace

bool MaskJob::isReady() const {
  const std::lock_guard lock(*mutex);
  return !isTaken;
}

MaskWorkers::MaskWorkers(uint32_t vocabulary, MaskWorkerOptions given)
    : vocabulary(vocabulary), options(std::move(given)) {}

MaskWorkers::~MaskWorkers() {
  {
    const std::lock_guard lock(mutex);
    stopping = true;
  }
  arrived.notify_all();
  for (std::thread& thread : threads) thread.join();
}

std::shared_ptr<MaskJob> MaskWorkers::begin(std::shared_ptr<const text::Grammar> grammar) {
  auto job = std::make_shared<MaskJob>();
  job->grammar = std::move(grammar);
  job->mutex = &mutex;
  job->words.resize((vocabulary + 31) / 32);
  const std::lock_guard lock(mutex);
  if (threads.empty())
    for (uint32_t i = threadCount(options.threads); i > 0; --i) threads.emplace_back([this] { run(); });
  enqueue(job);
  return job;
}

/// With the lock.
void MaskWorkers::enqueue(std::shared_ptr<MaskJob> job) {
  job->isTaken = true;
  queue.push_back(std::move(job));
  arrived.notify_one();
}

void MaskWorkers::add(const std::shared_ptr<MaskJob>& job, MaskJob::Step step) {
  const std::lock_guard lock(mutex);
  job->steps.push_back(std::move(step));
  if (!job->isTaken)
    enqueue(job);
}

void MaskWorkers::drop(std::shared_ptr<MaskJob> job) {
  const std::lock_guard lock(mutex);
  job->grammar = nullptr;
  if (!job->isTaken)
    enqueue(std::move(job));
}

void MaskWorkers::wait(std::span<const std::shared_ptr<MaskJob>> jobs, bool any, Clock::time_point end) {
  std::unique_lock lock(mutex);
  const auto isReady = [](const std::shared_ptr<MaskJob>& job) { return !job->isTaken; };
  done.wait_until(lock, end,
                  [&] { return any ? std::ranges::any_of(jobs, isReady) : std::ranges::all_of(jobs, isReady); });
}

uint64_t MaskWorkers::workNs() const {
  const std::lock_guard lock(mutex);
  return spentNs;
}

void MaskWorkers::run() {
  for (std::unique_lock lock(mutex);;) {
    arrived.wait(lock, [this] { return stopping || !queue.empty(); });
    if (stopping)
      return;
    std::shared_ptr<MaskJob> job = std::move(queue.front());
    queue.pop_front();
    work(job, lock);
    lock.unlock();
    job.reset(); // it may be the last one to hold it
    lock.lock();
  }
}

void MaskWorkers::work(const std::shared_ptr<MaskJob>& job, std::unique_lock<std::mutex>& lock) {
  do {
    if (!job->grammar || job->failure)
      break;
    const std::vector<MaskJob::Step> steps = std::exchange(job->steps, {});
    const auto grammar = job->grammar; // which drop() takes away
    lock.unlock();
    const Clock::time_point start = Clock::now();
    Result<void> made = make(*job, *grammar, steps);
    const auto spent = Clock::now() - start;
    lock.lock();
    spentNs += static_cast<uint64_t>(std::chrono::nanoseconds(spent).count());
    if (!made)
      job->failure = std::move(made.error());
  } while (!job->steps.empty());
  job->isTaken = false;
  done.notify_all();
}

/// Without the lock: nobody else touches what is used here.
Result<void> MaskWorkers::make(MaskJob& job, const text::Grammar& grammar, std::span<const MaskJob::Step> steps) {
  if (!job.matcher) {
    LLCUDA_ASSIGN_OR_RETURN(auto matcher, grammar.matcher());
    job.matcher.emplace(std::move(matcher));
  }
  for (const MaskJob::Step& step : steps) {
    const int32_t* token = std::get_if<int32_t>(&step);
    LLCUDA_RETURN_IF_ERROR(token ? job.matcher->consume(*token)
                                 : job.matcher->consumeText(std::get<std::string>(step)));
  }
  if (options.beforeMask)
    options.beforeMask(grammar);
  job.stopped = job.matcher->isStopped();
  return job.matcher->mask(job.words);
}

} // namespace llcuda::serving
