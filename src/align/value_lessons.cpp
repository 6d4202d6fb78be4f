#include "value_lessons.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "valence/align/ranking.h"
#include "valence/values/profile.h"

namespace valence {
namespace {

LessonAnswer answer_of(const Sample& sample) { return {.text = sample.text, .tokens = sample.tokens}; }

/// The readable responses of one prompt.
struct Field {
  std::vector<Candidate> candidates;
  std::vector<const Sample*> samples;
};

std::map<std::size_t, Field> fields_of(const ValueRound& round) {
  std::map<std::size_t, Field> fields;
  for (std::size_t i = 0; i < round.samples.size(); ++i) {
    if (!round.readings[i]) continue;
    auto& field = fields[round.samples[i].prompt];
    field.candidates.push_back({round.samples[i].text, round.readings[i]->reward});
    field.samples.push_back(&round.samples[i]);
  }
  return fields;
}

/// Every response with its reward.
Lesson rollouts_of(const OpenPrompt& prompt, const Field& field, double scale) {
  Lesson lesson{prompt, {}};
  for (std::size_t i = 0; i < field.samples.size(); ++i) {
    if (!std::isfinite(field.candidates[i].reward)) continue;
    auto answer = answer_of(*field.samples[i]);
    answer.reward = field.candidates[i].reward / scale;
    answer.logprobs = field.samples[i]->logprobs;
    answer.ended = !field.samples[i]->cut;
    lesson.answers.push_back(std::move(answer));
  }
  return lesson;
}

Json sample_json(const ValueRound& round, const Sample& sample, const std::optional<ValueReading>& reading,
                 std::uint64_t seed) {
  Json json = {
      {"prompt_id", round.prompts[sample.prompt].id}, {"number", sample.number + 1}, {"seed", seed},
      {"status", to_string(sample.status)},           {"cut", sample.cut},           {"tokens", sample.tokens.size()},
      {"logprob", number_or_null(sample.logprob)},    {"group", sample.digest},      {"text", sample.text}};
  if (!reading) return json;
  json["reward"] = number_or_null(reading->reward);
  if (reading->e.empty()) return json;
  json["l1"] = number_or_null(reading->l1);
  json["masked"] = number_or_null(reading->masked);
  json["coverage"] = number_or_null(reading->coverage);
  json["e"] = reading->e;
  return json;
}

AnswerRow response_row(const OpenPrompt& prompt, const Sample& sample, std::size_t round) {
  AnswerRow row;
  row.unit = prompt.id;
  row.condition = fmt::format("round {}", round);
  row.item = prompt.text;
  row.variant = fmt::format("response {}", sample.number + 1);
  row.format = AnswerFormat::kText;
  row.route = Route::kSampled;
  row.status = sample.status;
  row.captured_mass = sample.status == Status::kScored ? 1.0 : 0.0;
  row.draws = sample.status == Status::kError ? 0 : 1;
  row.text = sample.text;
  row.digest = sample.digest;
  return row;
}

/// What was read out of a response: the number stands in the text.
AnswerRow reward_row(const AnswerRow& response, double reward) {
  AnswerRow row;
  row.unit = response.unit;
  row.condition = response.condition;
  row.item = "reward";
  row.variant = response.variant;
  row.format = AnswerFormat::kText;
  row.route = Route::kRead;
  row.text = fmt::format("{}", reward);
  return row;
}

/// Mean of a figure over the readable responses; null when there are none.
template <class Of>
Json mean_of(const Readings& readings, Of of) {
  double sum = 0.0, count = 0.0;
  for (const auto& reading : readings) {
    if (!reading) continue;
    sum += of(*reading);
    count += 1.0;
  }
  return number_or_null(count > 0.0 ? sum / count : kUndefined);
}

/// Mean over prompts of the best reward of each.
double mean_best(const ValueRound& round) {
  const auto fields = fields_of(round);
  double sum = 0.0;
  for (const auto& [prompt, field] : fields) sum += std::ranges::max(field.candidates, {}, &Candidate::reward).reward;
  return fields.empty() ? kUndefined : sum / static_cast<double>(fields.size());
}

}  // namespace

Result<Readings> read_samples(const ValueReader& reader, std::span<const OpenPrompt> prompts,
                              std::span<const Sample> samples) {
  std::vector<PromptedText> texts;
  for (const auto& sample : samples) {
    if (sample.said()) texts.push_back({prompts[sample.prompt].text, sample.text});
  }
  VALENCE_TRY(const auto read, reader.read(texts));
  Readings readings;
  std::size_t at = 0;
  for (const auto& sample : samples) readings.push_back(sample.said() ? std::optional(read[at++]) : std::nullopt);
  return readings;
}

std::vector<double> mean_by_prompt(std::size_t prompts, std::span<const Sample> samples,
                                   const std::function<double(std::size_t sample)>& number) {
  std::vector<double> sums(prompts, 0.0), counts(prompts, 0.0);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double value = number(i);
    if (std::isnan(value)) continue;
    sums[samples[i].prompt] += value;
    counts[samples[i].prompt] += 1.0;
  }
  for (std::size_t p = 0; p < prompts; ++p) sums[p] = counts[p] > 0.0 ? sums[p] / counts[p] : kUndefined;
  return sums;
}

std::vector<double> by_prompt(std::size_t prompts, std::span<const Sample> samples, const Readings& readings,
                              double ValueReading::*figure) {
  return mean_by_prompt(prompts, samples,
                        [&](std::size_t i) { return readings[i] ? (*readings[i]).*figure : kUndefined; });
}

std::vector<Lesson> lessons_of(const ValueRound& round, const LessonRule& rule) {
  std::vector<Lesson> lessons;
  for (const auto& [prompt, field] : fields_of(round)) {
    const auto taught = [&, at = prompt, from = &field](std::initializer_list<std::size_t> which) {
      Lesson lesson{round.prompts[at], {}};
      for (const auto i : which) lesson.answers.push_back(answer_of(*from->samples[i]));
      lessons.push_back(std::move(lesson));
    };
    if (rule.kind == LessonKind::kAll) {
      auto lesson = rollouts_of(round.prompts[prompt], field, rule.scale);
      if (lesson.answers.size() >= rule.fewest) lessons.push_back(std::move(lesson));
    } else if (rule.kind == LessonKind::kPairs) {
      for (const auto& pair : ranked_pairs(field.candidates, rule.margin, rule.most))
        taught({pair.chosen, pair.rejected});
    } else {
      for (const auto best : best_of(field.candidates, rule.most)) taught({best});
    }
  }
  return lessons;
}

std::string samples_jsonl(const ValueRound& round, std::uint64_t seed) {
  std::string text;
  for (std::size_t i = 0; i < round.samples.size(); ++i)
    text += to_text(sample_json(round, round.samples[i], round.readings[i], seed)) + "\n";
  return text;
}

std::vector<AnswerRow> answer_rows(const ValueRound& round, std::size_t number) {
  std::vector<AnswerRow> rows;
  for (std::size_t i = 0; i < round.samples.size(); ++i) {
    const auto& reading = round.readings[i];
    rows.push_back(response_row(round.prompts[round.samples[i].prompt], round.samples[i], number));
    if (reading && std::isfinite(reading->reward)) rows.push_back(reward_row(rows.back(), reading->reward));
  }
  return rows;
}

Json round_json(const ValueRound& round, std::size_t number) {
  return {{"round", number},
          {"prompts", round.prompts.size()},
          {"samples", to_json(count_of(round.samples))},
          {"mean_reward", mean_of(round.readings, [](const ValueReading& r) { return r.reward; })},
          {"mean_best_reward", number_or_null(mean_best(round))},
          {"mean_coverage", mean_of(round.readings, [](const ValueReading& r) { return r.coverage; })},
          {"lessons", round.lessons.size()}};
}

}  // namespace valence
