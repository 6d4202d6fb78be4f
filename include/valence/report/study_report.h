#pragma once

#include <optional>
#include <string>
#include <vector>

#include "valence/base/result.h"
#include "valence/instruments/agreement.h"
#include "valence/instruments/measure.h"
#include "valence/report/report.h"
#include "valence/values/target.h"

namespace valence {

/// One subject measured before and after, with what changed.
struct MeasuredChange {
  std::string name;  ///< of the step that asked for it: "gap.change"
  ReportRun before, after;
  std::vector<Difference> differences;  ///< after − before, paired where the units are the same
  AnswerAgreement agreement;
  std::optional<Target> target;  ///< nothing: no distance was asked for
  std::string gap;  ///< JSON of compared_gap_json, the very figures that the step filed; empty without a target
};

/// A measurement that no change looks at.
struct ReportedMeasurement {
  std::string name;
  ReportRun run;
};

/// How far one measurement is from a target.
struct ReportedGap {
  std::string name;
  ReportRun run;
  std::string table;  ///< JSON of gap_json, the very figures that the step filed
};

struct SampleAnswer {
  std::string prompt, before, after;
};

struct ReportedTax {
  std::string name, base, aligned;
  std::string table;                  ///< JSON of to_json(Tax), as filed
  std::vector<SampleAnswer> samples;  ///< the same prompts to both; may be empty
};

/// Whether answers follow a target by their content, before and after.
struct ReportedContent {
  std::string name;
  std::string table;  ///< JSON, as the step filed it (docs/formats.md, "Content tests")
};

/// Whether a subject does what it says of itself.
struct ReportedSayDo {
  std::string name;
  std::string table;  ///< JSON of say_do_json, as the step filed it
};

/// A response that an alignment in rounds drew and rated.
struct DrawnResponse {
  std::string round, prompt, response;
  double reward;  ///< NaN: it has none
};

/// What an alignment tried and chose.
struct ReportedAlignment {
  std::string name, method, base;
  std::string system;  ///< what the aligned subject is told
  std::string record;  ///< JSON, as filed
  RunId run = 0;
  std::vector<DrawnResponse> drawn = {};  ///< the first of each round; may be empty
  bool without_tax = false;               ///< no tax of the study says what it cost
};

/// A reward over the steps of a training, against the drift from the start.
struct OptimisationTrace {
  struct Point {
    double step, kl;  ///< nats
    double proxy;     ///< what is optimised
    double held_out;  ///< of an evaluator of other rows and features; NaN where it was not looked at
  };
  std::string name;
  std::vector<Point> points;
  std::optional<double> turn;  ///< the step that the method itself named as the turn
  bool tested = false;         ///< the method looked for a turn: without `turn` the course has none
};

struct ReportedStep {
  std::string name, what, hash;
  RunId run = 0;  ///< 0 for inputs
};

/// Everything that the report of a study shows.
struct StudyReport {
  std::string title, note;
  std::vector<MeasuredChange> changes;
  std::vector<ReportedMeasurement> measurements;
  std::vector<ReportedGap> gaps;
  std::vector<ReportedContent> contents;
  std::vector<ReportedSayDo> say_dos;
  std::vector<ReportedTax> taxes;
  std::vector<ReportedAlignment> alignments;
  std::vector<OptimisationTrace> traces;
  std::vector<ReportedStep> steps;
};

/// Self-contained HTML: verdicts, before → after arrows, dumbbells, changes, measurements and distances that stand
/// alone, tax, over-optimisation, sample answers, validity, provenance. And JSON of the same figures (docs/formats.md,
/// "Study report").
Result<std::string> study_html(const StudyReport& report);
Result<std::string> study_json(const StudyReport& report);

/// The sentence that a manager understands, hedged by the interval; silent about values where the gate failed.
std::string change_verdict(const MeasuredChange& change);
/// The same, after the step's name where the study has several: one instrument may be read in more than one way.
std::string headline(const StudyReport& report, const MeasuredChange& change);
/// The first distance with its interval and the best there is; silent about values where the gate failed.
std::string gap_verdict(const ReportedGap& gap);
/// What an alignment on pairs found on held-out ones, against length alone; empty for others.
std::string alignment_verdict(const ReportedAlignment& alignment);

/// That the cost of an alignment was not measured; empty where a tax says what it was.
std::string missing_tax(const ReportedAlignment& alignment);

/// What may be claimed of a content test, in a sentence.
Result<std::string> content_verdict(const ReportedContent& content);

/// What an alignment cost, in a sentence: what is beyond its aim and by how much first, then what is within, what
/// cannot be told and what is untestable, and that drift was not measured where it was not (docs/tax.md). Families of
/// questions have no aim and are left out.
Result<std::string> tax_verdict(const ReportedTax& tax);

/// The step that the method named as the turn. Where no method looked for one: the point with the largest held-out
/// reward, when the proxy rises after it; nothing when that is the last one, or nothing was held out.
std::optional<std::size_t> turning_point(const OptimisationTrace& trace);

}  // namespace valence
