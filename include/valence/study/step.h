#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/digest.h"
#include "valence/base/node.h"
#include "valence/base/progress.h"
#include "valence/base/result.h"
#include "valence/exam/subject_file.h"
#include "valence/instruments/instrument.h"
#include "valence/store/store.h"
#include "valence/values/target.h"

namespace valence {

class Step;

/// What the steps read so far are called: how a step finds those that it needs.
class StepNames {
 public:
  void add(const Step& step);
  /// The step that a key of `table` names, one of the given kinds: its full name ("align.persona"). Errors name the
  /// place and suggest the nearest; a reward model stands for no subject and is refused.
  Result<std::string> at(const Node& table, std::string_view key, std::initializer_list<std::string_view> kinds) const;
  Result<std::string> of(const Node& name, std::initializer_list<std::string_view> kinds) const;
  const Step* find(std::string_view full_name) const;

 private:
  std::map<std::string, const Step*, std::less<>> steps_;
};

/// What a step may read while it runs. The references outlive the call.
struct StepContext {
  Store& store;
  const std::map<std::string, const Step*, std::less<>>& steps;
  const std::map<std::string, RunId>& runs;  ///< results of the steps that are done, by full name
  std::string hash;                          ///< of the step that runs: the key of its run where it makes one itself
  std::filesystem::path folder;              ///< for files that a step makes
  bool reuse = false;
  std::stop_token stop;
  Progress* progress = nullptr;

  Result<RunId> run_of(const std::string& full_name) const;
  Result<SubjectSpec> subject(const std::string& full_name) const;  ///< of a subject or an alignment
  Result<Target> target(const std::string& full_name) const;
};

/// A node of a study's graph. Inputs (subjects, targets) have a hash and no run; the others leave a run in the store.
class Step {
 public:
  Step(std::string_view kind, std::string name) : kind_(kind), name_(std::move(name)) {}
  virtual ~Step() = default;

  const std::string& kind() const { return kind_; }
  const std::string& name() const { return name_; }
  std::string full_name() const { return kind_ + "." + name_; }

  virtual bool is_input() const { return false; }
  /// Full names of the steps whose results this one reads.
  virtual std::vector<std::string> needs() const { return {}; }
  /// Everything of its own that its result depends on: settings, and the content of files. What it needs is added to
  /// it.
  virtual Result<Digest> own_hash() const = 0;
  /// Two steps of one kind that say the same here take about as long: "svo · smollm2".
  virtual std::string what(const std::map<std::string, const Step*, std::less<>>& steps) const = 0;
  virtual Result<RunId> run(const StepContext& context) const = 0;
  /// What is not there yet of what it needs on this machine: a file, the trainer. Asked before anything runs.
  virtual Result<void> ready() const { return {}; }
  /// Whether what a finished run left outside the store (an adapter) is what it was; if not, the step runs again.
  virtual bool is_still_there(const Store&, RunId) const { return true; }

  /// Of inputs: what they stand for.
  virtual const SubjectSpec* subject() const { return nullptr; }
  virtual const Target* target() const { return nullptr; }
  /// Of alignments: whether it leaves a reward model, which rates answers and is no subject.
  virtual bool rates() const { return false; }
  /// Of measurements: with what, and in which value space the result lives.
  virtual const Instrument* instrument() const { return nullptr; }
  virtual Result<std::string> space() const { return std::string(); }
  /// Everything that decides what is asked, by name: settings, items, seed.
  virtual std::vector<std::pair<std::string, std::string>> asked() const { return {}; }
  /// Of measurements: whether a target amounts to answers to what they ask (Instrument::answer_key).
  virtual Result<void> can_be_answered_by(const Target&) const { return {}; }

 private:
  std::string kind_, name_;
};

/// What every step of a file shares.
struct StudyDefaults {
  std::uint64_t seed = 0;
};

/// One kind of step: the name of its tables in a study file, and how such a table is read.
struct StepKind {
  std::string_view id;
  std::string_view does;  ///< for people
  Result<std::unique_ptr<Step>> (*read)(const std::string& name, const Node& table, const StepNames& names,
                                        const StudyDefaults& defaults);
};

/// All kinds of steps, each after those that it may need; no static-initialiser magic.
const std::vector<StepKind>& step_kinds();

}  // namespace valence
