#pragma once

#include <memory>
#include <string>

#include "valence/align/aligner.h"
#include "valence/base/settings.h"
#include "valence/base/settings_digest.h"
#include "valence/study/step.h"

namespace valence::study {

using StepMap = std::map<std::string, const Step*, std::less<>>;

// One reader per kind of step, each in the file of its name.
Result<std::unique_ptr<Step>> read_subject_step(const std::string&, const Node&, const StepNames&,
                                                const StudyDefaults&);
Result<std::unique_ptr<Step>> read_target_step(const std::string&, const Node&, const StepNames&, const StudyDefaults&);
Result<std::unique_ptr<Step>> read_align_step(const std::string&, const Node&, const StepNames&, const StudyDefaults&);
Result<std::unique_ptr<Step>> read_measure_step(const std::string&, const Node&, const StepNames&,
                                                const StudyDefaults&);
Result<std::unique_ptr<Step>> read_change_step(const std::string&, const Node&, const StepNames&, const StudyDefaults&);
Result<std::unique_ptr<Step>> read_content_step(const std::string&, const Node&, const StepNames&,
                                                const StudyDefaults&);
Result<std::unique_ptr<Step>> read_gap_step(const std::string&, const Node&, const StepNames&, const StudyDefaults&);
Result<std::unique_ptr<Step>> read_saydo_step(const std::string&, const Node&, const StepNames&, const StudyDefaults&);
Result<std::unique_ptr<Step>> read_tax_step(const std::string&, const Node&, const StepNames&, const StudyDefaults&);

/// The settings in the sub-table `key` (all defaults when it is absent), checked; errors name their place.
Result<Settings> settings_at(const Node& table, std::string_view key, const SettingTable& specs);

/// The instrument that a key names; errors name their place.
Result<const Instrument*> instrument_at(const Node& table, std::string_view key);

/// Whether the difference of two measurements can be their subjects': they are two, of one instrument, put in the same
/// way. The error stands at `place`.
Result<void> check_comparable(const Node& place, const StepNames& names, const std::string& before,
                              const std::string& after);

/// The seed of a step: its own or the study's.
Result<std::uint64_t> seed_at(const Node& table, const StudyDefaults& defaults);

/// The model behind a subject or an alignment, for saying what takes about as long.
std::string model_of(const StepMap& steps, const std::string& subject);

/// Files a result that is no administration as a run of `kind` under the step's hash. Unfinished runs are gone on with.
Result<RunId> file_result(const StepContext& context, std::string_view kind, const std::string& subject,
                          const Json& settings, const Json& result);

}  // namespace valence::study
