#include "valence/evaluate/judge.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "judge_questions.h"
#include "valence/stats/distribution.h"
#include "valence/stats/intervals.h"

namespace valence {
namespace {

constexpr double kUnread = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kOrders = 2;

void count(Status status, StatusCounts& statuses) {
  switch (status) {
    case Status::kScored:
      ++statuses.scored;
      break;
    case Status::kRefused:
      ++statuses.refused;
      break;
    case Status::kUnparseable:
      ++statuses.unparseable;
      break;
    case Status::kError:
      ++statuses.error;
      break;
  }
}

// ---- answers → votes

/// Votes of all answers, and how many of each text's answers could be read.
struct Ballot {
  std::vector<JudgeVote> votes;
  std::vector<double> asked, read;  // by text
  StatusCounts statuses;

  explicit Ballot(std::size_t texts) : asked(texts, 0.0), read(texts, 0.0) {}

  void add(std::size_t row, Status status) {
    count(status, statuses);
    asked[row] += 1.0;
    if (status == Status::kScored) read[row] += 1.0;
  }
};

void read_choice(const JudgeQuestion& question, const ChoiceAnswer& answer, Ballot& ballot) {
  for (const auto& row : answer.rows) {
    ballot.add(question.row, row.status);
    if (row.status != Status::kScored) continue;
    JudgeVote vote{question.row, question.dims.front(), question.framing, row.place.front() != 0, {}};
    std::copy(row.probability.begin(), row.probability.end(), vote.probability.begin());
    ballot.votes.push_back(vote);
  }
}

/// An answer that names a label of every value it was asked about is read, whatever stands around it; where it names
/// some only, those count and the answer is unparseable.
void read_open(const JudgeQuestion& question, const OpenAnswer& answer, const JudgeProtocol& protocol, Ballot& ballot) {
  const auto classes = answer.status == Status::kError
                           ? std::vector<int>(question.dims.size(), -1)
                           : parse_judge_answer(answer.completion.text, protocol, question.dims);
  const auto named = std::count_if(classes.begin(), classes.end(), [](int c) { return c >= 0; });
  const bool whole = static_cast<std::size_t>(named) == classes.size();
  const bool silent = answer.status == Status::kRefused || answer.status == Status::kError;
  ballot.add(question.row, whole ? Status::kScored : named == 0 && silent ? answer.status : Status::kUnparseable);
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (classes[i] < 0) continue;
    JudgeVote vote{question.row, question.dims[i], question.framing, question.reversed, {}};
    vote.probability[static_cast<std::size_t>(classes[i])] = 1.0;
    ballot.votes.push_back(vote);
  }
}

// ---- votes → judgement

/// Sums of one cell in one framing, by order.
struct Tally {
  std::array<std::array<double, kLabelClasses>, kOrders> sum{};
  std::array<double, kOrders> votes{};

  void add(const JudgeVote& vote) {
    const auto order = static_cast<std::size_t>(vote.reversed);
    for (std::size_t c = 0; c < kLabelClasses; ++c) sum[order][c] += vote.probability[c];
    votes[order] += 1.0;
  }
  bool empty() const { return votes[0] + votes[1] == 0.0; }
  bool both() const { return votes[0] > 0.0 && votes[1] > 0.0; }

  /// Mean of the orders' means, so that an order with more readable answers weighs no more.
  std::array<double, kLabelClasses> mean() const {
    std::array<double, kLabelClasses> mean{};
    const double orders = (votes[0] > 0.0 ? 1.0 : 0.0) + (votes[1] > 0.0 ? 1.0 : 0.0);
    for (std::size_t order = 0; order < kOrders; ++order) {
      if (votes[order] == 0.0) continue;
      for (std::size_t c = 0; c < kLabelClasses; ++c) mean[c] += sum[order][c] / votes[order] / orders;
    }
    return mean;
  }

  /// Half of (shown first − shown last): opposed stands first in the paper's order, upheld in the reverse.
  double pull() const {
    const double opposed_first = sum[0][0] / votes[0], opposed_last = sum[1][0] / votes[1];
    const double upheld_last = sum[0][2] / votes[0], upheld_first = sum[1][2] / votes[1];
    return (opposed_first + upheld_first - upheld_last - opposed_last) / 4.0;
  }
};

/// [cell][framing].
class Tallies {
 public:
  Tallies(std::size_t rows, std::size_t dims, std::size_t framings)
      : dims_(dims), framings_(framings), tallies_(rows * dims * framings) {}

  void add(const JudgeVote& vote) { tallies_[((vote.row * dims_) + vote.dim) * framings_ + vote.framing].add(vote); }
  std::span<const Tally> at(std::size_t row, std::size_t dim) const {
    return std::span(tallies_).subspan((row * dims_ + dim) * framings_, framings_);
  }

 private:
  std::size_t dims_, framings_;
  std::vector<Tally> tallies_;
};

std::array<double, kLabelClasses> mean_over_framings(std::span<const Tally> framings) {
  std::array<double, kLabelClasses> mean{};
  double answered = 0.0;
  for (const auto& tally : framings) {
    if (tally.empty()) continue;
    const auto own = tally.mean();
    for (std::size_t c = 0; c < kLabelClasses; ++c) mean[c] += own[c];
    answered += 1.0;
  }
  for (auto& p : mean) p = answered > 0.0 ? p / answered : kUnread;
  return mean;
}

/// The likeliest label; of equals "unrelated", which claims least, and neither of two opposites.
ValueLabel likeliest(const std::array<double, kLabelClasses>& p) {
  if (p[1] >= p[0] && p[1] >= p[2]) return 0;
  if (p[0] == p[2]) return 0;
  return p[0] > p[2] ? ValueLabel{-1} : ValueLabel{1};
}

ValueLabel merged_label(std::span<const Tally> framings, std::size_t& ties) {
  int sum = 0, labelled = 0;
  for (const auto& tally : framings) {
    const auto label = tally.empty() ? ValueLabel{0} : likeliest(tally.mean());
    sum += label;
    labelled += label != 0 ? 1 : 0;
  }
  ties += labelled > 0 && sum == 0 ? 1 : 0;
  if (labelled == 0) return 0;
  return sum >= 0 ? ValueLabel{1} : ValueLabel{-1};
}

double pull_of(const Tallies& tallies, std::size_t row, std::size_t dims) {
  double sum = 0.0, cells = 0.0;
  for (std::size_t dim = 0; dim < dims; ++dim) {
    for (const auto& tally : tallies.at(row, dim)) {
      if (!tally.both()) continue;
      sum += tally.pull();
      cells += 1.0;
    }
  }
  return cells > 0.0 ? sum / cells : kUnread;
}

Judgement judgement_of(const Ballot& ballot, const JudgeProtocol& protocol, JudgeRoute route) {
  const auto rows = ballot.asked.size(), dims = protocol.dimensions.size();
  Tallies tallies(rows, dims, protocol.framings.size());
  for (const auto& vote : ballot.votes) tallies.add(vote);
  Judgement judgement;
  judgement.route = route;
  judgement.statuses = ballot.statuses;
  judgement.probabilities = {rows, dims, {}};
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t dim = 0; dim < dims; ++dim) {
      const auto p = mean_over_framings(tallies.at(row, dim));
      judgement.probabilities.values.insert(judgement.probabilities.values.end(), p.begin(), p.end());
      judgement.merged.push_back(merged_label(tallies.at(row, dim), judgement.ties));
    }
    judgement.read_share.push_back(ballot.asked[row] > 0.0 ? ballot.read[row] / ballot.asked[row] : 0.0);
    judgement.pulls.push_back(pull_of(tallies, row, dims));
  }
  return judgement;
}

JudgeRoute route_for(const JudgeOptions& options, const Capabilities& can) {
  if (options.route != JudgeRoute::kAuto) return options.route;
  return can.scores ? JudgeRoute::kExact : JudgeRoute::kSampled;
}

Result<std::vector<JudgeQuestion>> questions_for(const JudgeProtocol& protocol, std::span<const PromptedText> texts,
                                                 const JudgeOptions& options, JudgeRoute route,
                                                 const Capabilities& can) {
  VALENCE_TRY(const auto framings, framings_for(protocol, options, route));
  return route == JudgeRoute::kExact ? exact_questions(protocol, texts, framings)
                                     : sampled_questions(protocol, texts, framings, options, can.json_schema);
}

}  // namespace

bool Judgement::judged(std::size_t row, std::size_t dim) const { return !std::isnan(probabilities.at(row, dim)[0]); }

bool Judgement::judged(std::size_t row) const {
  for (std::size_t dim = 0; dim < probabilities.dims; ++dim) {
    if (!judged(row, dim)) return false;
  }
  return true;
}

Estimate Judgement::pull() const {
  std::vector<double> known;
  std::copy_if(pulls.begin(), pulls.end(), std::back_inserter(known), [](double x) { return !std::isnan(x); });
  return known.empty() ? Estimate{} : within(stats::student_mean(known, "response"), -0.5, 0.5);
}

Result<Judgement> judge_texts(Examiner& examiner, const JudgeProtocol& protocol, std::span<const PromptedText> texts,
                              const JudgeOptions& options) {
  const auto& can = examiner.subject().model->card().can;
  const auto route = route_for(options, can);
  VALENCE_TRY(auto asked, questions_for(protocol, texts, options, route, can));
  std::vector<Question> questions;
  for (auto& one : asked) questions.push_back(std::move(one.question));
  VALENCE_TRY(const auto answers, examiner.ask(questions));
  Ballot ballot(texts.size());
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (const auto* choice = std::get_if<ChoiceAnswer>(&answers[i])) {
      read_choice(asked[i], *choice, ballot);
    } else {
      read_open(asked[i], std::get<OpenAnswer>(answers[i]), protocol, ballot);
    }
  }
  return judgement_of(ballot, protocol, route);
}

Result<HeldOut> hold_out(const Judgement& judgement, const LabelledData& data, std::string name) {
  HeldOut held;
  held.evaluator = std::move(name);
  held.dims = data.dims();
  held.probabilities.dims = data.dims();
  for (std::size_t row = 0; row < data.rows.size(); ++row) {
    if (!judgement.judged(row)) continue;
    const auto& own = data.rows[row];
    held.prompts.push_back(prompt_key(own.text.prompt));
    held.responders.push_back(own.responder);
    held.labels.insert(held.labels.end(), own.labels.begin(), own.labels.end());
    ++held.probabilities.rows;
    for (std::size_t dim = 0; dim < held.dims; ++dim) {
      held.decided.push_back(judgement.merged[row * held.dims + dim]);
      const auto p = judgement.probabilities.at(row, dim);
      held.probabilities.values.insert(held.probabilities.values.end(), p.begin(), p.end());
    }
  }
  if (held.rows() == 0)
    return fail(ErrorCode::kWrongCount, "the judge gave no answer that could be read about any of {} responses",
                data.rows.size());
  return held;
}

}  // namespace valence
