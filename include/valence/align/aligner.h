#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/progress.h"
#include "valence/base/result.h"
#include "valence/base/settings.h"
#include "valence/exam/subject_file.h"
#include "valence/instruments/instrument.h"
#include "valence/store/answers.h"
#include "valence/store/store.h"
#include "valence/values/target.h"

namespace valence {

/// What an aligner is, for people and for records.
struct AlignerCard {
  std::string id;  ///< "in_context", "choice", "dpo"
  std::string title;
  std::string version;           ///< changes whenever the same settings would give another subject
  std::string does;              ///< one sentence
  std::string limits;            ///< what it cannot do or show; one sentence
  bool changes_weights = false;  ///< false: the prompt only
  bool needs_target = true;
  bool needs_instrument = true;
  bool rates = false;  ///< leaves a reward model, which rates answers (valence/align/rlhf.h) and is no subject
};

/// Everything that an aligner may read. The references outlive the call.
struct AlignContext {
  const SubjectSpec& base;                 ///< who is aligned
  const Target* target = nullptr;          ///< null only where the card says that none is needed
  const Instrument* instrument = nullptr;  ///< whose items it learns or searches on; likewise
  const Settings* asked = nullptr;         ///< the instrument's settings
  const Settings& settings;                ///< the aligner's own
  Store& store;
  std::filesystem::path folder;  ///< where files that it makes go
  std::uint64_t seed = 0;
  std::stop_token stop;
  Progress* progress = nullptr;
  bool reuse = false;  ///< take groups of other runs in the store: alignments to several targets ask the base the same

  /// How its questions are put.
  ExaminerOptions asking() const { return {.seed = seed, .reuse = reuse, .stop = stop, .progress = progress}; }
};

struct AlignedSubject {
  SubjectSpec subject;
  std::string record;  ///< JSON of what was tried and chosen, on which items: docs/formats.md, "Aligned subjects"
  RunId run = 0;       ///< that files all this
  std::vector<AnswerRow> answers = {};  ///< drawn on the way; `align` files them as the run's and leaves none here
};

/// What of a request can be checked before anything is opened; null where nothing is named.
struct AlignRequest {
  const Target* target = nullptr;
  const Instrument* instrument = nullptr;
  const Settings* asked = nullptr;
  const Settings& settings;
};

/// What changes a subject to close a gap.
class Aligner {
 public:
  virtual ~Aligner() = default;
  virtual const AlignerCard& card() const = 0;
  virtual const SettingTable& settings() const = 0;
  /// kUsage when a request cannot be carried out, whoever is aligned.
  virtual Result<void> check(const AlignRequest&) const { return {}; }
  /// What is not there yet of what a request needs on this machine: files, evaluators, the trainer. kUsage, kNotFound.
  virtual Result<void> ready(const AlignRequest&) const { return {}; }
  /// `run`: groups and training steps go there, so that a killed alignment goes on where it was.
  virtual Result<AlignedSubject> align(const AlignContext& context, RunId run) const = 0;
};

/// All aligners, in the order they are listed; no static-initialiser magic.
const std::vector<std::unique_ptr<Aligner>>& aligners();
/// kUsage with the nearest name suggested.
Result<const Aligner*> find_aligner(std::string_view id);

/// Runs an aligner as a run of the store ("align/<id>"), going on with an unfinished one of the same base, target and
/// settings, and files the aligned subject. Aligners that change weights put alignment.json into the folder, which says
/// whose it is; kUsage when it is another's.
Result<AlignedSubject> align(const Aligner& aligner, const AlignContext& context);

/// What `align` filed. kUsage when the run is no finished alignment, kMismatch when the adapter or model that it left is
/// another by now.
Result<AlignedSubject> load_aligned(const Store& store, RunId run);

}  // namespace valence
