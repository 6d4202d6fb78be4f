#include <algorithm>
#include <array>

#include "asking.h"
#include "form.h"
#include "valence/base/text.h"
#include "valence/exam/parse.h"

namespace valence {
namespace {

constexpr std::array kStatuses{Status::kScored, Status::kRefused, Status::kUnparseable, Status::kError};

/// What one layout's draws amount to.
struct Tally {
  std::vector<double> chosen;               ///< draws per place
  std::array<std::size_t, 4> counts{};      ///< by status, in the order of kStatuses
  std::vector<std::string> texts;           ///< what each draw said, or why it said nothing

  void add(Status status, std::string text) {
    ++counts[static_cast<std::size_t>(std::ranges::find(kStatuses, status) - kStatuses.begin())];
    texts.push_back(std::move(text));
  }

  std::size_t scored() const { return counts[0]; }

  Status status() const {
    if (scored() > 0) return Status::kScored;
    return kStatuses[static_cast<std::size_t>(std::ranges::max_element(counts) - counts.begin())];
  }
};

Tally tally_of(const AskedChoice& asked, std::size_t at, std::span<const Answered> draws, const AskContext& context) {
  const auto& layout = asked.layouts[at];
  const auto shown = by_place(asked.question->options, layout);
  Tally tally;
  tally.chosen.assign(shown.size(), 0.0);
  for (const auto& draw : draws) {
    const auto* completion = draw.response ? std::get_if<Completion>(&*draw.response) : nullptr;
    if (!completion) {
      tally.add(Status::kError, draw.response ? "the engine gave scores instead of text" : draw.response.error().message);
      continue;
    }
    const auto parsed = parse_choice(completion->text, layout.labels, shown, context.refusals);
    if (parsed.place) tally.chosen[*parsed.place] += 1.0;
    tally.add(parsed.status, completion->text);
  }
  return tally;
}

std::string one_line(std::string_view text) {
  return join(split(replace_all(text, "\r", ""), "\n"), " ⏎ ");
}

/// A single draw's text as it is; of several, a line of counts and a line per draw, so that nothing is dropped.
std::string text_of(const Tally& tally) {
  if (tally.texts.size() == 1) return tally.texts.front();
  std::string out = fmt::format("{} draws:", tally.texts.size());
  for (std::size_t i = 0; i < kStatuses.size(); ++i) {
    if (tally.counts[i] > 0) out += fmt::format(" {} {}", tally.counts[i], to_string(kStatuses[i]));
  }
  for (const auto& text : tally.texts) out += "\n" + one_line(text);
  return out;
}

}  // namespace

std::vector<AnswerRow> read_sampled(const AskedChoice& asked, std::span<const Answered> responses,
                                    const AskContext& context) {
  const auto draws = asked.question->draws;
  std::vector<AnswerRow> rows;
  for (std::size_t at = 0; at < asked.layouts.size(); ++at) {
    const auto own = responses.subspan(at * draws, draws);
    const auto tally = tally_of(asked, at, own, context);
    auto& row = rows.emplace_back(unanswered_row(asked, at));
    row.status = tally.status();
    row.text = text_of(tally);
    row.draws = tally.scored();
    row.digest = own.front().digest;
    if (tally.scored() == 0) continue;
    const auto scored = static_cast<double>(tally.scored());
    for (const auto place : row.place) row.probability.push_back(tally.chosen[place] / scored);
    row.captured_mass = scored / static_cast<double>(draws);
  }
  return rows;
}

}  // namespace valence
