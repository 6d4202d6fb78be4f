#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/result.h"
#include "valence/evaluate/labelled.h"
#include "valence/stats/prediction_powered.h"
#include "valence/store/answers.h"
#include "valence/values/space.h"

namespace valence {

/// What a run of fulcra read: its responses with what was read out of them, as a population that can be sampled.
struct RunResponses {
  stats::ResponsePopulation population;  ///< ids: response_id, "#2", … added where a prompt got the same response again
  std::vector<PromptedText> texts;
  std::vector<double> readings;  ///< [response][dimension], soft values
  std::size_t left_out = 0;      ///< responses that were empty, failed, or read in part only
};

/// Fails with kUsage on a table without responses that were read.
Result<RunResponses> run_responses(const AnswerTable& table, const Space& space, std::string_view subject);

/// How the labelled responses came about: enough to draw them again.
struct SamplingRecord {
  std::int64_t run = 0;
  std::string population;  ///< its digest (hex)
  std::uint64_t seed = 0;
  std::size_t responses = 0;  ///< in the population
  bool operator==(const SamplingRecord&) const = default;
};

/// Labels of drawn responses, one after another in the order of the draw; who stops earlier has a smaller draw.
struct LabelSheet {
  struct Entry {
    PromptedText text;
    std::vector<ValueLabel> labels;  ///< per dimension
    std::string labelled_by;         ///< "person", or "judge:" and the model's name
  };
  std::string subject;
  SamplingRecord record;
  std::vector<Entry> entries;
};

/// The sheet in a file of labelled responses with `sampling` and `labelled_by` (docs/formats.md); a blank one for
/// `record` when there is no file. Fails with kUsage, file and line, on rows out of order or without their record, and
/// with kMismatch on a sheet of another draw.
Result<LabelSheet> open_label_sheet(const std::filesystem::path& file, const DimensionNames& names,
                                    std::string_view subject, const SamplingRecord& record);
/// As it stands in the file, whatever draw it is of.
Result<LabelSheet> read_label_sheet(const std::filesystem::path& file, const DimensionNames& names);
Result<void> save_label_sheet(const std::filesystem::path& file, const LabelSheet& sheet, const DimensionNames& names);

/// Asks a person for the labels of the drawn responses that the sheet lacks, and saves it after each: "+power
/// -security", or numbers of the list; an empty line: no value is touched; "b" back, "q" or the end of the input to
/// stop. What the evaluator read is not shown. Stopping is no error: compare entries with the draw.
Result<void> ask_labels(const RunResponses& responses, const stats::LabellingDraw& draw, const Space& space,
                        const DimensionNames& names, LabelSheet& sheet, const std::filesystem::path& file,
                        std::istream& in, std::ostream& out);

/// "+power -2" → labels; nothing where a word is no dimension with a sign, or names one twice.
std::optional<std::vector<ValueLabel>> labels_from_line(std::string_view line, const DimensionNames& names);

/// Means of labels over all responses of the run, from the labelled ones and the readings of all.
struct CorrectedProfile {
  std::vector<stats::PredictionPowered> dimensions;  ///< in the space's order
  std::size_t labelled = 0, prompts = 0;             ///< responses that counted and their prompts
  std::size_t unfinished = 0;                        ///< labelled responses of a prompt whose others are not: left out
  std::vector<std::pair<std::string, std::size_t>> labelled_by;
};

/// `read_by`: who read the run ("evaluator", or "judge:" and a model's name); `fitted_on`: response ids that the reader
/// was fitted on. Fails with kMismatch where the sheet is of another population or is no draw of its seed, where the
/// evaluator was fitted on a response of the run, and where a judge labelled what the same judge read; with kWrongCount
/// with fewer than two labelled prompts.
Result<CorrectedProfile> correct_profile(const RunResponses& responses, const LabelSheet& sheet,
                                         std::string_view read_by, std::span<const std::string> fitted_on);

}  // namespace valence
