#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "valence/align/lessons.h"
#include "valence/align/sampler.h"
#include "valence/base/json.h"
#include "valence/base/result.h"
#include "valence/store/answers.h"
#include "value_reader.h"

namespace valence {

/// What each sample is worth; nothing where nothing was said.
using Readings = std::vector<std::optional<ValueReading>>;
Result<Readings> read_samples(const ValueReader& reader, std::span<const OpenPrompt> prompts,
                              std::span<const Sample> samples);

/// Mean over each of `prompts` prompts' responses of a number per sample (NaN: of a response without one); NaN where none
/// has one.
std::vector<double> mean_by_prompt(std::size_t prompts, std::span<const Sample> samples,
                                   const std::function<double(std::size_t sample)>& number);
/// The same of a figure of the readings.
std::vector<double> by_prompt(std::size_t prompts, std::span<const Sample> samples, const Readings& readings,
                              double ValueReading::*figure);

/// How lessons are made of rewards.
enum class LessonKind {
  kBest,   ///< the best responses of each prompt
  kPairs,  ///< pairs of better and worse ones
  kAll     ///< all that could be read, with their rewards
};
struct LessonRule {
  LessonKind kind = LessonKind::kPairs;
  double margin = 0.0;     ///< of pairs
  std::size_t most = 1;    ///< pairs, or best responses, of one prompt
  std::size_t fewest = 1;  ///< kAll: readable responses without which a prompt is left out
  double scale = 1.0;      ///< kAll: rewards are divided by it
};

/// A round's responses, what they are worth, and what is taught from them.
struct ValueRound {
  std::vector<OpenPrompt> prompts;
  std::vector<Sample> samples;
  Readings readings;
  std::vector<Lesson> lessons;
};

std::vector<Lesson> lessons_of(const ValueRound& round, const LessonRule& rule);

/// One line per response: prompt, number, seed, log-probability, rewards, coverage, E, text (docs/formats.md).
std::string samples_jsonl(const ValueRound& round, std::uint64_t seed);
/// The same as answers of a run, prompts in full: a row per response (`condition`: the round), behind it one of its
/// reward where it has one (docs/formats.md).
std::vector<AnswerRow> answer_rows(const ValueRound& round, std::size_t number);
/// Counts and means of a round, for the record.
Json round_json(const ValueRound& round, std::size_t number);

}  // namespace valence
