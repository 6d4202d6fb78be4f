#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/progress.h"
#include "valence/base/result.h"
#include "valence/base/settings.h"
#include "valence/exam/examiner.h"
#include "valence/exam/validity.h"
#include "valence/store/answers.h"
#include "valence/values/profile.h"

namespace valence {

struct AnswerKey;  // valence/instruments/answer_key.h
struct Target;     // valence/values/target.h

/// What an instrument is, for people and for records.
struct InstrumentCard {
  std::string id;           ///< "svo", "hvae", "moralchoice", "questionnaire"
  std::string title;
  std::string version;      ///< changes whenever the same settings would ask something else
  std::string space;        ///< id of the value space its result lives in, unless its settings name another
  std::string measures;     ///< one sentence
  std::string limits;       ///< what it cannot tell; one sentence, shown under pictures
  std::string citation;
  std::string licence;      ///< of the data
  std::string random_unit;  ///< "dialogue", "scenario", "wording"
  std::string cluster;      ///< in what units are clustered, may be empty
  bool open_text = false;   ///< answered in free text: the gate's choice questions would tell nothing and are not put
  std::string example = {};  ///< settings that it cannot be put without, as flags with values to show; may be empty
  bool guessable = true;   ///< false: there is no answering at random, so no uniform responder stands beside the figures
};

struct Examination {
  Examiner& examiner;
  std::uint64_t seed = 0;
  Progress* progress = nullptr;  ///< for work beside the asking; may be null
  std::stop_token stop = {};
  bool gate = true;  ///< false: the gate's questions are not put, nothing will be judged (a search among candidates)
};

/// A prepared, pure estimator: compact arrays made once from a table, evaluated for many weightings.
class Estimator {
 public:
  virtual ~Estimator() = default;
  virtual const std::vector<Estimand>& estimands() const = 0;
  virtual const std::vector<std::string>& units() const = 0;     ///< random units, in weight order
  virtual const std::vector<std::string>& clusters() const = 0;  ///< cluster of each unit; empty = none
  /// One value per estimand for non-negative unit weights (1 = once). NaN where undefined. No state, no randomness.
  virtual std::vector<double> estimate(std::span<const double> unit_weights) const = 0;
  /// How many units each estimand rests on, where that is not all of them; empty = all.
  virtual std::vector<std::size_t> unit_counts() const { return {}; }
  /// Half-widths at 95 % of errors that more units would not lessen (of an evaluator that reads answers), per estimand;
  /// empty = none.
  virtual std::vector<double> systematic() const { return {}; }
};

/// A published way of measuring values. Asking and scoring are two things: `administer` talks to a subject, `prepare`
/// scores whatever answers there are, the subject's or people's.
class Instrument {
 public:
  virtual ~Instrument() = default;
  virtual const InstrumentCard& card() const = 0;
  virtual const SettingTable& settings() const = 0;
  /// Id of the value space of a result under these settings.
  virtual Result<std::string> space(const Settings&) const { return card().space; }
  /// May put the gate's probes itself, in its own form, into `probes`; otherwise `measure` puts them in the form that
  /// most rows have.
  virtual Result<AnswerTable> administer(Examination& examination, const Settings& settings) const = 0;
  /// The rows and probes that the headline rests on, which is what the validity gate judges; all unless overridden.
  virtual AnswerTable headline(const AnswerTable& table, const Settings& settings) const;
  /// The validity gate: valence::assess of the headline unless overridden.
  virtual Validity assess(const AnswerTable& table, const Settings& settings, const GateThresholds& thresholds) const;
  virtual Result<std::unique_ptr<Estimator>> prepare(const AnswerTable& table, const Settings& settings) const = 0;
  /// Distances that are taken of every answer by itself and then averaged, over the units of `prepare`; estimands have the
  /// ids of gap measures. `target`: a value per dimension of the space, in its order; NaN = no part of it. Null unless
  /// overridden: most instruments place a subject, not its answers.
  virtual Result<std::unique_ptr<Estimator>> prepare_distances(const AnswerTable&, const Settings&,
                                                               std::span<const double> target) const;
  /// Reads a short spoken form of answers ("AIAAII") for `valence score`; kUsage when this instrument has none.
  virtual Result<AnswerTable> parse_answers(std::string_view text, const Settings& settings) const = 0;
  /// What a target would answer to the questions that these settings put. kUsage unless overridden, and for a target
  /// that the instrument's options cannot express; the message says which they can.
  virtual Result<AnswerKey> answer_key(const Target& target, const Settings& settings) const;
  /// What a profile of this instrument says, as the rest of a sentence that begins with the subject's name; empty
  /// unless overridden: the report then makes one from the value space and the headline figures.
  virtual std::string finding(const Profile&) const { return ""; }
};

/// All instruments, in the order they are listed; no static-initialiser magic.
const std::vector<std::unique_ptr<Instrument>>& instruments();
/// kUsage with the nearest name suggested.
Result<const Instrument*> find_instrument(std::string_view id);

}  // namespace valence
