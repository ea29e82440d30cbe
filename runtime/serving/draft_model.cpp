// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/draft_model.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "runtime/serving/speculation.h"

namespace llcuda::serving {
namespace {

/// What an unknown pair of models is taken for, and how many guesses it is remembered by.
constexpr double kFirstChance = 0.7;
constexpr uint32_t kRemembered = 64;
/// A sequence that was not asked for in so many rounds gives its slot up to another one.
constexpr uint64_t kIdleRounds = 64;

StepRows rowsAt(uint32_t rows, uint32_t sequences, uint64_t positions) {
  return {.rows = rows, .sequences = sequences, .positions = positions};
}

} // namespace

DraftModel::DraftModel(std::shared_ptr<const Program> program, uint32_t vocabulary, const DraftModelOptions& options)
    : vocabulary(vocabulary), given(options.costs), clock(program->device().context),
      overall(kFirstChance, kRemembered) {}

Result<std::unique_ptr<DraftModel>> DraftModel::create(std::shared_ptr<const Program> program, uint32_t vocabulary,
                                                       const DraftModelOptions& options) {
  if (program->engine().metadata().max_batch() == 1)
    return unsupported("the draft engine decodes one row, and reads several at a time of what it did not guess itself; "
                       "compile it with --max-batch ",
                       kAlikeRows);
  std::unique_ptr<DraftModel> model(new DraftModel(program, vocabulary, options));
  Execution execution;
  execution.graphs = options.graphs;
  execution.capture = Capture::kAtStart;
  execution.cacheBytes = options.cacheBytes;
  execution.clock = &model->clock;
  LLCUDA_ASSIGN_OR_RETURN(model->session,
                          Session::create(std::move(program), options.context, options.slots, std::move(execution)));
  if (model->session->slots().hasState())
    return unsupported("the draft model has recurrent states, which cannot go back to what was said");
  model->measured.emplace(*model->session);
  for (uint32_t slot = options.slots; slot-- > 0;) model->freeSlots.push_back(slot);
  return model;
}

Result<void> DraftModel::measure() {
  return measurePhases(*session, clock, *measured, session->program().engine().metadata().max_batch());
}

Result<void> DraftModel::readClock() {
  LLCUDA_ASSIGN_OR_RETURN(const std::vector<PhaseTime> times, clock.take());
  for (const PhaseTime& time : times) measured->follow(time);
  return {};
}

double DraftModel::stepMs(uint32_t rows, uint64_t positions) const {
  return costs().decode(rowsAt(rows, rows, positions));
}

/// The widest prompt phase of those that take so long at most and that so many tokens fill, else the narrowest.
std::optional<std::size_t> DraftModel::phaseWithin(uint32_t tokens, uint32_t length, double milliseconds) const {
  const std::span<const PromptShape> shapes = session->promptShapes();
  std::optional<std::size_t> best, narrowest;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    if (!narrowest || shapes[i].rows < shapes[*narrowest].rows)
      narrowest = i;
    const double takes =
        costs().prompt(static_cast<uint32_t>(i), false, rowsAt(std::min(tokens, shapes[i].rows), 1, length));
    if (takes <= milliseconds && shapes[i].rows <= tokens && (!best || shapes[i].rows > shapes[*best].rows))
      best = i;
  }
  return best ? best : narrowest;
}

double DraftModel::followMs(uint32_t tokens, uint32_t length) const {
  double milliseconds = 0;
  while (tokens > kReadsBeside) {
    const auto phase = static_cast<uint32_t>(*phaseWithin(tokens, length, INFINITY));
    const uint32_t read = std::min(tokens, session->promptShapes()[phase].rows);
    milliseconds += costs().prompt(phase, false, rowsAt(read, 1, length));
    tokens -= read;
  }
  return milliseconds;
}

// ----------------------------------------------------------------------------------------------------------- sequences

bool DraftModel::hasRoomFor(uint64_t id) const {
  return sequences.contains(id) || !freeSlots.empty() ||
         std::ranges::any_of(sequences, [&](const auto& entry) { return entry.second.lastUse + kIdleRounds < round; });
}

DraftModel::Sequence* DraftModel::place(uint64_t id) {
  if (const auto found = sequences.find(id); found != sequences.end())
    return &found->second;
  if (!hasRoomFor(id))
    return nullptr;
  if (freeSlots.empty())
    leave(std::ranges::min_element(sequences, {}, [](const auto& entry) { return entry.second.lastUse; })->first);
  Sequence& sequence = sequences[id];
  sequence.slot = freeSlots.back();
  freeSlots.pop_back();
  return &sequence;
}

void DraftModel::leave(uint64_t id) {
  const auto found = sequences.find(id);
  if (found == sequences.end())
    return;
  session->truncate(found->second.slot, 0);
  freeSlots.push_back(found->second.slot);
  sequences.erase(found);
}

/// How far what it has is what was said.
void DraftModel::agree(Sequence& sequence, std::span<const int32_t> tokens) const {
  const auto most = static_cast<uint32_t>(std::min(sequence.tokens.size(), tokens.size()));
  while (sequence.agreed < most && sequence.tokens[sequence.agreed] == tokens[sequence.agreed]) ++sequence.agreed;
}

std::optional<uint32_t> DraftModel::behind(uint64_t id, std::span<const int32_t> tokens) {
  const auto length = static_cast<uint32_t>(tokens.size());
  if (length > session->context() || !hasRoomFor(id))
    return {};
  const auto isForeign = [&](int32_t token) {
    return token >= static_cast<int32_t>(session->program().engine().model().vocabulary());
  };
  const auto found = sequences.find(id);
  if (found == sequences.end())
    return std::ranges::any_of(tokens, isForeign) ? std::nullopt : std::optional(length - 1);
  Sequence& sequence = found->second;
  agree(sequence, tokens);
  sequence.isForeign = sequence.isForeign || std::ranges::any_of(tokens.subspan(sequence.agreed), isForeign);
  if (sequence.isForeign)
    return {};
  return length - 1 - std::min(length - 1, session->continuable(sequence.slot, sequence.agreed));
}

uint32_t DraftModel::roomBehind(uint32_t length) const {
  return session->context() - std::min(session->context(), length - 1);
}

/// Chains may name tokens; their tables are as large as the vocabulary.
SamplingParams DraftModel::samplingOf(const RequestOptions& options) const {
  const bool isAlike = session->program().engine().model().vocabulary() == vocabulary && session->hasMasks();
  return options.sampling.chain == 0 || !isAlike ? SamplingParams{} : options.sampling;
}

/// Forgets what was said otherwise. The position that it reads next.
Result<uint32_t> DraftModel::begin(Sequence& sequence, const DraftRequest& request) {
  agree(sequence, request.tokens);
  const auto last = static_cast<uint32_t>(request.tokens.size() - 1);
  const uint32_t first = session->continuable(sequence.slot, std::min(sequence.agreed, last));
  session->truncate(sequence.slot, first);
  sequence.tokens.resize(first);
  sequence.agreed = first;
  sequence.lastUse = round;
  if (samplingOf(*request.options).chain == 0)
    return first;
  const Sampler& sampler = request.options->sampler;
  if (!std::exchange(sequence.hasSampler, true))
    LLCUDA_RETURN_IF_ERROR(
        session->startSampling(sequence.slot, sampler, request.tokens.first(first), sampler.initialState()));
  if (sampler.program.usesPast != 0)
    LLCUDA_RETURN_IF_ERROR(session->writeHistory(sequence.slot, first, request.tokens.subspan(first)));
  return first;
}

// --------------------------------------------------------------------------------------------------------------- pages

std::vector<uint64_t> DraftModel::freePages() const {
  std::vector<uint64_t> free;
  for (const SlotState::Group& group : session->slots().groups()) free.push_back(group.table.pool().availableCount());
  return free;
}

uint32_t DraftModel::pageCount() const {
  uint32_t pages = 0;
  for (const SlotState::Group& group : session->slots().groups()) pages += group.table.shape().poolPages;
  return pages;
}

uint32_t DraftModel::freePageCount() const {
  uint64_t free = 0;
  for (const uint64_t pages : freePages()) free += pages;
  return static_cast<uint32_t>(free);
}

/// Takes the pages of positions `first` ... `end` - 1 of a sequence from those that are free; who was not asked for in
/// this round gives his up.
bool DraftModel::makeRoom(uint64_t id, uint32_t first, uint32_t end, std::vector<uint64_t>& free) {
  const uint32_t slot = sequences.at(id).slot;
  for (;;) {
    const auto& groups = session->slots().groups();
    std::vector<uint64_t> left = free;
    bool fits = true;
    for (std::size_t group = 0; group < groups.size(); ++group) {
      const uint64_t needed = groups[group].table.needed(slot, first, end);
      fits &= needed <= free[group];
      left[group] -= std::min(free[group], needed);
    }
    if (fits) {
      free = std::move(left);
      return true;
    }
    const auto oldest = std::ranges::min_element(sequences, {}, [](const auto& entry) { return entry.second.lastUse; });
    if (oldest->second.lastUse == round)
      return false;
    const std::vector<uint64_t> before = freePages();
    leave(oldest->first);
    const std::vector<uint64_t> after = freePages();
    for (std::size_t group = 0; group < free.size(); ++group) free[group] += after[group] - before[group];
  }
}

// ---------------------------------------------------------------------------------------------------------------- runs

Result<bool> DraftModel::follow(const DraftRequest& request, double milliseconds) {
  ++round;
  Sequence* sequence = place(request.id);
  if (!sequence)
    return false;
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t first, begin(*sequence, request));
  const auto length = static_cast<uint32_t>(request.tokens.size());
  const uint32_t behind = length - 1 - first;
  if (behind == 0)
    return true;
  const std::size_t phase = *phaseWithin(behind, length, milliseconds);
  const uint32_t count = std::min(behind, session->promptShapes()[phase].rows);
  std::vector<uint64_t> free = freePages();
  if (!makeRoom(request.id, first, first + count, free))
    return false;
  const PromptPart part = {sequence->slot, first, request.tokens.subspan(first, count)};
  LLCUDA_RETURN_IF_ERROR(session->runPrompts(static_cast<uint32_t>(phase), {&part, 1}, false));
  sequence->tokens.insert(sequence->tokens.end(), part.tokens.begin(), part.tokens.end());
  sequence->agreed = first + count;
  spent += costs().prompt(static_cast<uint32_t>(phase), false, rowsAt(count, 1, first + count));
  // One run may be on its way beside that which is queued.
  LLCUDA_RETURN_IF_ERROR(session->endStep());
  return true;
}

/// Rows of all that are not too far behind: of what each has to read, and last of its last token.
Result<std::vector<DraftModel::Row>> DraftModel::joinRows(std::span<const DraftRequest> requests) {
  const uint32_t most = session->program().engine().metadata().max_batch();
  std::vector<Row> rows;
  std::vector<uint64_t> free = freePages();
  uint32_t next = 0;
  for (const DraftRequest& request : requests) // nobody of them makes room for another
    if (Sequence* sequence = place(request.id))
      sequence->lastUse = round;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const DraftRequest& request = requests[i];
    const auto found = sequences.find(request.id);
    if (found == sequences.end() || request.most == 0)
      continue;
    Sequence& sequence = found->second;
    LLCUDA_ASSIGN_OR_RETURN(const uint32_t first, begin(sequence, request));
    const auto length = static_cast<uint32_t>(request.tokens.size());
    if (length - 1 - first > kReadsBeside || next + length - first > most ||
        !makeRoom(request.id, first, length - 1 + request.most, free))
      continue;
    for (uint32_t position = first; position < length; ++position)
      LLCUDA_RETURN_IF_ERROR(
          session->join(next++, {sequence.slot, request.tokens[position], position, samplingOf(*request.options)}));
    rows.push_back({i, next - 1});
    sequence.tokens.assign(request.tokens.begin(), request.tokens.end());
    sequence.agreed = length;
  }
  return rows;
}

Result<void> DraftModel::queueStep(std::span<const Row> rows) {
  StepRows step = rowsAt(rows.back().row + 1, rows.back().row + 1, 0);
  for (const DecodeRows::Row& row : session->rows())
    if (row.isUsed)
      step.positions += row.position + 1;
  spent += costs().decode(step);
  ++stepCount;
  return session->queueStep({false, true});
}

Result<std::vector<DraftGuess>> DraftModel::guess(std::span<const DraftRequest> requests, const DraftWorth& worth) {
  ++round;
  std::vector<DraftGuess> guesses(requests.size());
  LLCUDA_ASSIGN_OR_RETURN(std::vector<Row> rows, joinRows(requests));
  while (!rows.empty()) {
    const uint32_t used = rows.back().row + 1;
    LLCUDA_RETURN_IF_ERROR(queueStep(rows));
    LLCUDA_ASSIGN_OR_RETURN(const StepOutput output, session->take());
    const double stepShare = stepMs(static_cast<uint32_t>(rows.size()), 0) / static_cast<double>(rows.size());
    std::vector<Row> going;
    for (Row row : rows) {
      const DraftRequest& request = requests[row.request];
      DraftGuess& guess = guesses[row.request];
      const int32_t token = output.sampled[row.row];
      const double sure = std::exp(static_cast<double>(output.scores[row.row].logProbability));
      if (token < 0 || token >= static_cast<int32_t>(vocabulary) || !(sure >= worth.least))
        continue;
      const double chance = chances.of(sure);
      overall.follow(chance);
      row.chance *= chance;
      guess.tokens.push_back(token);
      guess.sure.push_back(sure);
      guess.chances.push_back(row.chance);
      if (guess.tokens.size() < request.most && row.chance * overall.value() * worth.tokenMs > stepShare + worth.rowMs)
        going.push_back(row);
    }
    const bool staysInPlace = going.size() == rows.size() && used == rows.size();
    for (uint32_t i = 0; i < going.size(); ++i) {
      const DraftRequest& request = requests[going[i].request];
      Sequence& sequence = sequences.at(request.id);
      const int32_t token = guesses[going[i].request].tokens.back();
      going[i].row = i;
      if (!staysInPlace)
        LLCUDA_RETURN_IF_ERROR(session->join(
            i, {sequence.slot, token, static_cast<uint32_t>(sequence.tokens.size()), samplingOf(*request.options)}));
      sequence.tokens.push_back(token); // the next step reads it
    }
    for (auto row = static_cast<uint32_t>(going.size()); row < used; ++row) LLCUDA_RETURN_IF_ERROR(session->leave(row));
    rows = std::move(going);
  }
  return guesses;
}

void DraftModel::judge(std::span<const double> sure, uint32_t right) {
  for (uint32_t i = 0; i < std::min<std::size_t>(sure.size(), right + 1); ++i) chances.follow(sure[i], i < right);
}

// -------------------------------------------------------------------------------------------------------- vocabularies

Result<void> checkDraftVocabulary(const text::Tokenizer& model, const text::Tokenizer& draft) {
  const text::TextConfig &ours = model.config(), &theirs = draft.config();
  const auto refuse = [](const auto&... parts) {
    return unsupported("the draft model has another vocabulary, so that it cannot guess: ", parts...);
  };
  if (ours.kind != theirs.kind)
    return refuse("it is of the kind ", text::name(theirs.kind), ", the model's of ", text::name(ours.kind));
  const auto rule = [](bool adds, int32_t token) { return adds ? std::to_string(token) : std::string("nothing"); };
  if (rule(ours.addBos, ours.bos) != rule(theirs.addBos, theirs.bos))
    return refuse("it begins a text with ", rule(theirs.addBos, theirs.bos), ", the model with ",
                  rule(ours.addBos, ours.bos));
  if (rule(ours.addEos, ours.eos) != rule(theirs.addEos, theirs.eos))
    return refuse("it ends a text with ", rule(theirs.addEos, theirs.eos), ", the model with ",
                  rule(ours.addEos, ours.eos));
  const auto size = static_cast<int32_t>(model.vocabularySize()), other = static_cast<int32_t>(draft.vocabularySize());
  if (std::abs(size - other) > kMoreTokens)
    return refuse("it has ", other, " tokens and the model ", size, ", allowed are ", kMoreTokens, " more or fewer");
  for (int32_t token = kFreeTokens; token < std::min(size, other); ++token)
    if (model.piece(token) != draft.piece(token))
      return refuse("token ", token, " is \"", std::string(draft.piece(token)), "\", in the model's \"",
                    std::string(model.piece(token)), "\"");
  return {};
}

} // namespace llcuda::serving
