#include <algorithm>
#include <istream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <system_error>

#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/base/node.h"
#include "valence/base/text.h"
#include "valence/instruments/run_labels.h"

namespace valence {
namespace {

// ---- the file

Json entry_json(const LabelSheet& sheet, std::size_t place, const DimensionNames& names) {
  const auto& entry = sheet.entries[place];
  Json types = Json::array();
  for (std::size_t d = 0; d < entry.labels.size(); ++d) {
    if (entry.labels[d] != 0) types.push_back(fmt::format("{}: {:+}", names.dimensions[d], int{entry.labels[d]}));
  }
  const auto& record = sheet.record;
  return {{"prompt", entry.text.prompt},
          {"response", entry.text.response},
          {"response_source", sheet.subject},
          {"value_types", types},
          {"labelled_by", entry.labelled_by},
          {"sampling",
           {{"run", record.run},
            {"population", record.population},
            {"responses", record.responses},
            {"seed", record.seed},
            {"place", place + 1}}}};
}

struct Line {
  SamplingRecord record;
  std::size_t place = 0;
  std::string labelled_by;
};

Result<Line> line_of(const Node& node) {
  const auto* sampling = node.find("sampling");
  if (sampling == nullptr) {
    return tl::unexpected(node.error(
        "this label does not say how its response was drawn (\"sampling\"), so nothing shows that it is of a random "
        "sample: draw one with valence evaluator label"));
  }
  Line line;
  VALENCE_TRY(line.record.run, sampling->integer_at("run"));
  VALENCE_TRY(line.record.population, sampling->string_at("population"));
  VALENCE_TRY(const auto seed, sampling->integer_at("seed"));
  VALENCE_TRY(const auto responses, sampling->integer_at("responses"));
  VALENCE_TRY(const auto place, sampling->integer_at("place"));
  if (seed < 0 || responses < 1 || place < 1)
    return tl::unexpected(
        sampling->error("\"sampling\" needs a seed of 0 or more, a place and responses of 1 or more"));
  line.record.seed = static_cast<std::uint64_t>(seed);
  line.record.responses = static_cast<std::size_t>(responses);
  line.place = static_cast<std::size_t>(place);
  VALENCE_TRY(line.labelled_by, node.string_at("labelled_by"));
  return line;
}

Result<void> check_line(const Node& node, const Line& line, const LabelSheet& sheet) {
  if (!sheet.entries.empty() && line.record != sheet.record)
    return tl::unexpected(node.error("this label is of another draw than the first line's"));
  if (line.place == sheet.entries.size() + 1) return {};
  return tl::unexpected(
      node.error(fmt::format("place {} of the draw stands where place {} should: labels that were left out, chosen or "
                             "moved are no random sample",
                             line.place, sheet.entries.size() + 1)));
}

Result<LabelSheet> sheet_of(std::string_view text, std::string_view name, const DimensionNames& names) {
  VALENCE_TRY(const auto lines, parse_jsonl(text, name));
  VALENCE_TRY(auto labelled, parse_labelled(text, name, names));
  LabelSheet sheet;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    VALENCE_TRY(const auto line, line_of(lines[i]));
    VALENCE_CHECK(check_line(lines[i], line, sheet));
    sheet.record = line.record;
    sheet.subject = labelled.rows[i].responder;
    sheet.entries.push_back({std::move(labelled.rows[i].text), std::move(labelled.rows[i].labels), line.labelled_by});
  }
  return sheet;
}

// ---- a person

std::optional<std::size_t> dimension_of(std::string_view word, const DimensionNames& names) {
  const bool number = !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
  if (!number) return names.find(word);
  if (word.size() > 3) return std::nullopt;
  const auto place = std::stoul(std::string(word));
  return place >= 1 && place <= names.size() ? std::optional(place - 1) : std::nullopt;
}

std::string value_list(const Space& space) {
  std::string list;
  for (const auto& dimension : space.dimensions)
    list += fmt::format("  {:2} {}\n", dimension.index + 1, dimension.label);
  return list;
}

std::string intro(const Space& space, std::size_t done, std::size_t of) {
  return fmt::format(
      "Which values does each response uphold (+) or oppose (-)? Judge the response, not the request.\n{}"
      "For example: +{} -2, or an empty line when it touches none.   b  back   q  stop (labels are kept)\n{}",
      value_list(space), space.dimensions.front().id,
      done == 0 ? "" : fmt::format("{} of {} are labelled.\n", done, of));
}

std::string shown(const PromptedText& text, std::size_t place, std::size_t of) {
  return fmt::format("\n{}/{}\nrequest:  {}\nresponse: {}\n> ", place, of, printable(text.prompt),
                     printable(text.response));
}

}  // namespace

std::optional<std::vector<ValueLabel>> labels_from_line(std::string_view line, const DimensionNames& names) {
  std::vector<ValueLabel> labels(names.size(), 0);
  for (const auto& word : split(trim(line), " ")) {
    if (word.empty()) continue;
    const auto dim = dimension_of(std::string_view(word).substr(1), names);
    if ((word[0] != '+' && word[0] != '-') || !dim || labels[*dim] != 0) return std::nullopt;
    labels[*dim] = word[0] == '+' ? ValueLabel{1} : ValueLabel{-1};
  }
  return labels;
}

Result<LabelSheet> read_label_sheet(const std::filesystem::path& file, const DimensionNames& names) {
  VALENCE_TRY(const auto text, read_file(file));
  return sheet_of(text, file.string(), names);
}

Result<LabelSheet> open_label_sheet(const std::filesystem::path& file, const DimensionNames& names,
                                    std::string_view subject, const SamplingRecord& record) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return LabelSheet{std::string(subject), record, {}};
  VALENCE_TRY(auto sheet, read_label_sheet(file, names));
  auto same = record;
  same.run = sheet.record.run;  // a repeated run has the same responses
  if (sheet.record == same) return sheet;
  return fail(
      ErrorCode::kMismatch,
      "{}: these are labels of another draw (run {}, seed {}); go on with that, or name another file with --out",
      file.string(), sheet.record.run, sheet.record.seed);
}

Result<void> save_label_sheet(const std::filesystem::path& file, const LabelSheet& sheet, const DimensionNames& names) {
  std::string text;
  for (std::size_t i = 0; i < sheet.entries.size(); ++i) text += to_text(entry_json(sheet, i, names)) + "\n";
  return write_file(file, text);
}

Result<void> ask_labels(const RunResponses& responses, const stats::LabellingDraw& draw, const Space& space,
                        const DimensionNames& names, LabelSheet& sheet, const std::filesystem::path& file,
                        std::istream& in, std::ostream& out) {
  const auto count = draw.rows.size();
  if (sheet.entries.size() < count) out << intro(space, sheet.entries.size(), count);
  std::string line;
  while (sheet.entries.size() < count) {
    const auto& text = responses.texts[draw.rows[sheet.entries.size()]];
    out << shown(text, sheet.entries.size() + 1, count) << std::flush;
    if (!std::getline(in, line) || trim(line) == "q") break;
    if (trim(line) == "b") {
      if (!sheet.entries.empty()) sheet.entries.pop_back();
    } else if (auto labels = labels_from_line(line, names)) {
      sheet.entries.push_back({text, std::move(*labels), "person"});
    } else {
      out << "   a sign and a name or number for each value: +benevolence -5; or an empty line, b, q\n";
      continue;
    }
    VALENCE_CHECK(save_label_sheet(file, sheet, names));
  }
  out << "\n";
  return {};
}

}  // namespace valence
