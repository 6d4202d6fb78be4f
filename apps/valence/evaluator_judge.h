#pragma once

#include <span>
#include <string>
#include <vector>

#include "evaluator_picture.h"
#include "session.h"
#include "valence/evaluate/judge.h"
#include "valence/evaluate/quality.h"

namespace CLI {
class App;
}

namespace valence {

/// The flags that put a language model in the place of a trained evaluator.
struct JudgeFlags {
  std::string model;  ///< empty: no judge
  std::string route = "auto";
  std::vector<std::string> framings;
  std::size_t samples = 2;
  std::size_t rows = 0;  ///< of labelled responses, how many are put to the judge; 0 = all

  bool given() const { return !model.empty(); }
  void add_flags(CLI::App& command);
  /// For commands that take labelled responses: how many of them.
  void add_sample_flag(CLI::App& command);
};

/// A judge, opened once and asked many times. Nothing is kept in a store.
class OpenJudge {
 public:
  static Result<OpenJudge> open(const JudgeFlags& flags, const Space& space);
  Result<Judgement> read(std::span<const PromptedText> texts, std::uint64_t seed, Progress& progress,
                         const std::stop_token& stop) const;
  const JudgeProtocol& protocol() const { return protocol_; }
  /// "judge:smollm2": who labelled, in label sheets and tables.
  std::string name() const;

 private:
  Subject judge_;
  JudgeProtocol protocol_;
  JudgeOptions options_;
};

/// How the judge answered: by which route, what could be read, and whether it goes by the place of a label.
Result<std::string> judge_note(const Judgement& judgement);
Result<Json> judge_json(const OpenJudge& judge, const Judgement& judgement);

/// valence evaluator apply --judge
Result<void> apply_judge(const Session& session, const JudgeFlags& flags, const Space& space,
                         std::span<const PromptedText> texts);
/// valence evaluator test --judge
Result<void> test_judge(const Session& session, const JudgeFlags& flags, const Space& space,
                        const LabelledData& labelled, const std::string& data, const QualityOptions& quality,
                        const CalibrationPicture& picture);

}  // namespace valence
